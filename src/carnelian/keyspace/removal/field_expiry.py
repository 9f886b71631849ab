"""Fields of hashes that expire: removing those past their time, and telling."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.collections.hash import Hash
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.state import State


def note_times(db: Database, key: bytes):
    """Have the expire cycle look after a hash with fields that expire."""
    db.timed_hashes[key] = None


def expire_fields(db: Database, key: bytes, value: Hash, buckets: cython.Py_ssize_t):
    """Remove fields past their time, and the hash with the last of them; returns whether it went.

    Looks at so many buckets of a big one.
    """
    keyspace: State = db.keyspace
    db.keep(key)
    late: list = value.expire(keyspace.clock.ms, buckets)
    gone: cython.bint = value.size() == 0
    if not late:
        return False
    keyspace.stats.expired_fields += len(late)
    if gone:
        db.delete(key)
    if keyspace.on_fields_expired is not None:
        keyspace.on_fields_expired(db, key, late, gone)
    return gone


def expire_next_hash(db: Database, buckets: cython.Py_ssize_t):
    """Look after the hash whose turn it is; returns whether it had fields past their time."""
    key: bytes = next(iter(db.timed_hashes))
    found = db.peek(key)
    if not isinstance(found, Hash) or found.soonest is None:
        db.timed_hashes.pop(key, None)
        return False
    value: Hash = found
    due: cython.bint = value.times.soonest < db.keyspace.clock.ms
    if due and expire_fields(db, key, value, buckets):
        db.timed_hashes.pop(key, None)
        return True
    db.timed_hashes.move_to_end(key)
    return due

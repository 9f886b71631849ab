"""How the commands on hashes reach a hash, and what they tell after a change."""

import cython
from cython.cimports.carnelian.datatypes.hash import Hash
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database

from carnelian.datatypes.hash import Hash as _Hash
from carnelian.keyspace import events

_HASH = cython.declare(cython.int, events.HASH)
_GENERIC = cython.declare(cython.int, events.GENERIC)


def to_read(session: Session, key: bytes):
    """The hash at a key, None if there is none; counted as a read. Raises WrongType."""
    return session.db.collection(key, _Hash)


def to_change(session: Session, key: bytes):
    """The hash at a key, None if there is none. Raises WrongType."""
    return session.db.collection_to_change(key, _Hash)


def changed(db: Database, key: bytes, event: bytes, fields: cython.Py_ssize_t):
    """So many fields were changed."""
    db.changed(key, _HASH, event)
    db.keyspace.dirty += fields - 1


def drop_if_empty(db: Database, key: bytes, value: Hash):
    """Let a hash go with its last field, which has been counted as a change."""
    if value.size():
        return False
    db.delete(key)
    db.changed(key, _GENERIC, b"del")
    db.keyspace.dirty -= 1
    return True

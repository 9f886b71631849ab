"""How the commands on hashes reach a hash, and what they tell after a change."""

import cython
from cython.cimports.carnelian.datatypes.collections.hash import Hash
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.removal.field_expiry import expire_fields
from cython.cimports.carnelian.keyspace.state import DELETE, IGNORE

# Of a big hash, looked at for fields past their time by every command on it.
_BUCKETS = cython.declare(cython.Py_ssize_t, 128)


def to_read(session: Session, key: bytes):
    """The hash at a key, None if there is none; counted as a read. Raises WrongType."""
    value: Hash = session.db.collection(key, Hash)
    return value if value is None or value.times is None else _seen(session, key, value)


def to_change(session: Session, key: bytes):
    """The hash at a key, None if there is none. Raises WrongType."""
    value: Hash = session.db.collection_to_change(key, Hash)
    return value if value is None or value.times is None else _seen(session, key, value)


@cython.cfunc
def _seen(session: Session, key: bytes, value: Hash) -> Hash:
    """The hash as it is to be seen now, without fields past their time; None if none is left."""
    now: cython.longlong = session.keyspace.clock.ms
    value.look(0 if session.keyspace.overdue == IGNORE else now)
    if value.times.soonest >= now or session.keyspace.overdue != DELETE:
        return value
    return None if expire_fields(session.db, key, value, _BUCKETS) else value


def fields_noted(db: Database) -> cython.bint:
    """Whether somebody wants to know which fields change."""
    return db.keyspace.field_notifier is not None


def tell_fields(db: Database, key: bytes, event: bytes, fields: list):
    """A change was about these fields; to be called after ``db.changed``."""
    if fields and db.keyspace.field_notifier is not None:
        db.keyspace.field_notifier(db, key, event, fields)

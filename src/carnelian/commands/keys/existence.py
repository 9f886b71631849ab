"""DEL, UNLINK, EXISTS, TOUCH and TYPE."""

import cython
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import Status

GROUP = "generic"

# Replies of TYPE, made once for each type.
_TYPES = cython.declare(dict, {None: Status(b"none")})


@command(
    "DEL key ...",
    "write",
    keys=at(1, "RM delete", last=-1),
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def delete(session: Session, args: list):
    """Deletes keys.

    Since 1.0.0, O(N), for N keys; O(M) for one that holds a collection of M items
    """
    if session.keyspace.lazy_user_del:
        return unlink(session, args)
    db: Database = session.db
    deleted: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.delete(args[i]):
            db.changed(args[i], GENERIC, b"del")
            deleted += 1
    return deleted


@command(
    "UNLINK key ...",
    "write fast",
    keys=at(1, "RM delete", last=-1),
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def unlink(session: Session, args: list):
    """Deletes keys without waiting until their memory is free.

    Since 4.0.0, O(N), for N keys; memory of big collections is given back later, in small steps
    """
    db: Database = session.db
    deleted: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.unlink(args[i]):
            db.changed(args[i], GENERIC, b"del")
            deleted += 1
    return deleted


@command(
    "EXISTS key ...",
    "readonly fast",
    keys=at(1, "RO", last=-1),
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def exists(session: Session, args: list):
    """Counts the keys that exist, one given twice counting twice.

    Since 1.0.0, O(N), for N keys
    3.0.3: Takes several keys.
    """
    db: Database = session.db
    present: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.exists(args[i]):
            present += 1
    return present


@command(
    "TOUCH key ...",
    "readonly fast",
    keys=at(1, "RO", last=-1),
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def touch(session: Session, args: list):
    """Counts the keys that exist, and notes that they were used just now.

    Since 3.2.1, O(N), for N keys
    """
    db: Database = session.db
    present: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.touch(args[i]):
            present += 1
    return present


@command("TYPE key", "readonly fast", keys=at(1, "RO"))
def type_(session: Session, args: list):
    """Replies with the type of the value at a key.

    Since 1.0.0, O(1)
    """
    name = session.db.type_name(args[1])
    reply = _TYPES.get(name)
    if reply is None:
        reply = _TYPES[name] = Status(name)
    return reply

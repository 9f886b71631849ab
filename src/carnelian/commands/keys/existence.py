"""DEL, UNLINK, EXISTS, TOUCH and TYPE."""

import cython
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC

from carnelian.engine.registry import at, command
from carnelian.resp.replies import Status

# Replies of TYPE, made once for each type.
_TYPES = cython.declare(dict, {None: Status(b"none")})


@command(
    "DEL",
    arity=-2,
    flags="write",
    keys=at(1, "RM delete", last=-1),
    group="generic",
    since="1.0.0",
    complexity="O(N), for N keys; O(M) for one that holds a collection of M items",
    summary="Deletes keys.",
    arguments="key:key ...",
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def delete(session: Session, args: list):
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
    "UNLINK",
    arity=-2,
    flags="write fast",
    keys=at(1, "RM delete", last=-1),
    group="generic",
    since="4.0.0",
    complexity="O(N), for N keys; memory of big collections is given back later, in small steps",
    summary="Deletes keys without waiting until their memory is free.",
    arguments="key:key ...",
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def unlink(session: Session, args: list):
    db: Database = session.db
    deleted: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.unlink(args[i]):
            db.changed(args[i], GENERIC, b"del")
            deleted += 1
    return deleted


@command(
    "EXISTS",
    arity=-2,
    flags="readonly fast",
    keys=at(1, "RO", last=-1),
    group="generic",
    since="1.0.0",
    complexity="O(N), for N keys",
    summary="Counts the keys that exist, one given twice counting twice.",
    arguments="key:key ...",
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
    history=[("3.0.3", "Takes several keys.")],
)
def exists(session: Session, args: list):
    db: Database = session.db
    present: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.exists(args[i]):
            present += 1
    return present


@command(
    "TOUCH",
    arity=-2,
    flags="readonly fast",
    keys=at(1, "RO", last=-1),
    group="generic",
    since="3.2.1",
    complexity="O(N), for N keys",
    summary="Counts the keys that exist, and notes that they were used just now.",
    arguments="key:key ...",
    hints=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def touch(session: Session, args: list):
    db: Database = session.db
    present: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        if db.touch(args[i]):
            present += 1
    return present


@command(
    "TYPE",
    arity=2,
    flags="readonly fast",
    keys=at(1, "RO"),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Replies with the type of the value at a key.",
    arguments="key:key",
)
def type_(session: Session, args: list):
    name = session.db.type_name(args[1])
    reply = _TYPES.get(name)
    if reply is None:
        reply = _TYPES[name] = Status(name)
    return reply

"""INCR and its kin: strings that hold numbers."""

import cython
from cython.cimports.carnelian.commands.lifetimes import integer
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STRING
from cython.cimports.carnelian.resp.numbers import add_floats

from carnelian.engine.registry import at, command
from carnelian.resp.replies import Error

_MOST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cfunc
def _add(session: Session, key: bytes, delta: cython.longlong):
    """What a counter is after adding to it."""
    db: Database = session.db
    number = db.increment(key, delta)
    db.changed(key, STRING, b"incrby")
    return number


@command(
    "INCR",
    arity=2,
    flags="write denyoom fast",
    keys=at(1, "RW access update"),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Adds one to the integer at a key, which counts as 0 if there is none.",
    arguments="key:key",
)
def incr(session: Session, args: list):
    return _add(session, args[1], 1)


@command(
    "DECR",
    arity=2,
    flags="write denyoom fast",
    keys=at(1, "RW access update"),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Takes one off the integer at a key, which counts as 0 if there is none.",
    arguments="key:key",
)
def decr(session: Session, args: list):
    return _add(session, args[1], -1)


@command(
    "INCRBY",
    arity=3,
    flags="write denyoom fast",
    keys=at(1, "RW access update"),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Adds to the integer at a key, which counts as 0 if there is none.",
    arguments="key:key increment:integer",
)
def incrby(session: Session, args: list):
    return _add(session, args[1], integer(args[2]))


@command(
    "DECRBY",
    arity=3,
    flags="write denyoom fast",
    keys=at(1, "RW access update"),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Subtracts from the integer at a key, which counts as 0 if there is none.",
    arguments="key:key decrement:integer",
)
def decrby(session: Session, args: list):
    delta: cython.longlong = integer(args[2])
    if delta == ~_MOST:
        raise Error("ERR decrement would overflow")
    return _add(session, args[1], -delta)


@command(
    "INCRBYFLOAT",
    arity=3,
    flags="write denyoom fast",
    keys=at(1, "RW access update"),
    group="string",
    since="2.6.0",
    complexity="O(1)",
    summary="Adds to the floating-point number at a key, which counts as 0 if there is none.",
    arguments="key:key increment:double",
)
def incrbyfloat(session: Session, args: list):
    db: Database = session.db
    key: bytes = args[1]
    value = db.string_to_change(key)
    number: bytes = add_floats(b"0" if value is None else value, args[2])
    db.set_text(key, number, True)
    db.changed(key, STRING, b"incrbyfloat")
    # Replicas take the result: their C library may round otherwise.
    session.rewrite([b"SET", key, number, b"KEEPTTL"])
    return number

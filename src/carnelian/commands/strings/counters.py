"""INCR and its kin: strings that hold numbers."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import integer
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STRING
from cython.cimports.carnelian.resp.numbers import add_floats

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import Error

GROUP = "string"

_MOST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cfunc
def _add(session: Session, key: bytes, delta: cython.longlong):
    """What a counter is after adding to it."""
    db: Database = session.db
    number = db.increment(key, delta)
    db.changed(key, STRING, b"incrby")
    return number


@command("INCR key", "write denyoom fast", keys=at(1, "RW access update"))
def incr(session: Session, args: list):
    """Adds one to the integer at a key, which counts as 0 if there is none.

    Since 1.0.0, O(1)
    """
    return _add(session, args[1], 1)


@command("DECR key", "write denyoom fast", keys=at(1, "RW access update"))
def decr(session: Session, args: list):
    """Takes one off the integer at a key, which counts as 0 if there is none.

    Since 1.0.0, O(1)
    """
    return _add(session, args[1], -1)


@command("INCRBY key increment:integer", "write denyoom fast", keys=at(1, "RW access update"))
def incrby(session: Session, args: list):
    """Adds to the integer at a key, which counts as 0 if there is none.

    Since 1.0.0, O(1)
    """
    return _add(session, args[1], integer(args[2]))


@command("DECRBY key decrement:integer", "write denyoom fast", keys=at(1, "RW access update"))
def decrby(session: Session, args: list):
    """Subtracts from the integer at a key, which counts as 0 if there is none.

    Since 1.0.0, O(1)
    """
    delta: cython.longlong = integer(args[2])
    if delta == ~_MOST:
        raise Error("ERR decrement would overflow")
    return _add(session, args[1], -delta)


@command("INCRBYFLOAT key increment:double", "write denyoom fast", keys=at(1, "RW access update"))
def incrbyfloat(session: Session, args: list):
    """Adds to the floating-point number at a key, which counts as 0 if there is none.

    Since 2.6.0, O(1)
    """
    db: Database = session.db
    key: bytes = args[1]
    value = db.string_to_change(key)
    number: bytes = add_floats(b"0" if value is None else value, args[2])
    db.set_text(key, number, True)
    db.changed(key, STRING, b"incrbyfloat")
    # Replicas take the result: their C library may round otherwise.
    session.rewrite([b"SET", key, number, b"KEEPTTL"])
    return number

"""What SET, GETEX, EXPIRE and their kin share: reading times, and ending the life of a key."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import ABSOLUTE, SECONDS
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.events import GENERIC
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.keyspace.state import DELETE
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.resp.replies import NO_INTEGER, Error

_MOST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cfunc
@cython.exceptval(-1, check=True)
def integer(text: bytes) -> cython.longlong:
    """The 64-bit integer that an argument has to be."""
    value: cython.longlong = 0
    if not to_longlong(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(value)):
        raise NO_INTEGER
    return value


@cython.cfunc
@cython.exceptval(-1, check=False)
def deadline(session: Session, text: bytes, unit: cython.int, command: str) -> cython.longlong:
    """The unix time in ms that an option such as EX or PXAT means.

    Raises:
        Error: it is no integer, not positive, or out of range.
    """
    moment: cython.longlong = integer(text)
    now: cython.longlong = 0 if unit & ABSOLUTE else session.keyspace.clock.ms
    scale: cython.longlong = 1000 if unit & SECONDS else 1
    if moment <= 0 or moment > _MOST // scale or moment * scale > _MOST - now:
        raise invalid_time(command)
    return moment * scale + now


def invalid_time(command: str) -> Error:
    """The error for a time that a command cannot work with."""
    return Error(f"ERR invalid expire time in '{command}' command")


@cython.cfunc
@cython.exceptval(-1, check=False)
def has_passed(session: Session, moment: cython.longlong) -> cython.bint:
    """Whether a key that expires then has to go at once.

    Not where writes are replayed or come from a primary: their source says when it goes.
    """
    keyspace: Keyspace = session.keyspace
    return moment <= keyspace.clock.ms and keyspace.overdue == DELETE


@cython.cfunc
@cython.exceptval(-1, check=False)
def drop(session: Session, key: bytes) -> cython.int:
    """Delete a key because its time is over; replicas see it deleted."""
    if session.keyspace.lazy_expire:
        session.db.unlink(key)
        session.rewrite([b"UNLINK", key])
    else:
        session.db.delete(key)
        session.rewrite([b"DEL", key])
    session.db.changed(key, GENERIC, b"del")
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def outlive(session: Session, key: bytes, moment: cython.longlong) -> cython.int:
    """Let a key live until then."""
    session.db.set_expiry(key, moment)
    session.db.changed(key, GENERIC, b"expire")
    return 0

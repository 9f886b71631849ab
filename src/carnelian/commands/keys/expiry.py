"""EXPIRE, TTL and their kin: when keys go by themselves.

See https://redis.io/docs/latest/commands/expire/
"""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import (
    ABSOLUTE,
    SECONDS,
    drop,
    has_passed,
    integer,
    outlive,
)
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC
from cython.cimports.carnelian.resp.numbers import format_int

from carnelian.commands.common.lifetimes import invalid_time
from carnelian.engine.catalogue.registry import shown_word
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import Error

GROUP = "generic"

_MOST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)

NX = cython.declare(cython.int, 1)
XX = cython.declare(cython.int, 2)
GT = cython.declare(cython.int, 4)
LT = cython.declare(cython.int, 8)
_CONDITIONS = cython.declare(dict, {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT})

_HISTORY: list = [("7.0.0", "NX, XX, GT and LT came.")]


@command(
    "EXPIRE key seconds:integer [condition@7.0.0=<NX | XX | GT | LT>]",
    "write fast",
    keys=at(1, "RW update"),
)
def expire(session: Session, args: list):
    """Lets a key expire after some seconds.

    Since 1.0.0, O(1)
    7.0.0: Added NX, XX, GT and LT.
    """
    return _expire(session, args, SECONDS, "expire")


@command(
    "PEXPIRE key milliseconds:integer [condition@7.0.0=<NX | XX | GT | LT>]",
    "write fast",
    keys=at(1, "RW update"),
)
def pexpire(session: Session, args: list):
    """Lets a key expire after some milliseconds.

    Since 2.6.0, O(1)
    7.0.0: Added NX, XX, GT and LT.
    """
    return _expire(session, args, 0, "pexpire")


@command(
    "EXPIREAT key unix-time-seconds:unix-time [condition@7.0.0=<NX | XX | GT | LT>]",
    "write fast",
    keys=at(1, "RW update"),
)
def expireat(session: Session, args: list):
    """Lets a key expire at a unix time in seconds.

    Since 1.2.0, O(1)
    7.0.0: Added NX, XX, GT and LT.
    """
    return _expire(session, args, SECONDS | ABSOLUTE, "expireat")


@command(
    "PEXPIREAT key unix-time-milliseconds:unix-time [condition@7.0.0=<NX | XX | GT | LT>]",
    "write fast",
    keys=at(1, "RW update"),
)
def pexpireat(session: Session, args: list):
    """Lets a key expire at a unix time in milliseconds.

    Since 2.6.0, O(1)
    7.0.0: Added NX, XX, GT and LT.
    """
    return _expire(session, args, ABSOLUTE, "pexpireat")


@cython.cfunc
def _expire(session: Session, args: list, unit: cython.int, name: str):
    """All four: whether the key exists and the condition is met."""
    conditions: cython.int = _conditions(args) if len(args) > 3 else 0
    moment: cython.longlong = _moment(session, args[2], unit, name)
    key: bytes = args[1]
    current: cython.longlong
    if not session.db.has(key):
        return 0
    if conditions:
        current = session.db.expiry(key)
        if not _meets(conditions, moment, current):
            return 0
    if has_passed(session, moment):
        drop(session, key)
        return 1
    outlive(session, key, moment)
    if unit != ABSOLUTE:
        session.rewrite([b"PEXPIREAT", key, format_int(moment)] + args[3:])
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def _conditions(args: list) -> cython.int:
    """The conditions given after the time."""
    given: cython.int = 0
    i: cython.Py_ssize_t
    for i in range(3, len(args)):
        bit = _CONDITIONS.get(args[i].upper())
        if bit is None:
            raise Error(b"ERR Unsupported option " + shown_word(args[i], len(args[i])))
        given |= bit
    if given & NX and given != NX:
        raise Error("ERR NX and XX, GT or LT options at the same time are not compatible")
    if given & GT and given & LT:
        raise Error("ERR GT and LT options at the same time are not compatible")
    return given


@cython.cfunc
@cython.exceptval(-1, check=True)
def _moment(session: Session, text: bytes, unit: cython.int, name: str) -> cython.longlong:
    """The unix time in ms that was given; one in the past is as good as any."""
    moment: cython.longlong = integer(text)
    now: cython.longlong = 0 if unit & ABSOLUTE else session.keyspace.clock.ms
    if unit & SECONDS:
        if not -(_MOST // 1000) <= moment <= _MOST // 1000:
            raise invalid_time(name)
        moment *= 1000
    if moment > _MOST - now:
        raise invalid_time(name)
    return moment + now


@cython.cfunc
@cython.exceptval(check=False)
def _meets(
    conditions: cython.int, moment: cython.longlong, current: cython.longlong
) -> cython.bint:
    """Whether the present expiry (-1: none, which counts as endless) lets a new one replace it."""
    if conditions & NX and current != -1:
        return False
    if conditions & XX and current == -1:
        return False
    if conditions & GT and (current == -1 or moment <= current):
        return False
    return not (conditions & LT and current != -1 and moment >= current)


@command("PERSIST key", "write fast", keys=at(1, "RW update"))
def persist(session: Session, args: list):
    """Lets a key live until it is deleted.

    Since 2.2.0, O(1)
    """
    db: Database = session.db
    if not db.persist(args[1]):
        return 0
    db.changed(args[1], GENERIC, b"persist")
    return 1


@command("TTL key", "readonly fast", keys=at(1, "RO access"), hints="nondeterministic_output")
def ttl(session: Session, args: list):
    """Replies with the seconds until a key expires: -1 for never, -2 if there is none.

    Since 1.0.0, O(1)
    2.8.0: Added the reply -2.
    """
    return _rounded(_left(session, args[1]))


@command("PTTL key", "readonly fast", keys=at(1, "RO access"), hints="nondeterministic_output")
def pttl(session: Session, args: list):
    """Replies with the milliseconds until a key expires: -1 for never, -2 if there is none.

    Since 2.6.0, O(1)
    2.8.0: Added the reply -2.
    """
    return _left(session, args[1])


@command("EXPIRETIME key", "readonly fast", keys=at(1, "RO access"))
def expiretime(session: Session, args: list):
    """Replies with the unix time in seconds when a key expires: -1 for never.

    Since 7.0.0, O(1)
    """
    return _rounded(_expiry(session, args[1]))


@command("PEXPIRETIME key", "readonly fast", keys=at(1, "RO access"))
def pexpiretime(session: Session, args: list):
    """Replies with the unix time in milliseconds when a key expires: -1 for never.

    Since 7.0.0, O(1)
    """
    return _expiry(session, args[1])


@cython.cfunc
@cython.exceptval(-3, check=True)
def _expiry(session: Session, key: bytes) -> cython.longlong:
    """When a key expires, in ms: -1 for never, -2 if there is none."""
    return session.db.read_expiry(key)


@cython.cfunc
@cython.exceptval(-3, check=True)
def _left(session: Session, key: bytes) -> cython.longlong:
    """The ms until a key expires: -1 for never, -2 if there is none."""
    expiry: cython.longlong = _expiry(session, key)
    if expiry < 0:
        return expiry
    return max(0, expiry - session.keyspace.clock.ms)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _rounded(ms: cython.longlong) -> cython.longlong:
    """Milliseconds as seconds, to the nearest; what is no time stays as it is."""
    return ms if ms < 0 else (ms + 500) // 1000

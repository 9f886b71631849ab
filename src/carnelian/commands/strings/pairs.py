"""MGET, MSET and their kin: several keys at once."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import deadline
from cython.cimports.carnelian.commands.strings.options import (
    KEEPTTL,
    NX,
    TIMES,
    XX,
    Options,
    parse,
)
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC, STRING
from cython.cimports.carnelian.resp.numbers import format_int
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.engine.declaring import at, command, counted
from carnelian.resp.replies import OK, Error

GROUP = "string"

_FOR_MSETEX = cython.declare(cython.int, NX | XX | KEEPTTL | TIMES)
_MOST_KEYS = cython.declare(cython.longlong, 0x7FFFFFFF)


@command(
    "MGET key ...",
    "readonly fast",
    keys=at(1, "RO access", last=-1),
    hints="request_policy:multi_shard",
)
def mget(session: Session, args: list):
    """Replies with the strings at several keys, null for those that hold none.

    Since 1.0.0, O(N), for N keys
    """
    db: Database = session.db
    values: list = []
    i: cython.Py_ssize_t
    for i in range(1, len(args)):
        value = db.lookup(args[i])
        values.append(value if type(value) is bytes else None)
    return values


@command(
    "MSET data=(key value) ...",
    "write denyoom",
    keys=at(1, "OW update", last=-1, step=2),
    hints=("request_policy:multi_shard", "response_policy:all_succeeded"),
)
def mset(session: Session, args: list):
    """Sets several keys to a string each, all at once.

    Since 1.0.1, O(N), for N keys
    """
    if len(args) % 2 == 0:
        raise Error("ERR wrong number of arguments for 'mset' command")
    _set_pairs(session.db, args, 1, len(args), False, -1)
    return OK


@command("MSETNX data=(key value) ...", "write denyoom", keys=at(1, "OW insert", last=-1, step=2))
def msetnx(session: Session, args: list):
    """Sets several keys to a string each if none of them exists.

    Since 1.0.1, O(N), for N keys
    """
    if len(args) % 2 == 0:
        raise Error("ERR wrong number of arguments for 'msetnx' command")
    if _count_present(session.db, args, 1, len(args)):
        return 0
    _set_pairs(session.db, args, 1, len(args), False, -1)
    return 1


@command(
    "MSETEX numkeys:integer data=(key value) ... [condition=<NX | XX>] [expiration=<EX "
    "seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT "
    "unix-time-milliseconds:unix-time | KEEPTTL>]",
    "write denyoom",
    keys=counted(1, "OW update", step=2),
    hints=("request_policy:multi_shard", "response_policy:all_succeeded"),
)
def msetex(session: Session, args: list):
    """Sets several keys to a string each, with one condition and one time to expire.

    Since 8.4.0, O(N), for N keys
    """
    count: cython.longlong = _key_count(args[1])
    if 2 * count > len(args) - 2:
        raise Error("ERR wrong number of key-value pairs")
    end: cython.Py_ssize_t = 2 + 2 * count
    options: Options = parse(args, end, _FOR_MSETEX)
    moment: cython.longlong = -1
    if options.given & TIMES:
        moment = deadline(session, options.time, options.unit(), "msetex")
    if options.given & NX and _count_present(session.db, args, 2, end):
        return 0
    if options.given & XX and _count_present(session.db, args, 2, end) < count:
        return 0
    _set_pairs(session.db, args, 2, end, options.given & KEEPTTL != 0, moment)
    _propagate(session, args, end, options.given & KEEPTTL != 0, moment)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def _key_count(text: bytes) -> cython.longlong:
    count: cython.longlong = 0
    if (
        not to_longlong(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(count))
        or not 1 <= count <= _MOST_KEYS
    ):
        raise Error("ERR invalid numkeys value")
    return count


@cython.cfunc
@cython.exceptval(-1, check=False)
def _set_pairs(
    db: Database,
    args: list,
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    keep_ttl: cython.bint,
    moment: cython.longlong,
) -> cython.int:
    """Set each key among the arguments to the string after it, until ``moment`` (-1: for good)."""
    i: cython.Py_ssize_t
    key: bytes
    for i in range(start, end, 2):
        key = args[i]
        db.set_string(key, args[i + 1], keep_ttl, moment)
        db.changed(key, STRING, b"set")
        if moment >= 0:
            db.keyspace.notify(db, GENERIC, b"expire", key)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _count_present(
    db: Database, args: list, start: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.longlong:
    """How many of the keys exist."""
    i: cython.Py_ssize_t
    present: cython.longlong = 0
    for i in range(start, end, 2):
        if db.has(args[i]):
            present += 1
    return present


def _propagate(session: Session, args: list, end: int, keep_ttl: bool, moment: int) -> None:
    """MSETEX leaves as one SET for each key, which replicas of any version understand."""
    effects = session.engine.effects
    if not effects.listening:
        return
    suffix = [b"PXAT", format_int(moment)] if moment >= 0 else [b"KEEPTTL"] if keep_ttl else []
    commands = [[b"SET", *args[i : i + 2], *suffix] for i in range(2, end, 2)]
    session.rewrite(commands.pop())
    for words in commands:
        effects.add(session.db.index, words)

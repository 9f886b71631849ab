"""GET, SET and their kin: commands on whole values."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import (
    ABSOLUTE,
    SECONDS,
    deadline,
    drop,
    has_passed,
    outlive,
)
from cython.cimports.carnelian.commands.strings.options import (
    COMPARISONS,
    GET,
    IFDEQ,
    IFEQ,
    IFNE,
    KEEPTTL,
    NX,
    PERSIST,
    TIMES,
    XX,
    Options,
    parse,
    word,
)
from cython.cimports.carnelian.datatypes.algorithms.xxh3 import hexdigest
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC, STRING
from cython.cimports.carnelian.resp.numbers import format_int

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import OK, WRONG_TYPE, Error

GROUP = "string"

_FOR_SET = cython.declare(cython.int, NX | XX | COMPARISONS | GET | KEEPTTL | TIMES)
_FOR_GETEX = cython.declare(cython.int, PERSIST | TIMES)

DIGEST_DIGITS = cython.declare(cython.int, 16)


@command("GET key", "readonly fast", keys=at(1, "RO access"))
def get(session: Session, args: list):
    """Replies with the string at a key.

    Since 1.0.0, O(1)
    """
    return session.db.string(args[1])


_READING_OPTIONS = frozenset((b"GET", b"IFEQ", b"IFNE", b"IFDEQ", b"IFDNE"))


def _key_of_set(args: list):
    """The key of a SET, and what its options make of it."""
    reads = any(word.upper() in _READING_OPTIONS for word in args[3:])
    return [(1, "RW access update" if reads else "OW update")]


@command(
    "SET key value [condition@2.6.12=<NX | XX | IFEQ ifeq-value@8.4.0 | IFNE ifne-value@8.4.0 "
    "| IFDEQ ifdeq-digest@8.4.0 | IFDNE ifdne-digest@8.4.0>] [GET@6.2.0] [expiration=<EX "
    "seconds:integer@2.6.12 | PX milliseconds:integer@2.6.12 | EXAT "
    "unix-time-seconds:unix-time@6.2.0 | PXAT unix-time-milliseconds:unix-time@6.2.0 | "
    "KEEPTTL@6.0.0>]",
    "write denyoom",
    keys=at(
        1,
        "RW access update variable_flags",
        notes="Reads the key only with GET or a condition on its value",
    ),
    get_keys=_key_of_set,
)
def set_(session: Session, args: list):
    """Sets a key to a string, whatever it held before.

    Since 1.0.0, O(1); O(N) for IFDEQ and IFDNE, with N the length of the present value
    2.6.12: Added EX, PX, NX and XX.
    6.0.0: Added KEEPTTL.
    6.2.0: Added GET, EXAT and PXAT.
    7.0.0: NX and GET can be given together.
    8.4.0: Added IFEQ, IFNE, IFDEQ and IFDNE.
    """
    if len(args) == 3:
        db: Database = session.db
        key: bytes = args[1]
        db.set_string(key, args[2])
        db.changed(key, STRING, b"set")
        return OK
    return _set(session, args, parse(args, 3, _FOR_SET))


@cython.cfunc
def _set(session: Session, args: list, options: Options):
    """SET with options."""
    db: Database = session.db
    key: bytes = args[1]
    value: bytes = args[2]
    given: cython.int = options.given
    moment: cython.longlong = 0
    previous: object = None
    if given & TIMES:
        moment = deadline(session, options.time, options.unit(), "set")
    if given & GET:
        previous = db.string(key)
    if not _allows(db, key, options):
        return previous
    if given & TIMES:
        _set_until(session, key, value, moment)
        return previous if given & GET else OK
    db.set_string(key, value, given & KEEPTTL != 0)
    db.changed(key, STRING, b"set")
    if given & COMPARISONS:
        session.rewrite([b"SET", key, value] + ([b"KEEPTTL"] if given & KEEPTTL else []))
    elif given & GET:
        session.rewrite(args[:3] + [word for word in args[3:] if word.upper() != b"GET"])
    return previous if given & GET else OK


@cython.cfunc
@cython.exceptval(-1, check=False)
def _allows(db: Database, key: bytes, options: Options) -> cython.bint:
    """Whether the condition on the present value of the key is met."""
    given: cython.int = options.given
    if given & NX:
        return not db.has(key)
    if given & XX:
        return db.has(key)
    if not given & COMPARISONS:
        return True
    value = db.value_to_change(key)
    if value is None:
        return given & (IFEQ | IFDEQ) == 0
    if type(value) is not bytes:
        raise WRONG_TYPE
    return _matches(value, given, options.operand)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _matches(value: bytes, comparison: cython.int, operand: bytes) -> cython.bint:
    """Whether a value compares with the operand of IFEQ, IFNE, IFDEQ or IFDNE as it asks for."""
    if comparison & (IFEQ | IFNE):
        return (value == operand) == (comparison & IFEQ != 0)
    if len(operand) != DIGEST_DIGITS:
        raise Error("ERR must be exactly 16 hexadecimal characters")
    return (hexdigest(value) == operand.lower()) == (comparison & IFDEQ != 0)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _set_until(session: Session, key: bytes, value: bytes, moment: cython.longlong) -> cython.int:
    """Set a key to a string that expires at a unix time in ms."""
    db: Database = session.db
    db.set_string(key, value, False, moment)
    db.changed(key, STRING, b"set")
    session.keyspace.notify(db, GENERIC, b"expire", key)
    session.rewrite([b"SET", key, value, b"PXAT", format_int(moment)])
    return 0


@command("SETNX key value", "write denyoom fast", keys=at(1, "OW insert"))
def setnx(session: Session, args: list):
    """Sets a key to a string if the key does not exist.

    Since 1.0.0, O(1)
    Deprecated since 2.6.12: `SET` with the `NX` argument
    """
    db: Database = session.db
    key: bytes = args[1]
    if db.has(key):
        return 0
    db.set_string(key, args[2])
    db.changed(key, STRING, b"set")
    return 1


@command("SETEX key seconds:integer value", "write denyoom", keys=at(1, "OW update"))
def setex(session: Session, args: list):
    """Sets a key to a string that expires after some seconds.

    Since 2.0.0, O(1)
    Deprecated since 2.6.12: `SET` with the `EX` argument
    """
    _set_until(session, args[1], args[3], deadline(session, args[2], SECONDS, "setex"))
    return OK


@command("PSETEX key milliseconds:integer value", "write denyoom", keys=at(1, "OW update"))
def psetex(session: Session, args: list):
    """Sets a key to a string that expires after some milliseconds.

    Since 2.6.0, O(1)
    Deprecated since 2.6.12: `SET` with the `PX` argument
    """
    _set_until(session, args[1], args[3], deadline(session, args[2], 0, "psetex"))
    return OK


@command("GETSET key value", "write denyoom fast", keys=at(1, "RW access update"))
def getset(session: Session, args: list):
    """Sets a key to a string and replies with the one before it.

    Since 1.0.0, O(1)
    Deprecated since 6.2.0: `SET` with the `!GET` argument
    """
    db: Database = session.db
    key: bytes = args[1]
    previous = db.string(key)
    db.set_string(key, args[2])
    db.changed(key, STRING, b"set")
    session.rewrite([b"SET", key, args[2]])
    return previous


@command("GETDEL key", "write fast", keys=at(1, "RW access delete"))
def getdel(session: Session, args: list):
    """Replies with the string at a key and deletes the key.

    Since 6.2.0, O(1)
    """
    db: Database = session.db
    key: bytes = args[1]
    value = db.string(key)
    if value is None:
        return None
    if session.keyspace.lazy_user_del:
        db.unlink(key)
        session.rewrite([b"UNLINK", key])
    else:
        db.delete(key)
        session.rewrite([b"DEL", key])
    db.changed(key, GENERIC, b"del")
    return value


@command(
    "GETEX key [expiration=<EX seconds:integer | PX milliseconds:integer | EXAT "
    "unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST>]",
    "write fast",
    keys=at(1, "RW access update", notes="RW and update, for it changes when the key expires"),
)
def getex(session: Session, args: list):
    """Replies with the string at a key and sets when the key expires.

    Since 6.2.0, O(1)
    """
    options: Options = parse(args, 2, _FOR_GETEX)
    key: bytes = args[1]
    value = session.db.string(key)
    if value is None:
        return None
    if options.given & TIMES:
        moment: cython.longlong = deadline(session, options.time, options.unit(), "getex")
        if options.unit() & ABSOLUTE and has_passed(session, moment):
            drop(session, key)
        else:
            outlive(session, key, moment)
            session.rewrite([b"PEXPIREAT", key, format_int(moment)])
    elif options.given & PERSIST and session.db.persist(key):
        session.db.changed(key, GENERIC, b"persist")
        session.rewrite([b"PERSIST", key])
    return value


def _key_of_delex(args: list[bytes]) -> list[tuple[int, str]]:
    """DELEX reads the value only if there is a condition on it."""
    return [(1, "RW delete" if len(args) > 2 else "RM delete")]


@command(
    "DELEX key [condition=<IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE "
    "ifdne-digest>]",
    "write fast",
    keys=at(1, "RW delete variable_flags", notes="Reads the key only with a condition"),
    get_keys=_key_of_delex,
)
def delex(session: Session, args: list):
    """Deletes a key if its value, or the digest of it, compares as asked for.

    Since 8.4.0, O(1); O(N) for IFDEQ and IFDNE, with N the length of the value
    """
    if len(args) != 2 and len(args) != 4:
        raise Error("ERR wrong number of arguments for 'delex' command")
    db: Database = session.db
    key: bytes = args[1]
    if not db.has(key):
        return 0
    if len(args) == 4 and not _may_go(db.value_to_change(key), args[2], args[3]):
        return 0
    db.delete(key)
    db.changed(key, GENERIC, b"del")
    session.rewrite([b"DEL", key])
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def _may_go(value: object, condition: bytes, operand: bytes) -> cython.bint:
    """Whether DELEX may delete this value."""
    if type(value) is not bytes:
        raise Error("ERR Key should be of string type if conditions are specified")
    comparison: cython.int = word(condition) & COMPARISONS
    if not comparison:
        raise Error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")
    return _matches(value, comparison, operand)

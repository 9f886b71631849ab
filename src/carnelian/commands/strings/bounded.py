"""INCREX: counters between bounds, which may expire."""

from decimal import Decimal

import cython
from cython.cimports.carnelian.commands.common.lifetimes import (
    ABSOLUTE,
    SECONDS,
    deadline,
    drop,
    has_passed,
    outlive,
)
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC, STRING
from cython.cimports.carnelian.resp.numbers import add_floats, format_int
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import INT64_MAX, INT64_MIN, int64_t

from carnelian.engine.declaring import at, command
from carnelian.resp.numbers import NOT_FINITE
from carnelian.resp.replies import SYNTAX_ERROR, Error, PlainFloat

GROUP = "string"

NOT_AN_INTEGER: str = "ERR value is not an integer or out of range"

_UNITS: dict = {b"EX": SECONDS, b"PX": 0, b"EXAT": SECONDS | ABSOLUTE, b"PXAT": ABSOLUTE}
# Those that take an argument, of which one excludes the other.
_INCREMENTS: tuple = (b"BYINT", b"BYFLOAT")
# The largest number of C's ``long double`` where it has 80 bits.
_MOST: Decimal = Decimal((2**64 - 1) << (16384 - 64))
_LEAST: Decimal = _MOST.copy_negate()
_INFINITE: Decimal = Decimal("Infinity")
# Doubles up to here are written without an exponent, as short as they are exact.
_SHORT: float = 1e15


@cython.final
@cython.cclass
class Request:
    """The options of one command."""

    increment: bytes  # None for one
    floating: cython.bint
    lower: bytes
    upper: bytes
    saturate: cython.bint
    persist: cython.bint
    keep_time: cython.bint  # if there is one
    time: bytes
    unit: cython.int
    moment: int64_t  # when the key expires, -1 if that is not said


@command(
    "INCREX key [increment=<BYFLOAT float:double | BYINT integer:integer>] [SATURATE] [LBOUND "
    "lowerbound] [UBOUND upperbound] [expiration=<EX seconds:integer | PX "
    "milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT "
    "unix-time-milliseconds:unix-time | PERSIST>] [ENX]",
    "write denyoom fast",
    keys=at(1, "RW access update"),
)
def increx(session: Session, args: list):
    """Adds to the number at a key, between bounds, and sets when the key expires.

    Since 8.8.0, O(1)
    """
    request: Request = _options(args)
    return (
        _by_float(session, args[1], request)
        if request.floating
        else _by_integer(session, args[1], request)
    )


@cython.cfunc
def _options(args: list) -> Request:
    """Read the options; each may come once."""
    request: Request = Request()
    request.moment = -1
    place: cython.Py_ssize_t = 2
    while place < len(args):
        option: bytes = args[place].upper()
        operand: bytes | None = args[place + 1] if place + 1 < len(args) else None
        if option == b"SATURATE" and not request.saturate:
            request.saturate = True
        elif option == b"ENX" and not (request.keep_time or request.persist):
            request.keep_time = True
        elif option == b"PERSIST" and not (
            request.persist or request.keep_time or request.time is not None
        ):
            request.persist = True
        elif operand is None:
            raise SYNTAX_ERROR
        elif option in _INCREMENTS and request.increment is None:
            request.increment = operand
            request.floating = option == b"BYFLOAT"
            place += 1
        elif option == b"LBOUND" and request.lower is None:
            request.lower = operand
            place += 1
        elif option == b"UBOUND" and request.upper is None:
            request.upper = operand
            place += 1
        elif option in _UNITS and request.time is None and not request.persist:
            request.time = operand
            request.unit = _UNITS[option]
            place += 1
        else:
            raise SYNTAX_ERROR
        place += 1
    if request.keep_time and request.time is None:
        raise Error("ERR ENX flag requires an expiration")
    return request


# -- Integers ------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1, check=True)
def _integer(text: bytes, message: str) -> int64_t:
    value: cython.longlong = 0
    if not to_longlong(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(value)):
        raise Error(message)
    return value


@cython.cfunc
def _by_integer(session: Session, key: bytes, request: Request):
    """Add an integer: what the counter is then, and what was added."""
    db: Database = session.db
    delta: int64_t = 1
    lower: int64_t = INT64_MIN
    upper: int64_t = INT64_MAX
    former: int64_t = 0
    sum_: int64_t
    overflows: cython.bint
    if request.increment is not None:
        delta = _integer(request.increment, "ERR Increment is not an integer or out of range")
    if request.lower is not None:
        lower = _integer(request.lower, "ERR LBOUND is not an integer or out of range")
    if request.upper is not None:
        upper = _integer(request.upper, "ERR UBOUND is not an integer or out of range")
    if lower > upper:
        raise Error("ERR LBOUND can't be greater than UBOUND")
    _find_moment(session, request)
    text = db.string_to_change(key)
    if text is not None:
        former = _integer(text, NOT_AN_INTEGER)
    overflows = former > INT64_MAX - delta if delta > 0 else former < INT64_MIN - delta
    sum_ = 0 if overflows else former + delta
    if overflows or sum_ > upper or sum_ < lower:
        if not request.saturate:
            return [former, 0]
        if overflows:
            sum_ = upper if delta > 0 else lower
        else:
            sum_ = upper if sum_ > upper else lower
        if sum_ > INT64_MAX + former if former < 0 else sum_ < INT64_MIN + former:
            raise Error("ERR applied increment would overflow")
        delta = sum_ - former
    if _has_ended(session, db, key, request, text is not None):
        return [sum_, delta]
    db.increment(key, delta)
    db.changed(key, STRING, b"incrby")
    _set_lifetime(session, db, key, request, format_int(sum_))
    return [sum_, delta]


# -- Floating-point numbers ----------------------------------------------------------------------


@cython.cfunc
def _plain(text: bytes, name: str, infinity: str) -> bytes:
    """A number as ``long double`` has it, without an exponent."""
    try:
        return add_floats(b"0", text)
    except Error as error:
        if str(error) == NOT_FINITE:
            raise Error(infinity) from None
        raise Error(f"ERR {name} is not a valid float") from None


@cython.cfunc
def _bound(text: bytes | None, name: str, otherwise):
    """A bound, the limit of the type if there is none."""
    if text is None:
        return otherwise
    return Decimal(_plain(text, name, f"ERR {name} cannot be Infinity").decode())


@cython.cfunc
def _by_float(session: Session, key: bytes, request: Request):
    """Add a floating-point number: what the counter is then, and what was added."""
    db: Database = session.db
    delta: bytes = _plain(
        request.increment, "Increment", "ERR BYFLOAT increment cannot be Infinity"
    )
    lower = _bound(request.lower, "LBOUND", _LEAST)
    upper = _bound(request.upper, "UBOUND", _MOST)
    if lower > upper:
        raise Error("ERR LBOUND can't be greater than UBOUND")
    _find_moment(session, request)
    text = db.string_to_change(key)
    former: bytes = b"0"
    if text is not None:
        former = _plain(text, "value", "ERR value cannot be Infinity")
    sum_: bytes | None = None
    try:
        sum_ = add_floats(b"0" if text is None else text, request.increment)
    except Error:
        # It is too large in the direction of the increment.
        reached = _INFINITE if not delta.startswith(b"-") else _INFINITE.copy_negate()
    else:
        reached = Decimal(sum_.decode())
    if not lower <= reached <= upper:
        if not request.saturate:
            return _floats(session, former, b"0")
        bound: bytes = format(upper if reached > upper else lower, "f").encode()
        sum_ = add_floats(b"0", bound)
        opposite: bytes = former[1:] if former.startswith(b"-") else b"-" + former
        try:
            delta = add_floats(sum_, opposite)
        except Error:
            raise Error("ERR applied increment would produce Infinity") from None
    if _has_ended(session, db, key, request, text is not None):
        return _floats(session, sum_, delta)
    db.set_text(key, sum_, True)
    db.changed(key, STRING, b"incrbyfloat")
    _set_lifetime(session, db, key, request, sum_)
    return _floats(session, sum_, delta)


@cython.cfunc
def _floats(session: Session, sum_: bytes, delta: bytes) -> list:
    """The reply: texts, or doubles where the protocol has them."""
    if session.protocol < 3:
        return [sum_, delta]
    return [_double(sum_), _double(delta)]


@cython.cfunc
def _double(text: bytes):
    number = float(text)
    return number if abs(number) < _SHORT else PlainFloat(number)


# -- Lifetimes -----------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def _find_moment(session: Session, request: Request) -> cython.int:
    """Find out when the key is to expire."""
    if request.time is not None:
        request.moment = deadline(session, request.time, request.unit, "increx")
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _has_ended(
    session: Session, db: Database, key: bytes, request: Request, present: cython.bint
) -> cython.bint:
    """Whether the key has to go at once, as it then does."""
    if request.moment == -1:
        return False
    if request.keep_time and present and db.expiry(key) >= 0:
        request.moment = -1
        return False
    if not request.unit & ABSOLUTE or not has_passed(session, request.moment):
        return False
    if present:
        drop(session, key)
    return True


@cython.cfunc
@cython.exceptval(-1)
def _set_lifetime(
    session: Session, db: Database, key: bytes, request: Request, number: bytes
) -> cython.int:
    """Set when a counter expires, and let its number go out with that."""
    if request.moment != -1:
        outlive(session, key, request.moment)
        session.rewrite([b"SET", key, number, b"PXAT", format_int(request.moment)])
    elif request.persist:
        if db.persist(key):
            db.changed(key, GENERIC, b"persist")
        session.rewrite([b"SET", key, number])
    else:
        session.rewrite([b"SET", key, number, b"KEEPTTL"])
    return 0

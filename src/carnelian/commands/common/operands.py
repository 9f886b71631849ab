"""Reading the operands of commands that are not on the hot path."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from carnelian.resp.numbers import parse_float, parse_int
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.session import Session

_MOST = 2**63 - 1


def integer(text: bytes, message: str, lowest: int = -_MOST - 1, highest: int = _MOST) -> int:
    """A 64-bit integer within bounds; raises Error with this message if it is not one."""
    try:
        number = parse_int(text)
    except Error:
        raise Error(message) from None
    if not lowest <= number <= highest:
        raise Error(message)
    return number


def milliseconds(text: bytes, now_ms: int) -> int:
    """A timeout in ms as the unix time in ms when it is over; 0 stays 0."""
    number = integer(text, "ERR timeout is not an integer or out of range")
    if number < 0:
        raise Error("ERR timeout is negative")
    if number > _MOST - now_ms:
        raise Error("ERR timeout is out of range")
    return number + now_ms if number else 0


def timeout(session: Session, text: bytes) -> int:
    """How long a blocking command may wait: seconds, perhaps with a fraction, in ms; 0: forever."""
    exact = parse_float(text, "ERR timeout is not a float or out of range") * 1000
    if exact > _MOST:
        raise Error("ERR timeout is out of range")
    number = -1 if exact == -math.inf else math.ceil(exact)
    if number < 0:
        raise Error("ERR timeout is negative")
    if number > _MOST - session.engine.clock.ms:
        raise Error("ERR timeout is out of range")
    return number

"""Reading the operands of commands that are not on the hot path."""

from __future__ import annotations

from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import Error

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

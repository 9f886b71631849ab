"""Numbers as redis.conf writes them, read the way the C library functions Redis uses read them."""

import re

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
UINT_MAX = 2**32 - 1
LONG_MAX = 2**63 - 1
ULONG_MAX = 2**64 - 1

KB, MB, GB = 1024, 1024**2, 1024**3

# 10k is ten thousand bytes, 10kb is ten times 1024.
UNITS = {
    b"": 1,
    b"b": 1,
    b"k": 1000,
    b"kb": KB,
    b"m": 1000**2,
    b"mb": MB,
    b"g": 1000**3,
    b"gb": GB,
}

_INTEGER = re.compile(rb"0|-?[1-9][0-9]*")
_LOOSE = re.compile(rb"[ \t\n\r\v\f]*([+-]?[0-9]+)")
_OCTAL = re.compile(rb"[ \t\n\r\v\f]*([+-]?[0-7]+)")
_MEMORY = re.compile(rb"([0-9]*)([a-zA-Z]*)")


def c_string(value: bytes) -> bytes:
    """What C code sees of a value: everything before the first NUL."""
    return value.partition(b"\0")[0]


def parse_integer(text: bytes) -> int | None:
    """A 64-bit signed integer in its one canonical form; None for anything else."""
    if _INTEGER.fullmatch(text) is None or len(text) > 20:
        return None
    number = int(text)
    return number if -LONG_MAX - 1 <= number <= LONG_MAX else None


def parse_loose(text: bytes) -> int | None:
    """An integer as ``strtoll`` reads it: blanks before it, a sign, zeros; "" is 0.

    Clamped to 64 bits. None if anything follows.
    """
    return _strto(_LOOSE, 10, text)


def parse_octal(text: bytes) -> int | None:
    """An octal integer as ``strtoll`` reads it; None if it is none or does not fit 64 bits."""
    number = _strto(_OCTAL, 8, text)
    return None if number in (LONG_MAX, -LONG_MAX - 1) else number


def _strto(form: re.Pattern[bytes], base: int, text: bytes) -> int | None:
    text = c_string(text)
    if not text:
        return 0
    match = form.fullmatch(text)
    if match is None:
        return None
    return max(-LONG_MAX - 1, min(LONG_MAX, int(match[1], base)))


def parse_memory(text: bytes) -> int | None:
    """A number of bytes such as ``64mb``; None if it is not one, or its unit makes it too big."""
    match = _MEMORY.fullmatch(c_string(text))
    if match is None or len(match[1]) > 127:
        return None
    unit = UNITS.get(match[2].lower())
    if unit is None:
        return None
    size = min(int(match[1] or b"0"), ULONG_MAX) * unit
    return size if size <= ULONG_MAX else None


def signed(number: int) -> int:
    """An unsigned 64-bit integer taken as a signed one."""
    return number - 2**64 if number > LONG_MAX else number


def format_memory(number: int) -> bytes:
    """A number of bytes in the largest unit that divides it."""
    for unit, name in ((GB, b"gb"), (MB, b"mb"), (KB, b"kb")):
        if number and number % unit == 0:
            return b"%d%s" % (number // unit, name)
    return b"%d" % number

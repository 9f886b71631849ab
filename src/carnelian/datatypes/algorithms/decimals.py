"""Numbers as decimal text, read and written in memory without any object.

Integers are strict: an optional minus, no leading zeros, nothing around them. Floats follow the C
library's ``strtod`` without surrounding space and without NaN. Doubles are written with the fewest
digits that read back as the same double, in the layout Redis has used since 7.2.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.doubles import shortest, to_fixed
from cython.cimports.libc import errno as libc
from cython.cimports.libc.math import copysign, isinf, isnan
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.stdlib import strtod
from cython.cimports.libc.string import memcpy, memset

_MAX = cython.declare(cython.ulonglong, 9223372036854775807)
_MAX_TENTH = cython.declare(cython.ulonglong, 922337203685477580)

_PAIRS = cython.declare(
    cython.p_const_char,
    b"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    b"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    b"8081828384858687888990919293949596979899",
)
_TENS = cython.declare(cython.double[23])
for _i in range(23):
    _TENS[_i] = 10.0**_i

# Room for the longest plain text of a double, and ten to the power of its digits after the point.
_PLAIN_CHARS = cython.declare(cython.size_t, 352)
_FIXED_ONE = cython.declare(uint64_t, 100_000_000_000_000_000)


# Reading


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def to_longlong(
    text: cython.p_const_char, size: cython.Py_ssize_t, value: cython.p_longlong
) -> cython.bint:
    """Read a strict decimal 64-bit integer into ``value``; 0 when the text is not one."""
    negative: cython.bint = False
    at: cython.Py_ssize_t = 0
    total: cython.ulonglong
    digit: cython.uint
    if size <= 0 or size > 20:
        return False
    if text[0] == b"-":
        negative = True
        at = 1
        if size == 1:
            return False
    digit = cython.cast(cython.uint, text[at]) - 48
    if digit > 9:
        return False
    if digit == 0:
        # Zero is the only number that starts with a zero, and there is no minus zero.
        value[0] = 0
        return size == 1
    total = digit
    at += 1
    while at < size:
        digit = cython.cast(cython.uint, text[at]) - 48
        if digit > 9:
            return False
        # 19 digits cannot overflow; the last of 20 has to be looked at.
        if total > _MAX_TENTH:
            return False
        total = total * 10 + digit
        at += 1
    if negative:
        if total > _MAX + 1:
            return False
        value[0] = cython.cast(cython.longlong, 0 - total)
    else:
        if total > _MAX:
            return False
        value[0] = cython.cast(cython.longlong, total)
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _to_simple_double(
    text: cython.p_const_char, size: cython.Py_ssize_t, value: cython.p_double
) -> cython.bint:
    """Read up to 15 digits with an optional minus and point; 0 for anything else.

    Both the digits as an integer and the power of ten are exact doubles then, so that one division
    rounds as strtod does.
    """
    at: cython.Py_ssize_t = 0
    point: cython.Py_ssize_t = -1
    digit: cython.uint
    mantissa: cython.longlong = 0
    negative: cython.bint = False
    if size > 0 and text[0] == b"-":
        negative = True
        at = 1
    if at == size or size - at > 16:
        return False
    first: cython.Py_ssize_t = at
    while at < size:
        digit = cython.cast(cython.uint, text[at]) - 48
        if digit <= 9:
            mantissa = mantissa * 10 + digit
        elif text[at] == b"." and point < 0:
            point = at
        else:
            return False
        at += 1
    if point < 0:
        if size - first > 15:
            return False
        value[0] = cython.cast(cython.double, mantissa)
    else:
        if size - first < 2:
            return False
        value[0] = cython.cast(cython.double, mantissa) / _TENS[size - point - 1]
    if negative:
        value[0] = -value[0]
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_space(char: cython.char) -> cython.bint:
    return char == 32 or (9 <= char <= 13)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def to_double(
    text: cython.p_const_char, size: cython.Py_ssize_t, value: cython.p_double
) -> cython.bint:
    """Read a double as ``strtod`` does (infinities and hexadecimal too) into ``value``.

    ``text`` must end with a NUL after its ``size`` bytes. Returns 0 for NaN, overflow, underflow to
    zero, and anything before or after the number.
    """
    stop: cython.p_char = cython.NULL
    if _to_simple_double(text, size, value):
        return True
    if size == 0 or is_space(text[0]):
        return False
    libc.errno = 0
    value[0] = strtod(text, cython.address(stop))
    if stop - text != size or isnan(value[0]):
        return False
    return not (libc.errno == libc.ERANGE and (isinf(value[0]) or value[0] == 0.0))


# Writing


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def digits(out: cython.p_char, value: cython.ulonglong) -> cython.Py_ssize_t:
    """Write ``value`` in decimal at ``out``, at most 20 bytes; returns how many."""
    size: cython.Py_ssize_t = 1
    at: cython.Py_ssize_t
    pair: cython.uint
    bound: cython.ulonglong = 10
    if value < 10:
        out[0] = cython.cast(cython.char, 48 + value)
        return 1
    while size < 20 and value >= bound:
        size += 1
        if size == 20:
            break
        bound *= 10
    at = size
    while value >= 100:
        pair = cython.cast(cython.uint, value % 100) * 2
        value = value // 100
        at -= 2
        out[at] = _PAIRS[pair]
        out[at + 1] = _PAIRS[pair + 1]
    if value >= 10:
        pair = cython.cast(cython.uint, value) * 2
        out[0] = _PAIRS[pair]
        out[1] = _PAIRS[pair + 1]
    else:
        out[0] = cython.cast(cython.char, 48 + value)
    return size


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_longlong(out: cython.p_char, value: cython.longlong) -> cython.Py_ssize_t:
    """Write ``value`` in decimal at ``out``, at most 20 bytes; returns how many."""
    if value >= 0:
        return digits(out, value)
    out[0] = b"-"
    return 1 + digits(out + 1, 0 - cython.cast(cython.ulonglong, value))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_integral(out: cython.p_char, value: cython.double) -> cython.Py_ssize_t:
    """Write a double that is an integer as one; 0 when it is none or too large for this."""
    whole: cython.longlong
    if not (-4611686018427387904.0 <= value <= 4611686018427387904.0):
        return 0
    whole = cython.cast(cython.longlong, value)
    if cython.cast(cython.double, whole) != value:
        return 0
    return put_longlong(out, whole)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_simple_double(out: cython.p_char, value: cython.double) -> cython.Py_ssize_t:
    """Write a double that is a decimal of up to 15 digits, 6 after the point; 0 for others.

    Such a decimal is the shortest text of the double if dividing gives the double back, because
    no two decimals of up to 15 digits share a double.
    """
    places: cython.Py_ssize_t
    scaled: cython.longlong
    size: cython.Py_ssize_t
    start: cython.Py_ssize_t = 0
    if value < 0.0:
        out[0] = b"-"
        start = 1
        value = -value
    if not (0.0001 < value < 1e9):
        return 0
    for places in range(1, 7):
        scaled = cython.cast(cython.longlong, value * _TENS[places] + 0.5)
        if cython.cast(cython.double, scaled) / _TENS[places] == value:
            break
    else:
        return 0
    unit: cython.longlong = cython.cast(cython.longlong, _TENS[places])
    size = start + digits(out + start, scaled // unit)
    out[size] = b"."
    # The digits after the point with a leading one, which the point then overwrites.
    digits(out + size, scaled % unit + unit)
    out[size] = b"."
    return size + 1 + places


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_scientific(
    out: cython.p_char,
    figures: cython.p_char,
    count: cython.Py_ssize_t,
    exponent: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Write ``d.ddde+x``: no padding of the exponent, which is that of the first figure."""
    size: cython.Py_ssize_t = 1
    out[0] = figures[0]
    if count > 1:
        out[1] = b"."
        memcpy(out + 2, figures + 1, count - 1)
        size = count + 1
    out[size] = b"e"
    out[size + 1] = b"-" if exponent < 0 else b"+"
    return size + 2 + digits(out + size + 2, -exponent if exponent < 0 else exponent)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_figures(
    out: cython.p_char, figures: cython.p_char, count: cython.Py_ssize_t, scale: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Write ``figures`` times ten to the power of ``scale`` in the layout Redis chooses."""
    exponent: cython.Py_ssize_t = scale + count - 1
    whole: cython.Py_ssize_t = count + scale
    if 0 <= scale < 8:
        memcpy(out, figures, count)
        memset(out + count, 48, scale)
        return count + scale
    if scale >= 0 or (scale <= -7 and not (-4 < exponent < 4)):
        return _put_scientific(out, figures, count, exponent)
    if whole > 0:
        memcpy(out, figures, whole)
        out[whole] = b"."
        memcpy(out + whole + 1, figures + whole, count - whole)
        return count + 1
    out[0] = b"0"
    out[1] = b"."
    memset(out + 2, 48, -whole)
    memcpy(out + 2 - whole, figures, count)
    return 2 - whole + count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_shortest(out: cython.p_char, value: cython.double) -> cython.Py_ssize_t:
    """Write the shortest decimal that reads back as ``value``, a positive finite double."""
    figures = cython.declare(cython.char[24])
    scale: cython.int = 0
    number: cython.ulonglong = shortest(value, cython.address(scale))
    while number % 10 == 0:
        number //= 10
        scale += 1
    return _put_figures(out, figures, digits(figures, number), scale)


@cython.cfunc
@cython.exceptval(-1, check=False)
def put_double(out: cython.p_char, value: cython.double) -> cython.Py_ssize_t:
    """Write ``value`` as a double reply has it, at most 40 bytes; returns how many.

    Integers up to 2**62 have no point; other doubles have the fewest digits that read back as the
    same double, with an exponent where 8 zeros or more would follow them or from ``1e-7`` on;
    else ``inf``, ``-inf``, ``nan``, ``-0``.
    """
    size: cython.Py_ssize_t
    if value == 0.0:
        size = 1 if copysign(1.0, value) > 0 else 2
        memcpy(out, cython.cast(cython.p_const_char, b"-0") + 2 - size, size)
        return size
    size = _put_integral(out, value)
    if size == 0:
        size = _put_simple_double(out, value)
    if size > 0:
        return size
    if isnan(value):
        memcpy(out, cython.cast(cython.p_const_char, b"nan"), 3)
        return 3
    if value < 0.0:
        out[0] = b"-"
        size = 1
        value = -value
    if isinf(value):
        memcpy(out + size, cython.cast(cython.p_const_char, b"inf"), 3)
        return size + 3
    return size + _put_shortest(out + size, value)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_plain(out: cython.p_char, value: cython.double) -> cython.Py_ssize_t:
    """Write ``value`` with up to 17 digits after the point and no exponent; returns how many bytes.

    At most 340: a double may have 309 digits before the point.
    """
    size: cython.Py_ssize_t = 0
    whole: uint64_t = 0
    fraction: uint64_t = 0
    if not to_fixed(
        -value if value < 0.0 else value, cython.address(whole), cython.address(fraction)
    ):
        size = snprintf(out, _PLAIN_CHARS, b"%.17Lf", cython.cast(cython.longdouble, value))
        return trimmed(out, size)
    if value < 0.0:
        out[0] = b"-"
        size = 1
    size += digits(out + size, whole)
    if fraction == 0:
        return size
    # The digits after the point with a leading one, which the point then overwrites.
    digits(out + size, fraction + _FIXED_ONE)
    out[size] = b"."
    return trimmed(out, size + 18)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def trimmed(out: cython.p_char, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The length of a number with digits after the point without zeros at its end."""
    while out[size - 1] == b"0":
        size -= 1
    if out[size - 1] == b".":
        size -= 1
    if size == 2 and out[0] == b"-" and out[1] == b"0":
        out[0] = b"0"
        return 1
    return size

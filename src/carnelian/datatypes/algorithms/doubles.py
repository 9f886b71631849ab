"""Doubles in decimal: the shortest text that reads back as the same double, and fixed digits.

:func:`shortest` is R. Giulietti's Schubfach algorithm, "The Schubfach way to render doubles"
(https://fmt.dev/papers/Schubfach4.pdf): a double stands for the interval of all numbers that round
to it. Scaled by a power of ten so that the interval is at least one and less than ten wide, it
holds an integer, and the digits of the one that is nearest to the double are wanted; or, if that
interval scaled to be narrower by ten holds one, of that. Products with 126 bits of the power of
ten tell exactly which integers are inside.
"""

from __future__ import annotations

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcpy

LOWEST_POWER = cython.declare(cython.int, -292)
POWERS = cython.declare(cython.int, 617)
# Powers of ten as 128-bit fractions, rounded up.
_high = cython.declare(uint64_t[617])
_low = cython.declare(uint64_t[617])

FRACTION_BITS = cython.declare(cython.int, 52)
HIDDEN_BIT = cython.declare(uint64_t, cython.cast(uint64_t, 1) << 52)
HALVES = cython.declare(uint64_t, 0xFFFFFFFF)

# Bounds of what to_fixed() takes: all bits of a fraction are within 63 behind the point.
LEAST_FIXED = cython.declare(cython.double, 1.0 / 2048)
MOST_FIXED = cython.declare(cython.double, 9007199254740992.0)
FIXED_ONE = cython.declare(uint64_t, 100_000_000_000_000_000)
UNIT = cython.declare(cython.double, 9223372036854775808.0)
HALF = cython.declare(uint64_t, cython.cast(uint64_t, 1) << 63)


def _fill_powers() -> None:
    index: cython.int
    for index in range(POWERS):
        power = index + LOWEST_POWER
        if power >= 0:
            exact = 10**power
            shift = exact.bit_length() - 128
            scaled = -(-exact >> shift) if shift > 0 else exact << -shift
        else:
            divisor = 10**-power
            scaled = -(-(1 << (divisor.bit_length() + 127)) // divisor)
        _high[index] = scaled >> 64
        _low[index] = scaled & 0xFFFFFFFFFFFFFFFF


_fill_powers()


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def multiply(a: uint64_t, b: uint64_t, low: cython.pointer[uint64_t]) -> uint64_t:
    """The high half of a 128-bit product, and the low one."""
    a_low: uint64_t = a & HALVES
    a_high: uint64_t = a >> 32
    b_low: uint64_t = b & HALVES
    b_high: uint64_t = b >> 32
    lowest: uint64_t = a_low * b_low
    middle: uint64_t = a_high * b_low + (lowest >> 32)
    other: uint64_t = a_low * b_high + (middle & HALVES)
    low[0] = (other << 32) | (lowest & HALVES)
    return a_high * b_high + (middle >> 32) + (other >> 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def scaled(index: cython.int, number: uint64_t) -> uint64_t:
    """The product with a power of ten without its fraction, odd if there is one."""
    low: uint64_t = 0
    dropped: uint64_t = 0
    carried: uint64_t = multiply(_low[index], number, cython.address(dropped))
    high: uint64_t = multiply(_high[index], number, cython.address(low))
    low += carried
    if low < carried:
        high += 1
    return high | (low > 1)


def shortest(value: cython.double, exponent: cython.p_int) -> uint64_t:
    """The digits, as an integer, of the shortest decimal that reads back as ``value``.

    ``value`` is finite and above zero; the decimal is the integer times ten to the power of
    ``exponent``. Of several as short it is the nearest. The integer may end in zeros.
    """
    bits: uint64_t = 0
    memcpy(cython.address(bits), cython.address(value), 8)
    fraction: uint64_t = bits & (HIDDEN_BIT - 1)
    scale: cython.int = cython.cast(cython.int, bits >> FRACTION_BITS)
    mantissa: uint64_t = fraction
    # The double below a power of two is half as far away as the one above.
    closer: cython.bint = fraction == 0 and scale > 1
    if scale:
        mantissa |= HIDDEN_BIT
        scale -= 1
    scale -= 1074
    odd: uint64_t = mantissa & 1
    # floor(log10(2 ** scale)), or of three quarters of it.
    power: cython.int = (scale * 1262611 - (524031 if closer else 0)) >> 22
    # floor(log2(10 ** -power)) makes up for the scale of the fractions.
    shift: cython.int = scale + ((-power * 1741647) >> 19) + 1
    index: cython.int = -power - LOWEST_POWER
    lower: uint64_t = scaled(index, (4 * mantissa - 2 + closer) << shift) + odd
    middle: uint64_t = scaled(index, (4 * mantissa) << shift)
    upper: uint64_t = scaled(index, (4 * mantissa + 2) << shift) - odd
    return choose(lower, middle, upper, power, exponent)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def choose(
    lower: uint64_t,
    middle: uint64_t,
    upper: uint64_t,
    power: cython.int,
    exponent: cython.p_int,
) -> uint64_t:
    """An integer within four times an interval, itself divided by four: with a digit less if
    there is one, else the nearest to the middle.
    """
    whole: uint64_t = middle >> 2
    tens: uint64_t = whole // 10
    below: cython.bint
    above: cython.bint
    exponent[0] = power
    if whole >= 10:
        below = lower <= 40 * tens
        above = 40 * tens + 40 <= upper
        if below != above:
            exponent[0] = power + 1
            return tens + above
    below = lower <= 4 * whole
    above = 4 * whole + 4 <= upper
    if below != above:
        return whole + above
    rest: uint64_t = middle & 3
    if rest > 2 or (rest == 2 and whole & 1):
        return whole + 1
    return whole


def to_fixed(
    value: cython.double, whole: cython.pointer[uint64_t], digits: cython.pointer[uint64_t]
) -> cython.bint:
    """The integer part of ``value`` and 17 digits behind the point, rounded to even if halfway.

    Returns whether it could be done: not for very large and very small values.
    """
    low: uint64_t = 0
    high: uint64_t
    if not (LEAST_FIXED <= value < MOST_FIXED):
        return False
    whole[0] = cython.cast(uint64_t, value)
    value -= cython.cast(cython.double, whole[0])
    high = multiply(cython.cast(uint64_t, value * UNIT), FIXED_ONE, cython.address(low))
    digits[0] = (high << 1) | (low >> 63)
    low <<= 1
    if low > HALF or (low == HALF and digits[0] & 1):
        digits[0] += 1
    if digits[0] == FIXED_ONE:
        whole[0] += 1
        digits[0] = 0
    return True

"""How doubles are written: the shortest text that reads back, and fixed digits."""

from __future__ import annotations

import struct
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carnelian.resp.numbers import format_float, format_plain
from carnelian.resp.replies import PlainFloat
from carnelian.resp.writer import encode

every_bit = st.integers(0, 2**64 - 1).map(
    lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]
)
finite = (every_bit | st.floats() | st.floats(-180, 180)).filter(lambda x: abs(x) < float("inf"))


def figures(text: str) -> tuple[int, tuple[int, ...], object]:
    return Decimal(text).normalize().as_tuple()


# Integers up to 2**62 are written in full, with digits that do not tell them from others.
@given(finite.filter(lambda x: not 2**53 < abs(x) <= 2**62))
@example(5e-324)
@example(2.2250738585072014e-308)
@example(1.7976931348623157e308)
@example(9007199254740993.5)
@example(2.0**-1022)
@example(2.0**1000)
@example(1e23)
@example(9.5e-5)
def test_doubles_have_the_fewest_digits_that_read_back(value: float) -> None:
    text = format_float(value).decode()
    assert float(text) == value
    assert figures(text) == figures(repr(value))


@given(finite.filter(lambda x: abs(x) < 1e25))
@example(0.5**18)
@example(1.5 * 0.5**17)
@example(0.99999999999999999)
@example(1 - 2**-53)
@example(-0.0)
@example(1e-18)
def test_plain_doubles_have_seventeen_digits_after_the_point(value: float) -> None:
    with localcontext() as context:
        context.prec = 400
        exact = Decimal(value).quantize(Decimal(1).scaleb(-17), ROUND_HALF_EVEN)
        text = format(exact, "f").rstrip("0").rstrip(".")
    assert format_plain(value).decode() == ("0" if text == "-0" else text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13.361389338970184, b"13.36138933897018433"),
        (-122.27652043104172, b"-122.27652043104171753"),
        (0.0, b"0"),
        (180.0, b"180"),
        (0.1, b"0.10000000000000001"),
    ],
)
def test_plain_floats_as_replies(value: float, text: bytes) -> None:
    assert encode(PlainFloat(value), 2) == b"$%d\r\n%s\r\n" % (len(text), text)
    assert encode(PlainFloat(value), 3) == b",%s\r\n" % text

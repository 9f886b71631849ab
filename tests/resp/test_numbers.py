"""Numbers in and out, exactly as Redis reads and writes them."""

import math
import struct
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carnelian.resp.numbers import add_floats, format_float, format_int, parse_float, parse_int
from carnelian.resp.replies import Error


@pytest.mark.parametrize(
    "text",
    [b"0", b"1", b"-1", b"10", b"1234567890", b"9223372036854775807", b"-9223372036854775808"],
)
def test_integers(text):
    assert parse_int(text) == int(text)
    assert format_int(int(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        b"", b"-", b"+1", b"-0", b"00", b"01", b"-01", b" 1", b"1 ", b"1\n", b"1.0", b"0x1", b"1e3",
        b"a", b"1a", b"1\x00", b"--1", b"9223372036854775808", b"-9223372036854775809",
        b"18446744073709551616", b"99999999999999999999", b"111111111111111111111",
        "\N{ARABIC-INDIC DIGIT ONE}".encode(),
    ],
)  # fmt: skip
def test_not_integers(text):
    with pytest.raises(Error) as caught:
        parse_int(text)
    assert caught.value.message == b"ERR value is not an integer or out of range"


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_comes_back(number):
    assert format_int(number) == b"%d" % number
    assert parse_int(b"%d" % number) == number


@given(st.integers(2**63, 2**80))
def test_no_integer_wraps(number):
    for text in (b"%d" % number, b"-%d" % (number + 1)):
        with pytest.raises(Error):
            parse_int(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"0", 0.0), (b"-0", -0.0), (b"1", 1.0), (b"+1", 1.0), (b"1.", 1.0), (b".5", 0.5),
        (b"-.5", -0.5), (b"3.0e3", 3000.0), (b"1E-2", 0.01), (b"0x10", 16.0), (b"0x1p-2", 0.25),
        (b"inf", math.inf), (b"+inf", math.inf), (b"-inf", -math.inf), (b"Infinity", math.inf),
        (b"1e308", 1e308), (b"1e-320", 1e-320), (b"00012", 12.0),
        (b"0." + b"0" * 400 + b"1e400", 0.1),
    ],
)  # fmt: skip
def test_floats(text, value):
    parsed = parse_float(text)
    assert parsed == value
    assert math.copysign(1, parsed) == math.copysign(1, value)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"-", b"+", b".", b"-.", b"e", b"1e", b"nan", b"-nan", b"NaN", b" 1", b"1 ", b"\t1",
        b"1\n", b"1\x00", b"\x00", b"1\x002", b"1,5", b"1.2.3", b"1e400", b"-1e400", b"1e-400",
        b"abc", b"1_0", b"0x", b"infi",
    ],
)  # fmt: skip
def test_not_floats(text):
    with pytest.raises(Error) as caught:
        parse_float(text)
    assert caught.value.message == b"ERR value is not a valid float"


def test_another_message():
    with pytest.raises(Error) as caught:
        parse_float(b"x", b"ERR min or max is not a float")
    assert caught.value.message == b"ERR min or max is not a float"


@given(st.floats(allow_nan=False))
def test_every_double_comes_back(value):
    text = format_float(value)
    assert parse_float(text) == value == float(text)


@given(st.integers(-(10**17), 10**17), st.integers(0, 20))
def test_short_decimals_read_as_python_reads_them(mantissa, places):
    digits = b"%d" % mantissa
    text = digits[:-places] + b"." + digits[-places:] if 0 < places < len(digits) else digits
    assert struct.pack("d", parse_float(text)) == struct.pack("d", float(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, b"0"), (-0.0, b"-0"), (1.0, b"1"), (-17.0, b"-17"), (0.1, b"0.1"), (-2.5, b"-2.5"),
        (3.141, b"3.141"), (1 / 3, b"0.3333333333333333"), (0.1 + 0.2, b"0.30000000000000004"),
        (100.25, b"100.25"), (0.000001, b"0.000001"), (0.0000123, b"1.23e-5"),
        (0.00000123, b"1.23e-6"), (1e-7, b"1e-7"), (1.5e-7, b"1.5e-7"), (0.5e-3, b"0.0005"),
        (1e-5, b"0.00001"), (12e-6, b"0.000012"), (1.2345e-10, b"1.2345e-10"),
        (12345.678901, b"12345.678901"), (12345.6789012, b"1.23456789012e+4"),
        (1234.56789012, b"1234.56789012"), (1690000000.123456, b"1690000000.123456"),
        (1690000000.1234567, b"1.6900000001234567e+9"),
        (1e15, b"1000000000000000"), (1e18, b"1000000000000000000"),
        (4611686018427387904.0, b"4611686018427387904"), (4.7e18, b"4.7e+18"),
        (9223372036854775808.0, b"9223372036854776000"), (1e20, b"1e+20"), (1.5e21, b"1.5e+21"),
        (1e100, b"1e+100"), (-1e-100, b"-1e-100"), (5e-324, b"5e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (math.inf, b"inf"), (-math.inf, b"-inf"), (math.nan, b"nan"),
    ],
)  # fmt: skip
def test_float_replies(value, text):
    assert format_float(value) == text


def layout(value: float) -> bytes:
    """The same layout, written from the digits that ``repr`` chooses."""
    sign, digits, exponent = format_digits(value)
    shift = exponent - len(digits) + 1
    if shift >= 0 and abs(exponent) < len(digits) + 7:
        text = digits + "0" * shift
    elif shift < 0 and (shift > -7 or abs(exponent) < 4):
        padded = digits.rjust(-shift + 1, "0")
        text = padded[:shift] + "." + padded[shift:]
    else:
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        text = f"{digits[0]}{fraction}e{exponent:+d}"
    return (sign + text).encode()


def format_digits(value: float) -> tuple[str, str, int]:
    sign, digits, scale = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    return "-" if sign else "", text, int(scale) + len(text) - 1


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(-1e10, 1e10),
        st.decimals(-(10**9), 10**9, places=4).map(float),
        st.decimals(-1, 1, places=9).map(float),
    )
)
@example(1e-7)
@example(1.5604769919864732e23)
def test_the_layout_of_float_replies(value):
    if value != 0 and not (value.is_integer() and abs(value) <= 2**62):
        assert format_float(value) == layout(value)


@pytest.mark.parametrize(
    ("current", "increment", "total"),
    [
        (b"0", b"0.1", b"0.1"),
        (b"10.50", b"0.1", b"10.6"),
        (b"5.0e3", b"2.0e2", b"5200"),
        (b"3.0", b"1.1", b"4.1"),
        (b"1", b"-1", b"0"),
        (b"-1.1", b"1.1", b"0"),
        (b"-0", b"-0", b"0"),
        (b"10.6", b"-5", b"5.6"),
        (b"17179869184", b"1.5", b"17179869185.5"),
        (b"0.1", b"0.2", b"0.3"),
        (b"1e-18", b"0", b"0"),
        (b"-1e-19", b"0", b"0"),
        (b"0x10", b"1", b"17"),
        (b"9223372036854775807", b"1", b"9223372036854775808"),
        (b"1e400", b"0", None),
    ],
)
def test_adding_floats(current, increment, total):
    if total is None:
        total = add_floats(current, increment)
        assert len(total) == 401
    assert add_floats(current, increment) == total


@pytest.mark.parametrize(
    ("current", "increment", "message"),
    [
        (b"a", b"1", b"ERR value is not a valid float"),
        (b"1", b"", b"ERR value is not a valid float"),
        (b" 1", b"1", b"ERR value is not a valid float"),
        (b"1", b"nan", b"ERR value is not a valid float"),
        (b"1", b"1e5000", b"ERR value is not a valid float"),
        (b"1", b"1" * 5120, b"ERR value is not a valid float"),
        (b"1", b"inf", b"ERR increment would produce NaN or Infinity"),
        (b"inf", b"-inf", b"ERR increment would produce NaN or Infinity"),
        (b"1e4932", b"1e4932", b"ERR increment would produce NaN or Infinity"),
    ],
)
def test_floats_that_cannot_be_added(current, increment, message):
    with pytest.raises(Error) as caught:
        add_floats(current, increment)
    assert caught.value.message == message

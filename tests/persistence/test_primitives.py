"""Lengths, strings and check sums of the format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.datatypes.base.limits import Limits
from carnelian.persistence.bytes import crc64
from carnelian.persistence.bytes.byte_sink import Sink
from carnelian.persistence.rdb import payloads


def written(text: bytes, compress: bool = True) -> bytes:
    sink = Sink(10, compress=compress)
    sink.text(text)
    return sink.content()


def test_check_sum_of_the_digits() -> None:
    assert crc64.of(b"123456789") == 0xE9C6D914C4B8D9CA
    assert crc64.of(b"") == 0


@given(data=st.binary(max_size=100), cut=st.integers(0, 100))
def test_check_sum_goes_on_where_it_ended(data: bytes, cut: int) -> None:
    assert crc64.of(data[cut:], crc64.of(data[:cut])) == crc64.of(data)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, b"\0"),
        (63, b"\x3f"),
        (64, b"\x40\x40"),
        (16383, b"\x7f\xff"),
        (16384, b"\x80\0\0\x40\0"),
        ((1 << 32) - 1, b"\x80\xff\xff\xff\xff"),
        (1 << 32, b"\x81\0\0\0\x01\0\0\0\0"),
    ],
)
def test_lengths(length: int, expected: bytes) -> None:
    sink = Sink(10)
    sink.size(length)
    assert sink.content() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", b"\0"),
        (b"0", b"\xc0\0"),
        (b"-128", b"\xc0\x80"),
        (b"128", b"\xc1\x80\0"),
        (b"-32768", b"\xc1\0\x80"),
        (b"32768", b"\xc2\0\x80\0\0"),
        (b"-2147483648", b"\xc2\0\0\0\x80"),
        (b"2147483648", b"\x0a2147483648"),
        (b"01", b"\x0201"),
        (b"a" * 20, b"\x14" + b"a" * 20),
        (b"a" * 100, b"\xc3\x09\x40\x64\x01aa\xe0\x57\0\x01aa"),
    ],
)
def test_strings(text: bytes, expected: bytes) -> None:
    assert written(text) == expected


def test_compression_can_be_off() -> None:
    assert written(b"a" * 100, compress=False) == b"\x40\x64" + b"a" * 100


@given(
    text=st.one_of(
        st.binary(max_size=200), st.binary(min_size=1, max_size=9).map(lambda b: b * 9999)
    )
)
def test_strings_come_back(text: bytes) -> None:
    body = b"\0" + written(text) + b"\x0a\0"
    data = body + crc64.of(body).to_bytes(8, "little")
    assert payloads.is_sound(data)
    assert payloads.value_of(data, Limits(), True) == text

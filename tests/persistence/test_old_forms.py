"""Forms that only older versions have written: ziplists, zipmaps, and what came before."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.datatypes.base.limits import Limits
from carnelian.persistence.bytes import crc64
from carnelian.persistence.bytes.byte_sink import Sink
from carnelian.persistence.bytes.file_errors import Corrupt, FormatError
from carnelian.persistence.rdb import payloads

Item = bytes | int


def ziplist(items: list[Item]) -> bytes:
    """A ziplist, with the shortest form of each item as Redis has it."""
    entries, before, tail = b"", 0, 10
    for item in items:
        tail = 10 + len(entries)
        head = bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)
        entry = head + encoded(item)
        entries += entry
        before = len(entry)
    size = 10 + len(entries) + 1
    return struct.pack("<IIH", size, tail, min(len(items), 65535)) + entries + b"\xff"


def encoded(item: Item) -> bytes:
    if isinstance(item, bytes):
        if len(item) < 64:
            return bytes([len(item)]) + item
        if len(item) < 16384:
            return struct.pack(">H", 0x4000 | len(item)) + item
        return b"\x80" + struct.pack(">I", len(item)) + item
    if 0 <= item <= 12:
        return bytes([0xF1 + item])
    for bits, code, size in ((8, 0xFE, 1), (16, 0xC0, 2), (24, 0xF0, 3), (32, 0xD0, 4)):
        if -(1 << (bits - 1)) <= item < 1 << (bits - 1):
            return bytes([code]) + item.to_bytes(size, "little", signed=True)
    return b"\xe0" + item.to_bytes(8, "little", signed=True)


def text_of(item: Item) -> bytes:
    return item if isinstance(item, bytes) else b"%d" % item


def value(type_: int, body: bytes, thorough: bool = True) -> Any:
    data = bytes([type_]) + body + b"\x03\0"
    data += crc64.of(data).to_bytes(8, "little")
    assert payloads.is_sound(data)
    return payloads.value_of(data, Limits(), thorough)


def as_text(data: bytes) -> bytes:
    sink = Sink(10)
    sink.text(data)
    return sink.content()


def counted(*parts: bytes) -> bytes:
    return bytes([len(parts)]) + b"".join(parts)


items: st.SearchStrategy[Item] = st.one_of(
    st.binary(max_size=300).filter(lambda text: not text.lstrip(b"-").isdigit()),
    st.integers(-20, 20),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([b"x" * 63, b"x" * 64, b"x" * 253, b"x" * 16384, -(1 << 23), 1 << 31]),
)
unique = st.lists(items, min_size=1, max_size=30).map(
    lambda found: list({text_of(item): item for item in found}.values())
)


@given(wanted=st.lists(items, min_size=1, max_size=40))
def test_lists_in_ziplists(wanted: list[Item]) -> None:
    assert list(value(10, as_text(ziplist(wanted)))) == [text_of(item) for item in wanted]


@given(wanted=st.lists(st.lists(items, max_size=10), min_size=1, max_size=5))
def test_quicklists_of_ziplists(wanted: list[list[Item]]) -> None:
    body = bytes([len(wanted)]) + b"".join(as_text(ziplist(part)) for part in wanted)
    texts = [text_of(item) for part in wanted for item in part]
    if texts:
        assert list(value(14, body)) == texts
    else:
        with pytest.raises(FormatError):
            value(14, body)


@given(fields=unique)
def test_hashes_in_ziplists(fields: list[Item]) -> None:
    flat = [item for field in fields for item in (field, b"value")]
    found = value(13, as_text(ziplist(flat)))
    assert dict(found.items()) == {text_of(field): b"value" for field in fields}


@given(members=unique)
def test_sorted_sets_in_ziplists(members: list[Item]) -> None:
    flat = [item for rank, member in enumerate(members) for item in (member, rank)]
    found = value(12, as_text(ziplist(flat)))
    assert found.items() == [(text_of(member), rank) for rank, member in enumerate(members)]


def test_elements_that_are_there_twice() -> None:
    for type_ in (12, 13):
        with pytest.raises(Corrupt):
            value(type_, as_text(ziplist([b"a", 1, b"a", 2])))
        with pytest.raises(Corrupt):
            value(type_, as_text(ziplist([b"a", 1, b"b"])))


def zipmap(pairs: dict[bytes, bytes], unused: int = 0) -> bytes:
    data = bytes([min(len(pairs), 254)])
    for field, text in pairs.items():
        for part, is_value in ((field, False), (text, True)):
            length = len(part)
            data += bytes([length]) if length < 254 else b"\xfe" + struct.pack("<I", length)
            data += bytes([unused]) if is_value else b""
            data += part
        data += bytes(unused)
    return data + b"\xff"


@given(
    pairs=st.dictionaries(st.binary(max_size=300), st.binary(max_size=300), min_size=1),
    unused=st.integers(0, 3),
)
def test_hashes_in_zipmaps(pairs: dict[bytes, bytes], unused: int) -> None:
    assert dict(value(9, as_text(zipmap(pairs, unused))).items()) == pairs


def test_scores_as_texts() -> None:
    body = counted(
        b"\x01a\x0317.", b"\x01b\xfe", b"\x01c\xff", b"\x01d\x051e-10"
    )  # fmt: skip
    expected = [(b"c", float("-inf")), (b"d", 1e-10), (b"a", 17.0), (b"b", float("inf"))]
    assert value(3, body).items() == expected
    for score in (b"\xfd", b"\x01x", b"\x03nan"):
        with pytest.raises(Corrupt):
            value(3, counted(b"\x01a" + score))


def test_plain_collections() -> None:
    assert list(value(1, counted(b"\x01a", b"\xc0\x05"))) == [b"a", b"5"]
    assert set(value(2, counted(b"\x01a", b"\xc0\x05"))) == {b"a", b"5"}
    assert value(4, counted(b"\x01a\x01b")).items() == [(b"a", b"b")]
    assert set(value(11, as_text(struct.pack("<IIhh", 2, 2, -1, 5)))) == {b"-1", b"5"}
    for body in (struct.pack("<IIhh", 2, 2, 5, -1), struct.pack("<II", 2, 0), b""):
        with pytest.raises(Corrupt):
            value(11, as_text(body))


@given(wanted=st.lists(items, min_size=1, max_size=8), at=st.integers(0), byte=st.integers(0, 255))
def test_damaged_ziplists(wanted: list[Item], at: int, byte: int) -> None:
    data = bytearray(ziplist(wanted))
    data[at % len(data)] = byte
    for type_ in (10, 12, 13):
        try:
            found = value(type_, as_text(bytes(data)), thorough=False)
        except FormatError:
            continue
        assert len(found) > 0


@given(data=st.binary(max_size=60), type_=st.sampled_from([9, 10, 12, 13, 14, 18, 16, 17, 11, 20]))
def test_noise(data: bytes, type_: int) -> None:
    for body in (data, as_text(data), b"\x01" + as_text(data), b"\x01\x02" + as_text(data)):
        try:
            value(type_, body)
        except FormatError:
            pass

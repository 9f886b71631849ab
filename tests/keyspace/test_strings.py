"""Strings: every form they are kept in, and what changes them in place."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.resp.replies import Error, WrongType
from support.values import Bag

LIMIT = 512  # the longest text inside a block
SIZES = [0, 1, 3, 20, 44, 45, 100, LIMIT - 1, LIMIT, LIMIT + 1, 1000, 5000, 70_000]
LARGEST, SMALLEST = 2**63 - 1, -(2**63)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key_size", [0, 1, 16, 254, 255, 256, 1000, 65_535, 65_536, 100_000])
def test_any_lengths_of_key_and_value(db: Database, balance: None, size: int, key_size: int):
    key, value = b"k" * key_size, b"v" * size
    assert not db.set_string(key, value)
    assert db.lookup(key) == db.string(key) == db.peek(key) == value
    assert list(db.keys()) == [key]
    assert db.set_string(key, value + b"!")
    assert db.lookup(key) == value + b"!"
    assert db.delete(key)
    assert db.lookup(key) is None


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (b"", b"embstr"),
        (b"0", b"int"),
        (b"-1", b"int"),
        (b"%d" % LARGEST, b"int"),
        (b"%d" % SMALLEST, b"int"),
        (b"%d" % (LARGEST + 1), b"embstr"),
        (b"%d" % (SMALLEST - 1), b"embstr"),
        (b"18446744073709551616", b"embstr"),
        (b"99999999999999999999", b"embstr"),
        (b"-0", b"embstr"),
        (b"007", b"embstr"),
        (b"+7", b"embstr"),
        (b" 7", b"embstr"),
        (b"7 ", b"embstr"),
        (b"-", b"embstr"),
        (b"1.5", b"embstr"),
        (b"12345678901234567890123", b"embstr"),
        (b"x" * 44, b"embstr"),
        (b"x" * 45, b"raw"),
        (b"x" * 600, b"raw"),
    ],
)
def test_encodings(db: Database, value: bytes, encoding: bytes):
    db.set_string(b"k", value)
    assert db.encoding(b"k") == encoding
    assert db.lookup(b"k") == value
    assert db.type_name(b"k") == b"string"


def test_what_is_not_there(db: Database):
    assert db.lookup(b"k") is None
    assert db.string(b"k") is None
    assert db.encoding(b"k") is None
    assert db.type_name(b"k") is None
    assert db.string_length(b"k") == 0
    assert db.get_range(b"k", 0, -1) == b""
    assert db.memory_usage(b"k") is None
    assert b"k" not in db


def test_a_long_value_is_kept_as_it_came(db: Database):
    value = bytes(bytearray(b"x" * (LIMIT + 1)))
    before = sys.getrefcount(value)
    db.set_string(b"k", value)
    assert db.lookup(b"k") is value
    assert sys.getrefcount(value) == before + 1
    db.set_string(b"k", b"short")
    assert sys.getrefcount(value) == before


def test_overwriting_goes_through_all_forms(db: Database, balance: None):
    values = [b"12", b"x" * 10, b"y" * 600, b"z" * 100, b"-5", b"", b"w" * 513, b"w" * 2000]
    for first in values:
        for second in values:
            db.set_string(b"k", first)
            db.set_string(b"k", second)
            assert db.lookup(b"k") == second
    db.flush()


def test_numbers_are_set_without_their_text(db: Database):
    assert not db.set_integer(b"n", SMALLEST)
    assert db.lookup(b"n") == b"%d" % SMALLEST
    assert db.encoding(b"n") == b"int"


# -- increment -----------------------------------------------------------------------------------


def test_increment(db: Database):
    assert db.increment(b"n", 5) == 5
    assert db.increment(b"n", -7) == -2
    assert db.lookup(b"n") == b"-2"
    assert db.increment(b"n", 1) == -1
    db.set_string(b"n", b"41")
    assert db.increment(b"n", 1) == 42
    assert db.encoding(b"n") == b"int"


def test_increment_of_a_text_that_is_a_number(db: Database):
    db.append(b"n", b"1")
    db.append(b"n", b"0")
    assert db.encoding(b"n") == b"raw"
    assert db.increment(b"n", 1) == 11
    assert db.encoding(b"n") == b"int"


def test_increment_keeps_the_expiry(db: Database, keyspace: Keyspace):
    at = keyspace.clock.ms + 1000
    for text in (b"10", b"x"):
        db.set_string(b"n", text, False, at)
        if text == b"x":
            db.set_range(b"n", 0, b"9")
        db.increment(b"n", 1)
        assert db.expiry(b"n") == at


@pytest.mark.parametrize(
    ("value", "delta"), [(LARGEST, 1), (SMALLEST, -1), (1, LARGEST), (-2, SMALLEST), (0, 0)]
)
def test_increment_never_overflows(db: Database, value: int, delta: int):
    db.set_integer(b"n", value)
    if SMALLEST <= value + delta <= LARGEST:
        assert db.increment(b"n", delta) == value + delta
        return
    with pytest.raises(Error, match=r"^ERR increment or decrement would overflow$"):
        db.increment(b"n", delta)
    assert db.lookup(b"n") == b"%d" % value


@pytest.mark.parametrize("value", [b"", b"x", b"1.0", b" 1", b"01", b"y" * 600, b"9" * 20])
def test_increment_refuses_what_is_no_number(db: Database, value: bytes):
    db.set_string(b"n", value)
    with pytest.raises(Error, match=r"^ERR value is not an integer or out of range$"):
        db.increment(b"n", 1)
    assert db.lookup(b"n") == value


# -- append, set_range, get_range ----------------------------------------------------------------


def test_append_sets_what_is_not_there(db: Database):
    assert db.append(b"k", b"123") == 3
    assert db.encoding(b"k") == b"int"


@pytest.mark.parametrize("value", [b"", b"12", b"x" * 44, b"x" * LIMIT, b"x" * 3000])
@pytest.mark.parametrize("tail", [b"", b"3", b"y" * LIMIT, b"y" * 3000])
def test_append_to_any_form(db: Database, balance: None, value: bytes, tail: bytes):
    db.set_string(b"k", value)
    assert db.append(b"k", tail) == len(value + tail)
    assert db.lookup(b"k") == value + tail
    assert db.encoding(b"k") == b"raw"
    assert db.append(b"k", b"z") == len(value + tail) + 1
    assert db.lookup(b"k") == value + tail + b"z"
    assert db.string_length(b"k") == len(value + tail) + 1
    db.delete(b"k")


def test_append_many_times(db: Database, balance: None):
    expected = b""
    for number in range(3000):
        expected += b"%d," % number
        assert db.append(b"k", b"%d," % number) == len(expected)
    assert db.lookup(b"k") == expected
    db.delete(b"k")


def test_appending_does_not_change_what_was_read(db: Database):
    value = b"x" * 1000
    db.set_string(b"k", value)
    db.append(b"k", b"y")
    read = db.lookup(b"k")
    db.append(b"k", b"z")
    assert (value, read) == (b"x" * 1000, b"x" * 1000 + b"y")


@pytest.mark.parametrize("value", [b"", b"12345", b"x" * 100, b"x" * 3000])
@pytest.mark.parametrize("offset", [0, 3, 100, LIMIT - 1, LIMIT, 4000])
def test_set_range(db: Database, balance: None, value: bytes, offset: int):
    if value:
        db.set_string(b"k", value)
    expected = bytearray(value.ljust(offset, b"\0"))
    expected[offset : offset + 3] = b"abc"
    assert db.set_range(b"k", offset, b"abc") == len(expected)
    assert db.lookup(b"k") == bytes(expected)
    assert db.encoding(b"k") == b"raw"
    db.delete(b"k")


def test_set_range_of_nothing(db: Database):
    assert db.set_range(b"k", 10, b"") == 0
    assert not db.has(b"k")
    db.set_string(b"k", b"12")
    assert db.set_range(b"k", 10, b"") == 2
    assert db.encoding(b"k") == b"int"


def test_set_range_keeps_the_expiry(db: Database, keyspace: Keyspace):
    at = keyspace.clock.ms + 1000
    for value in (b"1", b"x", b"x" * 600):
        db.set_string(b"k", value, False, at)
        db.set_range(b"k", 700, b"y")
        assert db.expiry(b"k") == at


def test_lengths_are_limited(db: Database, keyspace: Keyspace):
    keyspace.max_string = 1000
    too_long = r"^ERR string exceeds maximum allowed size \(proto-max-bulk-len\)$"
    with pytest.raises(Error, match=too_long):
        db.set_range(b"k", 999, b"ab")
    with pytest.raises(Error, match=too_long):
        db.set_range(b"k", 2**63 - 1, b"ab")
    assert not db.has(b"k")
    assert db.set_range(b"k", 998, b"ab") == 1000
    with pytest.raises(Error, match=too_long):
        db.append(b"k", b"c")
    assert db.append(b"k", b"") == 1000
    with pytest.raises(Error, match=r"^ERR offset is out of range$"):
        db.set_range(b"k", -1, b"")


@pytest.mark.parametrize("value", [b"123456", b"abcdef", b"ab" * 400, b""])
@pytest.mark.parametrize("changed", [False, True])
def test_get_range(db: Database, value: bytes, changed: bool):
    db.set_string(b"k", value)
    if changed:
        db.append(b"k", b"")
    size = len(value)
    bounds = [0, 1, 3, size - 1, size, size + 5, -1, -2, -size, -size - 5, 2**63 - 1, -(2**63)]
    for start in bounds:
        for end in bounds:
            first = max(start + size, 0) if start < 0 else start
            last = end + size if end < 0 else end
            expected = value[first : max(last + 1, 0)]
            assert db.get_range(b"k", start, end) == expected, (start, end)


# -- Wrong types ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda db: db.string(b"bag"),
        lambda db: db.string_to_change(b"bag"),
        lambda db: db.increment(b"bag", 1),
        lambda db: db.append(b"bag", b"x"),
        lambda db: db.set_range(b"bag", 0, b"x"),
        lambda db: db.set_range(b"bag", 0, b""),
        lambda db: db.string_length(b"bag"),
        lambda db: db.get_range(b"bag", 0, 1),
    ],
)
def test_collections_are_no_strings(db: Database, use):
    bag = Bag([b"x"])
    db.add(b"bag", bag)
    with pytest.raises(WrongType):
        use(db)
    assert db.lookup(b"bag") is bag


@pytest.mark.parametrize("argument", ["text", bytearray(b"x"), 5, memoryview(b"x")])
def test_only_bytes_are_taken(db: Database, argument: Any):
    with pytest.raises(TypeError):
        db.set_string(argument, b"v")
    with pytest.raises(TypeError):
        db.set_string(b"k", argument)
    assert len(db) == 0

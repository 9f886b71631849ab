"""The hash slot of a key, and of all keys that a pattern can match."""

from __future__ import annotations

import binascii

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from carnelian.datatypes.algorithms.glob import matches
from carnelian.datatypes.algorithms.hash_slot import hash_slot, slot_of_pattern

BRACED = st.text("ab{}", max_size=12).map(str.encode)
LETTERS = st.sampled_from("ab{}")
# A piece of a pattern, and what it matches.
PIECES = st.one_of(
    LETTERS.map(lambda letter: (letter, letter)),
    LETTERS.map(lambda letter: ("?", letter)),
    LETTERS.map(lambda letter: (f"[{letter}]", letter)),
    LETTERS.map(lambda letter: (f"\\{letter}", letter)),
    st.text("ab{}", max_size=3).map(lambda text: ("*", text)),
)


def plain_slot(text: bytes) -> int:
    return binascii.crc_hqx(text, 0) % 16384


@given(st.binary(max_size=100).filter(lambda key: b"{" not in key))
def test_it_is_a_check_sum(key: bytes):
    assert hash_slot(key) == plain_slot(key)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"", b""),
        (b"123456789", b"123456789"),
        (b"{user1000}.following", b"user1000"),
        (b"foo{}{bar}", b"foo{}{bar}"),
        (b"foo{{bar}}zap", b"{bar"),
        (b"foo{bar}{zap}", b"bar"),
        (b"foo}{bar}", b"bar"),
        (b"{bar", b"{bar"),
        (b"bar}", b"bar}"),
        (b"{\0}\0", b"\0"),
        (b"{}", b"{}"),
        (b"0123456789abcdef{ghijklmnop}qr", b"ghijklmnop"),
        (b"0123456789abc{def", b"0123456789abc{def"),
        (b"01234567{}89abcdef{g}", b"01234567{}89abcdef{g}"),
        (b"|z{\xfb\x7c}{a}", b"\xfb\x7c"),
    ],
)
def test_a_tag_is_hashed_alone(key: bytes, hashed: bytes):
    assert hash_slot(key) == plain_slot(hashed)


def test_slots_that_are_known():
    assert hash_slot(b"123456789") == 0x31C3
    assert hash_slot(b"somekey") == 11058
    assert hash_slot(b"foo{hash_tag}") == hash_slot(b"bar{hash_tag}") == 2515


@given(BRACED)
def test_what_a_tag_is(key: bytes):
    start = key.find(b"{")
    end = key.find(b"}", start + 1)
    tag = key[start + 1 : end] if 0 <= start < end else b""
    assert hash_slot(key) == plain_slot(tag or key)


@pytest.mark.parametrize(
    ("pattern", "tag"),
    [
        (b"{user}:*", b"user"),
        (b"a:{user}*[a-z]", b"user"),
        (b"plain", b"plain"),
        (b"{}plain", b"{}plain"),
        (b"", b""),
    ],
)
def test_patterns_of_one_slot(pattern: bytes, tag: bytes):
    assert slot_of_pattern(pattern) == plain_slot(tag)


@pytest.mark.parametrize(
    "pattern",
    [b"*", b"user:*", b"*{user}", b"?{user}", b"[{]user}", b"{us*}", b"{}*", b"{}{a}*", b"\\{a}*"],
)
def test_patterns_of_several(pattern: bytes):
    assert slot_of_pattern(pattern) == -1


@given(st.lists(PIECES, max_size=8))
def test_no_key_that_matches_is_elsewhere(pieces: list[tuple[str, str]]):
    pattern = "".join(piece for piece, _ in pieces).encode()
    key = "".join(text for _, text in pieces).encode()
    # Nothing but the empty pattern matches the empty text, as in Redis.
    assume(key)
    assert matches(pattern, key)
    assert slot_of_pattern(pattern) in (-1, hash_slot(key))

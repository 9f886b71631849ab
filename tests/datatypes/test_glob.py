"""Glob patterns, against fixed cases and against KEYS of redis-server."""

from __future__ import annotations

import random

import pytest

from carnelian.datatypes.algorithms.glob import matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (b"", b"", True),
        (b"", b"a", False),
        (b"*", b"", False),
        (b"*", b"a", True),
        (b"**", b"abc", True),
        (b"a*", b"a", True),
        (b"a**", b"a", True),
        (b"?", b"", False),
        (b"?", b"\x00", True),
        (b"h?llo", b"hello", True),
        (b"h*llo", b"heeello", True),
        (b"*a*b*c", b"xxaxxbxxcxxc", True),
        (b"*a*b*c", b"xxaxxbxxcxxd", False),
        (b"h[ae]llo", b"hallo", True),
        (b"h[ae]llo", b"hillo", False),
        (b"h[^e]llo", b"hallo", True),
        (b"h[^e]llo", b"hello", False),
        (b"h[a-c]llo", b"hbllo", True),
        (b"h[c-a]llo", b"hbllo", True),
        (b"[a-]", b"a", True),
        (b"[a-]", b"]", True),
        (b"[a-]", b"-", False),
        (b"[]a]", b"a", False),
        (b"[abc", b"b", True),
        (b"[abc", b"d", False),
        (b"[", b"[", False),
        (b"[^", b"x", True),
        (b"[\\]]", b"]", True),
        (b"[\\", b"\\", True),
        (b"\\*", b"*", True),
        (b"\\*", b"a", False),
        (b"\\", b"\\", True),
        (b"a\\", b"a\\", True),
        (b"a\x00*", b"a\x00b", True),
    ],
)
def test_matches(pattern: bytes, text: bytes, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (b"HELLO*", b"hello world", True),
        (b"[A-C]", b"b", True),
        (b"[a-c]", b"B", True),
        (b"[X]", b"x", True),
        # An escaped byte in a class keeps its case.
        (b"[\\X]", b"x", False),
        (b"\\X", b"x", True),
        (b"\xc4", b"\xe4", False),
    ],
)
def test_matches_without_case(pattern: bytes, text: bytes, expected: bool) -> None:
    assert matches(pattern, text, True) is expected


def test_case_counts_by_default() -> None:
    assert not matches(b"A", b"a")


def test_arguments_are_bytes() -> None:
    with pytest.raises(TypeError):
        matches("a", b"a")  # type: ignore[arg-type]


def test_many_runs_take_no_exponential_time() -> None:
    # Tried run by run, this would not end.
    assert not matches(b"a*" * 500 + b"b", b"a" * 20000)


def test_more_runs_than_redis_follows() -> None:
    assert matches(b"a*" * 1000 + b"a", b"a" * 3000)
    assert not matches(b"a*" * 1001 + b"a", b"a" * 3000)


def test_agrees_with_keys(redis_server) -> None:
    chance = random.Random(7)
    connection = redis_server.connect()
    letters = b"ab-[]^\\*?\x00\xff"
    pairs = []
    for _ in range(4000):
        text = bytes(chance.choices(b"ab-]\\\x00\xff", k=chance.randrange(7)))
        pattern = bytes(chance.choices(letters, k=chance.randrange(9)))
        # KEYS does not look at a lone star.
        if pattern != b"*":
            pairs.append((pattern, text))
    for pattern, text in pairs:
        connection.send_command("SET", text, "")
        connection.send_command("KEYS", pattern)
        connection.send_command("DEL", text)
    for pattern, text in pairs:
        connection.read_response()
        expected = connection.read_response() == [text]
        connection.read_response()
        assert matches(pattern, text) is expected, (pattern, text)
    connection.disconnect()

"""Between Python values and the engine: engine/extensions/conversion.py."""

from __future__ import annotations

import enum

import pytest

from carnelian.engine.extensions.conversion import encode, encode_all, plain, to_reply
from carnelian.resp import replies


class Color(enum.IntEnum):
    RED = 7


class Shade(str, enum.Enum):  # noqa: UP042
    DARK = "dark"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("", b""),
        (b"a b", b"a b"),
        (replies.OK, b"OK"),
        (0, b"0"),
        (2**70, b"1180591620717411303424"),
        (Color.RED, b"7"),
        (Shade.DARK, b"dark"),
        (0.1, b"0.1"),
        (float("-inf"), b"-inf"),
        (memoryview(b"abcdef")[::2], b"ace"),
    ],
)
def test_words(value, word):
    assert encode(value) == word
    assert type(encode(value)) in (bytes, replies.Status)


def test_a_text_that_is_not_utf8_is_refused():
    with pytest.raises(UnicodeEncodeError):
        encode("\udcff")


def test_many_words():
    assert encode_all(("SET", b"k", 1)) == [b"SET", b"k", b"1"]
    with pytest.raises(TypeError, match=r"cannot send a bool \(True\)"):
        encode_all(["SET", "k", True])


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        (replies.NULL_ARRAY, None),
        (replies.NO_REPLY, None),
        (replies.FlatMap([b"a", 1, b"b", replies.NULL_ARRAY]), {b"a": 1, b"b": None}),
        (replies.FlatMap([[b"a", b"b"], 1]), {(b"a", b"b"): 1}),
        ({b"a": replies.FlatSet([b"x"])}, {b"a": {b"x"}}),
        (replies.FlatSet([[1], [2]]), [[1], [2]]),
        (replies.Verbatim(b"text"), b"text"),
        (replies.BigNumber(2**80), 2**80),
        (replies.Attribute({b"a": 1}, replies.Verbatim(b"x")), b"x"),
        (replies.Several([replies.Push([b"a", 1])]), [b"a", 1]),
        (replies.Several([replies.Push([b"a", 1]), 2]), [[b"a", 1], 2]),
        ([[replies.FlatMap([b"a", 1.5])], True], [[{b"a": 1.5}], True]),
    ],
)
def test_plain(reply, value):
    assert plain(reply) == value


def test_plain_keeps_errors_within_lists():
    error = replies.Error("ERR no")
    assert plain([1, error]) == [1, error]


@pytest.mark.parametrize(
    ("value", "reply"),
    [
        ("text", b"text"),
        (bytearray(b"ab"), b"ab"),
        (None, None),
        (True, True),
        (1.5, 1.5),
        (Color.RED, 7),
        ((1, "a", [None]), [1, b"a", [None]]),
        ({"a": (1, 2), 3: "x"}, replies.FlatMap([b"a", [1, 2], 3, b"x"])),
        (frozenset({"a"}), replies.FlatSet([b"a"])),
        (range(3), [0, 1, 2]),
        ((c for c in "ab"), [b"a", b"b"]),
        (replies.Push(["a", 1]), replies.Push([b"a", 1])),
    ],
)
def test_to_reply(value, reply):
    found = to_reply(value)
    assert found == reply
    assert type(found) is type(reply)


def test_numbers_beyond_64_bits_are_big_numbers():
    assert type(to_reply(2**63 - 1)) is int
    assert type(to_reply(-(2**63))) is int
    assert type(to_reply(2**63)) is replies.BigNumber


def test_what_is_no_reply():
    with pytest.raises(TypeError, match="a command cannot reply with a object"):
        to_reply([object()])

"""Replies cut out of bytes that come in any pieces."""

from __future__ import annotations

import math
import random
import time

import pytest

from carnelian.resp.client.reply_reader import Limits, ReplyReader, ReplyTooLargeError
from carnelian.resp.client.reply_values import (
    MORE,
    BigInteger,
    Double,
    Members,
    Pairs,
    Pushed,
    Refusal,
    ReplyError,
    Simple,
    VerbatimText,
)
from carnelian.resp.client.value_forms import PLAIN, TYPED

# Bytes, the typed value, and the plain one where that is another one.
REPLIES: list[tuple[bytes, object, object]] = [
    (data, typed, plain[0] if plain else typed)
    for data, typed, *plain in (
        (b"+OK\r\n", Simple(b"OK")),
        (b"+\r\n", Simple(b"")),
        (b"+a\rb\nc\r\n", Simple(b"a\rb\nc")),
        (b"-ERR no\r\n", Refusal(b"ERR no")),
        (b":0\r\n", 0),
        (b":-42\r\n", -42),
        (b":+7\r\n", 7),
        (b":-9223372036854775808\r\n", -(2**63)),
        (b"$5\r\na\r\nbc\r\n", b"a\r\nbc"),
        (b"$2\r\n\r\n\r\n", b"\r\n"),
        (b"$0\r\n\r\n", b""),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"_\r\n", None),
        (b"*0\r\n", []),
        (b"*3\r\n:1\r\n$1\r\n*\r\n*1\r\n+x\r\n", [1, b"*", [Simple(b"x")]]),
        (b"*2\r\n*0\r\n*1\r\n*1\r\n*0\r\n", [[], [[[]]]]),
        (b"#t\r\n", True),
        (b"#f\r\n", False),
        (b",1.50\r\n", Double(b"1.50"), 1.5),
        (b",-1e-7\r\n", Double(b"-1e-7"), -1e-7),
        (b",10\r\n", Double(b"10"), 10.0),
        (b",inf\r\n", Double(b"inf"), math.inf),
        (b",-inf\r\n", Double(b"-inf"), -math.inf),
        (b"(-123456789012345678901234567890\r\n",
         BigInteger(b"-123456789012345678901234567890"), -123456789012345678901234567890),
        (b"=7\r\nmkd:a\r\n\r\n", VerbatimText(b"mkd", b"a\r\n"), b"a\r\n"),
        (b"=4\r\ntxt:\r\n", VerbatimText(b"txt", b""), b""),
        (b"!6\r\nERR\r\ny\r\n", Refusal(b"ERR\r\ny")),
        (b"%0\r\n", Pairs(), {}),
        (b"%2\r\n+k\r\n:1\r\n$1\r\na\r\n*1\r\n_\r\n",
         Pairs([Simple(b"k"), 1, b"a", [None]]), {Simple(b"k"): 1, b"a": [None]}),
        (b"%1\r\n*1\r\n:1\r\n%1\r\n%1\r\n:1\r\n:2\r\n#t\r\n",
         Pairs([[1], Pairs([Pairs([1, 2]), True])]), {(1,): {((1, 2),): True}}),
        (b"~2\r\n:3\r\n:1\r\n", Members([3, 1]), [3, 1]),
        (b"~0\r\n", Members(), []),
        (b">2\r\n$7\r\nmessage\r\n$1\r\nx\r\n", Pushed([b"message", b"x"])),
        # Strings next to each other, which are taken together.
        (b"*5\r\n" + b"$3\r\nabc\r\n" * 5, [b"abc"] * 5),
        (b"*6\r\n" + b"$0\r\n\r\n" * 6, [b""] * 6),
        (b"*5\r\n$1\r\na\r\n$4\r\n\r\n$1\r\n$1\r\nb\r\n$-1\r\n$4\r\n$1\r\n\r\n",
         [b"a", b"\r\n$1", b"b", None, b"$1\r\n"]),
        (b"*5\r\n$02\r\nab\r\n" + b"$1\r\nx\r\n" * 4, [b"ab", *[b"x"] * 4]),
        (b"*5\r\n" + b"$1100\r\n" + b"l" * 1100 + b"\r\n" + b"$1\r\nx\r\n" * 4,
         [b"l" * 1100, *[b"x"] * 4]),
        (b"%3\r\n" + b"$1\r\na\r\n$1\r\nb\r\n" * 3, Pairs([b"a", b"b"] * 3), {b"a": b"b"}),
        (b"*2\r\n*4\r\n" + b"$1\r\na\r\n" * 4 + b"*4\r\n" + b"$1\r\nb\r\n" * 3 + b":1\r\n",
         [[b"a"] * 4, [*[b"b"] * 3, 1]]),
        # Attributes of an element, which are left out.
        (b"*2\r\n:1\r\n|1\r\n+ttl\r\n:9\r\n:2\r\n", [1, 2]),
        (b"*1\r\n|1\r\n+a\r\n|1\r\n+b\r\n:1\r\n:2\r\n:3\r\n", [3]),
    )
]  # fmt: skip
STREAM = b"".join(data for data, _, _ in REPLIES)


def taken(reader: ReplyReader) -> list[object]:
    found = []
    while (value := reader.take()) is not MORE:
        found.append(value)
    return found


def shape(value: object) -> object:
    """The value with all its types."""
    if isinstance(value, list):
        return type(value), [shape(each) for each in value]
    if isinstance(value, dict):
        return dict, [(shape(key), shape(each)) for key, each in value.items()]
    return type(value), value, getattr(value, "format", None)


def is_same(found: object, expected: object) -> bool:
    return shape(found) == shape(expected)


@pytest.mark.parametrize(("data", "typed", "plain"), REPLIES)
def test_a_reply_split_at_any_position(data: bytes, typed: object, plain: object) -> None:
    for form, expected in ((TYPED, typed), (PLAIN, plain)):
        for at in range(len(data)):
            reader = ReplyReader(form)
            reader.feed(data[:at])
            assert reader.take() is MORE
            assert reader.idle == (at == 0)
            reader.feed(data[at:])
            assert is_same(reader.take(), expected)
            assert reader.take() is MORE
            assert reader.idle


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, len(STREAM)])
@pytest.mark.parametrize("eager", [True, False])
def test_a_stream_in_pieces(size: int, eager: bool) -> None:
    reader, found = ReplyReader(TYPED), []
    for at in range(0, len(STREAM), size):
        reader.feed(STREAM[at : at + size])
        if eager:
            found += taken(reader)
    found += taken(reader)
    assert is_same(found, [typed for _, typed, _ in REPLIES])
    assert reader.idle


def test_one_reply_for_each_piece() -> None:
    reader, found = ReplyReader(TYPED), []
    for at in range(0, len(STREAM), 50):
        reader.feed(STREAM[at : at + 50])
        value = reader.take()
        found += [] if value is MORE else [value]
    assert is_same(found + taken(reader), [typed for _, typed, _ in REPLIES])


def made(chance: random.Random, depth: int = 0) -> tuple[bytes, object]:
    """A reply and what it is."""
    kind = chance.choice("$$$+:" + ("*%~" if depth < 4 else ""))
    if kind in "*%~":
        count = chance.choice((0, 1, 2, 5, 30)) * (2 if kind == "%" else 1)
        strings = chance.random() < 0.5
        parts = [made(chance, 4 if strings else depth + 1) for _ in range(count)]
        head = b"%b%d\r\n" % (kind.encode(), count // (2 if kind == "%" else 1))
        values = [value for _, value in parts]
        value = {"*": list, "%": Pairs, "~": Members}[kind](values)
        return head + b"".join(data for data, _ in parts), value
    if kind == ":":
        number = chance.randrange(-100, 100)
        return b":%d\r\n" % number, number
    if kind == "+":
        return b"+OK\r\n", Simple(b"OK")
    text = bytes(chance.choice(b"\r\n$0123a") for _ in range(chance.choice((0, 1, 5, 200))))
    return b"$%d\r\n%b\r\n" % (len(text), text), text


@pytest.mark.parametrize("seed", range(60))
def test_random_replies_in_random_pieces(seed: int) -> None:
    chance = random.Random(seed)
    replies = [made(chance) for _ in range(10)]
    stream = b"".join(data for data, _ in replies)
    reader, found, at = ReplyReader(TYPED), [], 0
    while at < len(stream):
        size = chance.choice((1, 3, 20, 300, 5000))
        reader.feed(stream[at : at + size])
        at += size
        if chance.random() < 0.7:
            found += taken(reader)
    assert is_same(found + taken(reader), [value for _, value in replies])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"hello\r\n", 'got "h" as reply type byte'),
        (b"\x07\r\n", r'got "\\x07" as reply type byte'),
        (b"\r\n", r'got "\\x0d" as reply type byte'),
        (b":one\r\n", "bad length or integer"),
        (b":\r\n", "bad length or integer"),
        (b":1_0\r\n", "bad length or integer"),
        (b": 1\r\n", "bad length or integer"),
        (b":--1\r\n", "bad length or integer"),
        (b":" + b"1" * 5000 + b"\r\n", "bad length or integer"),
        (b"$x\r\n", "bad length or integer"),
        (b"$-2\r\n", "bad length or integer"),
        (b"$?\r\n", "bad length or integer"),
        (b"$+1\r\na\r\n", "bad length or integer"),
        (b"*x\r\n", "bad length or integer"),
        (b"*-2\r\n", "bad length or integer"),
        (b"*\r\n", "bad length or integer"),
        (b"%x\r\n", "bad length or integer"),
        (b"$3\r\nabcd\r\n", "longer than it said"),
        (b"*5\r\n" + b"$3\r\nabcd\r\n" * 5, "longer than it said"),
        (b"*4\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\nb\r\n", 'got "b" as reply type byte'),
        (b"_x\r\n", 'bad value of type "_"'),
        (b"#x\r\n", 'bad value of type "#"'),
        (b"#\r\n", 'bad value of type "#"'),
        (b",1.5x\r\n", 'bad value of type ","'),
        (b",\r\n", 'bad value of type ","'),
        (b",1_0\r\n", 'bad value of type ","'),
        (b"(1.5\r\n", r'bad value of type "\("'),
        (b"=3\r\ntxt\r\n", "without a format"),
        (b"=5\r\ntxt-y\r\n", "without a format"),
        (b"*1\r\n" * 300, "too many lists in each other"),
        (b"$999999999999\r\n", "too long"),
        (b"+" * 70_000, "a line without an end"),
        (b"+" * 70_000 + b"\r\n", "a line without an end"),
        (b"$" + b"0" * 70_000, "a line without an end"),
    ],
)
def test_what_is_no_reply(data: bytes, why: str) -> None:
    for size in (len(data), max(len(data) // 3, 1)):
        reader = ReplyReader(TYPED)
        with pytest.raises(ReplyError, match=why):
            for at in range(0, len(data), size):
                reader.feed(data[at : at + size])
                taken(reader)


def test_a_number_of_too_many_digits() -> None:
    reader = ReplyReader(PLAIN)
    reader.feed(b"(" + b"9" * 10_000 + b"\r\n")
    with pytest.raises(ReplyTooLargeError):
        reader.take()
    reader = ReplyReader(TYPED)
    reader.feed(b"(" + b"9" * 10_000 + b"\r\n")
    assert reader.take() == b"9" * 10_000


class TestLimits:
    @pytest.mark.parametrize("size", [1, 2, 1000])
    @pytest.mark.parametrize("more", [0, 1])
    def test_lines(self, size: int, more: int) -> None:
        data = b"+" + b"x" * (9 + more) + b"\r\n"
        reader = ReplyReader(limits=Limits(line=10))
        if more:
            with pytest.raises(ReplyError, match="a line without an end"):
                self.read(reader, data, size)
        else:
            assert self.read(reader, data, size) == [b"x" * 9]

    def test_strings(self) -> None:
        reader = ReplyReader(limits=Limits(string=3))
        assert self.read(reader, b"$3\r\nabc\r\n") == [b"abc"]
        with pytest.raises(ReplyTooLargeError, match="a string that is too long"):
            self.read(reader, b"$4\r\n")

    def test_items_of_each_reply(self) -> None:
        reader = ReplyReader(limits=Limits(items=4))
        data = b"*3\r\n*1\r\n:1\r\n:2\r\n:3\r\n"
        assert self.read(reader, data * 3) == [[[1], 2, 3]] * 3
        with pytest.raises(ReplyTooLargeError, match="The reply has more than 4 items"):
            self.read(reader, b"*3\r\n%1\r\n")

    def test_a_count_that_nobody_can_keep(self) -> None:
        reader = ReplyReader()
        assert self.read(reader, b"*999999999999\r\n:1\r\n") == []

    @pytest.mark.parametrize("size", [1, 7, 1000])
    @pytest.mark.parametrize(
        "data",
        [
            b"*3\r\n$3\r\nabc\r\n:1\r\n",
            b"*4\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$9\r\n",
            b"*5\r\n" + b"$1\r\na\r\n" * 5,
            b"$30\r\n",
            b"*9\r\n" + b":1\r\n" * 9,
        ],
    )
    def test_bytes_of_each_reply(self, data: bytes, size: int) -> None:
        reader = ReplyReader(limits=Limits(size=30))
        short = b"*2\r\n$3\r\nabc\r\n$3\r\nabc\r\n"
        assert self.read(reader, short * 4, size) == [[b"abc", b"abc"]] * 4
        if len(data) > 30 or data.endswith((b"$9\r\n", b"$30\r\n")):
            with pytest.raises(ReplyTooLargeError, match="The reply has more than 30 bytes"):
                self.read(reader, data, size)
        else:
            assert self.read(reader, data, size) == []

    def test_lists_in_each_other(self) -> None:
        reader = ReplyReader(limits=Limits(depth=2))
        assert self.read(reader, b"*1\r\n*1\r\n:1\r\n" * 2) == [[[1]]] * 2
        with pytest.raises(ReplyError, match="too many lists"):
            self.read(reader, b"*1\r\n*1\r\n*1\r\n")

    def read(self, reader: ReplyReader, data: bytes, size: int = 1000) -> list[object]:
        found = []
        for at in range(0, len(data), size):
            reader.feed(data[at : at + size])
            found += taken(reader)
        return found


class TestAttributes:
    @pytest.mark.parametrize("size", [1, 5, 1000])
    def test_they_belong_to_the_reply_behind_them(self, size: int) -> None:
        data = b"|1\r\n+ttl\r\n:3600\r\n*1\r\n:1\r\n:2\r\n|0\r\n:3\r\n"
        reader, found = ReplyReader(TYPED), []
        for at in range(0, len(data), size):
            reader.feed(data[at : at + size])
            while (value := reader.take()) is not MORE:
                found.append((value, reader.attributes))
        assert found == [([1], [b"ttl", 3600]), (2, None), (3, None)]
        assert reader.idle

    def test_a_reply_is_begun_by_them(self) -> None:
        reader = ReplyReader()
        reader.feed(b"|1\r\n+ttl\r\n:3600\r\n")
        assert reader.take() is MORE
        assert not reader.idle
        assert reader.pass_short() == 0


class TestOtherThanReplies:
    @pytest.mark.parametrize("size", [1, 2, 1000])
    def test_short_replies_are_passed_over(self, size: int) -> None:
        data = b"+OK\r\n:1\r\n$-1\r\n_\r\n-ERR\r\n+a\r\n:-2\r\n*1\r\n+x\r\n+b\r\n"
        reader, passed, found = ReplyReader(TYPED), 0, []
        for at in range(0, len(data), size):
            reader.feed(data[at : at + size])
            while True:
                passed += reader.pass_short()
                value = reader.take()
                if value is MORE:
                    break
                found.append(value)
        assert passed + len(found) == 9
        assert [each for each in found if isinstance(each, list | Refusal)] == [b"ERR", [b"x"]]
        if size == 1000:
            assert (passed, len(found)) == (7, 2)

    def test_elements_of_a_list_are_no_short_replies(self) -> None:
        reader = ReplyReader()
        reader.feed(b"*2\r\n:1\r\n")
        assert reader.take() is MORE
        reader.feed(b":2\r\n:3\r\n")
        assert reader.pass_short() == 0
        assert reader.take() == [1, 2]
        assert reader.pass_short() == 1

    @pytest.mark.parametrize("at", range(12))
    def test_the_rest_is_given_away(self, at: int) -> None:
        data = b"+OK\r\nraw\r\nbytes"
        reader = ReplyReader()
        reader.feed(data[: 5 + at])
        assert reader.take() == b"OK"
        reader.feed(data[5 + at :])
        assert reader.rest() == b"raw\r\nbytes"
        assert reader.idle
        reader.feed(b":1\r\n")
        assert reader.take() == 1

    def test_views_and_byte_arrays_are_taken(self) -> None:
        reader = ReplyReader()
        buffer = bytearray(b"$3\r\nabc\r\n")
        reader.feed(memoryview(buffer))
        buffer[:] = b"#" * len(buffer)
        assert reader.take() == b"abc"


class TestTime:
    """Time in proportion to the bytes: each of these would take minutes if it was not."""

    def test_a_long_list(self) -> None:
        count = 200_000
        self.check(b"*%d\r\n" % count + b"$3\r\nabc\r\n" * count, [b"abc"] * count)

    def test_a_list_of_long_and_odd_strings(self) -> None:
        count = 20_000
        text = b"\r\n" * 50 + b"x" * 900
        data = b"$%d\r\n%b\r\n$1\r\na\r\n$-1\r\n:1\r\n" % (len(text), text)
        self.check(b"*%d\r\n" % (count * 4) + data * count, [text, b"a", None, 1] * count)

    def test_lists_in_a_long_list(self) -> None:
        count = 50_000
        data = b"*4\r\n" + b"$1\r\na\r\n" * 4
        self.check(b"*%d\r\n" % count + data * count, [[b"a"] * 4] * count)

    def test_a_large_string(self) -> None:
        size = 64 * 1024 * 1024
        self.check(b"$%d\r\n" % size + b"x" * size + b"\r\n", b"x" * size)

    def test_a_long_line(self) -> None:
        size = 16 * 1024 * 1024
        data = b"+" + b"x" * size + b"\r\n"
        self.check(data, b"x" * size, Limits(line=size + 1))

    @pytest.mark.parametrize("pieces", [512, None])
    def test_many_replies_at_once(self, pieces: int | None) -> None:
        count = 300_000
        data = b"$3\r\nabc\r\n" * count
        reader = ReplyReader()
        began = time.process_time()
        for at in range(0, len(data), pieces or len(data)):
            reader.feed(data[at : at + (pieces or len(data))])
        assert len(taken(reader)) == count
        assert time.process_time() - began < 10

    def check(self, data: bytes, expected: object, limits: Limits = Limits()) -> None:
        for size in (4096, len(data)):
            reader = ReplyReader(limits=limits)
            value = MORE
            began = time.process_time()
            for at in range(0, len(data), size):
                assert value is MORE
                reader.feed(data[at : at + size])
                value = reader.take()
            assert time.process_time() - began < 10
            assert value == expected

"""Replies cut out of bytes that come in any pieces."""

from __future__ import annotations

import time

import pytest

from carnelian.tools.cli.wire.reply_parser import MORE, ReplyParser
from carnelian.tools.cli.wire.reply_types import (
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

STREAM = (
    b"+OK\r\n-ERR x\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n#t\r\n#f\r\n,1.5\r\n(12\r\n"
    b"=5\r\ntxt:y\r\n"
    b"*2\r\n*0\r\n*1\r\n:1\r\n%1\r\n+k\r\n~1\r\n:2\r\n>2\r\n+invalidate\r\n_\r\n|1\r\n+a\r\n:1\r\n"
    b"$0\r\n\r\n!5\r\nERR y\r\n"
)
VALUES = [
    Simple(b"OK"), Refusal(b"ERR x"), -7, b"a\r\n", None, None, None, True, False, Double(b"1.5"),
    BigInteger(b"12"), VerbatimText(b"y"), [[], [1]], Pairs([Simple(b"k"), Members([2])]),
    Pushed([Simple(b"invalidate"), None]), b"", Refusal(b"ERR y"),
]  # fmt: skip


def taken(parser: ReplyParser) -> list[object]:
    found = []
    while (value := parser.take()) is not MORE:
        found.append(value)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pieces(size: int) -> None:
    parser, found = ReplyParser(), []
    for at in range(0, len(STREAM), size):
        parser.feed(STREAM[at : at + size])
        found += taken(parser)
    assert found == VALUES
    assert [type(each) for each in found] == [type(each) for each in VALUES]
    assert parser.idle


@pytest.mark.parametrize("stream", [b"?1\r\n", b":x\r\n", b"$x\r\n", b"*x\r\n", b"*1\r\n" * 300])
def test_what_is_no_reply(stream: bytes) -> None:
    parser = ReplyParser()
    parser.feed(stream)
    with pytest.raises(ReplyError, match="Protocol error"):
        taken(parser)


def test_a_long_list_takes_time_in_proportion() -> None:
    parser = ReplyParser()
    count = 200_000
    stream = b"*%d\r\n" % count + b"$3\r\nabc\r\n" * count
    began = time.process_time()
    for at in range(0, len(stream), 4096):
        parser.feed(stream[at : at + 4096])
        value = parser.take()
    assert value == [b"abc"] * count
    assert time.process_time() - began < 5


def test_a_large_string_takes_time_in_proportion() -> None:
    parser = ReplyParser()
    size = 64 * 1024 * 1024
    parser.feed(b"$%d\r\n" % size)
    began = time.process_time()
    for _ in range(size // 4096):
        parser.feed(b"x" * 4096)
        assert parser.take() is MORE
    parser.feed(b"\r\n")
    assert parser.take() == b"x" * size
    assert time.process_time() - began < 5

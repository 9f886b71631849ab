"""Commands as they are sent."""

from __future__ import annotations

import pytest

from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import Simple
from carnelian.resp.client.request_encoder import encode_request, encode_requests


def test_a_command() -> None:
    assert encode_request([b"SET", b"k", b""]) == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"


def test_words_of_all_types() -> None:
    words = (b"\r\n", "grün", "\udcff", 0, -12, 2**70, 0.1, 1e100, Simple(b"a"))
    reader = ReplyReader()
    reader.feed(encode_request(words))
    assert reader.take() == [
        b"\r\n",
        "grün".encode(),
        b"\xff",
        b"0",
        b"-12",
        b"1180591620717411303424",
        b"0.1",
        b"1e+100",
        b"a",
    ]


def test_many_commands() -> None:
    commands = [("SET", b"k" * size, size) for size in range(2000)]
    data = encode_requests(commands)
    assert data == b"".join(map(encode_request, commands))
    reader = ReplyReader()
    reader.feed(data)
    assert [reader.take() for _ in commands] == [
        [b"SET", key, b"%d" % size] for _, key, size in commands
    ]
    assert reader.idle


def test_no_command() -> None:
    assert encode_requests([]) == b""


@pytest.mark.parametrize("word", [None, True, [b"a"], {}, object()])
def test_what_is_no_word(word: object) -> None:
    with pytest.raises(TypeError, match="no word of a command"):
        encode_request(["SET", "k", word])  # type: ignore[list-item]

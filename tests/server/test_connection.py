"""Bytes in, bytes out: requests however they are split, pipelines, errors of the protocol."""

from __future__ import annotations

import socket

import pytest

from support.waiting import wait_for
from support.wire import request

from .peers import Client, ServerProcess


def test_a_request_may_come_in_any_two_pieces(client: Client):
    whole = request("SET", "key", "value") + request("GET", "key")
    for at in range(1, len(whole)):
        client.send(whole[:at])
        client.send(whole[at:])
        assert (client.reply(), client.reply()) == (b"+OK", b"value")


def test_a_request_may_come_byte_by_byte(client: Client):
    for byte in request("ECHO", "slowly"):
        client.send(bytes([byte]))
    assert client.reply() == b"slowly"


def test_an_inline_request_may_come_in_pieces(client: Client):
    for piece in (b"SET in", b'line "a b', b'"\r', b"\nGET inline\n"):
        client.send(piece)
    assert (client.reply(), client.reply()) == (b"+OK", b"a b")


def test_a_pipeline_is_answered_in_order(client: Client):
    client.send(b"".join(request("ECHO", number) for number in range(5000)))
    assert [client.reply() for _ in range(5000)] == [b"%d" % n for n in range(5000)]


def test_a_pipeline_larger_than_what_is_read_at_once(client: Client):
    value = b"v" * 5000
    client.send(b"".join(request("SET", n, value) for n in range(200)))
    assert [client.reply() for _ in range(200)] == [b"+OK"] * 200


def test_big_values_go_there_and_back(client: Client):
    for size in (16 * 1024 - 1, 16 * 1024, 32 * 1024, 100_000, 3_000_000):
        value = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert client.call("SET", "big", value) == b"+OK"
        assert client.call("GET", "big") == value


def test_a_big_value_is_followed_by_more_of_the_pipeline(client: Client):
    value = b"x" * 50_000
    client.send(request("SET", "big", value) + request("PING") + request("STRLEN", "big"))
    assert [client.reply() for _ in range(3)] == [b"+OK", b"+PONG", 50_000]


@pytest.mark.parametrize(
    "malformed",
    [
        b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n",
        b"*abc\r\n",
        b"*2147483648\r\n",
        b"*-\r\n",
        b"*1\r\nPING\r\n",
        b"*1\r\n$abc\r\n",
        b"*1\r\n$-5\r\n",
        b"*1\r\n:5\r\n",
        b'SET "unbalanced\r\n',
        b"SET 'un\"balanced\r\n",
        b'GET "a"b\r\n',
        b"x" * 70_000,
        b"*" + b"1" * 70_000,
        b"*1\r\n$" + b"1" * 70_000,
    ],
)
def test_protocol_errors_are_those_of_redis(server: ServerProcess, redis_server, malformed: bytes):
    answers = []
    for port in (server.port, redis_server.port):
        client = Client(("127.0.0.1", port))
        client.send(malformed)
        answers.append(client.line())
        client.socket.shutdown(socket.SHUT_WR)
        assert client.at_end()
        client.close()
    assert answers[0] == answers[1]
    assert answers[0].startswith(b"-ERR Protocol error")


def test_replies_before_a_protocol_error_are_sent(client: Client):
    client.send(request("PING") + b"*1\r\n!oops\r\n" + request("PING"))
    assert client.reply() == b"+PONG"
    assert client.line() == b"-ERR Protocol error: expected '$', got '!'"
    assert client.at_end()


def test_an_empty_request_is_ignored(client: Client):
    client.send(b"\r\n*0\r\n*-1\r\n   \r\n" + request("PING"))
    assert client.reply() == b"+PONG"


def test_quit_answers_and_hangs_up(client: Client):
    client.send(request("PING") + request("QUIT") + request("PING"))
    assert (client.reply(), client.reply()) == (b"+PONG", b"+OK")
    assert client.at_end()


def test_half_closed_clients_get_their_replies(client: Client):
    client.send(request("ECHO", "last words"))
    client.socket.shutdown(socket.SHUT_WR)
    assert client.reply() == b"last words"
    assert client.at_end()


def test_a_client_that_vanishes_is_forgotten(server: ServerProcess, client: Client):
    doomed = server.connect()
    identity = doomed.call("CLIENT", "ID")
    doomed.send(b"*2\r\n$4\r\nECHO\r\n$100\r\nabc")
    doomed.close()
    wait_for(lambda: b"id=%d " % identity not in client.call("CLIENT", "LIST"))


@pytest.mark.parametrize(
    ("modes", "replies"),
    [
        (("OFF",), []),
        (("OFF", "ON"), [b"+OK"]),
        (("SKIP",), [b"2", b"3"]),
        (("SKIP", "SKIP"), [b"2", b"3"]),
        (("OFF", "SKIP"), []),
        (("SKIP", "ON"), [b"+OK", b"1", b"2", b"3"]),
        (("SKIP", "OFF"), []),
    ],
)
def test_client_reply(client: Client, redis_server, modes: tuple[str, ...], replies: list[bytes]):
    words = b"".join(request("CLIENT", "REPLY", mode) for mode in modes)
    words += b"".join(request("ECHO", number) for number in (1, 2, 3))
    end = request("CLIENT", "REPLY", "ON") + request("ECHO", "end")
    both = []
    for one in (client, Client(("127.0.0.1", redis_server.port))):
        one.send(words + end)
        seen: list = []
        while not seen or seen[-1] != b"end":
            seen.append(one.reply())
        both.append(seen)
    assert both[0] == both[1]
    if modes[-1] == "ON" or "OFF" not in modes:
        assert both[0][: len(replies)] == replies


def test_messages_reach_a_client_that_wants_no_replies(server: ServerProcess, client: Client):
    listener = server.connect()
    listener.send(request("CLIENT", "REPLY", "OFF") + request("SUBSCRIBE", "channel"))
    wait_for(lambda: client.call("PUBSUB", "NUMSUB", "channel") == [b"channel", 1])
    client.call("PUBLISH", "channel", "hello")
    seen = [listener.reply()]
    while seen[-1][0] != b"message":
        seen.append(listener.reply())
    assert seen[-1] == [b"message", b"channel", b"hello"]


def test_limits_before_authentication(start):
    server = start("--requirepass", "secret")
    for malformed, message in (
        (b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", b"-ERR Protocol error: unauthenticated bulk length"),
    ):
        client = server.connect()
        client.send(malformed)
        assert client.line() == message
        assert client.at_end()


def test_those_limits_end_with_the_password_of_the_same_pipeline(start):
    client = start("--requirepass", "secret").connect()
    pairs = [word for n in range(20) for word in (n, "v")]
    client.send(request("AUTH", "secret") + request("MSET", *pairs))
    assert (client.reply(), client.reply()) == (b"+OK", b"+OK")


def test_a_value_larger_than_allowed_is_refused(start):
    client = start("--proto-max-bulk-len", "1mb", "--enable-debug-command", "yes").connect()
    assert client.call("SET", "key", b"x" * 1024 * 1024) == b"+OK"
    client.send(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1048577\r\n")
    assert client.line() == b"-ERR Protocol error: invalid bulk length"

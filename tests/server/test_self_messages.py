"""Messages that a client causes for itself follow the reply of the command that caused them."""

from __future__ import annotations

import pytest

from .peers import ServerProcess

BOUNDARY = b"$3\r\nend\r\n"


def answers(server: ServerProcess, *lines: str) -> bytes:
    """All that comes back for commands that are sent at once."""
    client = server.connect()
    client.send(b"".join([f"{line}\r\n".encode() for line in (*lines, "ECHO end")]))
    received = b""
    while not received.endswith(BOUNDARY):
        received += client.socket.recv(65536)
    client.close()
    return received.removesuffix(BOUNDARY)


def push(*parts: str) -> bytes:
    return b">%d\r\n" % len(parts) + b"".join(
        [b"$%d\r\n%s\r\n" % (len(part), part.encode()) for part in parts]
    )


SUBSCRIBED = b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"


def after_hello(received: bytes) -> bytes:
    """What comes behind the reply of HELLO and the subscription to c."""
    return received.partition(SUBSCRIBED)[2]


def test_the_reply_of_publish_comes_first(server: ServerProcess) -> None:
    received = answers(server, "HELLO 3", "SUBSCRIBE c", "PUBLISH c hello", "PING")
    assert after_hello(received) == b":1\r\n" + push("message", "c", "hello") + b"+PONG\r\n"


def test_messages_inside_of_exec_come_after_its_reply(server: ServerProcess) -> None:
    received = answers(
        server, "HELLO 3", "SUBSCRIBE c", "MULTI", "PUBLISH c one", "PING", "PUBLISH c two", "EXEC"
    )
    assert after_hello(received) == (
        b"+OK\r\n" + 3 * b"+QUEUED\r\n" + b"*3\r\n:1\r\n+PONG\r\n:1\r\n"
        + push("message", "c", "one") + push("message", "c", "two")
    )  # fmt: skip


def test_replies_of_subscribe_inside_of_exec_stay_in_it(server: ServerProcess) -> None:
    received = answers(server, "HELLO 3", "MULTI", "SUBSCRIBE c", "PUBLISH c x", "EXEC")
    assert received.partition(b"*2\r\n")[2] == SUBSCRIBED + b":1\r\n" + push("message", "c", "x")


def test_the_same_with_the_old_protocol(server: ServerProcess) -> None:
    received = answers(server, "MULTI", "SUBSCRIBE c", "PUBLISH c x", "EXEC", "RESET")
    message = push("message", "c", "x").replace(b">", b"*")
    subscribed = SUBSCRIBED.replace(b">", b"*")
    assert received.partition(b"*2\r\n")[2] == subscribed + b":1\r\n" + message + b"+RESET\r\n"


@pytest.mark.parametrize("mode", ["OFF", "SKIP"])
def test_messages_come_though_replies_do_not(server: ServerProcess, mode: str) -> None:
    received = answers(
        server, "HELLO 3", "SUBSCRIBE c", f"CLIENT REPLY {mode}", "PUBLISH c x", "CLIENT REPLY ON"
    )
    assert after_hello(received) == push("message", "c", "x") + b"+OK\r\n"


def test_notifications_of_keys_too(server: ServerProcess) -> None:
    received = answers(
        server, "CONFIG SET notify-keyspace-events K$", "HELLO 3", "SUBSCRIBE c",
        "PSUBSCRIBE __key*", "SET selfmade 1", "CONFIG SET notify-keyspace-events ''",
    )  # fmt: skip
    message = push("pmessage", "__key*", "__keyspace@0__:selfmade", "set")
    assert received.endswith(b"+OK\r\n" + message + b"+OK\r\n")


def test_a_blocked_command_replies_before_its_messages(server: ServerProcess) -> None:
    waiting, other = server.connect(), server.connect()
    other.call("CONFIG", "SET", "notify-keyspace-events", "Kl")
    waiting.send(b"HELLO 3\r\nSUBSCRIBE __keyspace@0__:later\r\nBLPOP later 0\r\nPING\r\n")
    while "blocked_clients:1" not in other.call("INFO", "clients").decode():
        pass
    other.call("RPUSH", "later", "x")
    expected = b"*2\r\n$5\r\nlater\r\n$1\r\nx\r\n"
    channel = "__keyspace@0__:later"
    received = b""
    while not received.endswith(b"+PONG\r\n"):
        received += waiting.socket.recv(65536)
    pushed = push("message", channel, "rpush")
    popped = push("message", channel, "lpop")
    assert received.endswith(b":1\r\n" + pushed + expected + popped + b"+PONG\r\n")
    other.call("CONFIG", "SET", "notify-keyspace-events", "")

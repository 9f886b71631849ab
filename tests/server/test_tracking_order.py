"""Invalidations among replies, as redis-server sends them, byte for byte."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest

from support.servers import StartRedis
from support.wire import request

from .peers import ServerProcess

# Seconds after which nothing more comes from where nothing can be asked for.
SETTLED = 0.3


class Talk:
    """Connections by name to one server; ids in replies are shown as names."""

    def __init__(self, port: int):
        self._port = port
        self._sockets: dict[str, socket.socket] = {}
        self._ids: dict[str, int] = {}
        # Those that answer nothing now: they are blocked, or do not want replies.
        self.mute: set[str] = set()

    def say(self, name: str, *lines: str) -> dict[str, bytes]:
        """Send commands at once over one connection; what comes back over each of them."""
        connection = self._sockets.get(name) or self._connect(name)
        words = [re.sub(r"@(\w+)", self._id, line).split() for line in lines]
        connection.sendall(b"".join([request(*each) for each in words]))
        order = [name, *(each for each in self._sockets if each != name)]
        return {each: heard for each in order if (heard := self._hear(each))}

    def _connect(self, name: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        self._sockets[name] = connection
        connection.sendall(request("CLIENT", "ID"))
        received = b""
        while not received.endswith(b"\r\n"):
            received += connection.recv(100)
        self._ids[name] = int(received[1:-2])
        return connection

    def _id(self, found: re.Match) -> str:
        return str(self._ids[found[1]])

    def _hear(self, name: str) -> bytes:
        heard = self._quiet(name) if name in self.mute else self._until_boundary(name)
        for other, number in self._ids.items():
            heard = re.sub(rb"(?m)^:%d\r$" % number, b":@%s\r" % other.encode(), heard)
        return heard

    def _until_boundary(self, name: str) -> bytes:
        """Up to the answer to a question that changes nothing, not even CLIENT CACHING."""
        connection = self._sockets[name]
        ends = (b":%d\r\n" % self._ids[name], b"-ERR Can't execute 'client|id'")
        connection.sendall(request("CLIENT", "ID"))
        heard = b""
        while not heard.endswith(ends[0]) and ends[1] not in heard:
            heard += connection.recv(65536)
        return heard.partition(ends[1])[0] if ends[1] in heard else heard.removesuffix(ends[0])

    def _quiet(self, name: str) -> bytes:
        connection = self._sockets[name]
        connection.settimeout(SETTLED)
        heard = b""
        try:
            while part := connection.recv(65536):
                heard += part
        except TimeoutError:
            pass
        connection.settimeout(10)
        return heard

    def leave(self, name: str) -> None:
        self._sockets.pop(name).close()
        time.sleep(SETTLED)

    def close(self) -> None:
        for connection in self._sockets.values():
            connection.close()


@pytest.fixture(scope="module")
def ports(start_redis: StartRedis, server: ServerProcess) -> tuple[int, int]:
    reference = start_redis("--save", "")
    for port in (reference.port, server.port):
        # Ids are to be larger than any other number that is replied.
        for _ in range(50):
            socket.create_connection(("127.0.0.1", port)).close()
    return reference.port, server.port


@pytest.fixture
def talks(ports: tuple[int, int]) -> Iterator[tuple[Talk, Talk]]:
    """One with the reference and one with ours, over empty key spaces."""
    both = Talk(ports[0]), Talk(ports[1])
    for talk in both:
        talk.say("admin", "FLUSHALL")
        talk.leave("admin")
    yield both
    for talk in both:
        talk.close()


TRACKING = ("A", "HELLO 3"), ("A", "CLIENT TRACKING ON")

SCENES: dict[str, tuple[tuple[str, ...], ...]] = {
    "own changes": (
        *TRACKING,
        ("A", "GET a", "SET a 1", "PING"),
        ("A", "MGET a b c", "MSET c 1 b 2 a 3", "GET a"),
        ("A", "GET a", "MULTI", "SET a 2", "GET a", "EXEC", "PING"),
        ("A", "MULTI", "GET a", "SET a 2", "EXEC"),
        ("A", "GET a", "FLUSHALL", "PING"),
        ("A", "MULTI", "FLUSHDB", "GET a", "FLUSHALL", "EXEC"),
        ("A", "GET a", "SADD a x", "LRANGE a 0 -1"),
        ("B", "DEL a"),
    ),
    "changes of others": (
        *TRACKING,
        ("A", "SET a 1", "GET a", "GET b"),
        ("B", "SET a 2", "SET a 3", "SET b 1"),
        ("A", "LRANGE l 0 -1", "TTL t", "DUMP d", "OBJECT ENCODING o", "TOUCH to"),
        ("B", "RPUSH l 1", "SET t 1", "SET d 1", "SET o 1", "SET to 1"),
        ("A", "GET a", "GET b"),
        ("B", "RENAME a b"),
        ("B", "FLUSHDB"),
        ("B", "FLUSHALL"),
        ("A", "GET a"),
        ("B", "SWAPDB 0 1", "SELECT 3", "SET a 1"),
    ),
    "broadcasting": (
        ("A", "HELLO 3"),
        ("A", "CLIENT TRACKING ON BCAST"),
        ("A", "SET b 1", "SET a 1", "SET b 2", "PING"),
        ("B", "MSET z 1 y 1 x 1", "SET a 2"),
        ("A", "MULTI", "SET a 1", "SET b 1", "EXEC"),
        ("B", "FLUSHALL"),
        ("A", "FLUSHALL"),
        ("A", "CLIENT TRACKING OFF"),
        ("A", "CLIENT TRACKING ON BCAST PREFIX b: PREFIX a: NOLOOP"),
        ("A", "SET a:1 1", "SET b:1 1", "SET c 1"),
        ("B", "SET b:1 1", "SET a:1 1", "SET c 1", "SET b:0 1"),
        ("C", "HELLO 3"),
        ("C", "CLIENT TRACKING ON BCAST PREFIX b:"),
        ("A", "SET b:9 1"),
        ("B", "MULTI", "SET b:1 1", "DEL b:1", "EXEC"),
        ("A", "CLIENT TRACKINGINFO"),
    ),
    "redirection": (
        ("R", "SUBSCRIBE __redis__:invalidate"),
        ("A", "CLIENT TRACKING ON REDIRECT @R"),
        ("A", "GET a", "GET b"),
        ("B", "MSET a 1 b 2"),
        ("A", "GET a", "SET a 2", "CLIENT GETREDIR", "CLIENT TRACKINGINFO"),
        ("B", "FLUSHALL"),
        ("A", "GET a"),
        ("R", "UNSUBSCRIBE"),
        ("B", "SET a 1"),
        ("R", "PSUBSCRIBE other"),
        ("A", "GET a"),
        ("B", "SET a 1"),
        ("R", "RESET"),
        ("R", "HELLO 3"),
        ("A", "GET a"),
        ("B", "SET a 1"),
        ("A", "HELLO 3"),
        ("A", "GET a", "GET b"),
        ("leave", "R"),
        ("B", "SET a 1"),
        ("A", "SET b 1", "CLIENT TRACKINGINFO", "CLIENT GETREDIR"),
        ("B", "FLUSHALL"),
        ("A", "CLIENT TRACKING ON"),
        ("A", "CLIENT TRACKINGINFO"),
    ),
    "to oneself": (
        ("A", "HELLO 3"),
        ("A", "CLIENT TRACKING ON REDIRECT @A"),
        ("A", "GET a", "SET a 1", "PING"),
        ("A", "HELLO 2"),
        ("A", "GET a", "SET a 2", "PING"),
        ("B", "SET a 2"),
    ),
    "optional": (
        ("A", "HELLO 3"),
        ("A", "CLIENT TRACKING ON OPTIN"),
        ("A", "GET a", "CLIENT CACHING yes", "GET b", "GET c"),
        ("B", "MSET a 1 b 1 c 1"),
        ("A", "CLIENT CACHING yes", "CLIENT ID", "CLIENT TRACKINGINFO", "GET a"),
        ("B", "MSET a 1 b 1"),
        ("A", "CLIENT CACHING yes", "NOSUCH", "GET a", "CLIENT CACHING yes", "GET", "GET b"),
        ("B", "MSET a 1 b 1"),
        ("A", "CLIENT CACHING yes", "MULTI", "GET a", "GET b", "EXEC", "GET c"),
        ("B", "MSET a 1 b 1 c 1"),
        ("A", "MULTI", "GET c", "CLIENT CACHING yes", "GET a", "EXEC", "GET b"),
        ("B", "MSET a 1 b 1 c 1"),
        ("A", "CLIENT CACHING yes", "MULTI", "NOSUCH", "DISCARD", "GET c"),
        ("B", "MSET a 1 b 1 c 1"),
        ("A", "CLIENT TRACKING OFF", "CLIENT TRACKING ON OPTOUT"),
        ("A", "CLIENT CACHING no", "GET a", "GET b"),
        ("B", "MSET a 1 b 1"),
        ("A", "CLIENT CACHING no", "CLIENT TRACKING ON OPTOUT", "CLIENT TRACKINGINFO"),
        ("A", "CLIENT CACHING no", "CLIENT KILL", "CLIENT TRACKINGINFO"),
        ("A", "CLIENT CACHING no", "CLIENT NOSUCH", "CLIENT TRACKINGINFO"),
    ),
    "noloop": (
        ("A", "HELLO 3"),
        ("A", "CLIENT TRACKING ON NOLOOP"),
        ("A", "GET a", "SET a 1"),
        ("B", "SET a 1"),
        ("A", "GET a"),
        ("B", "SET a 1"),
        ("A", "GET a", "FLUSHALL"),
    ),
    "blocked": (
        *TRACKING,
        ("mute", "A"),
        ("A", "LLEN to", "BLMOVE from to LEFT LEFT 0"),
        ("B", "RPUSH from 1"),
        ("A", "CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST"),
        ("A", "BLMOVE from to LEFT LEFT 0"),
        ("B", "RPUSH from 1"),
    ),
    "silent": (
        *TRACKING,
        ("mute", "A"),
        ("A", "GET a", "CLIENT REPLY OFF", "SET a 1", "PING"),
        ("A", "GET b"),
        ("B", "SET b 1"),
        ("A", "CLIENT REPLY ON", "GET a", "CLIENT REPLY SKIP", "SET a 1", "PING"),
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_as_redis_server(talks: tuple[Talk, Talk], name: str) -> None:
    for who, *lines in SCENES[name]:
        if who in ("leave", "mute"):
            for talk in talks:
                talk.leave(lines[0]) if who == "leave" else talk.mute.add(lines[0])
            continue
        if lines == ["HELLO 3"] or lines == ["HELLO 2"]:
            # They tell different versions.
            for talk in talks:
                talk.say(who, *lines)
            continue
        theirs, ours = (talk.say(who, *lines) for talk in talks)
        assert ours == theirs, f"{who}: {lines}"


def test_evicted_before_the_reply(server: ServerProcess) -> None:
    """What memory takes away before a command is told before its reply."""
    talk = Talk(server.port)
    try:
        for line in ("HELLO 3", "CLIENT TRACKING ON", "SET volatile 1 EX 1000", "GET volatile"):
            talk.say("A", line)
        talk.say("A", "CONFIG SET maxmemory-policy volatile-random")
        assert talk.say("A", "CONFIG SET maxmemory 1", "PING")["A"].endswith(
            b">2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\nvolatile\r\n+PONG\r\n"
        )
    finally:
        talk.say("A", "CONFIG SET maxmemory 0", "CONFIG SET maxmemory-policy noeviction")
        talk.close()


def test_forgotten_before_the_reply(server: ServerProcess) -> None:
    """A key for which there is no room may be the one that is read next, and known again."""
    talk = Talk(server.port)
    try:
        for line in ("HELLO 3", "CLIENT TRACKING ON", "MGET a b", "DEBUG PAUSE-CRON 1"):
            talk.say("A", line)
        told = talk.say("A", "CONFIG SET tracking-table-max-keys 1", "PING")["A"]
        assert re.fullmatch(
            rb"\+OK\r\n>2\r\n\$10\r\ninvalidate\r\n\*1\r\n\$1\r\n[ab]\r\n\+PONG\r\n", told
        )
    finally:
        talk.say("A", "CONFIG SET tracking-table-max-keys 1000000", "DEBUG PAUSE-CRON 0")
        talk.close()


def test_before_other_messages(server: ServerProcess) -> None:
    """As since Redis 7.2: the reply, what is in the cache no longer, all other messages."""
    talk = Talk(server.port)
    try:
        for line in ("HELLO 3", "CLIENT TRACKING ON", "SUBSCRIBE c"):
            talk.say("A", line)
        told = talk.say("A", "MGET a b", "MULTI", "PUBLISH c x", "MSET b 1 a 1", "EXEC", "PING")
        assert told["A"].partition(b"*2\r\n:1\r\n+OK\r\n")[2] == (
            b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n"
            b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"
            b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n+PONG\r\n"
        )
    finally:
        talk.close()

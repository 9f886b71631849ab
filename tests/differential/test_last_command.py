"""The field cmd= of CLIENT LIST: what a client has asked for last, whatever became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from support.local import LocalClient
from support.servers import ReferenceServer, StartRedis
from support.waiting import wait_for
from support.wire import WireClient

FIELD = re.compile(rb" flags=(\w+) .* multi=(-?\d+) .* cmd=(\S+) ")

# Each line is a conversation, its commands separated by semicolons.
CONVERSATIONS = """
PING
GET
NO-SUCH a
CONFIG
CONFIG NO-SUCH
CLIENT NO-SUCH x
OBJECT ENCODING
get k
MULTI; GET k
MULTI; GET
MULTI; NO-SUCH
MULTI; CONFIG GET x; EXEC
MULTI; DISCARD
EXEC
RPUSH k 1; GET k
BLPOP none 0
SUBSCRIBE a; GET k
SUBSCRIBE a; UNSUBSCRIBE a
AUTH x y z
HELLO 9
CLIENT REPLY SKIP; PING
CLUSTER INFO
READONLY
""".strip().splitlines()


@pytest.fixture(scope="module")
def server(start_redis: StartRedis) -> ReferenceServer:
    return start_redis("--save", "", "--requirepass", "secret")


class Theirs:
    """Two clients of redis-server: one that asks, and one that looks at it."""

    def __init__(self, port: int):
        self.asking, self.looking = WireClient(port), WireClient(port)
        self.looking.call("AUTH", "secret")
        self.looking.call("CLIENT", "PAUSE", 0)
        self.looking.call("FLUSHALL")

    def ask(self, *words: str) -> None:
        self.asking.send(*words)

    def number(self) -> int:
        value = self.asking.call("CLIENT", "ID").value
        assert isinstance(value, int)
        return value

    def shown(self, number: int) -> bytes:
        return self.looking.call("CLIENT", "LIST", "ID", number).text

    def end(self) -> None:
        self.looking.call("CLIENT", "UNPAUSE")
        self.asking.close()
        self.looking.close()


class Ours(Theirs):
    """The same of an engine."""

    def __init__(self) -> None:
        config = Config()
        config.load_text("requirepass secret")
        engine = Engine(config)
        self.local, self.other = LocalClient(engine), LocalClient(engine)

    def ask(self, *words: str) -> None:
        self.local(*words)

    def number(self) -> int:
        return self.local.session.id

    def shown(self, number: int) -> bytes:
        return self.other.call("CLIENT", "LIST", "ID", number).text

    def end(self) -> None:
        pass


@pytest.fixture
def both(server: ReferenceServer) -> Iterator[tuple[Theirs, Ours]]:
    pair = Theirs(server.port), Ours()
    yield pair
    for one in pair:
        one.end()


def field(one: Theirs, number: int) -> tuple[bytes, ...]:
    match = FIELD.search(one.shown(number))
    assert match is not None
    return match.groups()


@pytest.mark.parametrize("line", CONVERSATIONS)
def test_last_command(both: tuple[Theirs, Ours], line: str) -> None:
    numbers = []
    for one in both:
        numbers.append(begin(one))
        for words in line.split(";"):
            one.ask(*words.split())
    theirs, ours = both
    come_to_show(theirs, numbers[0], field(ours, numbers[1]))


def come_to_show(one: Theirs, number: int, expected: tuple[bytes, ...]) -> None:
    """What was sent to one socket is not always read before what comes from another."""
    wait_for(lambda: field(one, number) == expected)


def begin(one: Theirs) -> int:
    """Log in; returns the number of the client."""
    one.ask("AUTH", "secret")
    if not isinstance(one, Ours):
        one.asking.read()
    return one.number()


def test_a_refused_one_without_a_password(both: tuple[Theirs, Ours]) -> None:
    for one in both:
        number = begin(one)
        one.ask("RESET")
        one.ask("GET", "k")
        come_to_show(one, number, (b"N", b"-1", b"get"))


def test_one_that_is_held_back(both: tuple[Theirs, Ours]) -> None:
    for one in both:
        number = begin(one)
        one.ask("CLIENT", "PAUSE", "100000", "WRITE")
        one.ask("SET", "k", "v")
        come_to_show(one, number, (b"b", b"-1", b"set"))


def test_within_a_transaction(both: tuple[Theirs, Ours]) -> None:
    lines = []
    for one in both:
        for words in (("AUTH", "secret"), ("MULTI",), ("PING",), ("CLIENT", "INFO")):
            one.ask(*words)
        if isinstance(one, Ours):
            lines.append(one.local.call("EXEC").items[1].text)
        else:
            for _ in range(4):
                one.asking.read()
            lines.append(one.asking.call("EXEC").items[1].text)
    shown = [match.groups() for match in map(FIELD.search, lines) if match is not None]
    assert shown == [(b"x", b"2", b"exec")] * 2

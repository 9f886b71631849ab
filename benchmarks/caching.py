"""CLIENT TRACKING: what reads cost that are remembered, and changes that clients hear of.

Fifty clients in RESP3 track in one of several ways. First they read random keys, then a client
writes keys at random, or they do themselves; both servers take turns. All requests are made
beforehand, and an ECHO ends each pipeline, so that whoever drives has only to look for its reply.
"""

from __future__ import annotations

import argparse
import random
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from harness import pairs, process, report, servers
from harness.client import encode, pipelines_of, send_pipelines
from harness.pairs import MORE, Pairs
from harness.servers import Server

_MARK = b"$12\r\nthat-was-all\r\n"
_END = encode("ECHO", b"that-was-all")
# Until what is told last has been told.
_SETTLING_SECONDS = 0.05

Draw = Callable[[], bytes]


@dataclass(frozen=True)
class Shape:
    """Words of CLIENT TRACKING ON, what comes before each read, and whether readers write, too."""

    words: tuple[str, ...] = ()
    before: bytes = b""
    own: bool = False


_SHAPES = {
    "default": Shape(),
    "default, own writes": Shape(own=True),
    "NOLOOP, own writes": Shape(("NOLOOP",), own=True),
    "OPTIN": Shape(("OPTIN",), encode("CLIENT", "CACHING", "YES")),
    "OPTIN, not asked": Shape(("OPTIN",)),
    "OPTOUT": Shape(("OPTOUT",)),
    "BCAST": Shape(("BCAST",)),
    "BCAST, 3 prefixes": Shape(
        ("BCAST", "PREFIX", "key:00000000", "PREFIX", "user:", "PREFIX", "key:00001")
    ),
    "BCAST NOLOOP, own writes": Shape(("BCAST", "NOLOOP"), own=True),
}


class Reader:
    """A connection with a list of pipelines to be sent one after the other."""

    def __init__(self, port: int, words: tuple[str, ...] | None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting: Iterator[bytes] = iter(())
        self.busy = False
        self.tail = b""
        if words is not None:
            self.ask(encode("HELLO", "3") + encode("CLIENT", "TRACKING", "ON", *words))

    def ask(self, requests: bytes) -> None:
        """Send requests and wait for the last reply."""
        self.socket.sendall(requests + _END)
        received = b""
        while _MARK not in received:
            received += self.socket.recv(65536)
            if b"-ERR" in received:
                raise RuntimeError(received.decode())

    def begin(self, pipelines: list[bytes]) -> None:
        self.waiting = iter(pipelines)
        self.send_next()

    def send_next(self) -> None:
        following = next(self.waiting, None)
        self.busy = following is not None
        if following is not None:
            self.socket.sendall(following)

    def readable(self) -> None:
        """Take what has come; a mark in it has the next pipeline sent."""
        received = self.socket.recv(262144)
        if not received:
            raise ConnectionError("connection closed by the server")
        text = self.tail + received
        place = text.find(_MARK)
        if place < 0:
            self.tail = text[1 - len(_MARK) :]
            return
        self.tail = text[place + len(_MARK) :]
        self.send_next()


class Crowd:
    """The clients of one server."""

    def __init__(self, server: Server, clients: int, shape: Shape):
        self.server = server
        self.readers = [Reader(server.port, shape.words) for _ in range(clients)]
        self.writer = Reader(server.port, None)
        self.selector = selectors.DefaultSelector()
        for each in (*self.readers, self.writer):
            self.selector.register(each.socket, selectors.EVENT_READ, each)

    def run(self, work: dict[Reader, list[bytes]]) -> tuple[float, float]:
        """Let clients send their pipelines: seconds, and CPU seconds of the server."""
        before = process.cpu_seconds(self.server.pid)
        began = time.perf_counter()
        for reader, pipelines in work.items():
            reader.begin(pipelines)
        while any(reader.busy for reader in work):
            self.listen(1)
        seconds = time.perf_counter() - began
        while self.listen(_SETTLING_SECONDS):
            pass
        return seconds, process.cpu_seconds(self.server.pid) - before

    def listen(self, timeout: float) -> int:
        ready = self.selector.select(timeout)
        for key, _ in ready:
            key.data.readable()
        return len(ready)

    def close(self) -> None:
        self.selector.close()
        for each in (*self.readers, self.writer):
            each.socket.close()


def main() -> None:
    options = _parser().parse_args()
    names = [name for name in _SHAPES if not options.only or options.only in name]
    figures = Pairs()
    for number in range(options.pairs):
        with ExitStack() as stack:
            running = {
                name: stack.enter_context(Server(name, command))
                for name, command in servers.commands(options).items()
            }
            for server in running.values():
                _fill(server, options.keys)
            for title in names:
                for name in pairs.order(number):
                    _measure(figures, name, running[name], title, options)
                told = [figures.last(f"{title}: {phase} us") for phase in ("reads", "writes")]
                print(f"round {number + 1}: {told[0]}, {told[1]}", flush=True)
    print("\n" + figures.table())
    print(f"\n{report.save('caching', {'figures': figures.plain()})}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--pairs", type=int, default=5, help="interleaved pairs of runs per shape (5)")
    add("--keys", type=int, default=100_000, help="number of keys (100000)")
    add("--clients", type=int, default=50, help="clients that track (50)")
    add("--requests", type=int, default=100_000, help="reads, and half as many writes (100000)")
    add("--pipeline", type=int, default=16, help="requests at a time of a client (16)")
    add("--only", help="shapes with this in their name")
    return parser


def _fill(server: Server, keys: int) -> None:
    send_pipelines(
        server.port,
        pipelines_of(0, keys, lambda number: encode("SET", b"key:%012d" % number, "xxx")),
    )


def _measure(
    figures: Pairs, name: str, server: Server, title: str, options: argparse.Namespace
) -> None:
    """Reads, then writes, of one shape on one server."""
    shape = _SHAPES[title]
    dice = random.Random(title)
    crowd = Crowd(server, options.clients, shape)

    def key() -> bytes:
        return b"key:%012d" % dice.randrange(options.keys)

    def read() -> bytes:
        return shape.before + encode("GET", key())

    def write() -> bytes:
        return encode("SET", key(), "yyy")

    each = options.requests // options.clients
    try:
        reads = {reader: _pipelines(read, each, options.pipeline) for reader in crowd.readers}
        _note(figures, name, f"{title}: reads", crowd.run(reads), options.requests)
        writes = {crowd.writer: _pipelines(write, options.requests // 2, options.pipeline)}
        if shape.own:
            writes = {
                reader: _pipelines(write, each // 2, options.pipeline) for reader in crowd.readers
            }
        _note(figures, name, f"{title}: writes", crowd.run(writes), options.requests // 2)
    finally:
        crowd.close()


def _pipelines(request: Draw, requests: int, length: int) -> list[bytes]:
    counts = [length] * (requests // length)
    return [b"".join(request() for _ in range(count)) + _END for count in counts]


def _note(figures: Pairs, name: str, what: str, run: tuple[float, float], requests: int) -> None:
    seconds, spent = run
    figures.add(name, f"{what} k/s", requests / seconds / 1000, MORE)
    figures.add(name, f"{what} us", spent / requests * 1e6)


if __name__ == "__main__":
    main()

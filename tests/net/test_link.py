"""Outgoing connections on the loopback interface: they succeed, fail, take too long, or end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from carnelian.net import link
from carnelian.net.loop import Loop
from carnelian.net.poller import READABLE
from carnelian.net.transport import Owner, Transport
from carnelian.resp.output import OutputBuffer
from support.waiting import free_port


class Outcome:
    """What has become of an attempt; the loop stops with it."""

    def __init__(self, loop: Loop):
        self.loop = loop
        self.transports: list[Transport] = []
        self.errors: list[OSError] = []

    def connect(self, host: str, port: int, **options) -> link.Link:
        return link.connect(self.loop, host, port, self.succeeded, self.failed, **options)

    def succeeded(self, transport: Transport) -> None:
        self.transports.append(transport)
        self.loop.stop()

    def failed(self, error: OSError) -> None:
        self.errors.append(error)
        self.loop.stop()

    @property
    def count(self) -> int:
        return len(self.transports) + len(self.errors)


class Reader(Owner):
    """Reads until the other side ends."""

    def __init__(self, transport: Transport, loop: Loop):
        self.transport = transport
        self.loop = loop
        self.received = b""
        transport.owner = self
        transport.watch(READABLE)

    def readable(self) -> None:
        data = self.transport.read(1000)
        if data:
            self.received += data
        elif data is not None:
            self.transport.close()
            self.loop.stop()


@pytest.fixture
def outcome() -> Iterator[Outcome]:
    loop = Loop()
    loop.call_later(20, loop.stop)
    outcome = Outcome(loop)
    yield outcome
    for transport in outcome.transports:
        transport.close()
    loop.close()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_success(outcome: Outcome, server: socket.socket, host: str) -> None:
    outcome.connect(host, server.getsockname()[1])
    assert not outcome.count
    outcome.loop.run()
    (transport,) = outcome.transports
    peer, _ = server.accept()
    output = OutputBuffer()
    output.put_bytes(b"hello")
    transport.write(output)
    assert peer.recv(10) == b"hello"
    reader = Reader(transport, outcome.loop)
    peer.sendall(b"good bye")
    peer.close()
    outcome.loop.run()
    assert (reader.received, transport.fd, outcome.count) == (b"good bye", -1, 1)


def test_the_kind_of_transport_and_our_own_address(outcome: Outcome, server: socket.socket) -> None:
    class Special(Transport):
        pass

    port = server.getsockname()[1]
    outcome.connect("127.0.0.1", port, source="127.0.0.2", make_transport=Special)
    outcome.loop.run()
    assert type(outcome.transports[0]) is Special
    peer, address = server.accept()
    assert address[0] == "127.0.0.2"
    peer.close()


def test_refused(outcome: Outcome) -> None:
    outcome.connect("127.0.0.1", free_port())
    assert not outcome.count
    outcome.loop.run()
    assert [type(error) for error in outcome.errors] == [ConnectionRefusedError]


def test_an_address_that_cannot_be_used_fails_from_the_loop(outcome: Outcome) -> None:
    outcome.connect("127.0.0.1", 1, source="203.0.113.1")
    assert not outcome.count
    outcome.loop.run()
    assert [error.strerror for error in outcome.errors] == ["Cannot assign requested address"]


def test_a_name_that_nobody_has(outcome: Outcome) -> None:
    outcome.connect("a" * 70 + ".invalid", 1)
    outcome.loop.run()
    assert len(outcome.errors) == 1


def test_the_next_address_is_tried(
    outcome: Outcome, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = link._look_up("127.0.0.1", server.getsockname()[1], 0)
    bad = link._look_up("127.0.0.1", free_port(), 0)
    monkeypatch.setattr(link, "_look_up", lambda *_: [*bad, *good])
    outcome.connect("several", 1)
    outcome.loop.run()
    assert (len(outcome.transports), outcome.errors) == (1, [])


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of a server whose backlog is full: who connects hears nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
            waiting.append(sock)
        yield server.getsockname()[1]
        for sock in waiting:
            sock.close()


def test_timeout(outcome: Outcome, deaf: int) -> None:
    outcome.connect("127.0.0.1", deaf, timeout=0.05)
    outcome.loop.run()
    assert [type(error) for error in outcome.errors] == [TimeoutError]


def test_looking_a_name_up_counts_as_well(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def look_up(host: str, port: int, flags: int) -> list:
        if flags:
            raise socket.gaierror
        answered.wait()
        return []

    monkeypatch.setattr(link, "_look_up", look_up)
    outcome.connect("slow", 1, timeout=0.05)
    outcome.loop.run()
    answered.set()
    outcome.loop.call_later(0.05, outcome.loop.stop)
    outcome.loop.run()
    assert [type(error) for error in outcome.errors] == [TimeoutError]


def test_cancelled_in_the_middle(outcome: Outcome, deaf: int) -> None:
    attempt = outcome.connect("127.0.0.1", deaf, timeout=0.05)
    outcome.loop.call_later(0.01, attempt.cancel)
    outcome.loop.call_later(0.1, outcome.loop.stop)
    outcome.loop.run()
    assert outcome.count == 0


def test_cancelled_at_once(outcome: Outcome, server: socket.socket) -> None:
    outcome.connect("127.0.0.1", server.getsockname()[1]).cancel()
    outcome.loop.call_later(0.02, outcome.loop.stop)
    outcome.loop.run()
    assert outcome.count == 0


def test_closed_in_the_middle_of_an_answer(outcome: Outcome, server: socket.socket) -> None:
    outcome.connect("127.0.0.1", server.getsockname()[1])
    outcome.loop.run()
    peer, _ = server.accept()

    class Impatient(Reader):
        def readable(self) -> None:
            super().readable()
            self.transport.close()
            self.loop.stop()

    reader = Impatient(outcome.transports[0], outcome.loop)
    peer.sendall(b"x" * 100_000)
    outcome.loop.run()
    assert (reader.received, reader.transport.fd) == (b"x" * 1000, -1)
    peer.close()

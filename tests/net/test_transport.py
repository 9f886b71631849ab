"""What a transport tells its owner, and when."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from carnelian.net.loop import Loop
from carnelian.net.poller import READABLE, WRITABLE, socket_pair
from carnelian.net.transport import Owner, Transport
from carnelian.resp.output import OutputBuffer
from support.transports import Hoarding


class Taster(Owner):
    """Reads one byte at a time."""

    def __init__(self, transport: Transport):
        self.transport = transport
        self.calls: list[str] = []
        self.received = b""
        self.faults: list[object] = []
        transport.owner = self

    def readable(self) -> None:
        self.calls.append("readable")
        self.received += self.transport.read(1) or b""

    def writable(self) -> None:
        self.calls.append("writable")

    def give_up(self, fault: object) -> None:
        self.faults.append(fault)
        self.transport.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[int, socket.socket]]:
    ours, theirs = socket_pair()
    yield ours.detach(), theirs
    theirs.close()


def turn(loop: Loop) -> None:
    """One turn that does not wait for anything."""
    loop.call_soon(lambda: None)
    loop.turn()


def test_bytes_in_and_out(loop: Loop, pair: tuple[int, socket.socket]) -> None:
    fd, theirs = pair
    transport = Transport(loop, fd)
    output = OutputBuffer()
    output.put_bytes(b"hello")
    assert transport.write(output) == 5
    assert (len(output), theirs.recv(100)) == (0, b"hello")
    assert transport.read(100) is None
    theirs.send(b"good bye")
    assert (transport.read(4), transport.read(100)) == (b"good", b" bye")
    theirs.close()
    assert transport.read(100) == b""
    transport.close()


def test_a_broken_transport_raises(loop: Loop, pair: tuple[int, socket.socket]) -> None:
    fd, theirs = pair
    transport = Transport(loop, fd)
    theirs.close()
    output = OutputBuffer()
    output.put_bytes(b"hello")
    with pytest.raises(BrokenPipeError):
        transport.write(output)
    assert len(output) == 5
    transport.close()


def test_a_full_transport_takes_what_fits(loop: Loop, pair: tuple[int, socket.socket]) -> None:
    transport = Transport(loop, pair[0])
    output = OutputBuffer()
    output.put_bytes(bytes(10_000_000))
    sent = 0
    while count := transport.write(output):
        sent += count
    assert 0 < sent == 10_000_000 - len(output)
    transport.close()


def test_writing_comes_before_reading(loop: Loop, pair: tuple[int, socket.socket]) -> None:
    owner = Taster(Transport(loop, pair[0]))
    owner.transport.watch(READABLE | WRITABLE)
    assert owner.transport.wanted == READABLE | WRITABLE
    pair[1].send(b"x")
    turn(loop)
    assert owner.calls == ["writable", "readable"]
    owner.transport.close()


def test_what_is_pending_is_served_without_a_wait(
    loop: Loop, pair: tuple[int, socket.socket]
) -> None:
    owner = Taster(Hoarding(loop, pair[0]))
    owner.transport.watch(READABLE)
    pair[1].send(b"abcd")
    loop.turn()
    # Once by the poller, and once because there was more.
    assert owner.received == b"ab"
    loop.turn()
    assert owner.received == b"abcd"
    turn(loop)
    assert len(owner.calls) == 4
    owner.transport.close()


def test_what_is_pending_waits_for_the_end_of_a_pause(
    loop: Loop, pair: tuple[int, socket.socket]
) -> None:
    owner = Taster(Hoarding(loop, pair[0]))
    owner.transport.watch(READABLE)
    pair[1].send(b"abcdef")
    loop.turn()
    owner.transport.watch(0)
    turn(loop)
    assert owner.received == b"ab"
    owner.transport.watch(READABLE)
    loop.turn()
    assert owner.received == b"abcd"
    owner.transport.close()


def test_a_transport_closed_by_its_owner_says_no_more(
    loop: Loop, pair: tuple[int, socket.socket]
) -> None:
    class Leaving(Taster):
        def writable(self) -> None:
            super().writable()
            self.transport.close()

    owner = Leaving(Hoarding(loop, pair[0]))
    owner.transport.watch(READABLE | WRITABLE)
    pair[1].send(b"x")
    turn(loop)
    turn(loop)
    assert owner.calls == ["writable"]
    assert (owner.transport.fd, owner.transport.wanted, owner.transport.owner) == (-1, 0, None)
    owner.transport.close()
    # The other side has not had what it was sent read, and learns so.
    with pytest.raises(ConnectionResetError):
        pair[1].recv(1)


def test_a_fault_of_the_owner_is_the_owners(loop: Loop, pair: tuple[int, socket.socket]) -> None:
    class Clumsy(Taster):
        def readable(self) -> None:
            raise RuntimeError("oh")

    owner = Clumsy(Transport(loop, pair[0]))
    owner.transport.watch(READABLE)
    pair[1].send(b"x")
    loop.turn()
    assert [str(fault) for fault in owner.faults] == ["oh"]
    assert owner.transport.fd == -1

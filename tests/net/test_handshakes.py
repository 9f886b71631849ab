"""Handshakes take a bounded share of a turn, however many begin at once."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from carnelian.net.loop import Loop
from carnelian.net.poller import READABLE, socket_pair
from carnelian.net.tls_transport import TlsTransport
from carnelian.net.transport import Owner, Transport

_CLIENTS = 10


class SlowSession:
    """A session whose handshake takes long and never ends."""

    def __init__(self, steps: list[SlowSession]):
        self._steps = steps

    def do_handshake(self) -> None:
        self._steps.append(self)
        time.sleep(0.003)
        raise ssl.SSLWantReadError

    def read(self, size: int, buffer: bytearray) -> int:
        raise NotImplementedError

    def write(self, data: bytes) -> int:
        raise NotImplementedError


class SlowContext(ssl.SSLContext):
    """Makes such sessions, and notes each step of theirs."""

    def __init__(self, protocol: int):
        self.steps: list[SlowSession] = []

    def wrap_bio(self, *args: object, **kwargs: object) -> SlowSession:  # type: ignore[override]
        return SlowSession(self.steps)


class Idle(Owner):
    """Waits for a connection."""

    def __init__(self) -> None:
        self.heard = 0

    def readable(self) -> None:
        self.heard += 1

    def writable(self) -> None:
        pass

    def give_up(self, fault: object) -> None:
        raise AssertionError(fault)


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def turn(loop: Loop) -> None:
    """One turn that does not wait for anything."""
    loop.call_soon(lambda: None)
    loop.turn()


def test_a_turn_has_a_few_handshakes_and_all_have_their_turn(loop: Loop) -> None:
    context = SlowContext(ssl.PROTOCOL_TLS_SERVER)
    others: list[socket.socket] = []
    transports: list[TlsTransport] = []
    for _ in range(_CLIENTS):
        ours, theirs = socket_pair()
        transports.append(TlsTransport(loop, ours.detach(), context))
        transports[-1].owner = Idle()
        transports[-1].watch(READABLE)
        others.append(theirs)
    turn(loop)
    context.steps.clear()

    for each in others:
        each.send(b"hello")
    for number in range(_CLIENTS):
        turn(loop)
        assert len(context.steps) == number + 1
    assert len(set(context.steps)) == _CLIENTS
    turn(loop)
    assert len(context.steps) == _CLIENTS

    for transport in transports:
        transport.close()
    for each in others:
        each.close()


def test_others_are_served_in_the_same_turn(loop: Loop) -> None:
    context = SlowContext(ssl.PROTOCOL_TLS_SERVER)
    ends = [socket_pair() for _ in range(_CLIENTS)]
    transports: list[Transport] = []
    for ours, _ in ends[:-1]:
        transports.append(TlsTransport(loop, ours.detach(), context))
    transports.append(Transport(loop, ends[-1][0].detach()))
    for transport in transports:
        transport.owner = Idle()
        transport.watch(READABLE)
    for _, theirs in ends:
        theirs.send(b"hello")
    context.steps.clear()
    turn(loop)
    assert len(context.steps) == 1
    plain = transports[-1].owner
    assert isinstance(plain, Idle) and plain.heard == 1
    for transport in transports:
        transport.close()
    for _, theirs in ends:
        theirs.close()

"""Protocols without I/O on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from carnelian.keyspace.clock import Clock
from carnelian.net.loop import Hooks, Loop
from carnelian.net.protocol import MeasuredWire, Wire
from carnelian.net.runtime import LoopHost
from support.waiting import free_port

from .conversations import Caller, Echo, Gossip, Recorder

HERE = "127.0.0.1"


@pytest.fixture
def host() -> Iterator[LoopHost]:
    loop = Loop()
    faults: list[Exception] = []
    host = LoopHost(loop, Clock(), faults.append)
    host.faults = faults  # type: ignore[attr-defined]
    loop.call_later(20, loop.stop)
    yield host
    loop.close()


class Stopping(Caller):
    """Stops the loop when it has lost its connection."""

    def __init__(self, host: LoopHost, words: bytes):
        super().__init__(words)
        self.host = host

    def lost(self, reason: str) -> None:
        super().lost(reason)
        self.host.loop.stop()


class Counting(Recorder):
    """Keeps nothing."""

    count = 0

    def receive(self, data: bytes) -> None:
        self.count += len(data)


@pytest.mark.parametrize("size", [0, 10, 100_000, 5_000_000])
def test_a_conversation(host: LoopHost, size: int) -> None:
    echo = Echo()
    ear = host.listen((HERE, 0), lambda: echo)
    caller = Stopping(host, b"x" * size + b".")
    host.connect(ear.address, caller)
    assert caller.wire is None
    host.loop.run()
    assert caller.received == caller.words
    assert (caller.reason, echo.reason) == ("closed", None)
    assert caller.wire is not None and caller.wire.peer == ear.address
    with pytest.raises(OSError):
        assert caller.wire.address
    caller.wire.send(b"in vain")
    ear.close()


def test_replies_to_clients_leave_before_messages(host: LoopHost) -> None:
    """Nothing of a message is there while what was to be sent before the wait is being sent."""
    recorder = Recorder()
    caller = Caller(b"hello")
    ear = host.listen((HERE, 0), lambda: recorder)
    unsent: list[int] = []

    class Noting(Hooks):
        def before_sleep(self) -> None:
            if caller.wire is not None:
                unsent.append(cast(MeasuredWire, caller.wire).unsent)

    def look() -> None:
        if recorder.received:
            host.loop.stop()
        else:
            host.call_later(0.001, look)

    host.loop.hooks = Noting()
    host.connect(ear.address, caller)
    look()
    host.loop.run()
    assert recorder.received == b"hello"
    assert unsent[0] == len(b"hello")
    assert not any(unsent[1:])
    ear.close()


def test_who_is_paused_lets_the_other_side_wait(host: LoopHost) -> None:
    """What does not fit into the system stays with the other side, until it is wanted."""
    size = 30_000_000
    recorder = Counting()

    def pause() -> None:
        assert recorder.wire is not None
        recorder.wire.pause(True)
        before = recorder.count
        host.call_later(0.1, lambda: go_on(before))

    def go_on(before: int) -> None:
        assert before == recorder.count < size
        assert recorder.wire is not None
        recorder.wire.send(b"!")
        host.call_later(0.05, lambda: unpause(before))

    def unpause(before: int) -> None:
        assert before == recorder.count
        assert caller.received == b"!"
        assert recorder.wire is not None
        recorder.wire.pause(False)
        look()

    def look() -> None:
        if recorder.count == size:
            host.loop.stop()
        host.call_later(0.01, look)

    ear = host.listen((HERE, 0), lambda: recorder)
    caller = Caller(b"x" * size)
    host.connect(ear.address, caller)
    host.call_later(0.01, pause)
    host.loop.run()
    assert recorder.count == size
    ear.close()


def test_a_paused_end_learns_later_that_it_is_over(host: LoopHost) -> None:
    recorder = Recorder()
    ear = host.listen((HERE, 0), lambda: recorder)
    caller = Caller(b"last words")
    host.connect(ear.address, caller)

    def pause() -> None:
        assert recorder.wire is not None and caller.wire is not None
        recorder.wire.pause(True)
        caller.wire.close()
        turns = host.loop.turns
        host.call_later(0.1, lambda: go_on(turns))

    def go_on(turns: int) -> None:
        # Nor does the loop turn around because of it.
        assert host.loop.turns - turns < 10
        assert recorder.reason is None
        assert recorder.wire is not None
        recorder.wire.pause(False)
        host.call_later(0.05, host.loop.stop)

    host.call_later(0.05, pause)
    host.loop.run()
    assert (recorder.received, recorder.reason) == (b"last words", "closed")
    ear.close()


def test_both_ends_know_where_they_are(host: LoopHost) -> None:
    ends: list[Wire] = []

    class Noting(Recorder):
        def connected(self, wire: Wire) -> None:
            ends.append(wire)
            if len(ends) == 2:
                host.loop.stop()

    sourced = LoopHost(host.loop, Clock(), host.on_fault, source="127.0.0.2")
    ear = host.listen((HERE, 0), Noting)
    sourced.connect(ear.address, Noting())
    host.loop.run()
    one, other = ends
    assert one.address == other.peer
    assert other.address == one.peer
    assert {one.address[0], other.address[0]} == {HERE, "127.0.0.2"}


def test_refused(host: LoopHost) -> None:
    caller = Stopping(host, b"")
    host.connect((HERE, free_port()), caller)
    host.loop.run()
    assert (caller.reason, caller.wire) == ("refused", None)


def test_a_fault_ends_only_the_conversation(host: LoopHost) -> None:
    class Faulty(Recorder):
        def receive(self, data: bytes) -> None:
            raise ZeroDivisionError

    faulty = Faulty()
    ear = host.listen((HERE, 0), lambda: faulty)
    caller = Stopping(host, b"hello")
    host.connect(ear.address, caller)
    host.loop.run()
    assert (faulty.reason, caller.reason) == ("fault", "closed")
    assert [type(fault) for fault in host.faults] == [ZeroDivisionError]  # type: ignore[attr-defined]
    ear.close()


def test_a_fault_while_the_conversation_begins(host: LoopHost) -> None:
    class Faulty(Recorder):
        def connected(self, wire: object) -> None:
            raise ZeroDivisionError

    ear = host.listen((HERE, 0), Faulty)
    caller = Stopping(host, b"")
    host.connect(ear.address, caller)
    host.loop.run()
    assert caller.reason == "closed"
    ear.close()


def test_faults_that_concern_no_connection(host: LoopHost) -> None:
    class Faulty(Recorder):
        def lost(self, reason: str) -> None:
            raise KeyError

    def no_conversation() -> Recorder:
        raise IndexError

    host.call_later(0, lambda: 1 // 0)
    host.connect((HERE, free_port()), Faulty())
    ear = host.listen((HERE, 0), no_conversation)
    caller = Stopping(host, b"")
    host.call_later(0.01, lambda: host.connect(ear.address, caller))
    host.loop.run()
    assert caller.reason == "closed"
    kinds = {type(fault) for fault in host.faults}  # type: ignore[attr-defined]
    assert kinds == {ZeroDivisionError, KeyError, IndexError}
    ear.close()


def test_what_is_simulated_runs_on_sockets(host: LoopHost) -> None:
    class Anywhere(Gossip):
        PORT = 0

    nodes = [Anywhere(host, HERE, []) for _ in range(3)]
    addresses = [node.ear.address for node in nodes]  # type: ignore[attr-defined]
    for node, own in zip(nodes, addresses, strict=True):
        node.others = [address for address in addresses if address != own]
    nodes[0].number = 7

    def look() -> None:
        if all(node.number == 7 for node in nodes):
            host.loop.stop()
        host.loop.call_later(0.01, look)

    look()
    host.loop.run()
    assert [node.number for node in nodes] == [7, 7, 7]
    for node in nodes:
        node.ear.close()

from __future__ import annotations

import socket
import threading

import pytest

from carnelian.net import poller
from carnelian.net.loop import Channel, Hooks, Loop
from carnelian.net.poller import READABLE, WRITABLE


class Receiver(Channel):
    """Notes events and what is read, and stops the loop."""

    def __init__(self, loop: Loop, sock: socket.socket):
        super().__init__(sock.fileno())
        self.loop = loop
        self.socket = sock
        self.seen: list[tuple[int, bytes]] = []

    def on_event(self, events: int) -> None:
        data = self.socket.recv(100) if events & READABLE else b""
        self.seen.append((events, data))
        self.loop.stop()


@pytest.fixture(params=["best", "poll"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "poll":
        monkeypatch.delattr(poller.select, "epoll", raising=False)
        monkeypatch.delattr(poller.select, "kqueue", raising=False)
    loop = Loop()
    yield loop
    loop.close()


def test_events_reach_their_channel(loop: Loop):
    ours, theirs = poller.socket_pair()
    channel = Receiver(loop, ours)
    loop.watch(channel, READABLE)
    theirs.send(b"hello")
    loop.run()
    loop.watch(channel, READABLE | WRITABLE)
    loop.run()
    assert channel.seen == [(READABLE, b"hello"), (WRITABLE, b"")]


def test_a_hang_up_is_an_event_of_what_is_watched(loop: Loop):
    ours, theirs = poller.socket_pair()
    channel = Receiver(loop, ours)
    loop.watch(channel, READABLE)
    theirs.close()
    loop.run()
    assert channel.seen == [(READABLE, b"")]


def test_a_paused_channel_does_not_keep_the_loop_awake(loop: Loop):
    ours, theirs = poller.socket_pair()
    channel = Receiver(loop, ours)
    loop.watch(channel, READABLE)
    loop.watch(channel, 0)
    ours.send(b"what is not read makes the end an error")
    theirs.close()
    loop.call_later(0.05, loop.stop)
    before = loop.turns
    loop.run()
    assert loop.turns - before < 10
    assert channel.seen == []
    loop.watch(channel, WRITABLE)
    loop.run()
    assert channel.seen == [(WRITABLE, b"")]


def test_a_channel_that_is_not_watched_hears_nothing(loop: Loop):
    ours, theirs = poller.socket_pair()
    channel = Receiver(loop, ours)
    loop.watch(channel, READABLE)
    loop.unwatch(channel)
    theirs.send(b"hello")
    loop.call_later(0.0, loop.stop)
    loop.run()
    assert channel.seen == []


def test_an_event_for_a_channel_that_ended_in_the_same_turn_is_dropped(loop: Loop):
    pairs = [poller.socket_pair() for _ in range(2)]
    channels = [Receiver(loop, ours) for ours, _ in pairs]
    calls = []

    class First(Receiver):
        def on_event(self, events: int) -> None:
            calls.append(self)
            for other in channels:
                if other is not self:
                    loop.unwatch(other)
            loop.stop()

    channels = [First(loop, ours) for ours, _ in pairs]
    for channel, (_, theirs) in zip(channels, pairs, strict=True):
        loop.watch(channel, READABLE)
        theirs.send(b"x")
    loop.run()
    assert len(calls) == 1


def test_timers_fire_in_order_and_can_be_cancelled(loop: Loop):
    fired: list[str] = []
    loop.call_later(0.01, lambda: fired.append("late"))
    loop.call_later(0.02, loop.stop)
    loop.call_later(0.0, lambda: fired.append("early"))
    loop.call_later(0.005, lambda: fired.append("cancelled")).cancel()
    loop.run()
    assert fired == ["early", "late"]


def test_a_deferred_callback_runs_without_an_event(loop: Loop):
    fired: list[str] = []
    loop.call_soon(lambda: fired.append("soon"))
    loop.call_soon(loop.stop)
    loop.run()
    assert fired == ["soon"]


def test_another_thread_wakes_the_loop(loop: Loop):
    ran_in: list[threading.Thread] = []

    def finish() -> None:
        ran_in.append(threading.current_thread())
        loop.stop()

    thread = threading.Thread(target=loop.call_from_thread, args=(finish,))
    loop.call_later(5.0, loop.stop)
    thread.start()
    loop.run()
    thread.join()
    assert ran_in == [threading.main_thread()]


def test_a_loop_that_is_closed_is_woken_by_nobody() -> None:
    loop = Loop()
    loop.close()
    loop.call_from_thread(lambda: pytest.fail("there is no turn for it"))
    loop.wake()


class Noting(Hooks):
    """Notes when the hooks are called."""

    def __init__(self, order: list[str]):
        self.order = order

    def before_sleep(self) -> None:
        self.order.append("before")

    def after_sleep(self) -> None:
        self.order.append("after")


def test_hooks_run_around_the_wait(loop: Loop):
    order: list[str] = []

    loop.hooks = Noting(order)
    loop.call_soon(lambda: order.append("soon"))
    loop.call_soon(loop.stop)
    loop.run()
    assert order == ["before", "after", "soon"]


def test_what_is_to_go_before_the_wait_goes_after_the_hook(loop: Loop):
    order: list[str] = []

    def go() -> None:
        order.append("go")
        if order.count("go") == 1:
            loop.call_before_wait(go)

    loop.hooks = Noting(order)
    loop.call_before_wait(go)
    loop.limit_wait(0.0)
    loop.turn()
    assert order == ["before", "go", "go", "after"]


def test_what_was_to_go_goes_when_the_loop_stops(loop: Loop):
    gone: list[str] = []
    loop.call_soon(lambda: loop.call_before_wait(lambda: gone.append("gone")))
    loop.call_soon(loop.stop)
    loop.run()
    assert gone == ["gone"]


def test_a_wait_can_be_cut_short_once(loop: Loop):
    class Impatient(Hooks):
        def before_sleep(self) -> None:
            loop.limit_wait(0.0)

    loop.hooks = Impatient()
    turns = loop.turns
    loop.turn()
    loop.turn()
    assert loop.turns == turns + 2


def test_a_fault_in_a_callback_leaves_the_loop(loop: Loop):
    loop.call_soon(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        loop.run()


def test_who_is_reminded_hears_it_without_an_event(loop: Loop):
    class Reminded(Receiver):
        def on_event(self, events: int) -> None:
            self.seen.append((events, b""))

    ours, _theirs = poller.socket_pair()
    channel = Reminded(loop, ours)
    loop.watch(channel, READABLE)
    loop.remind(channel)
    loop.remind(channel)
    loop.turn()
    assert channel.seen == [(READABLE, b"")]
    loop.remind(channel)
    loop.unwatch(channel)
    loop.turn()
    assert channel.seen == [(READABLE, b"")]

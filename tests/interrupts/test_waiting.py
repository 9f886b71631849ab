"""An interrupt ends a wait, and what was taken for whoever waited is where others find it."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import redis

import carnelian
from carnelian.commands.common.returning import words_to_return
from interrupts.points import Interrupt
from interrupts.states import check


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as engine:
        yield engine


@pytest.fixture
def alarm() -> Iterator[Callable[[float], None]]:
    """Have an Interrupt raised in the main thread so many seconds from now."""

    def handle(number: int, frame: object) -> None:
        raise Interrupt("time is over")

    before = signal.signal(signal.SIGALRM, handle)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)  # type: ignore[misc]
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_wait_for_a_reply(engine, alarm):
    alarm(0.02)
    with pytest.raises(Interrupt):
        engine.execute("BLPOP", "q", 0)
    check(engine)
    assert engine.core.blocking.count == 0
    engine.execute("RPUSH", "q", "x")
    assert engine.execute("BLPOP", "q", 0) == [b"q", b"x"]


def test_a_wait_for_a_message(engine, alarm):
    with engine.session() as session:
        session.execute("SUBSCRIBE", "c")
        alarm(0.02)
        with pytest.raises(Interrupt):
            session.get_message()
        engine.execute("PUBLISH", "c", "m")
        assert session.get_message(0) == [b"message", b"c", b"m"]


def test_a_signal_that_comes_before_the_wait_ends_it(alarm):
    """It is not looked at by the interpreter between the command and its wait."""
    clock = carnelian.ManualClock()
    with carnelian.Engine(clock=clock) as engine:
        engine.host.on_wait = partial(ctypes.CDLL(None)["raise"], signal.SIGALRM)
        with pytest.raises(Interrupt):
            engine.execute("BLPOP", "q", 0)
        assert engine.core.blocking.count == 0
        engine.execute("RPUSH", "q", "x")
        assert engine.execute("BLPOP", "q", 0) == [b"q", b"x"]


def test_a_wait_for_the_engine(engine, alarm):
    begun, go_on = threading.Event(), threading.Event()

    def busy(*_: object) -> None:
        begun.set()
        go_on.wait()

    other = threading.Thread(target=lambda: engine.host.perform(busy))
    other.start()
    begun.wait()
    alarm(0.02)
    with pytest.raises(Interrupt):
        engine.execute("SET", "k", "v")
    go_on.set()
    other.join()
    assert engine.execute("EXISTS", "k") == 0


class Late:
    """A wait that is interrupted when the reply has come already."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        engine: carnelian.Engine,
        push: tuple,
        before: Callable[[], None] = lambda: None,
    ):
        queue_class = carnelian.embedded.mailbox.queue.SimpleQueue  # type: ignore[attr-defined]

        class Queue(queue_class):  # type: ignore[misc, valid-type]
            def get(self, *args: Any) -> object:
                before()
                engine.host.perform(engine.core.execute, box, [str(word).encode() for word in push])
                while self.empty():
                    time.sleep(0.001)
                raise Interrupt

        with engine.session() as pushing:
            box = pushing.box
        monkeypatch.setattr(carnelian.embedded.mailbox.queue, "SimpleQueue", Queue)  # type: ignore[attr-defined]


POPS = [
    (("BLPOP", "q", 0), ("RPUSH", "q", "1", "2"), [b"1", b"2"]),
    (("BRPOP", "q", 0), ("RPUSH", "q", "1", "2"), [b"1", b"2"]),
    (("BLMPOP", 0, 1, "q", "LEFT", "COUNT", 3), ("RPUSH", "q", "1", "2", "3", "4"), b"1 2 3 4"),
    (("BLMPOP", 0, 1, "q", "RIGHT", "COUNT", 2), ("RPUSH", "q", "1", "2", "3"), b"1 2 3"),
    (("BLMPOP", 0, 1, "q", "RIGHT"), ("RPUSH", "q", "1", "2", "3"), b"1 2 3"),
    (("BZPOPMIN", "z", 0), ("ZADD", "z", "0.1", "a", "inf", "b"), None),
    (("BZPOPMAX", "z", 0), ("ZADD", "z", "0.1", "a", "inf", "b"), None),
    (("BZMPOP", 0, 1, "z", "MIN", "COUNT", 5), ("ZADD", "z", "-2.5", "a", "1e300", "b"), None),
]


@pytest.mark.parametrize("pop, push, held", POPS, ids=[pop[0][0] for pop in POPS])
@pytest.mark.parametrize("stream", [False, True])
def test_what_came_too_late_is_put_back(monkeypatch, engine, pop, push, held, stream):
    engine.execute("PING")
    Late(monkeypatch, engine, push)
    if stream:
        session = engine.stream()
        session.submit([[b"HELLO", b"3"], [str(word).encode() for word in pop]])
        with pytest.raises(Interrupt):
            session.fetch()
        session.close()
    else:
        session = engine.session()
        with pytest.raises(Interrupt):
            session.execute(*pop)
    monkeypatch.undo()
    check(engine)
    if held is None:
        pairs = engine.execute("ZRANGE", "z", 0, -1, "WITHSCORES")
        wanted = sorted(zip(map(float, push[2::2]), push[3::2], strict=True))
        assert pairs == [[member.encode(), score] for score, member in wanted]
    else:
        assert engine.execute("LRANGE", "q", 0, -1) == _list(held)
    if not stream:
        assert session.execute("PING") == b"PONG"


def _list(held: bytes | list[bytes]) -> list[bytes]:
    return held.split() if isinstance(held, bytes) else held


def test_others_who_wait_get_what_was_put_back(monkeypatch, engine):
    other, session = engine.stream(), engine.session()
    blocking = [[b"BLPOP", b"q", b"0"]]
    Late(monkeypatch, engine, ("RPUSH", "q", "1"), lambda: other.submit(blocking))
    with pytest.raises(Interrupt):
        session.execute("BLPOP", "q", 0)
    assert other.fetch(0) == [b"q", b"1"]
    assert engine.core.blocking.count == 0


def test_a_client_that_is_interrupted_loses_nothing(engine, alarm):
    client = carnelian.Redis(engine=engine)
    other = threading.Timer(0.03, client.rpush, ("q", "x"))
    other.start()
    alarm(0.02)
    with pytest.raises(Interrupt):
        client.blpop("q")
    other.join()
    assert [*(client.blpop("q", 1) or ())] == [b"q", b"x"]
    assert client.ping()


def test_what_was_not_taken_or_stays_is_not_put_back():
    assert words_to_return(b"blpop", [b"BLPOP", b"q", b"0"], None) is None
    assert words_to_return(b"xreadgroup", [b"XREADGROUP"], [[b"s", []]]) is None
    assert words_to_return(b"blmove", [b"BLMOVE"], b"x") is None
    assert words_to_return(b"blpop", [b"BLPOP", b"q", b"0"], redis.ResponseError("x")) is None


def test_an_unread_error_does_not_keep_its_session(engine):
    def use() -> None:
        stream = engine.stream()
        stream.submit([[b"SET", b"k", b"v"], [b"LPUSH", b"k", b"x"], [b"TWICE"]])

    use()
    engine.execute("PING")
    assert len(engine.core.sessions) == 1


def test_a_callback_that_fails_disturbs_nobody(engine):
    first, second = engine.session(), engine.session()
    for session in (first, second):
        session.execute("SUBSCRIBE", "c")
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise ValueError("of the callback")

    first.on_delivery(fail)
    with pytest.raises(ValueError, match="of the callback"):
        engine.execute("PUBLISH", "c", "m")
    assert len(calls) == 2
    for session in (first, second):
        assert session.get_message(0) == [b"message", b"c", b"m"]
    first.on_delivery(None)

"""carnelian.Engine: values, sessions of threads, time, blocking, the end."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import carnelian
from support.waiting import wait_for


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        yield made


@pytest.fixture
def frozen() -> Iterator[carnelian.Engine]:
    with carnelian.Engine(clock=carnelian.ManualClock(1_700_000_000_000)) as made:
        yield made


class InThread:
    """A call in a thread of its own, and what came of it."""

    def __init__(self, function, *arguments):
        self.result: object = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(function, arguments), daemon=True)
        self._thread.start()

    def _run(self, function, arguments) -> None:
        try:
            self.result = function(*arguments)
        except BaseException as error:
            self.error = error

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> InThread:
        self._thread.join(60)
        assert not self.running
        return self


# -- Values ----------------------------------------------------------------------------------------


def test_replies_are_python_values(engine):
    assert engine.execute("SET", "k", "v") == b"OK"
    assert engine.execute("GET", "k") == b"v"
    assert engine.execute("GET", "nothing") is None
    assert engine.execute("INCR", "n") == 1
    assert engine.execute("MGET", "k", "nothing", "n") == [b"v", None, b"1"]
    assert engine.execute("CONFIG", "GET", "databases") == {b"databases": b"16"}
    assert type(engine.execute("INFO", "server")) is bytes


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (b"\x00\xff", b"\x00\xff"),
        ("grün", "grün".encode()),
        (12, b"12"),
        (-(2**63), b"-9223372036854775808"),
        (1.5, b"1.5"),
        (1e100, b"1e+100"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcd")[1:3], b"bc"),
    ],
)
def test_arguments_are_encoded(engine, value, stored):
    engine.execute("SET", "k", value)
    assert engine.execute("GET", "k") == stored


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}, object()])
def test_other_arguments_are_refused(engine, value):
    with pytest.raises(TypeError, match="pass bytes, str, int, float"):
        engine.execute("SET", "k", value)
    assert engine.execute("EXISTS", "k") == 0


def test_a_command_has_a_name(engine):
    with pytest.raises(TypeError, match="at least a name"):
        engine.execute()


def test_errors_are_raised_with_the_text_of_redis(engine):
    engine.execute("SET", "k", "v")
    with pytest.raises(
        carnelian.Error, match=r"^ERR value is not an integer or out of range$"
    ) as e:
        engine.execute("INCR", "k")
    assert e.value.code == "ERR"
    assert e.value.message == b"ERR value is not an integer or out of range"
    with pytest.raises(carnelian.Error, match="unknown command 'NOPE', with args beginning with"):
        engine.execute("NOPE", "x")
    with pytest.raises(carnelian.Error, match="wrong number of arguments for 'get' command"):
        engine.execute("GET")


def test_errors_within_exec_are_values(engine):
    engine.execute("SET", "k", "v")
    engine.execute("MULTI")
    assert engine.execute("INCR", "k") == b"QUEUED"
    engine.execute("GET", "k")
    error, value = engine.execute("EXEC")
    assert isinstance(error, carnelian.Error)
    assert value == b"v"


def test_exec_of_a_broken_watch_is_none(engine):
    engine.execute("WATCH", "k")
    with engine.session() as other:
        other.execute("SET", "k", "1")
    engine.execute("MULTI")
    engine.execute("SET", "k", "2")
    assert engine.execute("EXEC") is None
    assert engine.execute("GET", "k") == b"1"


# -- Configuration ---------------------------------------------------------------------------------


def test_keyword_arguments_are_directives():
    with carnelian.Engine(
        databases=4, maxmemory="100mb", notify_keyspace_events="KEA", lazyfree_lazy_expire=True
    ) as engine:
        assert len(engine.core.keyspace.databases) == 4
        assert engine.execute("CONFIG", "GET", "maxmemory") == {b"maxmemory": b"104857600"}
        assert engine.execute("CONFIG", "GET", "lazyfree-lazy-expire") == {
            b"lazyfree-lazy-expire": b"yes"
        }
        with pytest.raises(carnelian.Error, match="DB index is out of range"):
            engine.execute("SELECT", 4)


def test_unknown_directives_and_bad_values_are_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_memory'"):
        carnelian.Engine(max_memory=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="databases='many': "):
        carnelian.Engine(databases="many")


def test_the_log_goes_to_logging(engine, caplog):
    with caplog.at_level(logging.WARNING, "carnelian"):
        engine.core.log("warning", "look out")
        engine.core.log("notice", "nothing special")
    assert [record.getMessage() for record in caplog.records] == ["look out"]


# -- Threads ---------------------------------------------------------------------------------------


def test_every_thread_has_a_session_of_its_own(engine):
    engine.execute("SELECT", 3)
    engine.execute("SET", "k", "three")
    own = engine.execute("CLIENT", "ID")
    other = InThread(lambda: (engine.execute("CLIENT", "ID"), engine.execute("GET", "k"))).join()
    assert other.result == (own + 1, None)
    assert engine.execute("GET", "k") == b"three"


def test_the_session_of_a_thread_ends_with_it(engine):
    engine.execute("PING")
    InThread(engine.execute, "PING").join()
    assert len(engine.core.sessions) == 1


def test_threads_do_not_disturb_each_other(engine):
    def work(_):
        for _ in range(500):
            engine.execute("INCR", "n")
            engine.execute("MULTI")
            engine.execute("INCR", "a")
            engine.execute("INCR", "b")
            assert len(engine.execute("EXEC")) == 2

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert engine.execute("MGET", "n", "a", "b") == [b"4000"] * 3


# -- Blocking --------------------------------------------------------------------------------------


def test_a_paused_command_waits_without_stopping_others(engine):
    engine.execute("CLIENT", "PAUSE", 60_000, "WRITE")
    writer = InThread(engine.execute, "SET", "k", "v")
    wait_for(lambda: engine.core.blocking.count == 1)
    assert engine.execute("GET", "k") is None
    assert writer.running
    engine.execute("CLIENT", "UNPAUSE")
    assert writer.join().result == b"OK"
    assert engine.execute("GET", "k") == b"v"


def test_a_pause_ends_by_itself(engine):
    engine.execute("CLIENT", "PAUSE", 20)
    assert engine.execute("SET", "k", "v") == b"OK"


def test_a_pause_ends_when_the_clock_is_moved(frozen):
    frozen.execute("CLIENT", "PAUSE", 1000)
    writer = InThread(frozen.execute, "SET", "k", "v")
    wait_for(lambda: frozen.core.blocking.count == 1)
    frozen.clock.advance(999)
    assert writer.running
    frozen.clock.advance(2)
    assert writer.join().result == b"OK"


def test_closing_wakes_those_who_wait(engine):
    engine.execute("CLIENT", "PAUSE", 60_000)
    writer = InThread(engine.execute, "SET", "k", "v")
    wait_for(lambda: engine.core.blocking.count == 1)
    engine.close()
    assert isinstance(writer.join().error, carnelian.EngineClosedError)


def test_an_interrupted_wait_leaves_the_session_usable():
    program = """
import signal, threading, time, carnelian
# It may have been started with the signal ignored, as shells do in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
engine = carnelian.Engine()
engine.execute("CLIENT", "PAUSE", 60000, "WRITE")
def interrupt():
    while engine.core.blocking.count == 0:
        time.sleep(0.005)
    time.sleep(0.05)
    import os
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    engine.execute("SET", "k", "v")
except KeyboardInterrupt:
    print(engine.execute("GET", "k"), engine.core.blocking.count)
engine.execute("CLIENT", "UNPAUSE")
print(engine.execute("GET", "k"))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("None 0\nNone\n", "")


# -- Time ------------------------------------------------------------------------------------------


def test_keys_expire_without_anybody_asking(engine):
    engine.execute("SET", "k", "v", "PX", 20)
    engine.execute("SET", "stays", "v")
    wait_for(lambda: len(engine.core.keyspace) == 1)
    assert engine.execute("INFO", "stats").count(b"expired_keys:1\r\n") == 1


def test_the_clock_stands_still_and_moves(frozen):
    assert frozen.execute("TIME") == [b"1700000000", b"0"]
    frozen.execute("SET", "k", "v", "PX", 1500)
    frozen.clock.advance(1499)
    assert frozen.execute("PTTL", "k") == 1
    assert frozen.execute("TIME") == [b"1700000001", b"499000"]
    frozen.clock.advance(2)
    assert len(frozen.core.keyspace) == 0
    assert frozen.execute("GET", "k") is None
    with pytest.raises(ValueError, match="time does not run backwards"):
        frozen.clock.advance(-1)


def test_the_clock_moves_by_a_timedelta(frozen):
    frozen.execute("SET", "k", "v", "EX", 3600)
    frozen.clock.advance(timedelta(minutes=59, milliseconds=1))
    assert frozen.execute("PTTL", "k") == 59_999
    frozen.clock.advance(timedelta(minutes=1))
    assert frozen.execute("GET", "k") is None
    frozen.clock.advance(2.0)
    assert frozen.execute("TIME") == [b"1700003600", b"3000"]


@pytest.mark.parametrize("step", [1.9, 0.5, float("nan"), timedelta(microseconds=1500)])
def test_the_clock_cuts_no_fractions(frozen, step):
    with pytest.raises(ValueError, match="is no whole number of milliseconds"):
        frozen.clock.advance(step)
    assert frozen.execute("TIME") == [b"1700000000", b"0"]


@pytest.mark.parametrize("step", [2**63, 10**30, 1e300, timedelta.max])
def test_the_clock_stays_in_its_range(frozen, step):
    with pytest.raises(
        ValueError, match=r"is out of range: no clock goes beyond April 2262|no whole"
    ):
        frozen.clock.advance(step)
    assert frozen.execute("TIME") == [b"1700000000", b"0"]
    with pytest.raises(ValueError, match="time does not run backwards"):
        frozen.clock.advance(timedelta(seconds=-1))


@pytest.mark.parametrize("step", ["5", None, True, b"5"])
def test_the_clock_takes_nothing_else(frozen, step):
    with pytest.raises(TypeError, match="milliseconds are an int or a timedelta, not"):
        frozen.clock.advance(step)


def test_clocks_to_the_end_of_their_range():
    end = (2**63 - 1) // 1_000_000
    clock = carnelian.ManualClock(end - 5)
    clock.advance(5)
    assert clock.wall_ms() == end
    with pytest.raises(ValueError, match="out of range"):
        clock.advance(1)
    for start in (-1, end + 1):
        with pytest.raises(ValueError, match="out of range: clocks go from 1970 to April 2262"):
            carnelian.ManualClock(start)
    with pytest.raises(ValueError, match="no whole number"):
        carnelian.ManualClock(1.5)  # type: ignore[arg-type]


def test_a_moved_clock_expires_all_that_is_due(frozen):
    for number in range(1000):
        frozen.execute("SET", number, "v", "EX", 10 if number % 10 else 1000)
    frozen.clock.advance(11_000)
    assert frozen.execute("DBSIZE") < 125


def test_a_frozen_engine_needs_no_thread(frozen):
    before = threading.active_count()
    frozen.execute("SET", "k", "v", "PX", 20)
    assert threading.active_count() == before


def test_a_quiet_engine_rests(engine):
    engine.execute("CONFIG", "SET", "hz", 500)
    engine.execute("PING")
    ticks = -1
    while ticks != engine.core.cron_ticks:
        ticks = engine.core.cron_ticks
        time.sleep(0.15)
    assert ticks > 30
    engine.execute("SET", "k", "v", "PX", 1)
    wait_for(lambda: len(engine.core.keyspace) == 0)


# -- The end ---------------------------------------------------------------------------------------


def test_a_closed_engine_says_so(engine):
    session = engine.session()
    engine.execute("SET", "k", "v")
    engine.close()
    engine.close()
    assert engine.closed
    assert repr(engine) == "<carnelian.Engine closed>"
    for call in (engine.execute, session.execute):
        with pytest.raises(carnelian.EngineClosedError):
            call("GET", "k")
    with pytest.raises(carnelian.EngineClosedError, match="the engine is closed"):
        engine.session()


def test_shutdown_is_for_servers(engine):
    with pytest.raises(carnelian.Error, match="Errors trying to SHUTDOWN"):
        engine.execute("SHUTDOWN")
    assert engine.execute("PING") == b"PONG"


def test_an_engine_that_nobody_refers_to_ends_with_its_thread():
    before = threading.active_count()
    engine = carnelian.Engine()
    engine.execute("SET", "k", "v", "EX", 100)
    session = engine.session()
    core = engine.core
    wait_for(lambda: threading.active_count() == before + 1)
    del engine
    assert session.execute("GET", "k") == b"v"
    del session
    gc.collect()
    wait_for(lambda: threading.active_count() == before)
    assert len(core.keyspace) == 0


def test_sessions_end_when_nobody_refers_to_them(engine):
    engine.execute("PING")
    session = engine.session()
    session.execute("SUBSCRIBE", "c")
    assert engine.execute("PUBLISH", "c", "m") == 1
    gone = weakref.ref(session)
    del session
    assert gone() is None
    assert engine.execute("PUBLISH", "c", "m") == 0
    assert len(engine.core.sessions) == 1


def test_engines_are_independent(engine):
    with carnelian.Engine() as other:
        engine.execute("SET", "k", "v")
        assert other.execute("GET", "k") is None


def test_public_names():
    for name in carnelian.__all__:
        assert getattr(carnelian, name) is not None
        assert name in dir(carnelian)
    with pytest.raises(AttributeError, match="has no attribute 'Nope'"):
        carnelian.Nope  # type: ignore[attr-defined]  # noqa: B018


def test_importing_carnelian_imports_little():
    program = """
import sys
before = set(sys.modules)
import carnelian
print(sorted(set(sys.modules) - before))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "['__future__', 'carnelian']\n"


# -- Memory ----------------------------------------------------------------------------------------


def test_every_engine_has_a_memory_limit_of_its_own():
    with carnelian.Engine() as large, carnelian.Engine() as small:
        small.execute("CONFIG", "SET", "maxmemory", "200kb", "maxmemory-policy", "allkeys-lru")
        large.execute("SET", "big", "x" * 1_000_000)
        for number in range(1000):
            small.execute("SET", f"k{number}", "v" * 1000)
            large.execute("SET", f"k{number}", "v" * 1000)
        assert large.execute("DBSIZE") == 1001
        assert 50 < small.execute("DBSIZE") < 250
        small.execute("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", 1)
        with pytest.raises(carnelian.Error, match="OOM command not allowed"):
            small.execute("SET", "k", "v")

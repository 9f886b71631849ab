"""An interrupt at any point of a command: it comes out, and the command was done wholly or not."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import carnelian
from carnelian.embedded.local_engine import LocalSession
from interrupts import commands
from interrupts.points import Alarm, Interrupt, every
from interrupts.states import Replica, check, data, sessions

KINDS = [Interrupt, Alarm]


class Scene:
    """An engine with two sessions, one of which listens, and what follows its writes."""

    def __init__(self) -> None:
        self.engine = carnelian.Engine(notify_keyspace_events="KEA", enable_debug_command="yes")
        self.engine.load_module(commands)
        self.replica = Replica(self.engine)
        self.heard: list[object] = []
        self.session = self.engine.session()
        self.other = self.engine.session()
        self.other.on_delivery(self.hear)
        self.run("MSET", "a", 1, "b", 2, "c", 3)
        self.run("RPUSH", "list", "x", "y", "z")
        self.other.execute("SUBSCRIBE", "news")

    def hear(self) -> None:
        """Something interpreted that the engine calls while it runs a command."""
        if not self.engine.closed and not self.other.closed and self.other.pending():
            self.heard.append(self.other.get_message(0))

    def run(self, *words: Any) -> object:
        """A command of the first session."""
        return self.session.execute(*words)

    def state(self) -> tuple:
        """All that a command can change."""
        users = self.engine.core.users
        settings = dict(self.engine.core.config.values)
        return data(self.engine), sessions(self.engine), settings, users.lines()

    def judge(self, before: tuple, after: tuple) -> None:
        """See that everything is as it was before or after the command, and that it goes on."""
        check(self.engine)
        state = self.state()
        assert state in (before, after)
        assert self.replica.data() == state[0]
        answers: list[object] = []
        thread = threading.Thread(target=lambda: answers.append(self.engine.execute("PING")))
        thread.start()
        thread.join(10)
        assert answers == [b"PONG"]


def steps(*commands: str) -> Callable[[Scene], None]:
    """Run commands, whose words are parted by blanks."""

    def run(scene: Scene) -> None:
        for command in commands:
            scene.run(*command.split())

    return run


CASES = {
    "plain": ((), "SET a 2 PXAT 33177117420000"),
    "queued": (("MULTI",), "SET a 2"),
    "multi": ((), "MULTI"),
    "exec": (("WATCH a b", "MULTI", "SET a 5", "RPUSH list w", "PUBLISH news x"), "EXEC"),
    "exec_broken": (("WATCH a", "SET a 7", "MULTI", "SET a 5"), "EXEC"),
    "discard": (("WATCH a", "MULTI", "SET a 5"), "DISCARD"),
    "watch": ((), "WATCH a b nothing"),
    "unwatch": (("WATCH a b",), "UNWATCH"),
    "subscribe": ((), "SUBSCRIBE one two"),
    "psubscribe": ((), "PSUBSCRIBE one* two*"),
    "ssubscribe": ((), "SSUBSCRIBE one two"),
    "unsubscribe": (("SUBSCRIBE one two three",), "UNSUBSCRIBE"),
    "punsubscribe": (("PSUBSCRIBE one* two*",), "PUNSUBSCRIBE"),
    "publish": ((), "PUBLISH news hello"),
    "reset": (("SELECT 1", "WATCH a", "SUBSCRIBE one", "MULTI", "SET a 1"), "RESET"),
    "select": ((), "SELECT 3"),
    "monitor": ((), "MONITOR"),
    "setname": ((), "CLIENT SETNAME me"),
    "no_touch": ((), "CLIENT NO-TOUCH ON"),
    "reply": ((), "CLIENT REPLY OFF"),
    "pause": ((), "CLIENT PAUSE 100000 WRITE"),
    "unpause": (("CLIENT PAUSE 100000 WRITE",), "CLIENT UNPAUSE"),
    "kill": ((), "CLIENT KILL TYPE pubsub"),
    "swapdb": (("WATCH a",), "SWAPDB 0 1"),
    "flushall": (("WATCH a",), "FLUSHALL"),
    "move": ((), "MOVE a 4"),
    "config_set": ((), "CONFIG SET maxmemory 100mb notify-keyspace-events KA slowlog-max-len 5"),
    "config_off": ((), "CONFIG SET notify-keyspace-events "),
    "slow": (("CONFIG SET slowlog-log-slower-than 0",), "LPUSH list a"),
    "error": ((), "LPUSH a x"),
    "info": ((), "INFO everything"),
    "unload": ((), "MODULE UNLOAD commands"),
    "setuser": ((), "ACL SETUSER alice on nopass ~a +get (+set ~b)"),
    "setuser_again": (
        ("ACL SETUSER default +select|1",),
        "ACL SETUSER default -@all +get resetkeys",
    ),
    "deluser": (("ACL SETUSER alice on nopass +@all", "AUTH alice x"), "ACL DELUSER alice"),
    "auth": (("ACL SETUSER alice on nopass +get",), "AUTH alice x"),
    "refused": (("ACL SETUSER alice on nopass +get", "AUTH alice x"), "SET a b"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_a_command_happens_wholly_or_not_at_all(name: str, kind: type[BaseException]) -> None:
    before, command = CASES[name]

    def begin() -> Scene:
        scene = Scene()
        steps(*before)(scene)
        return scene

    def act(scene: Scene) -> None:
        scene.run(*command.split(" "))

    untouched, done = begin(), begin()
    try:
        act(done)
    except carnelian.Error:
        pass
    states = untouched.state(), done.state()
    for scene, fault in every(begin, act, kind=kind):
        assert fault is None or isinstance(fault, (kind, carnelian.Error)), repr(fault)
        scene.judge(*states)
        scene.engine.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_served_to_one_who_waits_is_served_wholly(kind: type[BaseException]) -> None:
    """The interrupt comes in the thread that pushes, in what the engine calls for others."""

    class Waiting(Scene):
        def __init__(self) -> None:
            super().__init__()
            self.stream = self.engine.stream()
            self.stream.on_delivery(self.hear)
            self.stream.submit([[b"BLPOP", b"q", b"0"]])

    for scene, fault in every(Waiting, lambda scene: scene.run("RPUSH", "q", "1"), kind=kind):
        check(scene.engine)
        assert fault is None or isinstance(fault, kind)
        left = scene.run("LLEN", "q")
        if scene.stream.pending():
            assert (scene.stream.fetch(0), left) == ([b"q", b"1"], 0)
        else:
            assert left == 0 and scene.engine.core.blocking.count == 1
        assert scene.replica.data() == data(scene.engine)
        scene.engine.close()


@pytest.mark.parametrize("nested", [False, True])
def test_a_command_of_a_user_is_interrupted(nested: bool) -> None:
    """What it has done until then stays done, for the log as well."""
    outer = ("MULTI",) if nested else ()
    words = ("EXEC",) if nested else ("TWICE", "a")

    def begin() -> Scene:
        scene = Scene()
        for word in outer:
            scene.run(word)
        if nested:
            scene.run("INCR", "b")
            scene.run("TWICE", "a")
            scene.run("INCR", "b")
        return scene

    seen = set()
    for scene, fault in every(begin, lambda scene: scene.run(*words)):
        check(scene.engine)
        found = data(scene.engine)
        assert scene.replica.data() == found
        count, others = (int(str(found[0, key][0], "ascii")) for key in (b"a", b"b"))  # type: ignore[call-overload]
        seen.add(count)
        if nested:
            # Those after it are run all the same: a transaction is not cut in two.
            assert others == 4 or (others == 2 and count == 1)
        assert fault is not None or count == 3
        scene.engine.close()
    assert seen == {1, 2, 3}


def test_the_first_command_begins_the_timer_or_the_next_one_does() -> None:
    others = _threads_of_others()
    for engine, fault in every(carnelian.Engine, lambda engine: engine.execute("SET", "k", "v")):
        assert fault is None or isinstance(fault, Interrupt)
        check(engine)
        engine.execute("SET", "k", "v", "PX", 1)
        assert engine.execute("BLPOP", "none", 0.001) is None
        engine.close()
        for thread in set(threading.enumerate()) - others:
            thread.join(10)
            assert not thread.is_alive()


def _threads_of_others() -> set[threading.Thread]:
    """Once those that earlier tests have begun run, or have ended with their engines."""
    gc.collect()
    found: set[threading.Thread] = set()
    while found != (found := set(threading.enumerate())):
        time.sleep(1)
    return found


@pytest.mark.parametrize("method", ["session", "stream"])
def test_a_session_that_nobody_got_is_gone(method: str) -> None:
    class Slow(LocalSession):
        def __init__(self, *args: Any):
            super().__init__(*args)
            self.more = [abs(number) for number in range(3)]

    engine = carnelian.Engine()
    make: Callable[[], object] = (
        engine.session if method == "session" else lambda: engine.stream(kind=Slow)
    )
    for _, fault in every(lambda: None, lambda _: make()):
        assert fault is None or isinstance(fault, Interrupt)
        del fault
        check(engine)
        engine.execute("PING")
        assert len(engine.core.sessions) == 1


@pytest.mark.parametrize("appendonly", [False, True])
def test_an_engine_with_a_path_is_made_or_not(tmp_path: Path, appendonly: bool) -> None:
    path = tmp_path / "app.db"
    with carnelian.Engine(path, appendonly=appendonly) as engine:
        engine.execute("SET", "k", "v")
    made: list[carnelian.Engine] = []
    for _, fault in every(
        made.clear, lambda _: made.append(carnelian.Engine(path, appendonly=appendonly))
    ):
        assert fault is None or isinstance(fault, Interrupt)
        del fault
        for engine in made:
            engine.close()
        made.clear()
        with carnelian.Engine(path) as engine:
            assert engine.execute("GET", "k") == b"v"


PERSISTENCE = [
    ("SAVE",),
    ("BGSAVE",),
    ("BGREWRITEAOF",),
    ("FLUSHALL",),
    ("CONFIG", "SET", "appendonly", "yes"),
    ("CONFIG", "SET", "appendonly", "no"),
]


@pytest.mark.parametrize("words", PERSISTENCE, ids=" ".join)
def test_files_hold_what_the_engine_held(tmp_path: Path, words: tuple[str, ...]) -> None:
    logged = words[-1] != "yes"
    numbers = iter(range(100_000))

    def begin() -> carnelian.Engine:
        engine = carnelian.Engine(tmp_path / f"{next(numbers)}.db", appendonly=logged)
        engine.execute("SET", "k", "v")
        return engine

    for engine, fault in every(begin, lambda engine: engine.execute(*words)):
        assert fault is None or isinstance(fault, Interrupt), repr(fault)
        check(engine)
        engine.execute("SET", "after", "1")
        held = data(engine)
        path = engine.path
        assert path is not None
        engine.close()
        with carnelian.Engine(path) as again:
            assert data(again) == held
        assert not list(tmp_path.glob("temp-*"))


def test_closing_is_done_or_can_be_done_again(tmp_path: Path) -> None:
    numbers = iter(range(100_000))

    def begin() -> carnelian.Engine:
        engine = carnelian.Engine(tmp_path / f"{next(numbers)}.db")
        engine.execute("SET", "k", "v")
        return engine

    for engine, fault in every(begin, lambda engine: engine.close()):
        assert fault is None or isinstance(fault, Interrupt)
        path = engine.path
        if not engine.closed:
            engine.execute("SET", "more", "1")
        engine.close()
        assert path is not None
        with carnelian.Engine(path) as again:
            assert again.execute("GET", "k") == b"v"


def test_a_module_is_loaded_or_not() -> None:
    for engine, fault in every(carnelian.Engine, lambda engine: engine.load_module(commands)):
        assert fault is None or isinstance(fault, Interrupt)
        check(engine)
        if len(engine.core.modules):
            assert engine.execute("TWICE", "n") == 2
        else:
            with pytest.raises(carnelian.Error, match="unknown command"):
                engine.execute("TWICE", "n")
            engine.load_module(commands)
        engine.close()

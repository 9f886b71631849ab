"""Rounds of random commands that are interrupted at random moments."""

from __future__ import annotations

import ctypes
import gc
import itertools
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import carnelian
from carnelian.engine.catalogue.registry import declarations
from differential.chance import Chance
from interrupts import commands
from interrupts.points import Alarm, Interrupt
from interrupts.states import Broken, check, data

# What would only end the process, or keep everybody waiting for longer than a test may take.
LEFT_OUT = frozenset(("CLIENT PAUSE", "DEBUG", "SHUTDOWN"))

# Scripts that write in several places, take a while, or call what is interpreted.
SCRIPTS = (
    b"for i = 1, 50 do redis.call('incr', 'n') redis.pcall('rpush', KEYS[1], i) end return 1",
    b"local i = 0 while i < 50000 do i = i + 1 end return redis.call('set', KEYS[1], i)",
    b"for i = 1, 20 do pcall(redis.call, 'twice', KEYS[1]) end return redis.call('twice', 'n')",
    b"local f = coroutine.wrap(function() for i = 1, 9 do redis.call('twice', KEYS[1]) end end) "
    b"pcall(f) pcall(redis.call, 'set', 'a', 'b') return redis.call('get', KEYS[1])",
    b"while true do pcall(function() while true do redis.call('incr', 'n') end end) end",
)  # fmt: skip

# Commands between two looks at everything.
INTERVAL = 25
# Seconds until an interrupt comes: mostly soon, sometimes when the command waits already.
DELAYS = (2e-5, 1e-4, 4e-4, 3e-3)
LATEST = 2e-2


class Interrupts:
    """Raises in the main thread: from a signal handler, or as another thread asks for it."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self._armed = False
        self._guard = threading.Lock()
        self._wanted: SimpleQueue[None] = SimpleQueue()
        self._over = False
        self._ident = threading.get_ident()
        self._next = 0.0
        self.count = 0
        signal.signal(signal.SIGALRM, self._handle)
        self._thread = threading.Thread(target=self._raise_from_outside, daemon=True)
        self._thread.start()

    def during(self, action: Callable[[], Any]) -> None:
        """Do something that an interrupt comes into, unless it is over before."""
        try:
            try:
                self._begin()
                action()
            finally:
                self._disarm()
        except (Interrupt, Alarm):
            self.count += 1
            # The other kind may come as well.
            try:
                self._disarm()
            except (Interrupt, Alarm):
                self._disarm()

    def _begin(self) -> None:
        by_signal = self._chance.random() < 0.7
        self._next = 0.0
        self._armed = True
        # Without a signal, nothing that another thread asks for ends a wait. And what comes in a
        # destructor comes to nothing.
        delay = self._delay() if by_signal else LATEST
        signal.setitimer(signal.ITIMER_REAL, delay, LATEST)
        if not by_signal:
            self._wanted.put(None)

    def _delay(self) -> float:
        return 1e-6 + self._chance.random() * self._chance.choice(DELAYS)

    def _disarm(self) -> None:
        """What has been asked for until now comes here; nothing comes later."""
        with self._guard:
            self._armed = False
        for _ in range(3):
            pass

    def _handle(self, number: int, frame: object) -> None:
        if self._armed and time.monotonic() >= self._next:
            self._next = time.monotonic() + 5 * LATEST
            raise self._chance.choice((Interrupt, Alarm))("signal")

    def _raise_from_outside(self) -> None:
        chance = random.Random(1)
        target = ctypes.c_ulong(self._ident)
        while True:
            self._wanted.get()
            if self._over:
                return
            time.sleep(chance.random() * chance.choice(DELAYS))
            with self._guard:
                if self._armed:
                    self._next = time.monotonic() + 5 * LATEST
                    kind = ctypes.py_object(chance.choice((Interrupt, Alarm)))
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(target, kind)

    def end(self) -> None:
        """No more of them."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self._over = True
        self._wanted.put(None)
        self._thread.join()


class Round:
    """One engine, and what several sessions of it do while another thread is busy, too."""

    def __init__(self, directory: Path, seed: int, interrupts: Interrupts):
        self.chance = random.Random(seed)
        self.interrupts = interrupts
        self.path = directory / f"{seed}.db"
        self.logged = self.chance.random() < 0.5
        self.engine = carnelian.Engine(self.path, appendonly=self.logged, save="")
        self.engine.load_module(commands)
        names = [name for name in declarations if name.split(" ")[0] not in LEFT_OUT]
        if not self.logged:
            # It would make a log, which then counts for more than the snapshot.
            names.remove("BGREWRITEAOF")
        self.source = Chance(seed, [name for name in names if name not in LEFT_OUT])
        self.sessions: list[Any] = [self.engine]
        self.lively: list[Any] = []
        self.seen: Counter[str] = Counter()
        self._rest = threading.Lock()
        self._over = False
        self._thread = threading.Thread(target=self._disturb, daemon=True)
        self._thread.start()

    # -- What goes on meanwhile --------------------------------------------------------------------

    def _disturb(self) -> None:
        """Serve those who wait, change what they watch, tell those who listen."""
        chance = random.Random(3)
        while not self._over:
            with self._rest:
                key = chance.choice((b"a", b"b", b"c", b"d"))
                for words in (
                    ("DEL", key),
                    chance.choice((("RPUSH", key, "x"), ("ZADD", key, 1, "x"), ("SET", key, "1"))),
                    ("PUBLISH", key, "hello"),
                ):
                    try:
                        self.engine.execute(*words)
                    except (carnelian.Error, carnelian.EngineClosedError):
                        pass
            time.sleep(chance.random() * 1e-3)

    # -- What is interrupted -----------------------------------------------------------------------

    def run(self, count: int) -> None:
        """So many interrupts, and a look at what they have left."""
        goal = self.interrupts.count + count
        steps = 0
        try:
            while self.interrupts.count < goal:
                self._step()
                steps += 1
                if steps % INTERVAL == 0:
                    self.look()
        finally:
            # Whatever was found: no thread goes on under the tests that follow.
            self._over = True
            self._thread.join(30)
        self.finish()

    def _step(self) -> None:
        kind = self.chance.random()
        if kind < 0.05 or len(self.sessions) < 4:
            self.interrupts.during(self._begin_session)
        elif kind < 0.10:
            self.interrupts.during(self._end_session)
        elif kind < 0.25:
            self.interrupts.during(self._use_stream)
        elif kind < 0.30:
            self.interrupts.during(self._fetch)
        else:
            self.interrupts.during(self._use_session)

    def _begin_session(self) -> None:
        self.sessions.append(self.engine.session())

    def _end_session(self) -> None:
        place = self.chance.randrange(1, len(self.sessions)) if len(self.sessions) > 1 else 0
        if place:
            self.sessions.pop(place).close()

    def _use_session(self) -> None:
        session = self.chance.choice(self.sessions)
        words = self._words()
        try:
            session.execute(*words)
        except carnelian.Error as error:
            if str(error).startswith("ERR ") and "Error:" in str(error):
                raise Broken(f"{words}: {error}") from None
        except carnelian.EngineClosedError:
            if session is not self.engine:
                self.sessions.remove(session)

    def _use_stream(self) -> None:
        if len(self.lively) < 2:
            stream = self.engine.stream()
            stream.on_delivery(lambda: self.seen.update(["delivery"]))
            self.lively.append(stream)
        stream = self.chance.choice(self.lively)
        batch = [list(self._words()) for _ in range(self.chance.randrange(1, 4))]
        stream.submit(batch)
        if stream.closed or self.chance.random() < 0.1:
            self.lively.remove(stream)
            stream.close()

    def _fetch(self) -> None:
        stream = self.chance.choice([*self.sessions[1:], *self.lively])
        try:
            stream.get_message(0.001)
        except carnelian.EngineClosedError:
            pass

    def _words(self) -> tuple[bytes, ...]:
        words = self.source.command()
        if self.chance.random() < 0.1:
            words = (b"TWICE", self.chance.choice((b"n", b"a")))
        elif self.chance.random() < 0.1:
            key = self.chance.choice((b"n", b"a", b"b", b"script"))
            words = (b"EVAL", self.chance.choice(SCRIPTS), b"1", key)
        elif self.chance.random() < 0.2:
            words = self.chance.choice(
                (
                    (b"WATCH", b"a", b"b"), (b"MULTI",), (b"EXEC",), (b"DISCARD",), (b"UNWATCH",),
                    (b"SUBSCRIBE", b"a", b"b"), (b"UNSUBSCRIBE",), (b"PSUBSCRIBE", b"*"),
                    (b"BLPOP", b"a", b"b", b"0"), (b"BZPOPMIN", b"a", b"0"), (b"RESET",),
                )
            )  # fmt: skip
        self.seen[words[0].decode("latin-1").upper()] += 1
        return words

    # -- What it has left --------------------------------------------------------------------------

    def look(self) -> None:
        """See that everything fits together, and that everybody can go on."""
        with self._rest:
            self._sweep()
            check(self.engine)
            with self.engine.session() as fresh:
                fresh.execute("CONFIG", "SET", "maxmemory", "0")
                if fresh.execute("PING") != b"PONG":
                    raise Broken("no answer")
            for session in self.sessions[1:]:
                if session.closed:
                    self.sessions.remove(session)
                elif session.box.blocked is not None:
                    raise Broken(f"a session waits, and nobody for it: {session.box.blocked.args}")

    def _sweep(self) -> None:
        """End what random commands have begun that would disturb all others."""
        if len(self.sessions) > 8:
            del self.sessions[5:]
        for session in self.sessions[1:]:
            while session.box.pending():
                try:
                    session.get_message(0)
                except carnelian.EngineClosedError:
                    break

    def finish(self) -> None:
        """End the engine, and see that its files hold what it held."""
        if self._thread.is_alive():
            raise Broken("another thread waits for ever")
        self.look()
        del self.sessions[:], self.lively[:]
        gc.collect()
        if len(self.engine.core.sessions) > 2:
            raise Broken(f"sessions are left: {list(self.engine.core.sessions)}")
        self.engine.execute("RESET")
        self.engine.execute("CONFIG", "SET", "appendonly", "yes" if self.logged else "no")
        held = data(self.engine)
        self.engine.close(save=not self.logged)
        with carnelian.Engine(self.path) as again:
            found = data(again)
        if found != held:
            keys = found.keys() | held.keys()
            differing = [
                (key, found.get(key), held.get(key))
                for key in sorted(keys)
                if found.get(key) != held.get(key)
            ]
            raise Broken(f"the files do not hold what was in memory: {differing}")


class Queue:
    """Elements that are taken by those who wait: none is lost, none comes twice."""

    POPS = (
        ("BLPOP", "list", 0), ("BRPOP", "list", 0), ("BLMPOP", 0, 1, "list", "LEFT", "COUNT", 3),
        ("BLMPOP", 0, 1, "list", "RIGHT"), ("BZPOPMIN", "zset", 0), ("BZPOPMAX", "zset", 0),
        ("BZMPOP", 0, 1, "zset", "MIN", "COUNT", 2),
    )  # fmt: skip

    def __init__(self, seed: int, interrupts: Interrupts):
        self.chance = random.Random(seed)
        self.interrupts = interrupts
        self.engine = carnelian.Engine()
        self.got: list[Any] = []
        self.pushed = 0
        self._over = False
        self._thread = threading.Thread(target=self._push, daemon=True)
        self._thread.start()

    def _push(self) -> None:
        chance = random.Random(5)
        while not self._over:
            self.pushed += 1
            if chance.random() < 0.6:
                self.engine.execute("RPUSH", "list", self.pushed)
            else:
                self.engine.execute("ZADD", "zset", 1, self.pushed)
            time.sleep(chance.random() * 1e-3)

    def run(self, count: int) -> None:
        """So many interrupts of those who wait."""
        goal = self.interrupts.count + count
        try:
            while self.interrupts.count < goal:
                self._wait()
        finally:
            self._over = True
            self._thread.join(30)
        self._look()
        self.engine.close()

    def _wait(self) -> None:
        words = self.chance.choice(self.POPS)
        if self.chance.random() < 0.5:
            self.interrupts.during(lambda: self._take(self.engine.execute, words))
            return
        stream = self.engine.stream()
        stream.submit([[str(word).encode() for word in words]])
        self.interrupts.during(lambda: self._take(stream.fetch, ()))
        stream.close()

    def _take(self, function: Callable[..., Any], words: tuple) -> None:
        # Nothing interpreted stands between what returns the reply and what keeps it.
        self.got.extend(itertools.starmap(function, (words,)))

    def _look(self) -> None:
        check(self.engine)
        taken = sorted(itertools.chain(*map(self._elements, self.got)))
        left = [*self.engine.execute("LRANGE", "list", 0, -1)]
        left += self.engine.execute("ZRANGE", "zset", 0, -1)
        found = sorted(taken + [int(element) for element in left])
        if found != list(range(1, self.pushed + 1)):
            twice = [number for number, times in Counter(found).items() if times > 1]
            lost = sorted(set(range(1, self.pushed + 1)) - set(found))
            raise Broken(f"lost: {lost[:10]}, twice: {twice[:10]}")

    def _elements(self, reply: Any) -> list[int]:
        if not isinstance(reply, list) or len(reply) < 2:
            return []
        _, popped, *rest = reply
        if rest or isinstance(popped, bytes):
            return [int(popped)]
        return [int(one[0] if isinstance(one, list) else one) for one in popped]


def run(directory: Path, seed: int, count: int) -> tuple[int, Counter[str]]:
    """Interrupt so many times; returns how often it was, and the commands that were run."""
    chance = random.Random(seed)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    here = os.getcwd()
    os.chdir(directory)
    interrupts = Interrupts(chance)
    seen: Counter[str] = Counter()
    try:
        while interrupts.count < count:
            some = min(500, count - interrupts.count)
            if chance.random() < 0.8:
                one = Round(directory, chance.randrange(2**30), interrupts)
                one.run(some)
                seen += one.seen
            else:
                Queue(chance.randrange(2**30), interrupts).run(min(some, 200))
    finally:
        interrupts.end()
        os.chdir(here)
        sys.setswitchinterval(interval)
    return interrupts.count, seen

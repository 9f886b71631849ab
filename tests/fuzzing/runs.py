"""Runs what was made at random, and looks whether everything is as it should be."""

from __future__ import annotations

import carnelian
from fuzzing.rules import Rules
from fuzzing.scripts import Scripts

# Scripts and rules between two looks at the engine, and between two engines.
INTERVAL = 1000
RENEWAL = 50_000
LUA_MEMORY = 64 << 20
# Milliseconds that a script may take, and bytes that an engine may keep of all of them.
LONGEST = 2000
MOST_KEPT = 256 << 20


class Broken(AssertionError):
    """Something else came of it than a reply or an error; the text says of what."""


class Run:
    """One engine with the scripts and rules of a seed."""

    def __init__(self, seed: int):
        self._seed = seed
        self.engine = carnelian.Engine()
        self.engine.execute("CONFIG", "SET", "lua-memory-limit", LUA_MEMORY)
        self.engine.execute("CONFIG", "SET", "maxmemory", MOST_KEPT)
        self.engine.core.log = lambda level, message: None
        names = [name for name in self.engine.execute("COMMAND", "LIST") if b" " not in name]
        self._scripts = Scripts(seed)
        self._rules = Rules(seed, names)
        self.replies = self.errors = 0
        self._limit_time()

    def _limit_time(self) -> None:
        """End scripts that take long: nobody waits for them here."""
        self.engine.execute("EVAL", "return 1", 0)
        host = self.engine.core.scripting.host
        long_runs = self.engine.core.scripting.long_runs

        def look() -> None:
            if long_runs.elapsed_ms() > LONGEST:
                host.killed = True

        host.on_interval = look

    def scripts(self, count: int) -> None:
        """So many scripts."""
        for number in range(count):
            script = self._scripts.next()
            flush = ("SCRIPT", "FLUSH") if number % INTERVAL == 0 else None
            self._try(("EVAL", script, 2, "k", "l", "get", "k"), flush)

    def rules(self, count: int) -> None:
        """So many commands about users."""
        for number in range(count):
            self._try(
                self._rules.next(), ("ACL", "LOG", "RESET") if number % INTERVAL == 0 else None
            )

    def _try(self, words: tuple, then: tuple | None) -> None:
        try:
            self.engine.execute(*words)
            self.replies += 1
        except carnelian.Error:
            self.errors += 1
        except BaseException as fault:
            raise Broken(f"seed {self._seed}: {words!r}: {fault!r}") from fault
        if then is not None:
            self.look()
            self.engine.execute(*then)

    def look(self) -> None:
        """Raise Broken unless the engine does what it always does."""
        script = "return {KEYS[1], redis.call('ping'), ('x'):rep(3), cjson.encode({1}), type(_G)}"
        expected = [b"key", b"PONG", b"xxx", b"[1]", b"table"]
        found = self.engine.execute("EVAL", script, 1, "key")
        core = self.engine.core
        if found != expected or core.depth or core.interrupts:
            raise Broken(f"seed {self._seed}: {found!r}, {core.depth}, {core.interrupts}")
        self.engine.execute("FLUSHALL")
        if core.scripting.facts().eval_state > LUA_MEMORY:
            raise Broken(f"seed {self._seed}: Lua has more memory than it may")


def run(seed: int, count: int) -> tuple[int, int]:
    """So many scripts, and as many commands about users; returns how many had replies and errors.

    Raises Broken.
    """
    one = Run(seed)
    one.scripts(count)
    one.rules(count)
    one.look()
    one.engine.close()
    return one.replies, one.errors

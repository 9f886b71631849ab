"""Engines with an append-only file in the working directory, for tests of it."""

from __future__ import annotations

from pathlib import Path

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import Clock, ManualClock
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import AppendOnly, append_only_of
from support.local import LocalClient
from support.wire import Word, request

DIRECTORY = Path("appendonlydir")
STEM = "appendonly.aof"
EMPTY = b"REDIS0011"


class Logged:
    """An engine that has loaded what is in the working directory, and goes on logging there."""

    def __init__(self, clock: Clock | None = None, **directives: str):
        config = Config()
        lines = {"appendonly": "yes", "enable_debug_command": "local", **directives}
        config.load_text("\n".join(f"{key.replace('_', '-')} {lines[key]}" for key in lines))
        self.engine = Engine(config, ManualClock() if clock is None else clock)
        self.lines: list[str] = []
        self.engine.log = lambda level, line: self.lines.append(line)
        self.log: AppendOnly = append_only_of(self.engine)
        self.client = LocalClient(self.engine)
        append_loading.read_manifest(self.log, self.engine)
        if config["appendonly"]:
            self.found = append_loading.load(self.log, self.engine)
            self.log.open()

    def __call__(self, *words: Word) -> object:
        """Run a command, as a turn of the loop of its own."""
        reply = self.client(*words)
        self.turn()
        return reply

    def turn(self) -> None:
        """End a turn of the loop."""
        self.engine.before_sleep()
        self.engine.effects.commit()

    def content(self) -> list[list[bytes]]:
        """The commands in the increment that is written to."""
        return commands_of((DIRECTORY / self.log.manifest.increments[-1].name).read_bytes())

    def close(self) -> None:
        """Write everything and let go of the files."""
        self.log.shut_down(set())


def commands_of(text: bytes) -> list[list[bytes]]:
    """The commands in the text of a file; annotations are dropped."""
    commands, lines = [], text.split(b"\r\n")
    at = 0
    while at < len(lines) - 1:
        if lines[at].startswith(b"#"):
            at += 1
            continue
        count = int(lines[at][1:])
        commands.append(lines[at + 2 : at + 2 + 2 * count : 2])
        at += 1 + 2 * count
    return commands


def put(name: str, *commands: tuple[Word, ...] | bytes) -> None:
    """Write a file of these commands into the directory; bytes are taken as they are."""
    DIRECTORY.mkdir(exist_ok=True)
    parts = [part if isinstance(part, bytes) else request(*part) for part in commands]
    (DIRECTORY / name).write_bytes(b"".join(parts))


def put_manifest(*lines: str) -> None:
    """Write a manifest of these lines."""
    put(f"{STEM}.manifest", "".join(f"{line}\n" for line in lines).encode())


def put_log(*commands: tuple[Word, ...] | bytes) -> None:
    """Have one increment of these commands, and its manifest."""
    put(f"{STEM}.1.incr.aof", *commands)
    put_manifest(f"file {STEM}.1.incr.aof seq 1 type i")

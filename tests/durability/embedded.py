"""Rounds on embedded engines: a program that does nothing but write is killed; what is missing?"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import carnelian
from support.disk import Disk

from .busy_program import COUNT
from .rounds import GRACE, Loss

PROGRAM = Path(__file__).with_name("busy_program.py")
THREADS = 5
# Seconds between two looks at how far the program has come.
_LOOK = 0.002
# What a machine that has more to do than this takes longer than it should, in seconds.
_SLACK = 0.5


@dataclass
class EmbeddedFigures:
    """What the rounds came to."""

    rounds: int = 0
    power_cuts: int = 0
    acknowledged: int = 0
    bytes_lost: int = 0
    lossless: int = 0
    lost: int = 0
    oldest_lost_s: float = 0.0
    by_threads: dict[int, int] = field(default_factory=dict)


class EmbeddedRounds:
    """Rounds on one path.

    Args:
        directory: a place for everything.
        seed: what is done when follows from it; what the machine makes of it does not.
        idle: whether the disk there is never busy, as memory is not.
        directives: of the engine; ``appendonly`` is on.
    """

    def __init__(self, directory: Path, seed: int, *, idle: bool = False, **directives: object):
        self.figures = EmbeddedFigures()
        self._directory = directory
        self._data = directory / "data"
        self._data.mkdir(parents=True)
        self._path = str(self._data / "app.db")
        self._counts = directory / "counts"
        self._idle = idle
        self._directives = {"appendonly": True, **directives}
        self._random = random.Random(f"{seed} {sorted(directives.items())}")
        self._found = [0] * THREADS

    def run(
        self,
        threads: int | None = None,
        power_cut: bool | None = None,
        interval: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """One round, of a random kind unless it is given. Raises Loss.

        ``interval`` is how long a thread that computes keeps the interpreter, ``seconds`` for how
        long it is written.
        """
        choose = self._random.choice
        threads = threads or choose((1, 1, 2, THREADS))
        cut = choose((False, True)) if power_cut is None else power_cut
        interval = interval or choose((0.005, 0.005, 60.0))
        seconds = seconds or self._random.uniform(1.1, 3.5)
        disk = Disk(self._directory / "disk", journal=True)
        disk.begin(self._data)
        looks = self._write(threads, interval, seconds, disk if cut else None)
        taken = looks[-1][1]
        if cut:
            self.figures.bytes_lost += disk.fail(self._data)
        kept = self._promised(looks, cut)
        found = self._read()
        kind = f"round {self.figures.rounds} ({threads} threads, {interval} s, power cut: {cut})"
        for number in range(threads):
            if not kept[number] <= found[number] <= taken[number] + 1:
                raise Loss(
                    f"{kind}: {found[number]} is there of {taken[number]} acknowledged, "
                    f"{kept[number]} to be kept"
                )
        self._count(looks, found, threads, cut)
        self._found = found

    def _write(
        self, threads: int, interval: float, seconds: float, disk: Disk | None
    ) -> list[tuple[float, list[int]]]:
        """Have it written, and killed; returns what was acknowledged when."""
        self._counts.write_bytes(b"".join(map(COUNT.pack, self._found)))
        words = [self._path, str(self._counts), str(threads), str(interval)]
        program = subprocess.Popen(
            [sys.executable, PROGRAM, *words, json.dumps(self._directives)],
            env={**os.environ, **(disk.environment if disk is not None else {})},
        )
        try:
            looks = [(time.monotonic(), self._found)]
            end = time.monotonic() + 30
            while looks[-1][1] == self._found:
                assert time.monotonic() < end and program.poll() is None
                looks.append(self._look())
                time.sleep(_LOOK)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                looks.append(self._look())
                time.sleep(_LOOK)
        finally:
            program.kill()
            program.wait()
        looks.append(self._look())
        return looks

    def _look(self) -> tuple[float, list[int]]:
        moment = time.monotonic()
        return moment, [count for (count,) in COUNT.iter_unpack(self._counts.read_bytes())]

    def _promised(self, looks: list[tuple[float, list[int]]], cut: bool) -> list[int]:
        """The least that has to be there."""
        policy = self._directives.get("appendfsync", "everysec")
        gathered = float(str(self._directives.get("aof_write_interval", 0))) / 1000
        if policy == "always":
            return looks[-1][1]
        if cut:
            return _before(looks, GRACE + gathered) if policy == "everysec" else self._found
        if gathered:
            return _before(looks, gathered + _SLACK)
        return looks[-1][1] if self._idle or policy == "no" else _before(looks, GRACE)

    def _read(self) -> list[int]:
        with carnelian.Engine(self._path) as engine:
            return [int(engine.execute("GET", f"count:{i}") or 0) for i in range(THREADS)]

    def _count(
        self, looks: list[tuple[float, list[int]]], found: list[int], threads: int, cut: bool
    ) -> None:
        figures, (moment, taken) = self.figures, looks[-1]
        figures.rounds += 1
        figures.power_cuts += cut
        figures.by_threads[threads] = figures.by_threads.get(threads, 0) + 1
        figures.acknowledged += sum(taken) - sum(self._found)
        lost = sum(max(count - left, 0) for count, left in zip(taken, found, strict=True))
        figures.lost += lost
        figures.lossless += not lost
        for earlier, counts in looks:
            if any(count > left for count, left in zip(counts, found, strict=True)):
                figures.oldest_lost_s = max(figures.oldest_lost_s, moment - earlier)
                break


def _before(looks: list[tuple[float, list[int]]], seconds: float) -> list[int]:
    """What was acknowledged so many seconds before the end."""
    until = looks[-1][0] - seconds
    return next((counts for moment, counts in reversed(looks) if moment <= until), looks[0][1])

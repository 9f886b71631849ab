"""One round: a server under load is disturbed, killed and started again; what is missing?"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from server.peers import Client, ServerProcess
from support.disk import Disk

from .work import Data
from .writers import Writer, read

WRITERS = 4
# What may be lost with everysec is younger than this, in seconds.
GRACE = 2.0
# Rounds after which the data are given up, so that starting does not take longer and longer.
_GENERATION = 8
_BAD = ("CRASH REPORT", "BUG REPORT", "Traceback", "Bad file format")

DISTURBANCES = (
    "none", "rewrite", "snapshot", "rewrite and snapshot", "log off and on", "log off and on twice",
    "reload", "load log", "kill while loading",
)  # fmt: skip


# Without a log: what was there when the last snapshot began that has been written.
SNAPSHOTS = "snapshots"


class Loss(AssertionError):
    """Something that was promised to be kept is not there, or something else is."""


@dataclass
class Figures:
    """What the rounds came to."""

    rounds: int = 0
    power_cuts: int = 0
    units: int = 0
    acknowledged: int = 0
    bytes_lost: int = 0
    unacknowledged_kept: int = 0
    unpromised_lost: int = 0
    oldest_lost_s: float = 0.0
    disturbed: dict[str, int] = field(default_factory=dict)


class Rounds:
    """Rounds on one directory, with one ``appendfsync``.

    Args:
        directory: a place for everything.
        policy: ``always``, ``everysec``, or SNAPSHOTS for no log at all.
        seed: what is done when follows from it; what the machine makes of it does not.
        appendfsync: what the server is told instead of the policy, to see that this is noticed.
    """

    def __init__(self, directory: Path, policy: str, seed: int, appendfsync: str | None = None):
        self.figures = Figures()
        self._directory = directory
        self._data = directory / "data"
        self._policy = policy
        self._appendfsync = appendfsync or policy
        self._random = random.Random(f"{seed} {policy}")
        # What the writers of the rounds before have left: prefix and database -> data.
        self._settled: dict[tuple[str, int], Data] = {}
        self._data.mkdir(parents=True)

    # -- A round ---------------------------------------------------------------------------------

    def run(self, disturbance: str | None = None, power_cut: bool | None = None) -> None:
        """One round, of a random kind unless one is given. Raises Loss."""
        number = self.figures.rounds
        if number % _GENERATION == 0:
            shutil.rmtree(self._data)
            self._data.mkdir()
            self._settled.clear()
        several = (SNAPSHOTS,) if self._policy == SNAPSHOTS else DISTURBANCES
        chosen = disturbance or self._random.choice(several)
        cut = self._random.random() < 0.5 if power_cut is None else power_cut
        disk = Disk(self._directory / "disk", journal=True)
        disk.begin(self._data)
        server = self._start(disk if cut else None)
        try:
            self._round(number, server, disk if cut else None, chosen)
        except Loss as loss:
            raise Loss(
                f"round {number} ({self._policy}, {chosen}, power cut: {cut}): {loss}\n{server.log}"
            ) from None
        finally:
            self._end(server)
        self.figures.rounds += 1
        self.figures.power_cuts += cut
        self.figures.disturbed[chosen] = self.figures.disturbed.get(chosen, 0) + 1

    def _round(
        self, number: int, server: ServerProcess, disk: Disk | None, disturbance: str
    ) -> None:
        most = 1 if disturbance in ("reload", "load log") else 16
        writers = [
            Writer(
                server,
                f"{number}.{i}",
                3 * (i % 2),
                most=most,
                rest=0 if self._policy == "always" else 0.001,
                seed=self._random.randrange(1 << 30),
            )
            for i in range(WRITERS)
        ]
        client = server.connect()
        for writer in writers:
            writer.start()
        disturber = _Disturber(client, writers, disturbance, self._random.random())
        disturber.start()
        time.sleep(self._random.uniform(0.1, 1.2 if self._policy == "always" else 3.0))
        # What was acknowledged before is what counts.
        kept = disturber.kept() or [writer.acknowledged for writer in writers]
        moment = time.monotonic()
        if self._policy == "everysec":
            kept = [
                min(count, writer.acknowledged_until(moment - GRACE))
                for count, writer in zip(kept, writers, strict=True)
            ]
        self._kill(server, self._random.random() < 0.5 or disk is not None)
        for writer in writers:
            writer.join()
        disturber.join()
        if disk is not None:
            self.figures.bytes_lost += disk.fail(self._data)
        if disturbance == "kill while loading":
            self._kill_while_loading(disk)
        self._verify(writers, kept, moment)

    def _kill_while_loading(self, disk: Disk | None) -> None:
        for _again in range(2):
            if disk is not None:
                disk.begin(self._data)
            server = self._start(disk, "--key-load-delay", "50", wait=False)
            time.sleep(self._random.uniform(0.2, 0.8))
            self._kill(server, True)
            if disk is not None:
                disk.fail(self._data)

    # -- Processes -------------------------------------------------------------------------------

    def _start(self, disk: Disk | None, *more: str, wait: bool = True) -> ServerProcess:
        grows = self._random.random() < 0.3
        options = {
            "dir": str(self._data),
            "save": "",
            "appendonly": "no" if self._policy == SNAPSHOTS else "yes",
            "appendfsync": "no" if self._policy == SNAPSHOTS else self._appendfsync,
            "enable-debug-command": "yes",
            "aof-use-rdb-preamble": self._random.choice(("yes", "no")),
            "snapshot-method": self._random.choice(("fork", "sliced")),
            "aof-timestamp-enabled": self._random.choice(("yes", "no")),
            "auto-aof-rewrite-percentage": "20" if grows else "0",
            "auto-aof-rewrite-min-size": "16kb",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        server = ServerProcess(
            self._directory,
            *words,
            *more,
            environment=disk.environment if disk is not None else {},
            own_group=True,
        )
        return server.wait_until_ready() if wait else server

    @staticmethod
    def _kill(server: ServerProcess, with_children: bool) -> None:
        if with_children:
            os.killpg(server.process.pid, signal.SIGKILL)
        else:
            server.process.kill()
        server.process.wait()

    @staticmethod
    def _end(server: ServerProcess) -> None:
        try:
            os.killpg(server.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        server.process.wait()

    # -- What is there ---------------------------------------------------------------------------

    def _verify(self, writers: list[Writer], kept: list[int], moment: float) -> None:
        server = self._start(None)
        try:
            client = server.connect()
            for writer, least in zip(writers, kept, strict=True):
                self._verify_writer(client, writer, least, moment)
            self._verify_others(client)
        except Loss as loss:
            raise Loss(f"{loss}\n{server.log}") from None
        finally:
            self._end(server)
        for sign in _BAD:
            if sign in server.log:
                raise Loss(f"{sign} in the log:\n{server.log}")

    def _verify_writer(self, client: Client, writer: Writer, least: int, moment: float) -> None:
        if writer.failure is not None:
            raise Loss(f"a command was answered {writer.failure!r}")
        prefix = writer.work.prefix
        data = read(client, writer.database, prefix)
        count = writer.work.count(data)
        if count is None:
            raise Loss(f"{prefix}: no number of units makes {data}")
        if not least <= count <= writer.sent:
            raise Loss(
                f"{prefix}: {count} units are there of {writer.sent} sent and "
                f"{writer.acknowledged} acknowledged, {least} of them to be kept"
            )
        self._settled[prefix, writer.database] = data
        figures = self.figures
        figures.units += writer.sent
        figures.acknowledged += writer.acknowledged
        figures.unacknowledged_kept += max(count - writer.acknowledged, 0)
        if count < writer.acknowledged:
            figures.unpromised_lost += writer.acknowledged - count
            age = moment - writer.time_of(count)
            figures.oldest_lost_s = max(figures.oldest_lost_s, age)

    def _verify_others(self, client: Client) -> None:
        for database in (0, 3):
            client.call("SELECT", database)
            size = client.call("DBSIZE")
            known = sum(len(data) for (_, db), data in self._settled.items() if db == database)
            if size != known:
                raise Loss(f"database {database} has {size} keys, and not {known}")
        prefix, database = self._random.choice(list(self._settled))
        if read(client, database, prefix) != self._settled[prefix, database]:
            raise Loss(f"what {prefix} has left in an earlier round has changed")


class _Disturber(threading.Thread):
    """Has the server do something else besides, at a random moment of the round.

    Args:
        chance: between 0 and 1, from which all waits follow.
    """

    def __init__(self, client: Client, writers: list[Writer], what: str, chance: float):
        super().__init__(daemon=True)
        self._client = client
        self._writers = writers
        self._what = what
        self._chance = chance
        self._kept: list[int] | None = [0] * len(writers) if what == SNAPSHOTS else None

    def kept(self) -> list[int] | None:
        """How many units of each writer must be there where there is no log; None: all."""
        return self._kept

    def run(self) -> None:
        steps: dict[str, tuple[Callable[[], object], ...]] = {
            "rewrite": (self._rewrite, self._rewrite),
            "snapshot": (self._save,),
            SNAPSHOTS: (self._save_again_and_again,),
            "rewrite and snapshot": (self._save, self._rewrite, self._rewrite),
            "log off and on": (self._switch,),
            "log off and on twice": (self._switch, self._switch),
            "reload": (lambda: self._client.call("DEBUG", "RELOAD"),) * 3,
            "load log": (lambda: self._client.call("DEBUG", "LOADAOF"),) * 3,
        }
        try:
            for step in steps.get(self._what, ()):
                time.sleep(0.6 * self._chance)
                step()
        except (OSError, ValueError):
            pass

    def _rewrite(self) -> None:
        self._client.call("BGREWRITEAOF")

    def _save(self) -> None:
        self._client.call("BGSAVE")

    def _save_again_and_again(self) -> None:
        while True:
            counts = [writer.acknowledged for writer in self._writers]
            if not self._client.call("BGSAVE").startswith(b"+"):
                return
            while b"rdb_bgsave_in_progress:0" not in (fields := self._fields()):
                time.sleep(0.005)
            if b"rdb_last_bgsave_status:ok" in fields:
                self._kept = counts

    def _fields(self) -> bytes:
        fields = self._client.call("INFO", "persistence")
        if not fields:
            raise OSError("the server is gone")
        return fields

    def _switch(self) -> None:
        """Turn the log off and on; until it has a base, nothing since is promised to be there."""
        self._kept = [writer.acknowledged for writer in self._writers]
        self._client.call("CONFIG", "SET", "appendonly", "no")
        time.sleep(0.1 * self._chance)
        self._client.call("CONFIG", "SET", "appendonly", "yes")
        while True:
            fields = self._fields()
            if (
                b"aof_rewrite_in_progress:0" in fields
                and b"aof_rewrite_scheduled:0" in fields
                and b"aof_last_bgrewrite_status:ok" in fields
            ):
                break
            time.sleep(0.005)
        self._kept = None

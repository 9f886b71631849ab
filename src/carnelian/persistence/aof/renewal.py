"""Writing the append-only file anew, in the background.

A rewrite begins another increment, and has a job write a base that holds all that was before. When
that is done, the base takes the place of the older files. To turn the log on is to rewrite it:
until there is a base, what is written goes to an increment with a name for the time being.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.persistence.aof.log_files import LogFiles, LogState
from carnelian.persistence.aof.manifest import StoreError
from carnelian.persistence.background import base_files
from carnelian.persistence.background.jobs import Job, Method, Outcome, Task
from carnelian.persistence.background.slicing import Making
from carnelian.persistence.bytes.targets import BaseTarget, Target
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.files import Progress
from carnelian.persistence.saving.snapshots import snapshots_of

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


class RewriteLimit:
    """Holds rewrites back that fail again and again: for 1, 2, 4, ... minutes, up to an hour."""

    FAILURES = 3
    LONGEST = 60

    def __init__(self) -> None:
        self.failures = 0
        self._minutes = 0
        self._until_s = 0

    def delays(self, now_s: int, log: Callable[[str, str], None]) -> bool:
        """Whether there may be no rewrite now, but for one that somebody asks for."""
        if self.failures < self.FAILURES:
            self._minutes = self._until_s = 0
            return False
        if self._until_s:
            if now_s < self._until_s:
                return True
            self._until_s = 0
            return False
        self._minutes = min(2 * self._minutes or 1, self.LONGEST)
        self._until_s = now_s + 60 * self._minutes
        log(
            "warning",
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in "
            f"{self._minutes} minutes",
        )
        return True


class Renewal(Task):
    """Has the log of an engine written anew.

    - ``limit``: holds rewrites back that fail;
    - ``count``: how many were begun.

    Args:
        engine: whose log.
        log: its files.
    """

    BEGUN = "Background append only file rewriting started"
    CANNOT_FORK = "Can't rewrite append only file in background"
    ENDED = "Background AOF rewrite"
    FAILED = "Background AOF rewrite terminated with error"
    PURPOSE = "AOF rewrite"

    def __init__(self, engine: Engine, log: LogFiles):
        self._snapshots = snapshots_of(engine)
        super().__init__(self._snapshots.background)
        self._engine = engine
        self._log = log
        self.limit = RewriteLimit()
        self.count = 0

    # -- The beginning ---------------------------------------------------------------------------

    def begin(self) -> bool:
        """Begin a rewrite; returns whether it was begun, the log says why not."""
        if self.background.busy:
            return False
        log = self._log
        if not self._part():
            self.last_failed = True
            return False
        self.count += 1
        log.log.accepting = log.state is not LogState.OFF
        if self.background.method is Method.AT_ONCE:
            self.scheduled = False
            return self._write_here()
        if self._engine.config["aof-use-rdb-preamble"]:
            self._snapshots.note_version()
        if not self.background.begin(self):
            self.last_failed = True
            return False
        self.scheduled = False
        log.log.rewriting = True
        return True

    def _part(self) -> bool:
        """Go on in another increment, so that all that is written until now will be in the base."""
        engine, log = self._engine, self._log
        engine.effects.flush()
        try:
            log.make_directory()
            engine.effects.forget_selection()
            log.log.flush(True)
            if log.log.buffer.length or log.log.broken:
                # It would be in the new base, and again in the increment after it.
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            log.begin_increment()
        except StoreError as error:
            engine.log("warning", str(error))
            return False
        except OSError:
            return False
        return True

    def _write_here(self) -> bool:
        """Where there can be no job, everything waits for the rewrite."""
        self.began = time.monotonic()
        pid = files.writer_id()
        target = self.target(pid)
        done = files.fill(
            target, lambda fd: base_files.write_content(self._engine, fd, self._functions, None)
        )
        done = done and self._log.adopt(base_files.background_name(pid))
        self._finish(pid, done)
        self.last_seconds = int(time.monotonic() - self.began)
        return done

    # -- The task --------------------------------------------------------------------------------

    @property
    def _functions(self) -> list[bytes]:
        return self._snapshots.functions

    def target(self, pid: int | str) -> BaseTarget:
        return base_files.background(self._engine, pid)

    def write(self, fd: int, progress: Progress) -> None:
        base_files.write_content(self._engine, fd, self._functions, progress)

    def written(self, target: Target) -> None:
        name = base_files.background_name(os.getpid())
        self._engine.log("notice", f"Successfully created the temporary AOF base file {name}")

    def freeze(self, target: Target, fd: int) -> Making:
        return base_files.freeze_content(self._engine, target, fd, self._functions)

    def ended(self, job: Job, outcome: Outcome) -> None:
        done = None
        if outcome is not Outcome.STOPPED:
            name = base_files.background_name(job.pid)
            done = outcome is Outcome.DONE and self._log.adopt(name)
        self._finish(job.pid, done)

    def _finish(self, pid: int | str, done: bool | None) -> None:
        """A rewrite has ended: well, badly, or (None) because it was told to."""
        log = self._log
        if done is not None:
            self.last_failed = not done
            self.limit.failures = 0 if done else self.limit.failures + 1
        if done:
            self._engine.log("notice", "Background AOF rewrite finished successfully")
            if log.state is LogState.WAITING:
                log.state = LogState.ON
        base_files.remove_temporary(self._engine, pid)
        if log.state is LogState.WAITING:
            log.drop_increment()
            self.scheduled = True
        log.disown()

    def drop(self, quietly: bool = False) -> None:
        """Give up the rewrite that is going on; ``quietly`` if the log has been told why."""
        job = self.background.job
        assert job is not None
        if not quietly:
            self._engine.log("notice", f"Killing running AOF rewrite child: {job.pid}")
        self.background.drop(self)
        base_files.remove_temporary(self._engine, job.pid)

    # -- Time ------------------------------------------------------------------------------------

    def held(self) -> bool:
        return self.limit.delays(self._engine.clock.ms // 1000, self._engine.log)

    def heed(self) -> None:
        """Begin a rewrite if the log has grown enough."""
        config, size = self._engine.config, self._log.log.total_size
        percentage = config["auto-aof-rewrite-percentage"]
        if self._log.state is not LogState.ON or not percentage:
            return
        if size <= config["auto-aof-rewrite-min-size"]:
            return
        growth = size * 100 // (self._log.base_size or 1) - 100
        if growth >= percentage and not self.held():
            self._engine.log("notice", f"Starting automatic rewriting of AOF on {growth}% growth")
            self.begin()

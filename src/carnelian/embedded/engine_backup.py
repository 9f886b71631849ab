"""A copy of an engine's data set in another file, made while the engine is used."""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.embedded.errors import DatabaseSaveError, EngineClosedError
from carnelian.persistence.background import slicing
from carnelian.persistence.background.jobs import Job, Outcome, Task
from carnelian.persistence.background.slicing import Making, Slicing
from carnelian.persistence.bytes.targets import Target, sync_directory
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.snapshots import snapshots_of

if TYPE_CHECKING:
    from carnelian.embedded.host import Host
    from carnelian.engine.engine import Engine

# What is written at a time, and how long others are let in before more is.
_SLICE_US = 1000
_REST = 0.0005
_POLL = 0.005

_numbers = itertools.count(1)

Progress = Callable[[int, int], object]


def back_up(host: Host, path: str, progress: Progress | None) -> None:
    """Write the data set to ``path``; see :meth:`carnelian.Engine.backup`."""
    _refuse(host, path)
    backup = Backup(host.core, path)
    while not host.perform(backup.begin):
        # A snapshot, or the log anew, is being written.
        time.sleep(_POLL)
    try:
        _write(host, backup, progress)
    except EngineClosedError:
        # Whoever has closed it was too late if the file has its place by now.
        if not backup.is_placed():
            raise
        return
    finally:
        backup.leave(host)
    if backup.outcome is not Outcome.DONE:
        raise DatabaseSaveError(path, f"cannot write {path}: {backup.reason()}")


def _write(host: Host, backup: Backup, progress: Progress | None) -> None:
    while True:
        rest = host.perform(backup.step)
        if progress is not None:
            progress(backup.done_keys, backup.all_keys)
        if rest is None:
            break
        time.sleep(max(rest, _REST))
    # The disk takes its time, in which the engine is used.
    while not host.perform(backup.check):
        time.sleep(_POLL)


def _refuse(host: Host, path: str) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    storage = host.storage
    if storage is not None and os.path.realpath(path) == storage.path:
        raise ValueError(f"{path} is where the engine itself keeps its data")


class BackupTarget(Target):
    """A file in the making, beside the one whose place it takes when it is whole."""

    def __init__(self, engine: Engine, path: str):
        super().__init__(engine.log)
        directory, name = os.path.split(path)
        self.path = path
        self.temporary_path = os.path.join(directory, f"temp-{os.getpid()}-{next(_numbers)}-{name}")
        self.error: OSError | None = None
        self.placed = False

    def open(self) -> int:
        """Begin the file. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            return os.open(self.temporary_path, flags, 0o666)
        except OSError as error:
            error.filename = self.path
            raise

    def sync(self, fd: int) -> None:
        """Bring it to the disk. Raises OSError."""
        os.fsync(fd)

    def place(self) -> None:
        """Give it its name. Raises OSError."""
        os.rename(self.temporary_path, self.path)
        self.placed = True
        sync_directory(os.path.dirname(self.path))

    def remove(self) -> None:
        """Leave nothing of it."""
        files.remove(self.temporary_path)

    def explain(self, error: OSError) -> None:
        """Remember why it comes to nothing."""
        self.error = error


class Backup(Task):
    """One backup, a job of the engine's background: a snapshot waits until it is done.

    ``done_keys`` of ``all_keys`` are written.
    """

    BEGUN = "Backup started"
    ENDED = "Backup"
    FAILED = "Backup error"
    PURPOSE = "backup"

    def __init__(self, engine: Engine, path: str):
        self._engine = engine
        self._target = BackupTarget(engine, path)
        self._job: Slicing | None = None
        self.outcome: Outcome | None = None
        self.done_keys = self.all_keys = 0
        # It has its turn when it is asked for, rather than now and then.
        self.background = snapshots_of(engine).background

    # -- With the engine to itself -----------------------------------------------------------------

    def begin(self) -> bool:
        """Begin, unless something else is going on. Raises OSError if there can be no such file."""
        slot = self.background
        if slot.busy:
            return False
        super().__init__(slot)
        try:
            job = slicing.begin(self._engine, lambda _: self._target, self.freeze)
        except BaseException:
            slot.tasks.remove(self)
            raise
        self.began = time.monotonic()
        self.all_keys = slot.keys_total = len(self._engine.keyspace)
        slot.job, slot.task, self._job = job, self, job
        return True

    def freeze(self, target: Target, fd: int) -> Making:
        """What brings the data set to the file."""
        engine = self._engine
        functions = snapshots_of(engine).functions
        return files.freeze_content(engine, target, fd, files.facts(engine), functions, True)

    def step(self) -> float | None:
        """Write some; returns as :meth:`Slicing.step` does."""
        assert self._job is not None
        rest = self._job.step(_SLICE_US)
        self._job.receive()
        self.done_keys = self._job.keys
        return rest

    def check(self) -> bool:
        """Whether the file is there, or was given up."""
        assert self._job is not None
        if not self._job.check():
            return False
        self.background.finish(self)
        return True

    def ended(self, job: Job, outcome: Outcome) -> None:
        """The background has no more to do with it."""
        self.outcome = outcome

    def heed(self) -> None:
        """Nothing is begun unasked."""

    def _leave(self) -> None:
        self.background.drop(self)
        if self in self.background.tasks:
            self.background.tasks.remove(self)

    # -- Without -----------------------------------------------------------------------------------

    def leave(self, host: Host) -> None:
        """Give it up if it is not done, and let others have the background."""
        try:
            host.perform(self._leave)
        except EngineClosedError:
            # Who has closed it has given it up.
            self._target.remove()

    def is_placed(self) -> bool:
        """Whether the file is there, although the engine is there no longer."""
        assert self._job is not None
        while not self._job.check():
            time.sleep(_POLL)
        return self._target.placed

    def reason(self) -> str:
        """Why there is no file."""
        error = self._target.error
        return "it was given up" if error is None else error.strerror or str(error)

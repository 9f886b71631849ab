"""A file that is written from the memory of this process in slices, between its other work.

To those who wait for the file, a :class:`Slicing` is what a :class:`~.children.Child` is: something
that goes on in the background and has an exit status one day.
"""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.persistence.background import base_files
from carnelian.persistence.background.children import STOPPED
from carnelian.persistence.background.freezing import Freezer
from carnelian.persistence.background.outputs import CommandOutput, RecordOutput
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import BaseTarget, SnapshotTarget, Target
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.file_writer import needed_version

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# Bytes that may wait for the disk before no further slice is taken, and for how long it is waited.
_MOST_BACKLOG = 16 * 1024 * 1024
_PATIENCE = 0.002

_numbers = itertools.count(1)


class Slicing:
    """A file in the making.

    The attributes are those of a child process, but ``pid``, which is a text that no other file in
    the making shares.
    """

    fork_us = 0

    def __init__(self, engine: Engine, target: Target, pid: str):
        self.pid = pid
        self.keys = 0
        self.private_bytes = self.peak_bytes = 0
        self.started = self.reported = time.monotonic()
        self.exit_status: int | None = None
        self._engine = engine
        self._target = target
        self._spool: Spool
        self._output: RecordOutput | CommandOutput
        self._freezer: Freezer | None = None
        self._pause = engine.config["rdb-key-save-delay"] / 1e6

    def begin(self, make: Callable[[int], tuple[Spool, RecordOutput | CommandOutput]]) -> None:
        """Freeze the data set. ``make`` is given the open file.

        Raises OSError, when the log has said so, or what has interrupted it.
        """
        fd = self._target.open()
        try:
            self._spool, self._output = make(fd)
        except BaseException as fault:
            os.close(fd)
            raise self._failed(fault) from fault
        try:
            self._freezer = Freezer(self._engine.keyspace, self._output)
        except BaseException as fault:
            self._spool.cancel()
            raise self._failed(fault) from fault

    def _failed(self, fault: BaseException) -> BaseException:
        """Why nothing was begun, as the error of the system that it comes from."""
        if not isinstance(fault, (OSError, MemoryError, RuntimeError)):
            self._target.remove()
            return fault
        number = errno.ENOMEM if isinstance(fault, MemoryError) else errno.EAGAIN
        error = OSError(number, os.strerror(number))
        self._target.fail(error)
        return error

    def step(self, budget_us: int) -> float | None:
        """Write some, for about that many microseconds.

        Returns after how many seconds there is more to write; None if there is nothing more, be it
        that the spool has all of it or that the file was given up.
        """
        freezer = self._freezer
        if freezer is None:
            return None
        if self._spool.ended.is_set():
            # Only an error ends it before everything is written.
            self._drop_freezer()
            return None
        if self._spool.backlog > _MOST_BACKLOG:
            return _PATIENCE
        try:
            freezer.step(1 if self._pause > 0 else budget_us)
            if not freezer.over:
                return max(self._pause, 0.0)
            self._output.end()
        except Exception as fault:
            self._engine.log("warning", f"The data set could not be written: {fault!r}")
            self._give_up(1)
            return None
        self._spool.finish()
        self._freezer = None
        return None

    def check(self) -> bool:
        """Whether it has ended."""
        if self.exit_status is None and self._spool.ended.is_set():
            self._drop_freezer()
            self.receive()
            if self._spool.error is not None:
                self._target.fail(self._spool.error)
            self.exit_status = 0 if self._spool.placed else 1
        return self.exit_status is not None

    def receive(self) -> None:
        """Bring the figures up to date."""
        self.keys = self._output.keys
        self.private_bytes = self._spool.backlog + self._output.held
        self.peak_bytes = max(self.peak_bytes, self.private_bytes)
        self.reported = time.monotonic()

    def kill(self) -> None:
        """Give it up, unless the file has just taken its place."""
        if self.exit_status is None:
            self._give_up(-STOPPED)

    def wait(self) -> None:
        """Wait for its end."""
        while not self.check():
            if self.step(100_000) is None:
                self._spool.ended.wait()

    def _give_up(self, status: int) -> None:
        self._drop_freezer()
        if self._spool.cancel():
            self._target.remove()
            self.exit_status = status

    def _drop_freezer(self) -> None:
        if self._freezer is not None:
            self._freezer.stop()
            self._freezer = None


def begin_snapshot(
    engine: Engine, name: str, facts: list[tuple[bytes, bytes]], functions: list[bytes]
) -> Slicing:
    """Begin a snapshot of that name. Raises OSError, when the log has said so."""
    pid = _new_pid()
    target = SnapshotTarget(engine, files.temporary_name(pid), files.locate(engine, name))
    slicing = Slicing(engine, target, pid)
    sync = engine.config["rdb-save-incremental-fsync"]
    slicing.begin(lambda fd: _records(engine, target, fd, sync, facts, functions))
    return slicing


def begin_base(engine: Engine, functions: list[bytes]) -> Slicing:
    """Begin the base of an append-only file, to be found under ``base_files.background_name``.

    Raises OSError, when the log has said so.
    """
    pid = _new_pid()
    path = files.locate(engine, base_files.background_name(pid))
    target = BaseTarget(engine, base_files.temporary_name(pid), path)
    slicing = Slicing(engine, target, pid)
    sync = engine.config["aof-rewrite-incremental-fsync"]
    if engine.config["aof-use-rdb-preamble"]:
        facts = files.facts(engine, True)
        slicing.begin(lambda fd: _records(engine, target, fd, sync, facts, functions))
    else:
        slicing.begin(lambda fd: _commands(engine, target, fd, sync, functions))
    return slicing


def _new_pid() -> str:
    return f"{os.getpid()}-{next(_numbers)}"


def _records(
    engine: Engine,
    target: Target,
    fd: int,
    sync: bool,
    facts: list[tuple[bytes, bytes]],
    functions: list[bytes],
) -> tuple[Spool, RecordOutput]:
    config = engine.config
    spool = Spool(fd, config["rdbchecksum"], sync, target)
    version = needed_version(engine.keyspace, config["rdb-version"], quickly=True)
    output = RecordOutput(
        engine.keyspace, version, spool, files.clocks(engine), config["rdbcompression"]
    )
    output.begin(facts, functions)
    return spool, output


def _commands(
    engine: Engine, target: Target, fd: int, sync: bool, functions: list[bytes]
) -> tuple[Spool, CommandOutput]:
    spool = Spool(fd, None, sync, target)
    output = CommandOutput(spool)
    output.begin(base_files.stamp(engine), functions)
    return spool, output

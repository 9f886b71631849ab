"""A data set that is written from the memory of this process in slices, between its other work."""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from carnelian.persistence.background.children import STOPPED
from carnelian.persistence.background.freezing import Freezer
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import Target

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# Bytes that may wait for the disk before no further slice is taken, and for how long it is waited.
_MOST_BACKLOG = 16 * 1024 * 1024
_PATIENCE = 0.002

_numbers = itertools.count(1)

# What brings a target its content, and what is given the content to form it: an ``Output`` of
# ``bytes/frozen`` with ``end()`` and the bytes that it has ``held`` back.
Making = tuple[Spool, Any]


class Slicing:
    """A target in the making, which is a job (see ``background``).

    ``exit_status`` is what that of a child process would be.
    """

    def __init__(self, engine: Engine, target: Target, pid: str):
        self.pid = pid
        self.target = target
        self.keys = 0
        self.private_bytes = self.peak_bytes = 0
        self.reported = time.monotonic()
        self.exit_status: int | None = None
        self._engine = engine
        self._spool: Spool
        self._output: Any
        self._freezer: Freezer | None = None
        self._pause = engine.config["rdb-key-save-delay"] / 1e6

    def begin(self, make: Callable[[Target, int], Making]) -> None:
        """Freeze the data set; see :func:`begin`."""
        fd = self.target.open()
        try:
            self._spool, self._output = make(self.target, fd)
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
            self.target.remove()
            return fault
        number = errno.ENOMEM if isinstance(fault, MemoryError) else errno.EAGAIN
        error = OSError(number, os.strerror(number))
        self.target.fail(error)
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
                self.target.fail(self._spool.error)
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
            self.target.remove()
            self.exit_status = status

    def _drop_freezer(self) -> None:
        if self._freezer is not None:
            self._freezer.stop()
            self._freezer = None


def begin(
    engine: Engine, make_target: Callable[[str], Target], make: Callable[[Target, int], Making]
) -> Slicing:
    """Begin to write the data set, as it is now, in slices.

    Args:
        engine: whose data set.
        make_target: is given a text that no other target shares, for names.
        make: is given the target and its open descriptor.

    Raises OSError, when the log has said so, or what has interrupted it.
    """
    pid = f"{os.getpid()}-{next(_numbers)}"
    slicing = Slicing(engine, make_target(pid), pid)
    slicing.begin(make)
    return slicing

"""Snapshots of some slots, as a job of the background whose output comes through a pipe."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.cluster.moving.slot_writing import SlotOutput, write_slots
from carnelian.net.loop import Loop
from carnelian.persistence.background.jobs import Job, Method, Outcome, Slot, Task
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import Target
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.replication.primary.socket_copies import Pipe, PipeTarget

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.persistence.background.slicing import Making
    from carnelian.persistence.rdb.files import Progress

_PIECE = 128 * 1024
_PIPE_SIZE = 1024 * 1024
# Bytes that wait to be sent before no more is read.
_MOST_WAITING = 1024 * 1024
# Seconds between two looks whether more may be read, or whether the job has ended.
_SOON = 0.002


class SlotSnapshot(Task):
    """One snapshot at a time.

    Args:
        background: where it is a job.
        engine: whose keys.
        loop: reads the pipe.
    """

    BEGUN = "Background slots snapshot started"
    CANNOT_FORK = "Can't take a snapshot of slots in background"
    ENDED = "Background slots snapshot"
    FAILED = "Background slots snapshot error"
    PURPOSE = "slots"

    def __init__(self, background: Slot, engine: Engine, loop: Loop):
        super().__init__(background)
        self._engine = engine
        self._loop = loop
        self._slots = b""
        self._target: PipeTarget | None = None
        self._pipe: Pipe | None = None
        self._outcome: Outcome | None = None
        self._piece: Callable[[bytes], object] = lambda data: None
        self._end: Callable[[bool], object] = lambda whole: None
        self._waiting: Callable[[], int] = lambda: 0
        self._stalled = False

    @property
    def active(self) -> bool:
        """Whether one is on its way."""
        return self._pipe is not None

    def begin_for(
        self,
        slots: bytes,
        piece: Callable[[bytes], object],
        end: Callable[[bool], object],
        waiting: Callable[[], int],
    ) -> bool:
        """Begin; returns whether it was begun, which it is not while there is another job.

        Args:
            slots: a byte for each slot, 1 for those that are wanted.
            piece: called with each part.
            end: called at the end, with whether it was whole.
            waiting: tells how much of it has not left yet.
        """
        if self.active or self.background.busy or self.background.method is Method.AT_ONCE:
            return False
        out, into = os.pipe()
        os.set_blocking(out, False)
        try:
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        except (OSError, AttributeError):
            pass  # it is smaller then
        self._slots = slots
        self._target = PipeTarget(self._engine.log, into, "sending a snapshot of slots")
        forks = self.background.method is Method.FORK
        if not self.background.begin(self):
            for fd in (out, into) if forks else (out,):
                os.close(fd)
            return False
        if forks:
            os.close(into)
        self._outcome = None
        self._piece, self._end, self._waiting = piece, end, waiting
        self._stalled = False
        self._pipe = Pipe(self._loop, out, self._read)
        self._pipe.listen(True)
        return True

    def give_up(self) -> None:
        """Nobody wants it any more."""
        if self._pipe is None:
            return
        self._end = lambda whole: None
        self._pipe.close()
        self._pipe = None
        self.background.kill(self)

    # -- The job -----------------------------------------------------------------------------------

    def target(self, pid: int | str) -> Target:
        assert self._target is not None
        return self._target

    def write(self, fd: int, progress: Progress) -> None:
        engine = self._engine
        write_slots(
            engine.keyspace,
            self._slots,
            fd,
            snapshots_of(engine).functions,
            engine.config["rdb-key-save-delay"],
            progress,
        )

    def freeze(self, target: Target, fd: int) -> Making:
        spool = Spool(fd, None, False, target)
        output = SlotOutput(self._slots, snapshots_of(self._engine).functions, spool)
        return spool, output

    def ended(self, job: Job, outcome: Outcome) -> None:
        self._outcome = outcome
        self._finish_if_over()

    # -- What comes out ----------------------------------------------------------------------------

    def _read(self) -> None:
        pipe = self._pipe
        if pipe is None or not pipe.is_open:
            return
        try:
            data = os.read(pipe.fd, _PIECE)
        except BlockingIOError:
            return
        if not data:
            pipe.close()
            self._look_for_end()
            return
        self._piece(data)
        if self._pipe is pipe and self._waiting() > _MOST_WAITING:
            pipe.listen(False)
            if not self._stalled:
                self._stalled = True
                self._loop.call_later(_SOON, self._go_on)

    def _go_on(self) -> None:
        pipe = self._pipe
        self._stalled = False
        if pipe is None or not pipe.is_open:
            return
        if self._waiting() > _MOST_WAITING:
            self._stalled = True
            self._loop.call_later(_SOON, self._go_on)
        else:
            pipe.listen(True)

    def _look_for_end(self) -> None:
        """All was written: the job ends in a moment."""
        if self.running:
            self.background.tick()
        if self.running:
            self._loop.call_later(_SOON, self._look_for_end)
        else:
            self._finish_if_over()

    def _finish_if_over(self) -> None:
        if self._outcome is None or self._pipe is None:
            return
        whole = self._outcome is Outcome.DONE
        if self._pipe.is_open:
            if whole:
                return  # some of it is still to be read
            self._pipe.close()
        self._pipe = None
        self._end(whole)

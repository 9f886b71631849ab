"""Copies that go straight to replicas: a job writes to a pipe, and what comes out of it is sent to
all of them.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from carnelian.net.loop import Channel
from carnelian.net.poller import READABLE
from carnelian.persistence.background.jobs import Job, Method, Outcome, Slot, Task
from carnelian.persistence.bytes.targets import Target
from carnelian.replication.history import random_id
from carnelian.replication.primary import copy_content

if TYPE_CHECKING:
    from collections.abc import Callable

    from carnelian.net.loop import Loop
    from carnelian.persistence.background.slicing import Making
    from carnelian.persistence.rdb.files import Progress
    from carnelian.replication.primary.replicas import Leader, Replica

_PIECE = 128 * 1024
_PIPE_SIZE = 1024 * 1024
# What may wait for one of the replicas before nobody is given more.
_MOST_WAITING = 1024 * 1024
# Seconds between two looks whether a job that has written everything has ended.
_SOON = 0.002


class PipeTarget(Target):
    """The end of a pipe; ``doing`` says in the log what has failed."""

    def __init__(self, log: Callable[[str, str], None], fd: int, doing: str):
        super().__init__(log)
        self._fd = fd
        self._doing = doing
        self.descriptors = (fd,)

    def open(self) -> int:
        return self._fd

    def explain_opening(self, error: OSError) -> None:
        self.explain(error)

    def explain(self, error: OSError) -> None:
        self.log("warning", f"Write error {self._doing}: {error.strerror}")


class Pipe(Channel):
    """The other end, where the content comes out."""

    def __init__(self, loop: Loop, fd: int, then: Callable[[], None]):
        super().__init__(fd)
        self._loop = loop
        self._then = then
        self.is_open = True

    def on_event(self, events: int) -> None:
        self._then()

    def listen(self, wanted: bool) -> None:
        """Be called when there is something, or not."""
        if self.is_open:
            self._loop.watch(self, READABLE if wanted else 0)

    def close(self) -> None:
        """Read nothing more."""
        if self.is_open:
            self.is_open = False
            self._loop.unwatch(self)
            os.close(self.fd)


class SocketCopies(Task):
    """One copy at a time, for a group of replicas."""

    BEGUN = "Background RDB transfer started"
    CANNOT_FORK = "Can't save in background"
    ENDED = "Background RDB transfer"
    FAILED = "Background transfer error"
    PURPOSE = "RDB"

    def __init__(self, background: Slot, primary: Leader):
        super().__init__(background)
        self._primary = primary
        self._engine = primary.engine
        self._group: list[Replica] = []
        self._mark = b""
        self._target: PipeTarget | None = None
        self._pipe: Pipe | None = None
        self._outcome: Outcome | None = None

    @property
    def active(self) -> bool:
        """Whether there is a copy on its way."""
        return self._pipe is not None

    def serves(self, replica: Replica) -> bool:
        """Whether a replica gets this one."""
        return replica in self._group

    # -- The job ---------------------------------------------------------------------------------

    def begin_for(self, group: list[Replica]) -> bool:
        """Begin; returns whether it was begun. The group is still to be added."""
        out, into = os.pipe()
        os.set_blocking(out, False)
        try:
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        except (OSError, AttributeError):
            pass  # it is smaller then
        self._target = PipeTarget(self._engine.log, into, "sending a copy to replicas")
        forks = self.background.method is Method.FORK
        if not self.background.begin(self):
            for fd in (out, into) if forks else (out,):
                os.close(fd)
            return False
        if forks:
            os.close(into)
        self._outcome = None
        self._mark = random_id().encode()
        self._pipe = Pipe(self._primary.replication.loop, out, self._read)
        self._pipe.listen(True)
        return True

    def target(self, pid: int | str) -> Target:
        assert self._target is not None
        return self._target

    def write(self, fd: int, progress: Progress) -> None:
        copy_content.write(self._engine, fd, progress)

    def freeze(self, target: Target, fd: int) -> Making:
        return copy_content.freeze(self._engine, target, fd)

    def ended(self, job: Job, outcome: Outcome) -> None:
        self._outcome = outcome
        self._finish_if_over()

    # -- Those who get it ------------------------------------------------------------------------

    def add(self, replica: Replica) -> None:
        """Have a replica get it, which has just been begun."""
        self._group.append(replica)
        replica.feed.put(b"$EOF:%s\r\n" % self._mark)
        replica.feed.source = lambda: self._more_wanted(replica)
        replica.session.pull()

    def remove(self, replica: Replica) -> None:
        """A replica has gone."""
        self._group.remove(replica)
        if not self._group and self._pipe is not None:
            self._engine.log(
                "warning",
                "Diskless rdb transfer, last replica dropped, killing fork child.",
            )
            self._pipe.close()
            self.background.kill(self)
            self._finish_if_over()
        else:
            self._go_on()

    def _more_wanted(self, replica: Replica) -> bool:
        self._go_on()
        return False

    def _go_on(self) -> None:
        """Read on, unless somebody has much to take yet."""
        if self._pipe is not None and self._pipe.is_open:
            behind = any(each.feed.waiting > _MOST_WAITING for each in self._group)
            self._pipe.listen(not behind)

    def _read(self) -> None:
        pipe = self._pipe
        if pipe is None or not pipe.is_open:
            return
        try:
            piece = os.read(pipe.fd, _PIECE)
        except BlockingIOError:
            return
        if not piece:
            self._engine.log(
                "warning",
                "Diskless rdb transfer, done reading from pipe, "
                f"{len(self._group)} replicas still up.",
            )
            pipe.close()
            self._look_for_end()
            return
        for replica in list(self._group):
            replica.feed.put(piece)
            replica.session.pull()
        self._go_on()

    # -- The end ---------------------------------------------------------------------------------

    def _look_for_end(self) -> None:
        """All was written: the job ends in a moment."""
        if self.running:
            self.background.tick()
        if self.running:
            self._primary.replication.loop.call_later(_SOON, self._look_for_end)
        else:
            self._finish_if_over()

    def _finish_if_over(self) -> None:
        """Tell the replicas, once the job has ended and all of it was read."""
        if self._outcome is None or self._pipe is None:
            return
        if self._pipe.is_open:
            if self._outcome is Outcome.DONE:
                return
            self._pipe.close()
        group, self._group = self._group, []
        self._pipe = self._target = None
        copies = self._primary.copies
        for replica in group:
            replica.feed.source = None
            replica.stalled_since_s = 0
            if self._outcome is Outcome.DONE:
                replica.feed.put(self._mark)
                copies.streamed(replica)
            else:
                copies.failed(replica)
        copies.begin_waiting()

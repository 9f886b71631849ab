"""A child process that writes a data set from the memory as it was when it was forked.

Two pipes join it with its parent. On one it reports, and asks for what only the parent may do: what
it has written takes the place of the last snapshot only while there is a parent, as that place is
the next owner's otherwise. The answer comes on the other one.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.datatypes.tables import entry
from carnelian.persistence.bytes.targets import Target

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# What a child reports: whether it asks for its target to be moved, keys it has written, bytes of
# memory that it does not share any more.
_REPORT = struct.Struct("<?qq")
# The errno of what it has asked for, 0 if that was done.
_ANSWER = struct.Struct("<i")
# Seconds between two reports, and by how many times the last one's cost.
_INTERVAL = 1.0
_PATIENCE = 100

# A child that was told to stop, not one that failed.
STOPPED = signal.SIGUSR1


class OrphanedError(Exception):
    """The parent of this process has ended."""


class Child:
    """A running child, which is a job (see ``background``).

    Args:
        pid: of the process.
        target: what it writes to.
        reports, answers: this process's ends of the pipes.
        fork_us: how many microseconds the fork took.
    """

    def __init__(self, pid: int, target: Target, reports: int, answers: int, fork_us: int):
        self.pid = pid
        self.target = target
        self.fork_us = fork_us
        self.keys = 0
        self.private_bytes = 0
        self.peak_bytes = 0
        self.reported = time.monotonic()
        self.exit_status: int | None = None
        self._reports = reports
        self._answers = answers
        self._asking = self._killed = False

    def check(self) -> bool:
        """Take what it has reported, do what it asks for; returns whether it has ended."""
        self.receive()
        if self.exit_status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 1 << 8
            if pid == 0:
                if self._asking and not self._killed:
                    self._move()
                return False
            self.receive()
            os.close(self._reports)
            os.close(self._answers)
            self.exit_status = os.waitstatus_to_exitcode(status)
        return True

    def _move(self) -> None:
        self._asking = False
        failure = 0
        try:
            self.target.move()
        except OSError as error:
            failure = error.errno or errno.EIO
        try:
            os.write(self._answers, _ANSWER.pack(failure))
        except OSError:
            # It does not wait for it any more: it has ended, and was not told to.
            pass

    def kill(self) -> None:
        """Tell it to stop; :meth:`check` will see the end. It gets nothing moved any more."""
        self._killed = True
        try:
            os.kill(self.pid, STOPPED)
        except ProcessLookupError:
            pass

    def wait(self) -> None:
        """Wait for its end."""
        while not self.check():
            time.sleep(0.001)

    def receive(self) -> None:
        """Take what it has reported."""
        if self.exit_status is not None:
            return
        try:
            data = os.read(self._reports, 64 * _REPORT.size)
        except BlockingIOError:
            return
        for asking, self.keys, self.private_bytes in _REPORT.iter_unpack(data):
            self._asking = self._asking or asking
            self.peak_bytes = max(self.peak_bytes, self.private_bytes)
            self.reported = time.monotonic()


class Parent:
    """The parent of this process, to a child.

    It is called with the number of keys written now and then, and told of it seldom enough to cost
    nothing. Raises OrphanedError.

    Args:
        pid: of the parent.
        reports, answers: this process's ends of the pipes.
    """

    def __init__(self, pid: int, reports: int, answers: int):
        self.keys = 0
        self._pid = pid
        self._reports = reports
        self._answers = answers
        os.set_blocking(reports, False)
        self._next = time.monotonic() + _INTERVAL

    @property
    def descriptors(self) -> tuple[int, int]:
        """The ends of the pipes."""
        return self._reports, self._answers

    def __call__(self, keys: int) -> None:
        self.keys = keys
        now = time.monotonic()
        if now >= self._next:
            self.report()
            end = time.monotonic()
            self._next = end + max(_INTERVAL, _PATIENCE * (end - now))

    def report(self) -> None:
        """Send a report now, unless there is no room for it. Raises OrphanedError."""
        self._send(False)

    def move(self) -> None:
        """Have the parent move the target of this process to its place, and wait until it has.

        Raises:
            OSError: it cannot be moved.
            OrphanedError: there is no parent any more; it was not moved.
        """
        while not self._send(True):
            self._wait(self._reports, select.POLLOUT)
        while not self._wait(self._answers, select.POLLIN):
            pass
        answer = os.read(self._answers, _ANSWER.size)
        if not answer:
            raise OrphanedError
        (failure,) = _ANSWER.unpack(answer)
        if failure:
            raise OSError(failure, os.strerror(failure))

    def _send(self, asking: bool) -> bool:
        try:
            os.write(self._reports, _REPORT.pack(asking, self.keys, private_bytes()))
        except BlockingIOError:
            return False
        except BrokenPipeError:
            raise OrphanedError from None
        return True

    def _wait(self, pipe: int, event: int) -> bool:
        """Wait for a pipe, for a while; returns whether something has happened to it."""
        poll = select.poll()
        poll.register(pipe, event)
        if poll.poll(_INTERVAL * 1000):
            return True
        # Another process that it has forked may hold the other ends of the pipes as well.
        if os.getppid() != self._pid:
            raise OrphanedError
        return False


def start(
    make_target: Callable[[int], Target],
    work: Callable[[Target, Parent], bool],
    prepare: Callable[[], None],
) -> Child:
    """Fork a child that runs ``work`` and exits with 0 if that returns True, else with 1.

    Args:
        make_target: is given the child's process id, and called in both processes.
        work: is given the target.
        prepare: runs in the child first.

    Raises OSError when there can be no child.
    """
    reports, reporting = os.pipe()
    try:
        answers, answering = os.pipe()
    except OSError:
        os.close(reports)
        os.close(reporting)
        raise
    parent = os.getpid()
    began = time.perf_counter()
    # A signal to stop that comes before the child can heed it is not lost.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {STOPPED})
    try:
        # Whatever the collector would look at, and so copy, it is to leave alone.
        gc.freeze()
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for fd in (reports, reporting, answers, answering):
            os.close(fd)
        raise
    if pid == 0:
        _be_child(make_target, work, prepare, (parent, reporting, answers), mask)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    fork_us = int((time.perf_counter() - began) * 1e6)
    os.close(reporting)
    os.close(answers)
    os.set_blocking(reports, False)
    return Child(pid, make_target(pid), reports, answering, fork_us)


def _be_child(
    make_target: Callable[[int], Target],
    work: Callable[[Target, Parent], bool],
    prepare: Callable[[], None],
    parentage: tuple[int, int, int],
    mask: set[signal.Signals | int],
) -> None:
    status = 1
    try:
        gc.disable()
        _leave_signals_alone()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        parent = Parent(*parentage)
        target = make_target(os.getpid())
        target.ask = parent.move
        _close_all_but(*parent.descriptors, *target.descriptors)
        prepare()
        if work(target, parent):
            parent.report()
            status = 0
    finally:
        os._exit(status)


def _leave_signals_alone() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)


def _close_all_but(*kept: int) -> None:
    """Close what was open: clients would not see the end of connections that stay open here."""
    first = 3
    for fd in sorted(kept):
        os.closerange(first, fd)
        first = max(first, fd + 1)
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def note_fork(engine: Engine, child: Child) -> None:
    """Take down what a fork cost, and share memory from now on: nothing is moved without need."""
    count_fork(engine, child.fork_us)
    entry.share_memory(True)
    engine.keyspace.hold_resizes(True)
    engine.keyspace.touching = False


def count_fork(engine: Engine, fork_us: int) -> None:
    """Take down what a fork cost."""
    facts = engine.facts
    facts["latest_fork_usec"] = fork_us
    facts["total_forks"] = facts.get("total_forks", 0) + 1
    engine.latency.add("fork", fork_us // 1000, engine.clock.ms // 1000)


def note_end(engine: Engine) -> None:
    """Memory is shared with no child any more."""
    entry.share_memory(False)
    engine.keyspace.hold_resizes(False)
    engine.keyspace.touching = not engine.keyspace.lrm


def report_private(log: Callable[[str, str], None], purpose: str) -> None:
    """Say in a child's log how much memory is its own."""
    private = private_bytes() >> 20
    if private:
        log(
            "notice",
            f"Fork CoW for {purpose}: current {private} MB, peak {private} MB, average {private} "
            "MB",
        )


def private_bytes() -> int:
    """Bytes of this process that it has written to since the fork; 0 where that is not known."""
    try:
        with open("/proc/self/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Private_Dirty:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0

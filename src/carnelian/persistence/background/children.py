"""A child process that writes a file from the memory as it was when it was forked."""

from __future__ import annotations

import gc
import os
import signal
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.datatypes.tables import entry

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# What a child reports: keys it has written, bytes of memory that it does not share any more.
_REPORT = struct.Struct("<qq")
# Seconds between two reports, and by how many times the last one's cost.
_INTERVAL = 1.0
_PATIENCE = 100

# A child that was told to stop, not one that failed.
STOPPED = signal.SIGUSR1

Report = Callable[[int], None]


class Child:
    """A running child; :meth:`check` tells when it has ended.

    ``keys`` and ``private_bytes`` are what it has reported last, ``exit_status`` its status when
    it has ended, negative for the signal that ended it. ``fork_us`` is how long the fork took.
    """

    def __init__(self, pid: int, pipe: int, fork_us: int):
        self.pid = pid
        self.fork_us = fork_us
        self.started = time.monotonic()
        self.keys = 0
        self.private_bytes = 0
        self.peak_bytes = 0
        self.reported = self.started
        self.exit_status: int | None = None
        self._pipe = pipe

    def check(self) -> bool:
        """Take what it has reported; returns whether it has ended."""
        self.receive()
        if self.exit_status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 1 << 8
            if pid == 0:
                return False
            self.receive()
            os.close(self._pipe)
            self.exit_status = os.waitstatus_to_exitcode(status)
        return True

    def kill(self) -> None:
        """Tell it to stop; :meth:`check` will see the end."""
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
            data = os.read(self._pipe, 64 * _REPORT.size)
        except BlockingIOError:
            return
        whole = len(data) // _REPORT.size * _REPORT.size
        if whole:
            self.keys, self.private_bytes = _REPORT.unpack_from(data, whole - _REPORT.size)
            self.peak_bytes = max(self.peak_bytes, self.private_bytes)
            self.reported = time.monotonic()


def start(work: Callable[[Report], bool], prepare: Callable[[], None]) -> Child:
    """Fork a child that runs ``work`` and exits with 0 if that returns True, else with 1.

    ``work`` is given a function to call now and then with the number of keys written. ``prepare``
    runs in the child first. Raises OSError when there can be no child.
    """
    receiving, sending = os.pipe()
    began = time.perf_counter()
    # A signal to stop that comes before the child can heed it is not lost.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {STOPPED})
    try:
        # Whatever the collector would look at, and so copy, it is to leave alone.
        gc.freeze()
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(receiving)
        os.close(sending)
        raise
    if pid == 0:
        _be_child(work, prepare, sending, mask)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    fork_us = int((time.perf_counter() - began) * 1e6)
    os.close(sending)
    os.set_blocking(receiving, False)
    return Child(pid, receiving, fork_us)


def _be_child(
    work: Callable[[Report], bool],
    prepare: Callable[[], None],
    pipe: int,
    mask: set[signal.Signals | int],
) -> None:
    status = 1
    try:
        gc.disable()
        _leave_signals_alone()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _close_all_but(pipe)
        os.set_blocking(pipe, False)
        prepare()
        reporter = _Reporter(pipe)
        if work(reporter):
            reporter.send(reporter.keys)
            status = 0
    finally:
        os._exit(status)


def _leave_signals_alone() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)


def _close_all_but(fd: int) -> None:
    """Close what was open: clients would not see the end of connections that stay open here."""
    os.closerange(3, fd)
    os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))


class _Reporter:
    """Sends reports to the parent, seldom enough to cost nothing."""

    def __init__(self, pipe: int):
        self.keys = 0
        self._pipe = pipe
        self._next = time.monotonic() + _INTERVAL

    def __call__(self, keys: int) -> None:
        self.keys = keys
        now = time.monotonic()
        if now >= self._next:
            self.send(keys)
            end = time.monotonic()
            self._next = end + max(_INTERVAL, _PATIENCE * (end - now))

    def send(self, keys: int) -> None:
        """Send a report now."""
        try:
            os.write(self._pipe, _REPORT.pack(keys, private_bytes()))
        except OSError:
            pass


def note_fork(engine: Engine, child: Child) -> None:
    """Take down what a fork cost, and share memory from now on: nothing is moved without need."""
    facts = engine.facts
    facts["latest_fork_usec"] = child.fork_us
    facts["total_forks"] = facts.get("total_forks", 0) + 1
    engine.latency.add("fork", child.fork_us // 1000, engine.clock.ms // 1000)
    entry.share_memory(True)
    engine.keyspace.hold_resizes(True)
    engine.keyspace.touching = False


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

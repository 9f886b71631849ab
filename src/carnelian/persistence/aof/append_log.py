"""The file that every write is appended to: gathered in memory, written once for all commands of a
loop turn before their replies are sent, and forced to the disk as ``appendfsync`` says.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.engine.shared.effects import Listener
from cython.cimports.carnelian.persistence.aof.syncing import Syncer
from cython.cimports.carnelian.persistence.bytes.libc import ftruncate, sync_content, usleep
from cython.cimports.carnelian.resp.command_buffer import CommandBuffer
from cython.cimports.carnelian.resp.numbers import format_int
from cython.cimports.libc.errno import EINTR, ENOSPC, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.posix.unistd import write

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# When what was written is forced to the disk (appendfsync).
NEVER, EVERY_SECOND, ALWAYS = range(3)

_NEVER = cython.declare(cython.int, NEVER)
_EVERY_SECOND = cython.declare(cython.int, EVERY_SECOND)
_ALWAYS = cython.declare(cython.int, ALWAYS)
# Seconds for which a write waits for the disk to be done with the last one.
_PATIENCE = cython.declare(int64_t, 2)
# Seconds after which a write that waits for the disk is tried again.
_RETRY = cython.declare(cython.double, 0.005)
# Bytes that are written even if writes may be gathered for longer.
_MOST_GATHERED = cython.declare(cython.Py_ssize_t, 64 * 1024)
# Seconds between two lines of the log about errors.
_ERROR_INTERVAL = cython.declare(int64_t, 30)


@cython.final
@cython.cclass
class AppendLog(Listener):
    """Appends what the engine propagates to the file ``fd``, -1 while there is none.

    - ``policy`` is NEVER, EVERY_SECOND or ALWAYS;
    - ``accepting``: whether commands are taken at all;
    - ``interval_ms``: for how long writes may be gathered before they are handed to the system
      (``aof-write-interval``); 0: not longer than the turn takes;
    - ``stamping``: annotate in which second commands were run (``aof-timestamp-enabled``);
    - ``rewriting``: a child writes to the disk; with ``unsynced_on_rewrite`` nothing is then
      forced there (``no-appendfsync-on-rewrite``);
    - ``size``: bytes in the file; ``total_size``: with all files that belong to it;
    - ``delayed``: how often a write could wait no longer for the disk;
    - ``failed``, ``failure``: whether the last write failed, and its errno; ``on_outcome()`` is
      called when the first has changed, or what the syncer says of the disk;
    - ``broken``: forcing the file to the disk has failed. What it holds there is not known, so
      nothing more is written to it;
    - ``shared``: the process is not the log's own. It does not end when a promise to have something
      on the disk cannot be kept, and whoever has such a promise to keep calls :meth:`await_sync`;
    - ``offset``: bytes taken until now, in all;
    - ``waiters``: with any, ``on_commit()`` is called at the end of each turn;
    - ``on_waiting()`` is called when writes begin to wait: :meth:`flush` is to be called when
      :meth:`patience` says so, unless another turn does before.
    """

    def __init__(self, engine: Engine, syncer: Syncer):
        self.engine = engine
        self.clock = engine.clock
        self.syncer = syncer
        self.buffer = CommandBuffer()
        self.fd = -1
        self.policy = EVERY_SECOND
        self.accepting = self.stamping = self.unsynced_on_rewrite = self.rewriting = False
        self.shared = False
        self.failed = self.broken = False
        self.failure = self.sync_failure = 0
        self.syncing_lock = threading.Lock()
        self.size = self.total_size = self.synced_size = 0
        self.offset = self.synced_offset = 0
        self.last_sync_s = self.clock.ms // 1000
        self.postponed_s = self.stamp_s = self.complained_s = 0
        self.interval_ms = self.gathered_ms = 0
        self.delayed = self.sleep_us = 0
        self.waiters = 0
        self.on_commit: Callable[[], None] | None = None
        self.on_outcome: Callable[[], None] | None = None
        self.on_waiting: Callable[[], None] | None = None

    # -- Commands --------------------------------------------------------------------------------

    @cython.cfunc
    def receive(self, text: cython.pointer[cython.const[cython.char]], length: cython.Py_ssize_t):
        """Gather what was written."""
        if not self.accepting:
            return
        before: cython.Py_ssize_t = self.buffer.length
        if self.stamping:
            self.stamp()
        self.buffer.put(text, length)
        self.offset += self.buffer.length - before

    def stamp(self) -> cython.int:
        """Note the time, if it is another second than the last time."""
        now: int64_t = self.clock.ms // 1000
        if self.stamp_s < now:
            self.stamp_s = now
            self.buffer.raw(b"#TS:" + format_int(now) + b"\r\n")
        return 0

    # -- Files -----------------------------------------------------------------------------------

    def open(self, fd: cython.int, size: cython.longlong) -> None:
        """Go on in a file that holds ``size`` bytes."""
        self.fd = fd
        self.size = self.synced_size = size
        self.broken = False

    def replace(self, fd: cython.int) -> None:
        """Go on in a new file. What is left to do for the old one is done in the background."""
        with self.syncing_lock:
            if self.fd >= 0:
                self.syncer.close(self.fd, self.offset - self.buffer.length)
                self.last_sync_s = self.clock.ms // 1000
            self.open(fd, 0)

    def close(self) -> None:
        """Write and force everything to the disk, and be done with the file."""
        self.flush(True)
        with self.syncing_lock:
            if self.fd >= 0:
                self.finish_sync()
                os.close(self.fd)
            self.open(-1, 0)
        self.accepting = False
        self.discard()

    def finish_sync(self) -> bool:
        """Force the file to the disk now; returns whether it could be, and logs why not."""
        try:
            os.fsync(self.fd)
        except OSError as error:
            self.engine.log("warning", f"Fail to fsync the AOF file: {error.strerror}")
            self.failure = error.errno or 0
            return False
        self.last_sync_s = self.clock.ms // 1000
        self.synced_size = self.size
        self.synced_offset = self.offset - self.buffer.length
        return True

    def discard(self) -> None:
        """Forget what was gathered and not written."""
        self.buffer.clear()
        self.postponed_s = self.gathered_ms = 0

    @property
    def waiting(self) -> bool:
        """Whether a write waits for the disk, or for others."""
        return self.postponed_s != 0 or self.gathered_ms != 0

    def patience(self) -> float:
        """For how many seconds :attr:`waiting` writes wait before :meth:`flush` is called."""
        left: cython.double
        if self.postponed_s or not self.gathered_ms:
            return _RETRY
        left = self.gathered_ms + self.interval_ms - self.clock.wall_ms()
        return max(left, 0.0) / 1000

    @property
    def settled(self) -> bool:
        """Whether everything that was taken has been forced to the disk."""
        if self.fd < 0:
            return True
        return self.buffer.length == 0 and self.synced_size == self.size and not self.broken

    @property
    def restless(self) -> bool:
        """Whether :meth:`flush` has something to do, now or later."""
        return not self.settled and (self.policy != _NEVER or self.buffer.length > 0)

    def is_synced(self, offset: int) -> bool:
        """Whether what was taken up to an offset is known to be on the disk."""
        synced: int64_t = self.syncer.synced_offset
        if synced > self.synced_offset:
            self.synced_offset = synced
        return self.fd >= 0 and self.synced_offset >= offset

    # -- Writing ---------------------------------------------------------------------------------

    @cython.ccall
    def commit(self):
        """Write what a turn of the loop has gathered."""
        self.flush(False)
        if self.syncer.failure != self.sync_failure:
            self.sync_failure = self.syncer.failure
            if self.on_outcome is not None:
                self.on_outcome()
        if self.waiters and self.on_commit is not None:
            self.on_commit()

    @cython.ccall
    def flush(self, force: cython.bint = False):
        """Write what was gathered, and force it to the disk if it is time.

        Args:
            force: write even if the disk is busy, which may take its time.

        Raises:
            SystemExit: what a reply promises to be on the disk could not be brought there, and
                the process is the log's own.
        """
        syncing: cython.bint = False
        if self.fd < 0 or self.broken:
            return
        if self.buffer.length == 0:
            if self.synced_size == self.size or self.policy == _NEVER:
                return
            if self.policy == _EVERY_SECOND and (
                self.clock.ms // 1000 <= self.last_sync_s or self.syncer.pending
            ):
                return
            self.sync(False, force)
            return
        if self.interval_ms and not force and self.gathers():
            return
        if self.policy == _EVERY_SECOND:
            syncing = self.syncer.busy
            if syncing and not force and self.postpone():
                return
        if self.write_out(syncing):
            self.sync(syncing, force)

    def gathers(self) -> cython.bint:
        """Whether there is still time for more writes to be gathered."""
        if self.policy == _ALWAYS or self.buffer.length >= _MOST_GATHERED:
            return False
        if self.gathered_ms == 0:
            self.gathered_ms = self.clock.ms
            self.note_waiting()
            return True
        return self.clock.ms - self.gathered_ms < self.interval_ms

    def note_waiting(self) -> None:
        """Writes begin to wait."""
        if self.on_waiting is not None:
            self.on_waiting()

    def postpone(self) -> cython.bint:
        """The disk is busy: whether there is still time to wait for it."""
        now: int64_t = self.clock.ms // 1000
        if self.postponed_s == 0:
            self.postponed_s = now
            self.note_waiting()
            return True
        if now - self.postponed_s < _PATIENCE:
            return True
        self.delayed += 1
        self.engine.log(
            "notice",
            "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer "
            "without waiting for fsync to complete, this may slow down Redis.",
        )
        return False

    def write_out(self, syncing: cython.bint) -> cython.bint:
        """Write the buffer; returns whether all of it was written."""
        watched: cython.bint = self.engine.latency.threshold_ms > 0
        started: int64_t
        written: cython.Py_ssize_t
        if self.sleep_us:
            with cython.nogil:
                usleep(self.sleep_us)
        started = self.clock.monotonic_ns() if watched else 0
        with cython.nogil:
            written = self.write_some()
        if watched:
            if syncing:
                self.note("aof-write-pending-fsync", started)
            elif self.rewriting:
                self.note("aof-write-active-child", started)
            else:
                self.note("aof-write-alone", started)
            self.note("aof-write", started)
        self.postponed_s = self.gathered_ms = 0
        if written != self.buffer.length:
            self.note_failure(written)
            return False
        if self.failed:
            self.engine.log("warning", "AOF write error looks solved, Redis can write again.")
            self.note_outcome(False)
        self.size += written
        self.total_size += written
        self.buffer.clear()
        return True

    def write_some(self) -> cython.Py_ssize_t:
        """Write as much of the buffer as the disk takes: how many bytes, -1 if none."""
        done: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        while done < self.buffer.length:
            count = write(self.fd, self.buffer.data + done, self.buffer.length - done)
            if count < 0:
                if errno == EINTR:
                    continue
                return done if done else -1
            done += count
        return done

    def note_failure(self, written: cython.Py_ssize_t):
        """Not everything was written: bring the file back to where it was, and try again later."""
        self.failure = errno if written < 0 else ENOSPC
        log = self.engine.log
        now: int64_t = self.clock.ms // 1000
        loud: cython.bint = now - self.complained_s > _ERROR_INTERVAL
        if loud:
            self.complained_s = now
        if written < 0:
            if loud:
                log("warning", f"Error writing to the AOF file: {os.strerror(self.failure)}")
        else:
            if loud:
                log(
                    "warning",
                    f"Short write while writing to the AOF file: (nwritten={written}, "
                    f"expected={self.buffer.length})",
                )
            if ftruncate(self.fd, self.size) == 0:
                written = -1
            elif loud:
                log(
                    "warning",
                    "Could not remove short write from the append-only file.  Redis may refuse to "
                    "load the AOF the next time it starts.  ftruncate: " + os.strerror(errno),
                )
        if self.policy == _ALWAYS and not self.shared:
            log(
                "warning",
                "Can't recover from AOF write error when the AOF fsync policy is 'always'. "
                "Exiting...",
            )
            raise SystemExit(1)
        if written > 0:
            self.size += written
            self.total_size += written
            self.buffer.drop(written)
        self.note_outcome(True)

    def note_outcome(self, failed: cython.bint):
        """The last write failed, or did not."""
        self.failed = failed
        if self.on_outcome is not None:
            self.on_outcome()

    # -- Forcing to the disk ---------------------------------------------------------------------

    def sync(self, syncing: cython.bint, force: cython.bint):
        """Force the file to the disk, if the policy says that it is time."""
        now: int64_t
        if self.unsynced_on_rewrite and self.rewriting:
            return
        if self.policy == _ALWAYS:
            if force or not self.shared:
                self.sync_now()
        elif self.policy == _EVERY_SECOND:
            now = self.clock.ms // 1000
            if now > self.last_sync_s and not self.syncer.pending:
                self.syncer.sync(self.fd, self.offset - self.buffer.length)
                self.synced_size = self.size
                self.last_sync_s = now

    def sync_now(self):
        """Force the file to the disk before anything else happens."""
        watched: cython.bint = self.engine.latency.threshold_ms > 0
        started: int64_t = self.clock.monotonic_ns() if watched else 0
        if self.force_out() and watched:
            self.note("aof-fsync-always", started)

    def force_out(self) -> cython.bint:
        """Force to the disk what has been written until now; returns whether that was done."""
        # Other threads may write meanwhile.
        offset: int64_t = self.offset - self.buffer.length
        size: int64_t = self.size
        outcome: cython.int
        with cython.nogil:
            outcome = sync_content(self.fd)
        if outcome < 0:
            self.note_sync_failure()
            return False
        # Another thread may have done more meanwhile.
        self.synced_size = max(self.synced_size, size)
        self.synced_offset = max(self.synced_offset, offset)
        self.last_sync_s = self.clock.ms // 1000
        return True

    def note_sync_failure(self):
        """What was written may be on the disk, or not, or in part: there is no trying again."""
        self.failure = errno
        what: str = (
            "Can't persist AOF for fsync error when the AOF fsync policy is 'always': "
            + os.strerror(self.failure)
        )
        if self.shared:
            # The owner does what follows from it, when no other thread is in the engine.
            self.engine.log("warning", what)
            self.failed = self.broken = True
            return
        self.engine.log("warning", f"{what}. Exiting...")
        raise SystemExit(1)

    @cython.ccall
    def await_sync(self):
        """Return when everything written until now is on the disk, or has failed to get there.

        For owners who let several threads write: one forces to the disk what all have written,
        while the engine goes on. :meth:`is_synced` tells how it went.
        """
        offset: int64_t = self.offset - self.buffer.length
        with self.syncing_lock:
            if self.fd >= 0 and not self.broken and not self.is_synced(offset):
                self.force_out()

    def note(self, event: str, started: int64_t):
        """Tell the latency monitor how long something took."""
        milliseconds: int64_t = (self.clock.monotonic_ns() - started) // 1_000_000
        self.engine.latency.add(event, milliseconds, self.clock.ms // 1000)

"""Giving slots away: what the node does that has them, without I/O.

First a snapshot of the keys goes out, as commands; meanwhile what happens to them is kept, and
follows. When the other side has come close, writes are paused, the rest is sent, and the other side
is told that this was all. It asks once more before it takes the slots: from the moment that the
answer is sent this node serves no writes until it knows what has become of it.

What is said, as commands of the stream (``CLUSTER SYNCSLOTS ...``):

- from here: ``SNAPSHOT-EOF``, ``STREAM-EOF``, ``CONFIRM <ms>``; PING now and then;
- from there: ``ACK <bytes>`` so much of the stream was applied, ``CLAIM`` all of it was: may the
  slots be taken?, ``FAIL <why>``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.moving import migration_task
from carnelian.cluster.moving.migration_task import MigrationTask, message

SNAPSHOT = "send-bulk-and-stream"
STREAM = "send-stream"
PREPARING = "handoff-prep"
HANDOFF = "handoff"
ENDED = "stream-eof"
CONFIRMED = "stream-done"

# Milliseconds without anything to send after which a PING goes out.
_QUIET_MS = 1000
_PING = b"*1\r\n$4\r\nPING\r\n"


class ExportAround(Protocol):
    """What an export asks of its node. Sizes are in bytes, times in milliseconds."""

    @property
    def handoff_max_lag(self) -> int:
        """The lag at which writes are paused."""

    @property
    def write_pause_timeout(self) -> int:
        """How long they are paused at most."""

    @property
    def drain_timeout(self) -> int:
        """How long the other side may take to come close, once it has the snapshot."""

    @property
    def silence_timeout(self) -> int:
        """How long it may be silent."""

    @property
    def most_waiting(self) -> int:
        """How much may wait to be sent; 0 is no limit."""

    def now_ms(self) -> int:
        """The time, on a clock that goes evenly."""

    def log(self, level: str, text: str) -> None:
        """Write a line of log."""

    def put(self, data: bytes) -> None:
        """Send, after all that was sent before."""

    def waiting(self) -> int:
        """How much of it has not left yet."""

    def hang_up(self) -> None:
        """End the connection once everything is sent."""

    def begin(self, piece: Callable[[bytes], None], end: Callable[[bool], None]) -> bool:
        """Begin a snapshot of the slots, and from the same moment tell of changes, by
        :meth:`Export.changed`; False if there can be none now.

        Args:
            piece: called with each part of the snapshot.
            end: called when that was all, or nothing more comes.
        """

    def end_stream(self) -> None:
        """Tell of changes no longer; nor go on with a snapshot."""

    def settle(self) -> bool:
        """Have everything told that has been done; False while something goes on that may still
        write (a script that runs long).
        """

    def pause(self, milliseconds: int) -> None:
        """Let writes wait for so long from now on."""

    def resume(self) -> None:
        """Let them go on."""

    def still_ours(self) -> bool:
        """Whether all slots belong to this node, which leads."""

    def promise(self) -> None:
        """Note, on the disk, that the slots may be taken. Raises OSError, and ClusterError if the
        other node is not known any more.
        """

    def theirs(self) -> bool:
        """Whether all slots belong to the other node."""

    def reassure(self) -> None:
        """The slots were promised, and nobody has taken them: make sure that they are ours."""


class Export:
    """One attempt to give slots away.

    Args:
        task: to be kept up.
        around: the node.
        on_end: called once it is over.
    """

    def __init__(self, task: MigrationTask, around: ExportAround, on_end: Callable[[], object]):
        self.task = task
        self._around = around
        self._on_end = on_end
        self._kept: deque[bytes] = deque()
        self._kept_size = 0
        self._sent = self._acknowledged = 0
        self._snapshot_over = False
        self._linked = True
        self._over = False
        self._paused_at = -1
        self._confirmed_at = -1
        self._heard_at = self._put_at = self._drain_from = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self._over

    @property
    def is_promised(self) -> bool:
        """Whether the other side may have taken the slots already."""
        return self._confirmed_at >= 0 and not self._over

    @property
    def lag(self) -> int:
        """Bytes that the other side has not applied yet."""
        return self._sent - self._acknowledged

    def begin(self) -> bool:
        """Begin to send; False if that cannot be now."""
        around = self._around
        self._heard_at = self._put_at = around.now_ms()
        if not around.begin(self._snapshot_part, self._snapshot_end):
            self._over = True
            return False
        self.task.state = SNAPSHOT
        return True

    # -- What goes out -----------------------------------------------------------------------------

    def _put(self, data: bytes) -> None:
        self._sent += len(data)
        self._put_at = self._around.now_ms()
        self._around.put(data)

    def _snapshot_part(self, data: bytes) -> None:
        if not self._over:
            self._put(data)

    def _snapshot_end(self, whole: bool) -> None:
        if self._over:
            return
        if not whole:
            self.fail("Failed to send slots snapshot")
            return
        self._snapshot_over = True
        self._put(message(b"SNAPSHOT-EOF"))
        for data in self._kept:
            self._put(data)
        self._kept.clear()
        self._kept_size = 0
        self.task.state = STREAM
        self._drain_from = self._around.now_ms()

    def changed(self, data: bytes) -> None:
        """Something has happened to the keys: whole commands."""
        if self._over:
            return
        if self.task.state in (ENDED, CONFIRMED):
            # Nothing should have written; what has is not to be lost.
            self.fail("Keys of the slots have changed after the end of the stream")
            return
        if self._snapshot_over:
            self._put(data)
        else:
            self._kept.append(data)
            self._kept_size += len(data)
        most = self._around.most_waiting
        if most and self._kept_size + self._around.waiting() > most:
            self._around.log(
                "warning",
                f"Slot migration {self.task.id} has more to send than the output buffer limit of "
                "replicas allows",
            )
            self.fail("Output buffer limit reached")

    # -- What comes in -----------------------------------------------------------------------------

    def acknowledged(self, count: int) -> None:
        """The other side has applied so many bytes."""
        self._heard_at = self._around.now_ms()
        if count <= self._sent:
            self._acknowledged = max(self._acknowledged, count)
        self._hand_over_if_close()

    def asked(self) -> None:
        """The other side has applied everything, and asks whether it may take the slots."""
        around = self._around
        self._heard_at = around.now_ms()
        if self._over or self.task.state != ENDED:
            return
        if not around.still_ours():
            self.cancel("slots configuration updated")
            return
        if self._pause_is_over():
            self._time_out()
            return
        try:
            around.promise()
        except OSError as error:
            self.fail(f"Cannot note what is promised: {error.strerror}")
            return
        except ClusterError as error:
            self.fail(str(error))
            return
        # The pause has to outlast what was promised.
        self._confirmed_at = around.now_ms()
        around.pause(around.write_pause_timeout + 2000)
        self.task.state = CONFIRMED
        self._put(message(b"CONFIRM", b"%d" % around.write_pause_timeout))

    def refused(self, why: str) -> None:
        """The other side has given up."""
        self.fail(f"Destination has failed: {why}")

    def link_lost(self) -> None:
        """The connection has ended."""
        self._linked = False
        if not self._over and self._confirmed_at < 0:
            self.fail("Main channel - Connection lost")

    def owners_changed(self) -> None:
        """Slots have changed hands."""
        if self._over:
            return
        if self._around.theirs():
            self._end(migration_task.COMPLETED, "")
        elif not self._around.still_ours():
            self.cancel("slots configuration updated")

    # -- Time --------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Some time has passed: called about ten times a second."""
        if self._over:
            return
        around, now = self._around, self._around.now_ms()
        if self._confirmed_at >= 0:
            self._await_outcome(now)
            return
        if self._paused_at >= 0 and self._pause_is_over():
            self._time_out()
            return
        if now - self._heard_at > around.silence_timeout:
            self.fail("Main channel - Connection timeout")
            return
        if self.task.state == STREAM and now - self._drain_from > around.drain_timeout:
            self.fail("Sync buffer drain timeout")
            return
        self._hand_over_if_close()
        if self.task.state == STREAM and now - self._put_at >= _QUIET_MS:
            self._put(_PING)

    def _await_outcome(self, now: int) -> None:
        """The slots were promised: they are ours again if nobody has taken them by then."""
        if now - self._confirmed_at < self._around.write_pause_timeout:
            return
        self._around.reassure()
        self._time_out()

    def _pause_is_over(self) -> bool:
        return self._around.now_ms() - self._paused_at >= self._around.write_pause_timeout

    def _time_out(self) -> None:
        self.fail("Write pause timeout")

    # -- Handing over ------------------------------------------------------------------------------

    def _hand_over_if_close(self) -> None:
        around = self._around
        if self._over or self.task.state not in (STREAM, PREPARING):
            return
        if self.task.state == STREAM:
            if self.lag > around.handoff_max_lag:
                return
            if not around.settle():
                return
            self._paused_at = around.now_ms()
            around.pause(around.write_pause_timeout + 2000)
            self.task.state = PREPARING
        if not around.settle():
            return
        if self._over:
            return
        self.task.state = HANDOFF
        if self._pause_is_over():
            self._time_out()
            return
        self._put(message(b"STREAM-EOF"))
        self.task.state = ENDED

    # -- The end -----------------------------------------------------------------------------------

    def fail(self, why: str) -> None:
        """Go on as the owner of the slots."""
        self._end(migration_task.FAILED, why)

    def cancel(self, why: str) -> None:
        """The same, because somebody wants it."""
        self._end(migration_task.CANCELED, why)

    def _end(self, state: str, why: str) -> None:
        if self._over:
            return
        self._over = True
        around, now = self._around, self._around.now_ms()
        around.end_stream()
        if self._paused_at >= 0:
            if state == migration_task.COMPLETED:
                self.task.write_pause_ms = now - self._paused_at
            around.resume()
        self._kept.clear()
        self._kept_size = 0
        if self._linked:
            if state != migration_task.COMPLETED:
                around.put(message(b"FAIL", why.encode("utf-8", "replace")))
            around.hang_up()
        self.task.end(state, why)
        level = "notice" if state == migration_task.COMPLETED else "warning"
        around.log(level, self.task.ended_line())
        self._on_end()

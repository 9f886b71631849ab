"""Deleting the keys of slots that are not this node's any more, or have not become so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.cluster.moving.migration_task import PAUSE_PURPOSE, Ranges, shown_ranges, slots_of
from carnelian.net.protocol import Host

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.keyspace.database import Database

# Milliseconds that it goes on before others are served.
_SLICE_NS = 1_000_000
# Keys that are deleted at a time, and told of in one command.
_BATCH = 64
# Seconds until it is looked again whether anything may be deleted.
_PATIENCE = 0.02


class Trim:
    """Slots whose keys go."""

    def __init__(self, ranges: Ranges, then: Callable[[], object]):
        self.ranges = ranges
        self.left = deque(slots_of(ranges))
        self.then = then


class Trimming:
    """Deletes keys a moment at a time, and has replicas and the log do the same.

    Clients are not notified of it: the keys are not gone, but somewhere else.

    - ``started``, ``completed``, ``cancelled``: how many sets of slots;
    - ``keys``, ``trimmed``: of the set that is being deleted, or was last: how many there were,
      and how many of them have gone.
    """

    def __init__(self, engine: Engine, host: Host, leads: Callable[[], bool]):
        self._engine = engine
        self._host = host
        self._leads = leads
        self._trims: deque[Trim] = deque()
        self._planned = False
        self.started = self.completed = self.cancelled = 0
        self.keys = self.trimmed = 0

    def __len__(self) -> int:
        return len(self._trims)

    @property
    def _db(self) -> Database:
        return self._engine.keyspace.databases[0]

    def add(self, ranges: Ranges, then: Callable[[], object]) -> None:
        """Have the keys of slots deleted.

        Args:
            then: called when they have gone.
        """
        self.started += 1
        self._trims.append(Trim(ranges, then))
        self._log("scheduled for", ranges)
        if len(self._trims) == 1:
            self._count(self._trims[0])
        self._plan(0)

    def ranges(self) -> Ranges:
        """The slots that have their turn, or will."""
        return [pair for trim in self._trims for pair in trim.ranges]

    def has_slot(self, slot: int) -> bool:
        """Whether keys of a slot may still have to go."""
        return any(first <= slot <= last for first, last in self.ranges())

    def _count(self, trim: Trim) -> None:
        self.trimmed = 0
        self.keys = sum(map(self._db.count_in_slot, trim.left))
        self._log("initiated for", trim.ranges, f", to trim {self.keys} keys.")

    def _log(self, what: str, ranges: Ranges, more: str = "") -> None:
        shown = shown_ranges(ranges)
        self._engine.log("notice", f"Active trim {what} slots: {shown}{more}")

    def _cancel(self) -> None:
        """This node follows another now, which has keys deleted here."""
        self._engine.log("notice", "Cancelling all active trim jobs")
        self.cancelled += len(self._trims)
        self._trims.clear()

    def _plan(self, seconds: float) -> None:
        if not self._planned:
            self._planned = True
            self._host.call_later(seconds, self._step)

    def _step(self) -> None:
        self._planned = False
        if not self._trims:
            return
        if not self._leads():
            self._cancel()
            return
        engine = self._engine
        if engine.depth or engine.pause.lasts_beside(PAUSE_PURPOSE):
            self._plan(_PATIENCE)
            return
        clock, trim = engine.clock, self._trims[0]
        end = clock.monotonic_ns() + _SLICE_NS
        while trim.left and clock.monotonic_ns() < end:
            if not self.trim_some(trim.left[0]):
                trim.left.popleft()
        engine.effects.flush(True)
        if not trim.left:
            self._trims.popleft()
            self.completed += 1
            self._log("completed for", trim.ranges, f", {self.trimmed} keys trimmed.")
            if self._trims:
                self._count(self._trims[0])
            trim.then()
        if self._trims:
            self._plan(0)

    def trim_some(self, slot: int) -> bool:
        """Delete some keys of a slot; whether there were any. The effects are to be flushed yet."""
        engine, db = self._engine, self._db
        deleted = db.delete_slot(slot, _BATCH, True)
        if not deleted:
            return False
        keyspace = engine.keyspace
        keyspace.dirty += len(deleted)
        if keyspace.observer is not None:
            for key in deleted:
                engine.changes.trimmed(db, key)
        engine.effects.add(db.index, [b"UNLINK", *deleted], engine.effects.FOR_ALL)
        self.trimmed += len(deleted)
        return True

    def trim_now(self, ranges: Ranges) -> int:
        """Delete the keys of slots at once; returns how many there were."""
        before = len(self._db)
        for slot in slots_of(ranges):
            while self.trim_some(slot):
                pass
        self._engine.effects.flush(True)
        return before - len(self._db)

"""What hangs on the change of a key: watched transactions, blocked sessions, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.keyspace import events
from carnelian.resp.numbers import format_int

if TYPE_CHECKING:
    from carnelian.engine.blocking import Blocking
    from carnelian.engine.pubsub import PubSub
    from carnelian.engine.transactions import Watches
    from carnelian.keyspace.database import Database
    from carnelian.keyspace.keyspace import Keyspace


class Changes:
    """The observer of a key space: present only while somebody wants to know."""

    def __init__(self, keyspace: Keyspace, pubsub: PubSub, watches: Watches, blocking: Blocking):
        self._keyspace = keyspace
        self._pubsub = pubsub
        self._watches = watches
        self._blocking = blocking
        self._notified = 0
        watches.on_interest = self.refresh
        blocking.on_interest = self.refresh

    def notify(self, classes: int) -> None:
        """Publish events of these classes, bits of :mod:`carnelian.keyspace.events`, from now on.

        Without KEYSPACE or KEYEVENT there is no channel that they could go to.
        """
        self._notified = classes if classes & (events.KEYSPACE | events.KEYEVENT) else 0
        self.refresh()

    def refresh(self) -> None:
        """Observe the key space, or leave it alone if nobody wants to know."""
        wanted = bool(self._notified or self._watches.keys or self._blocking.waiters)
        self._keyspace.observer = self if wanted else None
        self._keyspace.notifier = self._publish if self._notified else None

    def __call__(self, db: Database, key: bytes, kind: int, event: bytes) -> None:
        """A key has changed."""
        if self._watches.keys:
            self._watches.touch(db, key)
        if self._blocking.waiters:
            self._blocking.signal(db, key)
        if self._notified & kind:
            self._publish(db, kind, event, key)

    def _publish(self, db: Database, kind: int, event: bytes, key: bytes) -> None:
        if not self._notified & kind:
            return
        # Python's own formatting of numbers is a place where interrupts come out.
        index = format_int(db.index)
        if self._notified & events.KEYSPACE:
            self._pubsub.publish(b"__keyspace@" + index + b"__:" + key, event)
        if self._notified & events.KEYEVENT:
            self._pubsub.publish(b"__keyevent@" + index + b"__:" + event, key)

    def expired(self, db: Database, key: bytes) -> None:
        """A key has gone because its time was over."""
        self(db, key, events.EXPIRED, b"expired")

    def evicted(self, db: Database, key: bytes) -> None:
        """A key has gone to make room."""
        self(db, key, events.EVICTED, b"evicted")

    def fields_expired(self, db: Database, key: bytes, gone: bool) -> None:
        """Fields of a hash have gone because their time was over, perhaps the last ones."""
        self(db, key, events.HASH, b"hexpired")
        if gone:
            self(db, key, events.GENERIC, b"del")

    def replaced(self, db: Database, other: Database | None = None) -> None:
        """All keys of a database have gone, or were swapped with those of another.

        Call it before they go (FLUSHALL) or are swapped: what was there and is no longer, or is
        there then, has changed for whoever watches it.
        """
        self._watches.touch_all(db, other)
        self._blocking.signal_all(db)
        if other is not None:
            self._watches.touch_all(other, db)
            self._blocking.signal_all(other)

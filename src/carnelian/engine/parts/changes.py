"""What hangs on the change of a key: watched transactions, blocked sessions, caches of clients,
notifications.
"""

from __future__ import annotations

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.parts.blocking import Blocking
from carnelian.engine.parts.subscriptions import PubSub
from carnelian.engine.parts.tracking import Tracking
from carnelian.engine.parts.transactions import Watches
from carnelian.keyspace import events
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.keyspace.state import LEAVING
from carnelian.resp.numbers import format_int


class Changes:
    """The observer of a key space: present only while somebody wants to know."""

    def __init__(
        self,
        keyspace: Keyspace,
        pubsub: PubSub,
        watches: Watches,
        blocking: Blocking,
        tracking: Tracking,
    ):
        self._keyspace = keyspace
        self._pubsub = pubsub
        self._watches = watches
        self._blocking = blocking
        self._tracking = tracking
        self._notified = 0
        self._of_fields = 0
        tracking.on_interest = self.refresh
        watches.on_interest = self.refresh
        blocking.on_interest = self.refresh

    def notify(self, classes: int) -> None:
        """Publish events of these classes, bits of :mod:`carnelian.keyspace.events`, from now on.

        Without KEYSPACE or KEYEVENT there is no channel that those of keys could go to, and
        without one of SUBKEY none for those of fields.
        """
        self._notified = classes if classes & (events.KEYSPACE | events.KEYEVENT) else 0
        self._of_fields = classes & events.SUBKEY if classes & events.HASH else 0
        self._keyspace.field_notifier = self.publish_fields if self._of_fields else None
        self.refresh()

    def refresh(self) -> None:
        """Observe the key space, or leave it alone if nobody wants to know."""
        wanted = bool(
            self._notified or self._watches.keys or self._blocking.waiters or self._tracking.active
        )
        self._keyspace.observer = self if wanted else None
        self._keyspace.notifier = self._publish if self._notified else None

    def __call__(self, db: Database, key: bytes, kind: int, event: bytes) -> None:
        """A key has changed."""
        if self._watches.keys:
            self._watches.touch(db, key)
        if self._tracking.active:
            self._tracking.changed(key)
        if self._blocking.waiters:
            self._blocking.signal(db, key)
        if self._notified & kind and not self._leaves(key):
            self._publish(db, kind, event, key)

    def _leaves(self, key: bytes) -> bool:
        """Whether a key goes because its slot is another node's, where it lives on."""
        slots = self._keyspace.concealed_slots
        return slots is not None and slots[hash_slot(key)] == LEAVING

    def _publish(self, db: Database, kind: int, event: bytes, key: bytes) -> None:
        if not self._notified & kind:
            return
        # Python's own formatting of numbers is a place where interrupts come out.
        index = format_int(db.index)
        if self._notified & events.KEYSPACE:
            self._pubsub.publish(b"__keyspace@" + index + b"__:" + key, event)
        if self._notified & events.KEYEVENT:
            self._pubsub.publish(b"__keyevent@" + index + b"__:" + event, key)

    def publish_fields(self, db: Database, key: bytes, event: bytes, fields: list[bytes]) -> None:
        """Publish which fields of a hash an event was about.

        Where a name would not stand out among the others it is joined with, nothing is said.
        """
        index, wanted, publish = db.index, self._of_fields, self._pubsub.publish
        listed = b",".join([b"%d:%s" % (len(field), field) for field in fields])
        clear = b"|" not in event
        if wanted & events.SUBKEYSPACE and clear:
            publish(b"__subkeyspace@%d__:%s" % (index, key), b"%s|%s" % (event, listed))
        if wanted & events.SUBKEYEVENT:
            message = b"%d:%s|%s" % (len(key), key, listed)
            publish(b"__subkeyevent@%d__:%s" % (index, event), message)
        if wanted & events.SUBKEYSPACEITEM and b"\n" not in key:
            for field in fields:
                publish(b"__subkeyspaceitem@%d__:%s\n%s" % (index, key, field), event)
        if wanted & events.SUBKEYSPACEEVENT and clear:
            publish(b"__subkeyspaceevent@%d__:%s|%s" % (index, event, key), listed)

    def expired(self, db: Database, key: bytes) -> None:
        """A key has gone because its time was over."""
        if self._notified & events.EXPIRED:
            self._publish(db, events.EXPIRED, b"expired", key)
        self._gone(db, key)

    def evicted(self, db: Database, key: bytes) -> None:
        """A key has gone to make room."""
        self._gone(db, key)
        if self._notified & events.EVICTED:
            self._publish(db, events.EVICTED, b"evicted", key)

    def trimmed(self, db: Database, key: bytes) -> None:
        """A key has gone because its slot is another node's."""
        self._gone(db, key)

    def _gone(self, db: Database, key: bytes) -> None:
        """A key has gone, and no client's command has done that."""
        if self._watches.keys:
            self._watches.touch(db, key)
        if self._tracking.active:
            self._tracking.gone(key)
        if self._blocking.waiters:
            self._blocking.signal(db, key)

    def fields_expired(self, db: Database, key: bytes, fields: list[bytes], gone: bool) -> None:
        """Fields of a hash have gone because their time was over, perhaps the last ones."""
        self(db, key, events.HASH, b"hexpired")
        if self._of_fields:
            self.publish_fields(db, key, b"hexpired", fields)
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

    def flushed(self) -> None:
        """All keys of one or all databases have gone: to be called once, besides :meth:`replaced`.

        Not for a swap, after which clients go on with what they have, as with Redis.
        """
        if self._tracking.active:
            self._tracking.flushed()

"""What a node of a cluster asks of the engine and the process that carry it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.keyspace import events, sparing
from carnelian.net.protocol import Address
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.replication.primary.primary_side import primary_of
from carnelian.replication.replica_side.roles import replica_side_of

if TYPE_CHECKING:
    from carnelian.cluster.serving.nodes_store import NodesStore
    from carnelian.engine.engine import Engine
    from carnelian.keyspace.database import Database
    from carnelian.replication.replica_side.primary_link import Following

# Keys of a lost slot that are deleted at a time.
_BATCH = 1000
# The purpose that writes are paused for.
_PURPOSE = "cluster"


class EngineAround:
    """See :class:`carnelian.cluster.member.member_surroundings.Surroundings`.

    - ``loaded``: whether the data has been read from the disk.
    """

    def __init__(self, engine: Engine, store: NodesStore):
        self._engine = engine
        self._store = store
        self._replication = primary_of(engine).replication
        self._side = replica_side_of(engine)
        self.loaded = False
        # Given slots that were lost, returns those whose keys nobody else looks after.
        self.moved: Callable[[list[int]], list[int]] = lambda slots: slots

    # -- The process -------------------------------------------------------------------------------

    @property
    def is_loading(self) -> bool:
        """Whether the data is being read from the disk, not from a primary."""
        if not self.loaded:
            return True
        loading = snapshots_of(self._engine).loading is not None
        return loading and self._replication.following is None

    def log(self, level: str, text: str) -> None:
        """Write a line of log."""
        self._engine.log(level, text)

    def save(self, text: bytes, durable: bool) -> None:
        """Replace the file of the nodes. Raises OSError."""
        self._store.save(text, durable)

    def append(self, text: bytes) -> None:
        """Add to it. Raises OSError."""
        self._store.append(text)

    def give_up(self, text: str) -> None:
        """End the process."""
        self._engine.log("warning", text)
        raise SystemExit(1)

    # -- Keys --------------------------------------------------------------------------------------

    @property
    def _keys(self) -> Database:
        return self._engine.keyspace.databases[0]

    def has_keys(self) -> bool:
        """Whether there is any key."""
        return len(self._keys) > 0

    def has_other_databases(self) -> bool:
        """Whether there is any key where there must be none."""
        return any(len(db) for db in self._engine.keyspace.databases[1:])

    def count_keys(self, slot: int) -> int:
        """How many keys a slot has."""
        return self._keys.count_in_slot(slot)

    def slots_lost(self, slots: list[int]) -> None:
        """Delete the keys of slots, and tell whom it concerns."""
        engine, db = self._engine, self._keys
        verb = b"UNLINK" if engine.config["lazyfree-lazy-server-del"] else b"DEL"
        for slot in self.moved(slots):
            while deleted := db.delete_slot(slot, _BATCH, True):
                for key in deleted:
                    db.changed(key, events.GENERIC, b"del")
                    engine.effects.add(db.index, [verb, key], engine.effects.FOR_ALL)
        engine.effects.flush(True)

    def flush(self) -> None:
        """Delete all keys: they were somebody else's."""
        engine = self._engine
        for db in engine.keyspace.databases:
            engine.changes.replaced(db)
            engine.keyspace.flush(db, engine.config["replica-lazy-flush"])
        engine.changes.flushed()

    # -- Replication -------------------------------------------------------------------------------

    @property
    def _link(self) -> Following | None:
        return self._replication.following

    def follow(self, host: str, port: int, anew: bool) -> None:
        """Replicate from a primary, from where the snapshot was if this node has just begun."""
        restored = self._link is None and self._replication.restored_db is not None
        if restored and not anew:
            self._side.begin(host, port)
            self._replication.restored_db = None
        else:
            self._side.follow(host, port, anew)

    def expect_primary(self) -> None:
        """Keep keys past their time, as those who follow somebody do: that is about to begin."""
        self._engine.keyspace.spare_overdue(sparing.FOLLOWING)

    def lead(self) -> None:
        """Follow nobody any more."""
        self._side.lead()
        self._engine.keyspace.cease_sparing(sparing.FOLLOWING)

    def followed(self) -> Address | None:
        """Who is followed."""
        link = self._link
        return None if link is None else (link.host, link.port)

    def offset(self) -> int:
        """How far the stream has come here; 0 for a replica that has no data to go on with."""
        link = self._link
        if link is not None and not link.connected and not link.resumable:
            return 0
        return max(self._replication.history.offset, 0)

    def data_age(self) -> int | None:
        """Milliseconds since what is here was that of the primary."""
        link = self._link
        return None if link is None else link.data_age_ms()

    # -- Clients -----------------------------------------------------------------------------------

    def pause_writes(self, milliseconds: int) -> None:
        """Let writes wait."""
        engine = self._engine
        end_ms = engine.clock.ms + milliseconds
        engine.pause.start(end_ms, writes_only=True, purpose=_PURPOSE)
        primary_of(engine).failover.hold_for_cluster(True)

    def resume_writes(self) -> None:
        """Let them go on."""
        self._engine.pause.stop(_PURPOSE)
        primary_of(self._engine).failover.hold_for_cluster(False)

    def deliver(self, channel: bytes, message: bytes, sharded: bool) -> None:
        """Give a message of another node to the subscribers here."""
        if sharded:
            self._engine.pubsub.publish_shard(channel, message)
        else:
            self._engine.pubsub.publish(channel, message)

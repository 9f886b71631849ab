"""What carries an export: the session of the node that takes the slots, and the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from carnelian.cluster.carrying.import_notes import GIVE
from carnelian.cluster.carrying.leftovers import Leftovers
from carnelian.cluster.moving.exporting import Export
from carnelian.cluster.moving.migration_task import PAUSE_PURPOSE, MigrationTask, slot_flags
from carnelian.cluster.moving.slot_stream import SlotStream
from carnelian.engine.ground.flags import FLAG_REPLICA, REPLY_NEVER
from carnelian.replication.primary.replica_feed import ReplicaFeed

if TYPE_CHECKING:
    from carnelian.cluster.carrying.slot_snapshot import SlotSnapshot
    from carnelian.cluster.cluster_member import ClusterMember
    from carnelian.engine.engine import Engine
    from carnelian.engine.session import Session


class ExportCarrier:
    """See :class:`carnelian.cluster.moving.exporting.ExportAround`.

    - ``export``: set by whoever makes it.
    """

    export: Export

    def __init__(
        self,
        engine: Engine,
        member: ClusterMember,
        snapshot: SlotSnapshot,
        leftovers: Leftovers,
        session: Session,
        task: MigrationTask,
    ):
        self.session = session
        self._engine = engine
        self._member = member
        self._snapshot = snapshot
        self._leftovers = leftovers
        self._task = task
        self._flags = slot_flags(task.ranges)
        self._feed = ReplicaFeed()
        self._listener: Callable[[int, list[bytes]], None] | None = None
        self._hung_up = False

    def attach(self) -> None:
        """Make a link of the session: nothing is answered on it any more."""
        session: Any = self.session
        session.begin_feed(self._feed)
        session.flags |= FLAG_REPLICA
        session.reply_mode = REPLY_NEVER

    # -- Settings ----------------------------------------------------------------------------------

    @property
    def handoff_max_lag(self) -> int:
        """Bytes of lag at which writes are paused."""
        return self._engine.config["cluster-slot-migration-handoff-max-lag-bytes"]

    @property
    def write_pause_timeout(self) -> int:
        """How long they are paused at most."""
        return self._engine.config["cluster-slot-migration-write-pause-timeout"]

    @property
    def drain_timeout(self) -> int:
        """How long the other side may take to come close."""
        return self._engine.config["cluster-slot-migration-sync-buffer-drain-timeout"]

    @property
    def silence_timeout(self) -> int:
        """How long it may be silent."""
        return self._engine.config["repl-timeout"] * 1000

    @property
    def most_waiting(self) -> int:
        """How much may wait to be sent."""
        return self._engine.config["client-output-buffer-limit"].replica.hard

    # -- The process -------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The time."""
        return self._engine.clock.monotonic_ns() // 1_000_000

    def log(self, level: str, text: str) -> None:
        """Write a line of log."""
        self._engine.log(level, text)

    # -- The connection ----------------------------------------------------------------------------

    def put(self, data: bytes) -> None:
        """Send."""
        self._feed.put(data)
        session: Any = self.session
        session.pull()

    def waiting(self) -> int:
        """What has not left yet."""
        return self._feed.waiting

    def hang_up(self) -> None:
        """End the connection behind what is to be sent."""
        if not self._hung_up:
            self._hung_up = True
            session: Any = self.session
            self._feed.on_sent = lambda: session.close(True)
            session.pull()

    # -- The data ----------------------------------------------------------------------------------

    def begin(self, piece: Callable[[bytes], None], end: Callable[[bool], None]) -> bool:
        """Begin a snapshot, and to listen."""
        effects, export = self._engine.effects, self.export
        # What was done belongs to the snapshot.
        effects.flush()
        if not self._snapshot.begin_for(self._flags, piece, end, self.waiting):
            return False
        stream = SlotStream(self._engine.registry, self._flags, export.changed, self._flushed)
        self._listener = stream.take
        effects.listen(self._listener)
        return True

    def _flushed(self, name: str) -> None:
        self.export.cancel(name)

    def end_stream(self) -> None:
        """Listen no longer."""
        if self._listener is not None:
            self._engine.effects.unlisten(self._listener)
            self._listener = None
            self._snapshot.give_up()

    def settle(self) -> bool:
        """Have everything told that has been done."""
        engine = self._engine
        if engine.depth:
            return False
        if engine.keys_ready:
            engine.blocking.serve()
        engine.effects.flush()
        return True

    # -- Writes ------------------------------------------------------------------------------------

    def pause(self, milliseconds: int) -> None:
        """Let writes wait."""
        engine = self._engine
        end_ms = engine.clock.wall_ms() + milliseconds
        engine.pause.start(end_ms, writes_only=True, purpose=PAUSE_PURPOSE)

    def resume(self) -> None:
        """Let them go on."""
        self._engine.pause.stop(PAUSE_PURPOSE)

    # -- The slots ---------------------------------------------------------------------------------

    def still_ours(self) -> bool:
        """Whether all are of this node."""
        view = self._member.view
        myself = view.myself
        return myself.is_primary and all(view.owners[slot] is myself for slot in self._task.slots())

    def promise(self) -> None:
        """Should this node end now, it has to know that its keys may be of no use, and so has
        who takes its place.
        """
        self._leftovers.note(GIVE + self._task.id, self._task.ranges)
        self._member.promise_slots(self._task.slots(), self._task.dest)

    def theirs(self) -> bool:
        """Whether all are of the other one."""
        view = self._member.view
        other = view.find(self._task.dest)
        return other is not None and all(view.owners[slot] is other for slot in self._task.slots())

    def reassure(self) -> None:
        """Nobody has told that the slots have been taken. Should that have been done all the same,
        by a node that ended before it told anybody, then it holds no more.
        """
        member, view = self._member, self._member.view
        if self.still_ours() and view.is_ok:
            # The other node may have taken the epoch that follows: ours is one later.
            view.current_epoch = view.max_epoch() + 2
            view.myself.config_epoch = view.current_epoch
            member.claim_slots(self._task.slots())

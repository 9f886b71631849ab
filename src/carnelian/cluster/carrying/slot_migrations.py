"""The slots that come to a node and leave it, of which each is a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.cluster.carrying.export_carrier import ExportCarrier
from carnelian.cluster.carrying.import_carrier import ImportCarrier
from carnelian.cluster.carrying.import_notes import GIVE
from carnelian.cluster.carrying.leftovers import Leftovers
from carnelian.cluster.carrying.slot_snapshot import SlotSnapshot
from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.moving import migration_task
from carnelian.cluster.moving.exporting import Export
from carnelian.cluster.moving.importing import Import
from carnelian.cluster.moving.migration_task import MigrationTask, Ranges, TaskList, slots_of
from carnelian.net.loop import Loop
from carnelian.net.protocol import Host
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.cluster.cluster_member import ClusterMember
    from carnelian.engine.engine import Engine
    from carnelian.engine.session import Session
    from carnelian.engine.shared.client_state import Client

_PERIOD = 0.1
# Seconds until what has failed is tried again.
_RETRY_MS = 1000

UNSTABLE = "all slot states must be STABLE to start a slot migration task."
SETSLOT_REFUSED = (
    "Slot %d is currently in an active atomic slot migration. CLUSTER SETSLOT cannot be used at "
    "this time. To perform a legacy slot migration instead, first cancel the ongoing task with "
    "CLUSTER MIGRATION CANCEL."
)


class SlotMover:
    """Moves slots for one node.

    Args:
        engine: whose keys.
        member: the node.
        host: connects and calls later.
        loop: reads what the background writes.
        notes_path: where to keep notes of keys that do not count.
    """

    def __init__(
        self, engine: Engine, member: ClusterMember, host: Host, loop: Loop, notes_path: str
    ):
        self._engine = engine
        self._member = member
        self._host = host
        self.tasks = TaskList()
        self.leftovers = Leftovers(
            engine, member, host, notes_path, lambda: [task.id for task in self.tasks.current]
        )
        self._snapshot = SlotSnapshot(snapshots_of(engine).background, engine, loop)
        self._import: Import | None = None
        self._import_carrier: ImportCarrier | None = None
        self._export: Export | None = None
        self._export_carrier: ExportCarrier | None = None
        # Who has introduced itself, by session.
        self._introduced: dict[Client, str] = {}
        self._retry_at = 0
        self._look_planned = False
        self._listening = False
        # The most bytes that have waited to be applied, in imports that are over.
        self._most_held = 0
        # Why no import begins, as the log has it already.
        self._held_back = ""
        name = "cluster-slot-migration-max-archived-tasks"
        engine.config.on_change(name, self.tasks.remember)
        self.tasks.remember(engine.config[name])
        member.view.listeners.append(self._owner_changed)
        engine.sessions.on_removed.append(self._session_ended)

    @property
    def prepare_child(self) -> Callable[[], None]:
        """What a child does first that writes a snapshot of slots."""
        return self._snapshot.prepare_child

    @prepare_child.setter
    def prepare_child(self, prepare: Callable[[], None]) -> None:
        """Say what else it does."""
        self._snapshot.prepare_child = prepare

    def _now_ms(self) -> int:
        return self._engine.clock.monotonic_ns() // 1_000_000

    def _wall_ms(self) -> int:
        return self._engine.clock.wall_ms()

    # -- Life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look after tasks."""
        self._host.call_later(_PERIOD, self._tick)

    def shut_down(self) -> bool:
        """The process is about to end; nothing here keeps it from that."""
        self._cancel_all("server shutdown")
        return True

    # -- For commands ------------------------------------------------------------------------------

    def import_slots(self, ranges: Ranges) -> str:
        """Have slots come to this node; returns the ID of the task.

        Raises ClusterError where that cannot be.
        """
        view = self._member.view
        if not view.myself.is_primary:
            raise ClusterError("slot migration not allowed on replica.")
        if view.migrating_to or view.importing_from:
            raise ClusterError(UNSTABLE)
        overlap = self.tasks.overlap(ranges, (migration_task.IMPORT,))
        if overlap is not None:
            first, last = overlap
            raise ClusterError(f"overlapping import exists for slot range: {first}-{last}")
        source = self._source_of(ranges)
        if source is view.myself:
            raise ClusterError("this node is already the owner of the slot range")
        self._give_up_failed("new import requested")
        task = MigrationTask(
            view.new_id(),
            ranges,
            migration_task.IMPORT,
            source.id,
            view.myself.id,
            self._wall_ms(),
        )
        self.tasks.add(task)
        self._engine.log(
            "notice",
            f"Import task {task.id} created: src={task.source}, dest={task.dest}, "
            f"slots={migration_task.shown_ranges(ranges)}",
        )
        self._host.call_later(0, self._begin_next)
        return task.id

    def _source_of(self, ranges: Ranges) -> ClusterNode:
        """Whose slots they are. Raises ClusterError if there is no one node."""
        owners = self._member.view.owners
        source: ClusterNode | None = None
        for slot in slots_of(ranges):
            owner = owners[slot]
            if owner is None:
                raise ClusterError(f"slot has no owner: {slot}")
            if source is None:
                source = owner
            elif source is not owner:
                raise ClusterError("slots belong to different source nodes")
        assert source is not None
        return source

    def cancel(self, id: str) -> int:
        """Cancel a task; returns how many that were."""
        task = self.tasks.find(id)
        if task is None or self._is_promised(task):
            return 0
        if task.is_over and task not in self.tasks.failed():
            return 0
        self._cancel_task(task, "user request")
        return 1

    def cancel_all(self) -> int:
        """Cancel all tasks; returns how many that were."""
        tasks = [*self.tasks.current, *self.tasks.failed()]
        return sum(self.cancel(task.id) for task in tasks)

    def _is_promised(self, task: MigrationTask) -> bool:
        """Whether the slots may be the other node's already, so that it is too late."""
        export = self._export
        return export is not None and export.task is task and export.is_promised

    def _give_up_failed(self, why: str) -> None:
        """What has failed at giving slots away is not tried again."""
        for task in self.tasks.failed():
            self._cancel_task(task, why)

    def _cancel_all(self, why: str) -> None:
        for task in [task for task in self.tasks.current if not task.is_over]:
            self._cancel_task(task, why)

    def _cancel_task(self, task: MigrationTask, why: str) -> None:
        if self._import is not None and self._import.task is task:
            self._import.cancel(why)
        elif self._export is not None and self._export.task is task:
            self._export.cancel(why)
        else:
            task.end(migration_task.CANCELED, why)
            task.end_time = self._wall_ms()
            self.tasks.archive(task)
            self._engine.log("warning", task.ended_line())

    def status(self, id: str | None = None) -> list[dict[bytes, object]]:
        """What is to be shown of a task, or of all."""
        return [task.fields() for task in self.tasks if id is None or task.id == id]

    def check_setslot(self, slot: int) -> None:
        """Raise ClusterError if administrators may not touch a slot now."""
        if self.tasks.of_slot(slot) is not None:
            raise ClusterError(SETSLOT_REFUSED % slot)
        if self.leftovers.trimming.has_slot(slot):
            raise ClusterError(f"There is a pending trim job for slot {slot}")

    def info(self) -> list[tuple[str, int]]:
        """The fields of CLUSTER INFO."""
        trimming = self.leftovers.trimming
        return [
            ("cluster_slot_migration_active_tasks", len(self.tasks.current)),
            ("cluster_slot_migration_active_trim_running", len(trimming)),
            ("cluster_slot_migration_active_trim_current_job_keys", trimming.keys),
            ("cluster_slot_migration_active_trim_current_job_trimmed", trimming.trimmed),
            ("cluster_slot_migration_stats_active_trim_started", trimming.started),
            ("cluster_slot_migration_stats_active_trim_completed", trimming.completed),
            ("cluster_slot_migration_stats_active_trim_cancelled", trimming.cancelled),
        ]

    def memory(self) -> tuple[int, int, int]:
        """Bytes of a stream that wait to leave, those that wait to be applied, and the most that
        there were of these.
        """
        leaving = self._export_carrier.waiting() if self._export_carrier else 0
        if self._import is None:
            return leaving, 0, self._most_held
        most = max(self._most_held, self._import.most_held_bytes)
        return leaving, self._import.held_bytes, most

    def concealed(self, slot: int) -> bool:
        """Whether the keys of a slot are not to be seen."""
        flags = self._engine.keyspace.concealed_slots
        return flags is not None and bool(flags[slot])

    # -- Giving slots away -------------------------------------------------------------------------

    def introduce(self, session: Session, node_id: str) -> None:
        """A node has connected. Raises Error if it is not of the cluster."""
        node = self._member.view.find(node_id)
        if node is None or node.in_handshake or node.is_myself:
            raise Error("ERR The node is not a member of this cluster")
        self._introduced[session] = node_id

    def give(self, session: Session, id: str, ranges: Ranges) -> None:
        """A node wants slots. Raises Error if it cannot have them."""
        view = self._member.view
        dest = self._introduced.get(session)
        node = None if dest is None else view.find(dest)
        if node is None:
            raise Error("ERR The node has not introduced itself")
        if not view.myself.is_primary:
            raise Error("ERR slot migration not allowed on replica.")
        if not node.is_primary:
            raise Error("ERR the destination node is not a primary")
        if view.migrating_to or view.importing_from:
            raise Error(f"NOTREADY {UNSTABLE}")
        if any(view.owners[slot] is not view.myself for slot in slots_of(ranges)):
            raise Error("NOTREADY this node is not the owner of the slots")
        if self._export is not None:
            old = self._export.task
            if old.id == id and self._export.task.dest == dest:
                self._export.fail("a new attempt was begun")
        if self._export is not None or self.tasks.overlap(ranges) is not None:
            raise Error("NOTREADY another slot migration is in progress")
        self._begin_export(session, id, ranges, node)

    def _begin_export(self, session: Session, id: str, ranges: Ranges, node: ClusterNode) -> None:
        view = self._member.view
        task = MigrationTask(
            id, ranges, migration_task.MIGRATE, view.myself.id, node.id, self._wall_ms()
        )
        task.start_time = task.create_time
        earlier = next((each for each in self.tasks.failed() if each.id == id), None)
        if earlier is not None and (earlier.ranges, earlier.dest) == (ranges, node.id):
            task.resume(earlier)
        carrier = ExportCarrier(
            self._engine, self._member, self._snapshot, self.leftovers, session, task
        )
        export = Export(task, carrier, lambda: self._export_ended(export))
        carrier.export = export
        if not export.begin():
            raise Error("NOTREADY a snapshot cannot be taken now")
        self.tasks.add(task)
        self._give_up_failed("new migration requested")
        self._export, self._export_carrier = export, carrier
        session.send_raw(b"+SLOTSSNAPSHOT\r\n")
        carrier.attach()
        self._engine.log(
            "notice",
            f"Migrate task {task.id} created: src={task.source}, dest={task.dest}, "
            f"slots={migration_task.shown_ranges(ranges)}",
        )

    def told(self, session: Session, words: list[bytes]) -> None:
        """Who takes slots has said something."""
        export, carrier = self._export, self._export_carrier
        if export is None or carrier is None or carrier.session is not session:
            return
        word = words[0].upper()
        if word == b"ACK" and len(words) > 1 and words[1].isdigit():
            export.acknowledged(int(words[1]))
        elif word == b"CLAIM":
            export.asked()
        elif word == b"FAIL":
            why = words[1].decode("utf-8", "replace") if len(words) > 1 else ""
            export.refused(why)

    def _session_ended(self, session: Client) -> None:
        self._introduced.pop(session, None)
        carrier = self._export_carrier
        if carrier is not None and carrier.session is session and self._export is not None:
            self._export.link_lost()

    def _export_ended(self, export: Export) -> None:
        if self._export is export:
            self._export = self._export_carrier = None
        self._member.withdraw_promise()
        if export.task.state != migration_task.FAILED:
            export.task.end_time = self._wall_ms()
        self.tasks.archive(export.task)
        if export.task.state == migration_task.COMPLETED and self._member.myself.is_primary:
            self.leftovers.drop_keys(export.task.slots())
        self.leftovers.forget(GIVE + export.task.id)

    # -- Taking slots ------------------------------------------------------------------------------

    def _begin_next(self) -> None:
        """Begin the import whose turn it is, if it can be."""
        if self._import is not None:
            return
        waiting = [task for task in self.tasks.current if task.operation == migration_task.IMPORT]
        if not waiting or self._now_ms() < self._retry_at:
            return
        # Those that have been tried come behind those that have not.
        task = min(reversed(waiting), key=lambda task: task.tried_at)
        if self._is_held_back(task):
            return
        view = self._member.view
        try:
            if view.migrating_to or view.importing_from:
                raise ClusterError(UNSTABLE)
            source = self._source_of(task.ranges)
        except ClusterError as error:
            self._cancel_task(task, str(error))
            return
        if source is view.myself:
            self._cancel_task(task, "slots owned by myself now")
            return
        self._begin_import(task, source)

    def _is_held_back(self, task: MigrationTask) -> bool:
        """Whether an import has to wait; the log has why."""
        why = ""
        if any(map(self.leftovers.trimming.has_slot, task.slots())):
            why = "trim in progress for some of the slots"
        elif self._engine.pause.lasts_beside(migration_task.PAUSE_PURPOSE):
            why = "server paused"
        if why and why != self._held_back:
            shown = migration_task.shown_ranges(task.ranges)
            self._engine.log(
                "warning", f"Can not start import task {task.id} for slots: {shown} due to {why}"
            )
        self._held_back = why
        return bool(why)

    def _begin_import(self, task: MigrationTask, source: ClusterNode) -> None:
        if task.state == migration_task.FAILED:
            task.retries += 1
        task.source = source.id
        task.start_time = self._wall_ms()
        carrier = ImportCarrier(self._engine, self._member, self._host, self.leftovers, task)
        self._import_carrier = carrier
        self._import = carrier.attempt = Import(task, carrier, self._import_ended)
        if not self._listening:
            self._listening = True
            self._engine.effects.listen(self._overhear)
        self._import.begin()

    def _overhear(self, db_index: int, args: list[bytes]) -> None:
        """All keys were deleted: some of those that were to come have gone, too."""
        if self._import is not None and args[0].lower() in (b"flushall", b"flushdb"):
            attempt, name = self._import, args[0].decode()
            self._host.call_later(0, lambda: attempt.cancel(name))

    def _import_ended(self) -> None:
        attempt, self._import = self._import, None
        self._import_carrier = None
        assert attempt is not None
        task = attempt.task
        if self._listening:
            self._listening = False
            self._engine.effects.unlisten(self._overhear)
        self._most_held = max(self._most_held, attempt.most_held_bytes)
        task.tried_at = self._wall_ms()
        if task.is_over:
            task.end_time = task.tried_at
        self._retry_at = self._now_ms() + _RETRY_MS
        if task.state == migration_task.COMPLETED:
            self._retry_at = 0
            self.tasks.archive(task)
            self._host.call_later(0, self._begin_next)
            return
        if task.id in self.leftovers.notes.noted and self._member.view.myself.is_primary:
            self.leftovers.discard(task.id, task.ranges)
        if task.is_over:
            self.tasks.archive(task)

    def slots_lost(self, slots: list[int]) -> list[int]:
        """Slots have gone to others, and have keys here. Returns those of them that nobody has
        moved in this way: their keys are not looked after.
        """
        moved: list[int] = []
        left: list[int] = []
        for slot in slots:
            given = self._export is not None and self._export.task.has_slot(slot)
            if not self.leftovers.trimming.has_slot(slot):
                (moved if given else left).append(slot)
        self.leftovers.drop_keys(moved)
        return left

    def serves(self, slot: int) -> bool:
        """Whether a slot is this node's."""
        view = self._member.view
        return view.myself.is_primary and view.owners[slot] is view.myself

    # -- Time and changes --------------------------------------------------------------------------

    def _tick(self) -> None:
        self._host.call_later(_PERIOD, self._tick)
        if self._engine.cron_paused:
            return
        self._heed_role()
        self._heed_nodes()
        if self._import is not None and self._engine.pause.lasts_for("client"):
            self._import.cancel("client pause")
        if self._import is not None:
            self._import.tick()
        if self._export is not None:
            self._export.tick()
        if self._import is None:
            self._begin_next()
        self.leftovers.tick(self._now_ms())

    def _heed_role(self) -> None:
        if not self._member.view.myself.is_primary and self.tasks.current:
            self._cancel_all("failover")

    def _heed_nodes(self) -> None:
        """Whom this node has been told to forget it does not go on with."""
        find = self._member.view.find
        for task in [*self.tasks.current, *self.tasks.failed()]:
            other = task.source if task.operation == migration_task.IMPORT else task.dest
            if find(other) is None and not self._is_promised(task):
                self._cancel_task(task, "node deleted")

    def _owner_changed(self, slot: int, owner: object) -> None:
        self.leftovers.owner_changed(slot, owner)
        if not self._look_planned and self.tasks.of_slot(slot) is not None:
            self._look_planned = True
            self._host.call_later(0, self._look)

    def _look(self) -> None:
        """Slots of tasks have another owner."""
        self._look_planned = False
        if self._export is not None:
            export = self._export
            dest = self._member.view.find(export.task.dest)
            if dest is None:
                export.cancel("node deleted")
            else:
                export.owners_changed()
        self._heed_role()
        attempt = self._import
        if attempt is not None and self._import_carrier is not None:
            why = self._import_carrier.objection()
            if why:
                self._follow_owner(attempt, why)

    def _follow_owner(self, attempt: Import, why: str) -> None:
        """The slots have another owner: a replica of the old one, perhaps, to which to turn."""
        task = attempt.task
        try:
            owner = self._source_of(task.ranges)
        except ClusterError:
            attempt.fail(why)
            return
        old = self._member.view.find(task.source)
        if old is not None and owner.shard_id == old.shard_id:
            attempt.fail("source has changed by a failover")
        else:
            attempt.cancel(why)

"""Keys that do not count: those on their way to this node, and those of slots that have left it.

Notes say which these are. Replicas and the log are told of the notes, so that whoever takes the
place of this node, or begins again from its log, deletes them in its stead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from carnelian.cluster.carrying.import_notes import GIVE, PAST, TRIM, ImportNotes
from carnelian.cluster.carrying.trimming import Trimming
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.slot_bitmap import mask_of_slots, ranges_in
from carnelian.cluster.moving.migration_task import Ranges, range_words, shown_ranges, slots_of
from carnelian.net.protocol import Host
from carnelian.persistence.background.jobs import Outcome
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.replication.replica_side.roles import replica_side_of

if TYPE_CHECKING:
    from carnelian.cluster.cluster_member import ClusterMember
    from carnelian.engine.engine import Engine
    from carnelian.replication.primary.replicas import Replica

# How long after it has become a primary a node keeps keys that nobody has claimed for it.
_GRACE_MS = 5000
# Seconds until it is looked again whether a transaction has ended.
_SOON = 0.001


class Leftovers:
    """Looks after such keys for one node.

    Args:
        engine: whose keys.
        member: the node.
        host: calls later.
        notes_path: where to keep the notes.
        busy: the IDs of tasks under way, which look after their keys themselves.
    """

    def __init__(
        self,
        engine: Engine,
        member: ClusterMember,
        host: Host,
        notes_path: str,
        busy: Callable[[], Iterable[str]],
    ):
        self._engine = engine
        self._member = member
        self._host = host
        self._busy = busy
        self.trimming = Trimming(engine, host, lambda: member.view.myself.is_primary)
        self.notes = ImportNotes(engine, notes_path)
        self._lead_since = 0
        self._former_primary: ClusterNode | None = None
        self._replicas: list[Replica] = []
        # The snapshot that is being taken has keys that have gone since it was begun.
        self._outdated = False
        snapshots_of(engine).on_ended.append(self._snapshot_ended)
        replica_side_of(engine).on_copied.append(self._copied)
        self.notes.load()

    # -- Notes -------------------------------------------------------------------------------------

    def note(self, id: str, ranges: Ranges) -> None:
        """Keys of slots do not count from now on, or may not. Raises OSError."""
        self.notes.note(id, ranges)
        self._tell(b"IMPORTING", id, ranges)

    def forget(self, id: str) -> None:
        """They count again, or there are none. Raises OSError."""
        if id in self.notes.noted:
            self.notes.forget(id)
            self._tell(b"IMPORTED", id)

    def _tell(self, word: bytes, id: str, ranges: Ranges | None = None) -> None:
        self._pass_on([b"CLUSTER", b"SYNCSLOTS", word, id.encode(), *range_words(ranges or [])])

    def _pass_on(self, words: list[bytes]) -> None:
        effects = self._engine.effects
        if self._engine.depth:
            # What a transaction or a script does stays one unit.
            self._host.call_later(_SOON, lambda: self._pass_on(words))
            return
        effects.add(0, words, effects.FOR_ALL)
        effects.flush(True)

    def noted_at_primary(self, id: str, ranges: Ranges) -> None:
        """The primary of this replica, or the log, tells of keys that do not count."""
        self.notes.note(id, ranges)

    def forgotten_at_primary(self, id: str) -> None:
        """It tells that they do, or have gone."""
        self.notes.forget(id)

    def _copied(self) -> None:
        """This replica has its data anew: the primary tells again what does not count of them."""
        for id in [id for id in self.notes.noted if id != PAST]:
            self.notes.forget(id)

    def _tell_new_replicas(self) -> None:
        """Who has come to follow has to know of the notes, too."""
        replication = self._engine.replication
        primary = None if replication is None else replication.primary
        known, self._replicas = self._replicas, [] if primary is None else primary.online()
        if any(all(each is not old for old in known) for each in self._replicas):
            for note, ranges in self.notes.noted.items():
                if note != PAST:
                    self._tell(b"IMPORTING", note, ranges)

    # -- Deleting ----------------------------------------------------------------------------------

    def clean_up(self) -> None:
        """The data has been read: delete what does not count, unless its slots have become ours.
        A replica waits for what its primary says.
        """
        view = self._member.view
        if not view.myself.is_primary:
            return
        known = view.myself, None
        for id, ranges in list(self.notes.noted.items()):
            strange = [
                slot
                for slot in slots_of(ranges)
                if view.owners[slot] not in known and slot not in view.importing_from
            ]
            count = self.trimming.trim_now(ranges_in(mask_of_slots(strange)))
            if count:
                self._engine.log(
                    "notice",
                    f"Deleted {count} keys of slots that were on their way when this node ended",
                )
            self._put_behind(id)
            self._tell(b"IMPORTED", id)

    def _put_behind(self, note: str) -> None:
        """The keys that are noted have gone."""
        # Not before that is written to the log.
        self._engine.effects.commit()
        snapshots = snapshots_of(self._engine)
        config = self._engine.config
        path = files.locate(self._engine, config["dbfilename"])
        in_snapshot = not config["appendonly"] and os.path.exists(path)
        self._outdated = self._outdated or (in_snapshot and snapshots.running)
        self.notes.put_behind(note, in_snapshot)

    def _snapshot_ended(self, outcome: Outcome) -> None:
        """What has gone is not in the last snapshot any more, unless it was begun before."""
        outdated, self._outdated = self._outdated, False
        if outcome is Outcome.DONE and not outdated:
            self.notes.forget(PAST)

    def discard(self, note: str, ranges: Ranges) -> None:
        """Have noted keys deleted, from now on under a note that says so."""
        if not note.startswith(TRIM):
            self._discard_as(TRIM + note.removeprefix(GIVE), ranges)
            self.forget(note)
        else:
            self.trimming.add(ranges, lambda: self._trimmed(note))

    def _discard_as(self, note: str, ranges: Ranges) -> None:
        self.note(note, ranges)
        self.trimming.add(ranges, lambda: self._trimmed(note))

    def _trimmed(self, note: str) -> None:
        self._put_behind(note)
        self._tell(b"IMPORTED", note)

    def drop_keys(self, slots: list[int]) -> None:
        """Have the keys of slots deleted that are somebody else's now."""
        db, trimming = self._engine.keyspace.databases[0], self.trimming
        full = [s for s in slots if db.count_in_slot(s) and not trimming.has_slot(s)]
        if full:
            self._discard_as(TRIM + self._member.view.new_id(), ranges_in(mask_of_slots(full)))

    def trim_now(self, ranges: Ranges) -> None:
        """Delete the keys of slots at once, which do not count any more."""
        self.trimming.trim_now(ranges)
        self.notes.forget_slots(ranges)

    def owner_changed(self, slot: int, owner: object) -> None:
        """What clients write from now on to a slot of ours is not to go with the rest."""
        if owner is self._member.view.myself and self.trimming.has_slot(slot):
            self.trimming.trim_now([(slot, slot)])

    # -- Time --------------------------------------------------------------------------------------

    def tick(self, now_ms: int) -> None:
        """Some time has passed."""
        view = self._member.view
        if not view.myself.is_primary:
            self._former_primary = view.myself.primary or self._former_primary
            self._lead_since = 0
            return
        self._lead_since = self._lead_since or now_ms
        self._tell_new_replicas()
        if self.notes.noted and now_ms - self._lead_since >= _GRACE_MS and view.is_ok:
            self._heed_notes()

    def _heed_notes(self) -> None:
        """Delete what the former primary of this node has left."""
        view = self._member.view
        myself = view.myself
        busy = set(self._busy())
        for note, ranges in list(self.notes.noted.items()):
            if note == PAST or note.removeprefix(GIVE) in busy:
                continue
            if self.trimming.has_slot(ranges[0][0]):
                continue
            owners = {view.owners[slot] for slot in slots_of(ranges)}
            if owners == {myself}:
                self.forget(note)
            elif not owners & {myself, None, self._former_primary}:
                self._engine.log(
                    "notice",
                    "Detected keys in slots that do not belong to this node. Scheduling trim of "
                    f"slots {shown_ranges(ranges)}",
                )
                self.discard(note, ranges)

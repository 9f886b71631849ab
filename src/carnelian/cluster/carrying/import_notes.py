"""Notes of slots whose keys do not count, or may not when this node begins again.

They stand in a file, so that a node that ends in between knows, when it begins again, which keys
are of no use. Keys that are being imported, or are to be deleted, are not shown by scans.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from carnelian.cluster.known.slot_bitmap import mask_of_slots, ranges_in
from carnelian.cluster.moving.migration_task import Ranges, shown_ranges, slot_flags, slots_of
from carnelian.keyspace.state import LEAVING
from carnelian.persistence.bytes import paths
from carnelian.persistence.bytes.targets import sync_directory

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# What notes begin with that are no IDs of imports: slots whose keys are to be deleted, and those
# that were promised to another node.
TRIM = "trim:"
GIVE = "give:"
# Slots whose keys have gone from memory, but are still in the last snapshot.
PAST = "past:"


class ImportNotes:
    """The notes of one node.

    Args:
        engine: whose keys are concealed.
        path: of the file.
    """

    def __init__(self, engine: Engine, path: str):
        self._engine = engine
        self._path = path
        # By the ID of an import, or one of the words above and something else.
        self.noted: dict[str, Ranges] = {}

    def load(self) -> None:
        """Read the file. Lines that make no sense are passed over."""
        try:
            with open(self._path, encoding="ascii", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            return
        for line in lines:
            id, _, text = line.partition(" ")
            try:
                pairs = [pair.split("-") for pair in text.split()]
                ranges = [(int(first), int(last)) for first, last in pairs]
            except ValueError:
                continue
            if ranges and all(0 <= first <= last < 16384 for first, last in ranges):
                self.noted[id] = ranges
        self._conceal()

    def note(self, id: str, ranges: Ranges) -> None:
        """The keys of these slots do not count from now on. Raises OSError."""
        if self.noted.get(id) != ranges:
            self.noted[id] = ranges
            self._save()
        self._conceal()

    def forget(self, id: str) -> None:
        """They count again, or there are none. Raises OSError."""
        if self.noted.pop(id, None) is not None:
            self._save()
        self._conceal()

    def put_behind(self, id: str, in_snapshot: bool) -> None:
        """The keys have gone, but the last snapshot may still have them. Raises OSError."""
        ranges = self.noted.pop(id, None)
        if ranges is not None:
            if in_snapshot:
                slots = [*slots_of(ranges), *slots_of(self.noted.get(PAST, []))]
                self.noted[PAST] = ranges_in(mask_of_slots(slots))
            self._save()
        self._conceal()

    @property
    def imports(self) -> dict[str, Ranges]:
        """The slots that are being imported, by task."""
        return {id: ranges for id, ranges in self.noted.items() if ":" not in id}

    def forget_slots(self, ranges: Ranges) -> None:
        """The same for slots, whatever the task. Raises OSError."""
        gone = slot_flags(ranges)
        for id, noted in self.imports.items():
            if all(gone[slot] for first, last in noted for slot in range(first, last + 1)):
                self.forget(id)

    def _conceal(self) -> None:
        concealed = [id for id in self.noted if not id.startswith((GIVE, PAST))]
        flags = bytearray(slot_flags([pair for id in concealed for pair in self.noted[id]]))
        for id in concealed:
            if id.startswith(TRIM):
                for slot in slots_of(self.noted[id]):
                    flags[slot] = LEAVING
        self._engine.keyspace.concealed_slots = bytes(flags) if concealed else None

    def _save(self) -> None:
        if not self.noted:
            try:
                os.unlink(self._path)
            except FileNotFoundError:
                return
        else:
            lines = [f"{id} {shown_ranges(ranges)}\n" for id, ranges in self.noted.items()]
            temporary = f"{self._path}.tmp-{os.getpid()}"
            with open(temporary, "w", encoding="ascii") as file:
                file.write("".join(lines))
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, self._path)
        sync_directory(paths.parent(self._path) or ".")

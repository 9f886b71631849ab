"""Slots that a move has left open when it was interrupted: finished, or closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from carnelian.tools.fleet.planning.slot_plans import Transfer
from carnelian.tools.fleet.wire.cluster_seen import IMPORTING, MIGRATING, SeenCluster


@dataclass
class Repairs:
    """What closes all open slots: ``finish`` moves that were begun, ``close`` pairs of a node's ID
    and a slot that it only has to be told to be stable."""

    finish: list[Transfer] = field(default_factory=list)
    close: list[tuple[str, int]] = field(default_factory=list)

    @property
    def slots(self) -> set[int]:
        """All of them."""
        return {slot for transfer in self.finish for slot in transfer.slots} | {
            slot for _, slot in self.close
        }


def plan_repairs(cluster: SeenCluster, keys_of: Callable[[str, int], int]) -> Repairs:
    """What to do about open slots; ``keys_of(id, slot)`` is how many keys a node has in a slot.

    A move goes on if its source says where to, or if its destination has got keys already; else
    nothing has happened yet, and it is taken back.
    """
    moves: dict[tuple[str, str], set[int]] = {}
    repairs = Repairs()
    by_slot: dict[int, dict[str, list[str]]] = {}
    for found in cluster.open_slots():
        by_slot.setdefault(found.slot, {}).setdefault(found.kind, []).append(found.at)
    for found in cluster.open_slots():
        owner = cluster.owners.get(found.slot)
        if owner is None or found.at not in cluster.nodes:
            continue
        if found.kind == MIGRATING:
            target = cluster.primary_of(found.other)
            if found.at == owner.id and target is not None and target.id != owner.id:
                moves.setdefault((owner.id, target.id), set()).add(found.slot)
            else:
                repairs.close.append((found.at, found.slot))
        elif found.at == owner.id or not _goes_on(cluster, found.at, found.slot, keys_of, by_slot):
            repairs.close.append((found.at, found.slot))
        else:
            moves.setdefault((owner.id, found.at), set()).add(found.slot)
    for (source, destination), slots in sorted(moves.items()):
        repairs.finish.append(Transfer(source, destination, tuple(sorted(slots))))
    return repairs


def _goes_on(
    cluster: SeenCluster,
    at: str,
    slot: int,
    keys_of: Callable[[str, int], int],
    by_slot: dict[int, dict[str, list[str]]],
) -> bool:
    """Whether an import is worth to be finished."""
    owner = cluster.owners[slot]
    if owner.id in by_slot[slot].get(MIGRATING, ()):
        # The source says itself where the slot goes: to this one, or it is closed here.
        targets = [
            cluster.primary_of(found.other)
            for found in owner.open
            if found.slot == slot and found.kind == MIGRATING
        ]
        return any(target is not None and target.id == at for target in targets)
    importers = by_slot[slot].get(IMPORTING, [])
    return importers[:1] == [at] and keys_of(at, slot) > 0

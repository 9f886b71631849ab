"""Which slots go where: evenly, and with as few of them moved as can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

SLOTS = 16384


class Transfer(NamedTuple):
    """Slots that go from one primary to another; both are named by their IDs."""

    source: str
    destination: str
    slots: tuple[int, ...]


Owned = Mapping[str, Collection[int]]


def first_layout(primaries: Sequence[str]) -> dict[str, range]:
    """All slots in one run for each primary, sizes differing by one at most."""
    count = len(primaries)
    edges = [SLOTS * number // count for number in range(count + 1)]
    return {
        primary: range(first, end)
        for primary, first, end in zip(primaries, edges, edges[1:], strict=False)
    }


def even_targets(owned: Owned) -> dict[str, int]:
    """How many slots each is to have: equally many, and those who have most keep the rest.

    The order of ``owned`` breaks ties, here and elsewhere.
    """
    total = sum(map(len, owned.values()))
    share, rest = divmod(total, len(owned))
    most_first = sorted(owned, key=lambda name: -len(owned[name]))
    return {name: share + (place < rest) for place, name in enumerate(most_first)}


def plan_rebalance(owned: Owned) -> list[Transfer]:
    """Transfers after which all have equally many slots. ``owned`` names all primaries."""
    if not owned:
        return []
    targets = even_targets(owned)
    spare = [
        (name, sorted(slots)[targets[name] :])
        for name, slots in owned.items()
        if len(slots) > targets[name]
    ]
    room = {name: targets[name] - len(owned[name]) for name in owned}
    return _pour(spare, room)


def plan_drain(owned: Owned, leaving: Collection[str]) -> list[Transfer]:
    """Transfers of all slots of those who leave, to those who have least; no others move.

    Raises ValueError if nobody stays.
    """
    staying = {name: len(slots) for name, slots in owned.items() if name not in leaving}
    if not staying:
        raise ValueError("nobody is left to take the slots")
    spare = [(name, sorted(owned[name])) for name in owned if name in leaving and owned[name]]
    amount = sum(len(slots) for _, slots in spare)
    return _pour(spare, _fill(staying, amount))


def _fill(counts: Mapping[str, int], amount: int) -> dict[str, int]:
    """How much of an amount each gets so that the lowest rise to one level."""
    order = sorted(counts, key=counts.__getitem__)
    for below in range(len(order), 0, -1):
        names = order[:below]
        level, rest = divmod(amount + sum(counts[name] for name in names), below)
        if level >= counts[names[-1]]:
            break
    return {name: level + (place < rest) - counts[name] for place, name in enumerate(names)}


def _pour(spare: Iterable[tuple[str, Sequence[int]]], room: dict[str, int]) -> list[Transfer]:
    """Give spare slots to those who have room, in order, so that few pairs come about."""
    takers = [(name, amount) for name, amount in room.items() if amount > 0]
    transfers = []
    for source, slots in spare:
        start = 0
        while start < len(slots):
            name, amount = takers[0]
            taken = tuple(slots[start : start + amount])
            transfers.append(Transfer(source, name, taken))
            start += len(taken)
            if len(taken) == amount:
                takers.pop(0)
            else:
                takers[0] = (name, amount - len(taken))
    return transfers


def ranges(slots: Iterable[int]) -> list[tuple[int, int]]:
    """Slots as runs, the first and the last of each: ``[(0, 5460), (5462, 5462)]``."""
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def in_words(slots: Iterable[int], most: int = 3) -> str:
    """Slots as people read them: ``0-5460 5462``; what is more than ``most`` runs is cut off."""
    runs = [f"{first}-{last}" if first != last else str(first) for first, last in ranges(slots)]
    return " ".join(runs[:most]) + (f" +{len(runs) - most}" if len(runs) > most else "")

"""``--keystats``: memory and elements of all keys: the largest, how they are distributed, sums."""

from __future__ import annotations

import heapq

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.modes.keys.key_sizes import (
    KINDS,
    elements_of,
    kind_of,
    memory_of,
    types_of,
)
from carnelian.tools.cli.modes.keys.key_walk import KeyWalk, TaskFailedError
from carnelian.tools.cli.modes.keys.largest_keys import shown
from carnelian.tools.cli.modes.keys.scan_progress import ScanProgress
from carnelian.tools.cli.talking.cli_login import client_for, tell

_HEADER = """
# Scanning the entire keyspace to find the biggest keys and distribution information.
# Use -i 0.1 to sleep 0.1 sec per 100 SCAN commands (not usually needed).
# Use --top <n> to change how many of the largest keys are shown (currently {top}).
# Use --keystats-samples <n> to limit the elements that memory is estimated by.
"""


class Sums:
    """What there is of a type."""

    def __init__(self) -> None:
        self.keys = self.memory = self.elements = 0
        self.longest = (0, b"")


class Statistics:
    """What was found so far."""

    def __init__(self, top: int):
        self.top = max(top, 0)
        self.keys = self.memory = self.lengths = 0
        self.longest_name = 0
        self.types: dict[str, Sums] = {}
        # The largest, the least of them first.
        self.largest: list[tuple[int, bytes, str]] = []
        # How many keys take less than two to the power of the index.
        self.sizes: list[int] = [0] * 64

    def add(self, key: bytes, name: str, memory: int, elements: int) -> None:
        """Count a key."""
        self.keys += 1
        self.memory += memory
        self.lengths += len(key)
        self.longest_name = max(self.longest_name, len(key))
        self.sizes[min(memory.bit_length(), 63)] += 1
        sums = self.types.setdefault(name, Sums())
        sums.keys += 1
        sums.memory += memory
        sums.elements += elements
        if elements > sums.longest[0]:
            sums.longest = (elements, key)
        entry = (memory, key, name)
        if len(self.largest) < self.top:
            heapq.heappush(self.largest, entry)
        elif self.largest and entry > self.largest[0]:
            heapq.heapreplace(self.largest, entry)


def run(options: Options) -> int:
    """Do it; returns the exit status."""
    client = client_for(options)
    client.connect()
    found = Statistics(options.top)
    walk = KeyWalk(client, options)
    try:
        walk.begin()
        print(_HEADER.format(top=options.top), flush=True)
        with ScanProgress(walk) as progress:
            for keys in walk.portions():
                types = types_of(client, keys)
                sizes = memory_of(client, keys, options.samples)
                counts = elements_of(client, keys, types)
                for key, name, size, count in zip(keys, types, sizes, counts, strict=True):
                    if name != "none":
                        found.add(key, name, size, count)
                progress.show()
    except TaskFailedError as error:
        tell(f"ERROR: {error}")
        return 1
    except KeyboardInterrupt:
        # What is there is worth to be seen.
        print(f"--- interrupted at {walk.percent:.2f}% ---\n")
    finally:
        client.end()
    _tell_largest(found)
    _tell_distribution(found)
    _tell_sums(found)
    return 0


def _tell_largest(found: Statistics) -> None:
    print(f"--- Top {len(found.largest)} key sizes ---")
    for place, (memory, key, name) in enumerate(sorted(found.largest, reverse=True), 1):
        print(f"{place:3} {human(memory):>9} {name:<10} {shown(key)}")
    print("\n--- Most elements of each type ---")
    for name, sums in _in_order(found):
        if sums.longest[1]:
            count, key = sums.longest
            print(f"{name:<10} {shown(key)} has {count} {kind_of(name).unit}")


def _tell_distribution(found: Statistics) -> None:
    print("\n--- Key size distribution ---")
    print(f"{'Size':>9} {'Percent':>9} {'Keys so far':>12}")
    so_far = 0
    for power, count in enumerate(found.sizes):
        if count:
            so_far += count
            print(f"{human(2**power):>9} {100 * so_far / found.keys:8.3f}% {so_far:>12}")


def _tell_sums(found: Statistics) -> None:
    print("\n--- Summary ---")
    print(f"{'Type':<10} {'Keys':>10} {'%':>7} {'Memory':>9} {'Per key':>9} {'Elements':>12}")
    for name, sums in _in_order(found):
        print(
            f"{name:<10} {sums.keys:>10} {100 * sums.keys / found.keys:6.2f}% "
            f"{human(sums.memory):>9} {human(sums.memory // sums.keys):>9} {sums.elements:>12}"
        )
    average = found.memory // found.keys if found.keys else 0
    print(f"{'total':<10} {found.keys:>10} {'':>7} {human(found.memory):>9} {human(average):>9}")
    length = found.lengths / found.keys if found.keys else 0
    print(
        f"\nNames of keys take {human(found.lengths)}, {length:.2f} bytes each, the longest "
        f"{found.longest_name}."
    )


def _in_order(found: Statistics) -> list[tuple[str, Sums]]:
    order = {kind.name: place for place, kind in enumerate(KINDS)}
    return sorted(found.types.items(), key=lambda each: order.get(each[0], len(order)))


def human(size: int) -> str:
    """Bytes, as people read them."""
    if size < 1024:
        return f"{size}B"
    power = min((size.bit_length() - 1) // 10, 4)
    return f"{size / 1024**power:.2f}{'BKMGT'[power]}"

"""``--bigkeys`` and ``--memkeys``: the largest key of each type, and what there is of each."""

from __future__ import annotations

import sys
from typing import TextIO

from carnelian.resp.quoting import quote
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.modes.keys.key_sizes import (
    KINDS,
    Kind,
    elements_of,
    kind_of,
    memory_of,
    types_of,
)
from carnelian.tools.cli.modes.keys.key_walk import KeyWalk, TaskFailedError
from carnelian.tools.cli.modes.keys.scan_progress import ScanProgress
from carnelian.tools.cli.talking.cli_login import client_for, tell

HEADER = """
# Scanning the entire keyspace to find {} keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).
"""


class Found:
    """What there is of a type."""

    def __init__(self, kind: Kind, unit: str):
        self.kind = kind
        self.unit = unit
        self.count = self.size = self.largest = 0
        self.key = b""

    def add(self, key: bytes, size: int) -> bool:
        """Count a key; returns whether it is the largest so far."""
        self.count += 1
        self.size += size
        if self.count > 1 and size <= self.largest:
            return False
        self.largest, self.key = size, key
        return True


def run(options: Options) -> int:
    """Do it; returns the exit status."""
    client = client_for(options)
    client.connect()
    in_memory = options.mode == "memkeys"
    found: dict[str, Found] = {}
    out = sys.stdout
    walk = KeyWalk(client, options)
    names = lengths = 0
    try:
        walk.begin()
        print(HEADER.format("biggest"), file=out)
        with ScanProgress(walk) as progress:
            for keys in walk.portions():
                types = types_of(client, keys)
                sizes = (
                    memory_of(client, keys, options.samples)
                    if in_memory
                    else elements_of(client, keys, types)
                )
                for key, name, size in zip(keys, types, sizes, strict=True):
                    if name == "none":
                        # It was gone before it was looked at.
                        continue
                    names, lengths = names + 1, lengths + len(key)
                    _add(found, in_memory, key, name, size, progress)
                progress.show()
    except TaskFailedError as error:
        out.flush()
        tell(f"ERROR: {error}")
        return 1
    finally:
        client.end()
    _summarize(out, found, in_memory, names, lengths)
    return 0


def _add(
    found: dict[str, Found],
    in_memory: bool,
    key: bytes,
    name: str,
    size: int,
    progress: ScanProgress,
) -> None:
    entry = found.get(name)
    if entry is None:
        kind = kind_of(name)
        entry = found[name] = Found(kind, "bytes" if in_memory else kind.unit)
    if entry.add(key, size):
        progress.print(
            f"[{progress.percent:05.2f}%] Biggest {name:<6} found so far '{shown(key)}' "
            f"with {size} {entry.unit}"
        )


def _summarize(
    out: TextIO, found: dict[str, Found], in_memory: bool, names: int, lengths: int
) -> None:
    for kind in KINDS:
        found.setdefault(kind.name, Found(kind, "bytes" if in_memory else kind.unit))
    order = [kind.name for kind in KINDS]
    rows = sorted(found.items(), key=lambda row: order.index(row[0]) if row[0] in order else 99)
    print("\n-------- summary -------\n", file=out)
    print(f"Sampled {names} keys in the keyspace!", file=out)
    print(
        f"Total key length in bytes is {lengths} (avg len {_average(lengths, names)})\n", file=out
    )
    for name, entry in rows:
        if entry.count:
            print(
                f"Biggest {name:>6} found '{shown(entry.key)}' has {entry.largest} {entry.unit}",
                file=out,
            )
    print(file=out)
    for name, entry in rows:
        share = 100.0 * entry.count / names if names else 0.0
        print(
            f"{entry.count} {name}s with {entry.size} {entry.unit} ({share:05.2f}% of keys, "
            f"avg size {_average(entry.size, entry.count)})",
            file=out,
        )


def _average(total: int, count: int) -> str:
    return f"{total / count if count else 0:.2f}"


def shown(key: bytes) -> str:
    """A key as these tasks show it."""
    return quote(key).decode("ascii")

"""INFO keysizes: how many keys there are of each size.

Counted when it is asked for, by a look at every key: to keep such counts up to date would cost time
with every write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine.shared.info import Fields, section

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# By type: what a field is called, and in what the size is given.
_SHOWN: dict[bytes, tuple[str, str]] = {
    b"string": ("strings", "sizes"),
    b"list": ("lists", "items"),
    b"set": ("sets", "items"),
    b"zset": ("zsets", "items"),
    b"hash": ("hashes", "items"),
    b"array": ("arrays", "items"),
}


@section("keysizes")
def keysizes(engine: Engine) -> Fields:
    """For each database and type the powers of two that sizes have reached, and how often."""
    bytes_too = engine.config["key-memory-histograms"]
    rows: list[tuple[str, object]] = []
    for db in engine.keyspace.databases:
        found = db.sizes(bytes_too) if len(db) else {}
        for kind, (name, unit) in _SHOWN.items():
            start = f"db{db.index}_distrib_{name}"
            if kind in found:
                rows.append((f"{start}_{unit}", _row(found[kind])))
            if (kind, "bytes") in found:
                rows.append((f"{start}_sizes", _row(found[kind, "bytes"])))
    return rows


def _row(counts: list[int]) -> str:
    """Counts by the power of two that was reached: ``1=3,64=1,2K=5``."""
    return ",".join([f"{_shown(power)}={count}" for power, count in enumerate(counts) if count])


def _shown(power: int) -> str:
    """The least size of a bin, in the largest unit that divides it."""
    if power == 0:
        return "0"
    size = 1 << (power - 1)
    for unit in ("", "K", "M", "G", "T", "P"):
        if size < 1024:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}E"

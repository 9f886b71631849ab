"""What it costs to list keys by hash slot, as a node of a cluster does: with it against without.

Bytes per key as used_memory counts them, for keys in all slots and in one; nanoseconds of CPU per
command of engines in this process, without a socket, parser and writer, in turns.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence

import carnelian
from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.datatypes.base import memory
from carnelian.engine.engine import Engine
from carnelian.engine.session import Session
from harness import report

PLAIN, BY_SLOT = "without", "by slot"
# What a deployment has: keys everywhere, or a large customer in one slot.
NAMES = {"all slots": b"key:%012d", "one slot": b"{tag}:%010d"}
_BATCH = 5000


def main() -> None:
    options = _parser().parse_args()
    carnelian.Engine()  # so that there are commands
    figures: dict[str, dict[str, float]] = {}
    for title, name in NAMES.items():
        print(f"{options.keys} keys in {title}", flush=True)
        figures[title] = _measure(name, options)
    columns = list(figures)
    rows = [
        [row, *(f"{figures[column][row]:.2f}" for column in columns)] for row in figures[columns[0]]
    ]
    print("\n" + report.table(["", *columns], rows))
    print(report.save("slots", {"options": vars(options), "figures": figures}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--keys", type=int, default=1_000_000, help="number of keys (1000000)")
    add("--value-size", type=int, default=8, help="bytes of a value (8)")
    add("--rounds", type=int, default=31, help="rounds of 5000 commands of a kind each (31)")
    return parser


def _measure(name: bytes, options: argparse.Namespace) -> dict[str, float]:
    """All figures for keys of that name."""
    sessions: dict[str, Session] = {}
    figures: dict[str, float] = {}
    value = b"v" * options.value_size
    for kind in (PLAIN, BY_SLOT):
        gc.collect()
        before = memory.used()
        sessions[kind] = _session(kind)
        _run(sessions[kind], [[b"SET", name % number, value] for number in range(options.keys)])
        figures[f"{kind}: bytes per key"] = (memory.used() - before) / options.keys
    first, second = figures.values()
    figures["more bytes per key"] = second - first
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        for title, commands in _kinds(name, options.keys, value).items():
            for kind in random.sample(list(sessions), 2):
                times[title, kind].append(_run(sessions[kind], commands))
    for title in _kinds(name, options.keys, value):
        pairs = list(zip(times[title, BY_SLOT], times[title, PLAIN], strict=True))
        figures[f"{title}: {PLAIN}, ns"] = min(plain for _, plain in pairs)
        figures[f"{title}: {BY_SLOT}, ns"] = min(by_slot for by_slot, _ in pairs)
        figures[f"{title}: ratio"] = statistics.median(one / other for one, other in pairs)
    return figures | _listing(sessions[BY_SLOT], name)


def _session(kind: str) -> Session:
    engine = Engine()
    if kind == BY_SLOT:
        engine.keyspace.list_by_slot()
    return Session(engine)


def _kinds(name: bytes, keys: int, value: bytes) -> dict[str, list[list[bytes]]]:
    """Commands of each kind, in the order in which they leave the keys as they were."""
    there = [name % random.randrange(keys) for _ in range(_BATCH)]
    new = [name % number for number in random.sample(range(keys, 100 * keys), _BATCH)]
    return {
        "GET": [[b"GET", key] for key in there],
        "SET": [[b"SET", key, value] for key in there],
        "SET of a new key": [[b"SET", key, value] for key in new],
        "DEL": [[b"DEL", key] for key in new],
    }


def _run(session: Session, commands: Sequence[list[bytes]]) -> float:
    """Nanoseconds per command."""
    execute = session.engine.execute
    began = time.process_time_ns()
    for words in commands:
        execute(session, words)
    return (time.process_time_ns() - began) / len(commands)


def _listing(session: Session, name: bytes) -> dict[str, float]:
    """Nanoseconds per key of the calls that take a slot's keys."""
    db = session.engine.keyspace.databases[0]
    slots = sorted({hash_slot(name % number) for number in range(2000)})
    listed = deleted = scanned = 0
    began = time.process_time_ns()
    for slot in slots:
        listed += len(db.keys_in_slot(slot, 10_000))
    listing = time.process_time_ns() - began
    began = time.process_time_ns()
    for slot in slots:
        cursor, keys = db.scan_slot(slot, 0, 100)
        scanned += len(keys)
        while cursor and scanned < 100_000:
            cursor, keys = db.scan_slot(slot, cursor, 100)
            scanned += len(keys)
    scanning = time.process_time_ns() - began
    began = time.process_time_ns()
    for slot in slots:
        deleted += len(db.delete_slot(slot, 10_000))
    deleting = time.process_time_ns() - began
    return {
        "keys_in_slot: ns per key": listing / listed,
        "scan_slot by 100: ns per key": scanning / scanned,
        "delete_slot: ns per key": deleting / deleted,
    }


if __name__ == "__main__":
    main()

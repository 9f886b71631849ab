"""MEMORY: what keys, clients and tables take.

See https://redis.io/docs/latest/commands/memory-stats/
"""

from __future__ import annotations

from carnelian.engine.declaring import at, command
from carnelian.engine.help import container
from carnelian.engine.info_sections import MemoryReading, human
from carnelian.engine.session import Session
from carnelian.keyspace.database import Database
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, SYNTAX_ERROR, FlatMap, Verbatim

GROUP = "server"

# Below this the figures say more about the program than about its data.
_LITTLE = 5 * 1024 * 1024

container(
    "MEMORY",
    group="server",
    since="4.0.0",
    help_since="4.0.0",
    summary="Tells about memory.",
)


@command("MEMORY USAGE key [SAMPLES count:integer]", "readonly", keys=at(2, "RO"))
def usage(session: Session, args: list[bytes]) -> int | None:
    """Estimates the bytes that a key and its value take.

    Since 4.0.0, O(N), for N samples
    """
    samples, position = 5, 3
    while position < len(args):
        if args[position].lower() != b"samples" or position + 1 == len(args):
            raise SYNTAX_ERROR
        samples = parse_int(args[position + 1])
        if samples < 0:
            raise SYNTAX_ERROR
        position += 2
    return session.db.memory_usage(args[2])


@command(
    "MEMORY STATS",
    hints=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)
def stats(session: Session, args: list[bytes]) -> FlatMap:
    """Shows where memory goes.

    Since 4.0.0, O(1)
    """
    engine = session.engine
    numbers = MemoryReading(engine)
    reply = FlatMap(
        [
            b"peak.allocated", numbers.peak,
            b"total.allocated", numbers.used,
            b"startup.allocated", numbers.startup,
            b"replication.backlog", numbers.backlog,
            b"replica.fullsync.buffer", 0,
            b"clients.slaves", numbers.replicas,
            b"clients.normal", numbers.clients,
            b"cluster.links", numbers.links,
            b"aof.buffer", 0,
            b"lua.caches", 0,
            b"functions.caches", 0,
        ]
    )  # fmt: skip
    keys = 0
    for db in engine.keyspace.databases:
        if not len(db):
            continue
        keys += len(db)
        reply += [b"db.%d" % db.index, _database(db)]
    reply += [
        b"overhead.db.hashtable.lut", numbers.tables,
        b"overhead.db.hashtable.rehashing", 0,
        b"db.dict.rehashing.count", 0,
        b"overhead.total", numbers.overhead,
        b"keys.count", keys,
        b"keys.bytes-per-key", (numbers.used - numbers.startup) // keys if keys else 0,
        b"dataset.bytes", numbers.dataset,
        b"dataset.percentage", numbers.dataset_share,
        b"peak.percentage", numbers.used * 100 / max(1, numbers.peak),
        b"allocator.allocated", numbers.used,
        b"allocator.active", numbers.used,
        b"allocator.resident", numbers.resident,
        b"allocator.muzzy", 0,
        b"allocator-fragmentation.ratio", 1.0,
        b"allocator-fragmentation.bytes", 0,
        b"allocator-rss.ratio", numbers.fragmentation,
        b"allocator-rss.bytes", numbers.resident - numbers.used,
        b"rss-overhead.ratio", 1.0,
        b"rss-overhead.bytes", 0,
        b"fragmentation", numbers.fragmentation,
        b"fragmentation.bytes", numbers.resident - numbers.used,
    ]  # fmt: skip
    return reply


def _database(db: Database) -> FlatMap:
    tables = db.table_stats
    return FlatMap(
        [
            b"overhead.hashtable.main", tables["keys"]["bytes"],
            b"overhead.hashtable.expires", tables["expires"]["bytes"],
        ]
    )  # fmt: skip


@command(
    "MEMORY DOCTOR",
    hints=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)
def doctor(session: Session, args: list[bytes]) -> Verbatim:
    """Explains in words what is unusual about memory.

    Since 4.0.0, O(1)
    """
    return Verbatim(_diagnose(MemoryReading(session.engine), len(session.engine.sessions)).encode())


def _diagnose(numbers: MemoryReading, sessions: int) -> str:
    if numbers.used < _LITTLE:
        return "There is next to no data here: too little to judge by.\n"
    findings = []
    if numbers.peak > numbers.used * 1.5:
        findings.append(
            f"At its peak the data took {human(numbers.peak)}, far more than now. What the "
            "system gave then may stay with the process and will be used again."
        )
    if numbers.fragmentation > 1.4:
        findings.append(
            f"The process holds {numbers.fragmentation:.2f} times the memory that its data takes. "
            "MEMORY PURGE gives back what can be given back."
        )
    if sessions and numbers.clients / sessions > 200 * 1024:
        findings.append(
            "Clients hold more than 200 KB each on average: some send or receive faster than "
            "they are served. CLIENT LIST shows which."
        )
    if not findings:
        return "Nothing unusual found.\n"
    return "".join(f" * {finding}\n\n" for finding in findings)


@command("MEMORY PURGE", hints=("request_policy:all_shards", "response_policy:all_succeeded"))
def purge(session: Session, args: list[bytes]) -> object:
    """Gives free memory back to the system.

    Since 4.0.0, Depends on how much is free
    """
    import ctypes

    # Only glibc has it; elsewhere the allocator gives back by itself.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return OK


@command(
    "MEMORY MALLOC-STATS",
    hints=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)
def malloc_stats(session: Session, args: list[bytes]) -> Verbatim:
    """Shows the allocator's own statistics.

    Since 4.0.0, Depends on how much memory is held
    """
    return Verbatim(b"Stats not supported for the current allocator")

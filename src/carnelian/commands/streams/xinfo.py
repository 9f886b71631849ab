"""XINFO: what streams, groups and consumers are like."""

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.streams.by_id import Place, item_at, seek, step
from cython.cimports.carnelian.datatypes.streams.group import (
    Consumer,
    Group,
    PendingPointer,
    owner,
    time_of,
)
from cython.cimports.carnelian.datatypes.streams.ids import ConstId, Id, format_id
from cython.cimports.carnelian.datatypes.streams.producers import Idempotency
from cython.cimports.carnelian.datatypes.streams.scan import Scan
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.libc.stdint import int64_t, uint64_t

from carnelian.commands.streams.stream_operands import bad_subcommand, no_group_of_key
from carnelian.engine.declaring import at, command
from carnelian.engine.help import container
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_SUCH_KEY, FlatMap

GROUP = "stream"

_ZERO = cython.declare(Id)
_HIGHEST = cython.declare(Id)
_ZERO.ms = _ZERO.seq = 0
_HIGHEST.ms = _HIGHEST.seq = ~cython.cast(uint64_t, 0)

# Entries that FULL shows without a COUNT.
_FEW = cython.declare(int64_t, 10)

container("XINFO", group="stream", since="5.0.0", summary="What streams are like.")


@cython.cfunc
def _stream(session: Session, key: bytes) -> Stream:
    """The stream of a key, which has to be there."""
    values: Stream = session.db.collection(key, Stream)
    if values is None:
        raise NO_SUCH_KEY
    return values


@command(
    "XINFO CONSUMERS key groupname~group",
    "readonly",
    keys=at(2, "RO access"),
    hints="nondeterministic_output",
)
def xinfo_consumers(session: Session, args: list):
    """Replies with the consumers of a group.

    Since 5.0.0, O(N log(N)) with N the number of consumers
    7.2.0: Added the field `inactive`.
    """
    group: Group = _stream(session, args[2]).group(args[3])
    if group is None:
        raise no_group_of_key(args[2], args[3])
    return [_consumer(consumer, session.keyspace.clock.ms) for consumer in group.in_order()]


@cython.cfunc
def _consumer(consumer: Consumer, now: int64_t):
    inactive: int64_t = -1
    if consumer.active_ms != -1:
        inactive = max(now - consumer.active_ms, 0)
    return FlatMap([
        b"name", consumer.name,
        b"pending", consumer.size(),
        b"idle", max(now - consumer.seen_ms, 0),
        b"inactive", inactive,
    ])  # fmt: skip


@command("XINFO GROUPS key", "readonly", keys=at(2, "RO access"))
def xinfo_groups(session: Session, args: list):
    """Replies with the groups of a stream.

    Since 5.0.0, O(N log(N)) with N the number of groups
    7.0.0: Added the fields `entries-read` and `lag`.
    """
    values: Stream = _stream(session, args[2])
    return [_group(values, group) for group in values.groups()]


@cython.cfunc
def _group(values: Stream, group: Group):
    return FlatMap([
        b"name", group.name,
        b"consumers", len(group.consumers),
        b"pending", group.size(),
        b"last-delivered-id", format_id(cython.address(group.last)),
        b"entries-read", _entries_read(group),
        b"lag", _lag(values, group),
    ])  # fmt: skip


@cython.cfunc
def _entries_read(group: Group):
    return None if group.entries_read == -1 else group.entries_read


@cython.cfunc
def _lag(values: Stream, group: Group):
    entries: int64_t = 0
    return entries if values.lag(group, cython.address(entries)) else None


@command(
    "XINFO STREAM key [full_block=(full=FULL [COUNT count:integer])]",
    "readonly",
    keys=at(2, "RO access"),
)
def xinfo_stream(session: Session, args: list):
    """Replies with what a stream is like.

    Since 5.0.0, O(1); O(N) with FULL, with N the number of entries and pending entries replied
    6.0.0: Added FULL.
    7.0.0: Added fields about what was added and deleted.
    7.2.0: Added the field `active-time`, and `seen-time` changed.
    8.6.0: Added fields about idempotent adding.
    8.8.0: Added the field `nacked-count`.
    """
    values: Stream = _stream(session, args[2])
    count: int64_t = _FEW
    full: cython.bint = len(args) > 3
    if full:
        if (len(args) != 4 and len(args) != 6) or args[3].upper() != b"FULL":
            raise bad_subcommand("XINFO", args[1])
        if len(args) == 6:
            if args[4].upper() != b"COUNT":
                raise bad_subcommand("XINFO", args[1])
            count = parse_int(args[5])
            if count < 0:
                count = _FEW
    reply = FlatMap([
        b"length", values.length,
        b"radix-tree-keys", values.nodes.count,
        b"radix-tree-nodes", values.nodes.count + 1,
        b"last-generated-id", format_id(cython.address(values.last)),
        b"max-deleted-entry-id", format_id(cython.address(values.max_deleted)),
        b"entries-added", values.entries_added,
        b"recorded-first-entry-id", format_id(cython.address(values.first)),
    ])  # fmt: skip
    reply += _idempotency(session, values)
    if full:
        reply += [b"entries", _entries(values, count, False)]
        reply += [b"groups", [_full_group(values, group, count) for group in values.groups()]]
    else:
        reply += [b"groups", len(values.groups())]
        reply += [b"first-entry", _only(_entries(values, 1, False))]
        reply += [b"last-entry", _only(_entries(values, 1, True))]
    return reply


@cython.cfunc
def _idempotency(session: Session, values: Stream) -> list:
    """What is known of entries by their names."""
    known: Idempotency = values.idempotency
    if known is None:
        limits: Limits = session.keyspace.limits
        known = Idempotency(limits.stream_idmp_duration, limits.stream_idmp_maxsize)
    known.forget_old(session.keyspace.clock.ms)
    producers, names = known.sizes()
    return [
        b"idmp-duration", known.duration_s,
        b"idmp-maxsize", known.most,
        b"pids-tracked", producers,
        b"iids-tracked", names,
        b"iids-added", known.added,
        b"iids-duplicates", known.duplicates,
    ]  # fmt: skip


@cython.cfunc
def _only(entries: list):
    return entries[0] if entries else None


@cython.cfunc
def _entries(values: Stream, count: int64_t, back: cython.bint) -> list:
    """The first or last entries; all if the count is 0."""
    found: list = []
    scan: Scan = values.scan(cython.address(_ZERO), cython.address(_HIGHEST), back)
    while scan.next():
        found.append(scan.item())
        if count and len(found) == count:
            break
    return found


@cython.cfunc
def _full_group(values: Stream, group: Group, count: int64_t):
    """All about a group, with the first entries that are pending."""
    place = cython.declare(Place)
    pending: PendingPointer
    found: list = []
    seek(cython.address(group.pending), cython.address(_ZERO), cython.address(place))
    while place.leaf is not cython.NULL and not (count and len(found) == count):
        pending = cython.cast(
            PendingPointer, item_at(cython.address(group.pending), cython.address(place))
        )
        id = format_id(cython.address(pending.id))
        consumer = owner(pending)
        name = b"" if consumer is None else consumer.name
        found.append([id, name, time_of(pending), pending.count])
        step(cython.address(place))
    return FlatMap([
        b"name", group.name,
        b"last-delivered-id", format_id(cython.address(group.last)),
        b"entries-read", _entries_read(group),
        b"lag", _lag(values, group),
        b"pel-count", group.size(),
        b"nacked-count", group.released,
        b"pending", found,
        b"consumers", [_full_consumer(group, consumer, count) for consumer in group.in_order()],
    ])  # fmt: skip


@cython.cfunc
def _full_consumer(group: Group, consumer: Consumer, count: int64_t):
    """All about a consumer, with the first entries that are pending for it."""
    place = cython.declare(Place)
    id: ConstId
    pending: PendingPointer
    found: list = []
    seek(cython.address(consumer.pending), cython.address(_ZERO), cython.address(place))
    while place.leaf is not cython.NULL and not (count and len(found) == count):
        id = cython.cast(ConstId, item_at(cython.address(consumer.pending), cython.address(place)))
        pending = group.find(id)
        found.append([format_id(id), pending.time, pending.count])
        step(cython.address(place))
    return FlatMap([
        b"name", consumer.name,
        b"seen-time", consumer.seen_ms,
        b"active-time", consumer.active_ms,
        b"pel-count", consumer.size(),
        b"pending", found,
    ])  # fmt: skip

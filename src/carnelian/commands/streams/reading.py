"""XREAD and XREADGROUP: what is new in streams, or waiting for it."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.commands.streams.operands import (
    consumer_for,
    propagate_claim,
    propagate_consumer,
    propagate_group,
    read_count,
    read_id,
)
from cython.cimports.carnelian.datatypes.consumer_group import Consumer, Group, PendingPointer
from cython.cimports.carnelian.datatypes.id_tree import Place, item_at, seek, step
from cython.cimports.carnelian.datatypes.stream import Stream
from cython.cimports.carnelian.datatypes.stream_id import (
    ConstId,
    Id,
    as_pair,
    compare,
    format_id,
    id_of,
    step_down,
    step_up,
)
from cython.cimports.carnelian.datatypes.stream_scan import Scan
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.libc.stdint import int64_t, uint64_t

from carnelian.commands.operands import milliseconds
from carnelian.commands.streams.operands import no_group, shown
from carnelian.datatypes.stream import Stream as _Stream
from carnelian.engine.registry import after, command
from carnelian.engine.session import FLAG_SCRIPT
from carnelian.resp.replies import NULL_ARRAY as _null_array
from carnelian.resp.replies import Error, FlatMap, SyntaxError_

_NULL_ARRAY = cython.declare(object, _null_array)
_SCRIPT = cython.declare(cython.int, FLAG_SCRIPT)
_TYPE: bytes = b"stream"

_HIGHEST = cython.declare(Id)
_HIGHEST.ms = _HIGHEST.seq = ~cython.cast(uint64_t, 0)
# What is new for the group.
_NEW: tuple = ((1 << 64) - 1, (1 << 64) - 1)

_MEANINGLESS = (
    "ERR The {0} ID is meaningless in the context of XREADGROUP: you want to read the history of "
    "this consumer by specifying a proper ID, or use the > ID to get new messages. The {0} ID "
    "would just return an empty result set."
)


@command(
    "XREAD",
    arity=-4,
    flags="readonly blocking",
    keys=after("STREAMS", "RO access", last=-1, limit=2),
    group="stream",
    since="5.0.0",
    complexity="O(N) with N the number of entries replied",
    summary="Replies with entries behind an id in each of several streams, or waits for some.",
    arguments=(
        "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams=(key:key ... id ...)"
    ),
)
def xread(session: Session, args: list):
    return _read(session, args, _options(session, args, False))


@command(
    "XREADGROUP",
    arity=-7,
    flags="write blocking",
    keys=after("STREAMS", "RO access", start=4, last=-1, limit=2),
    group="stream",
    since="5.0.0",
    complexity="O(N) with N the number of entries replied",
    summary="Replies with entries that nobody of the group has got yet, or waits for some.",
    arguments=(
        "GROUP group_consumer=(group consumer) [COUNT count:integer]"
        " [BLOCK milliseconds:integer] [NOACK] STREAMS streams=(key:key ... id ...)"
    ),
)
def xreadgroup(session: Session, args: list):
    session.rewrite([])
    return _read(session, args, _options(session, args, True))


@cython.final
@cython.cclass
class _Request:
    """The options of one command."""

    count: int64_t
    timeout_ms: int64_t  # -1 not to wait
    no_ack: cython.bint
    group: bytes
    consumer: bytes
    streams: cython.Py_ssize_t  # where the first key stands
    keys: list
    groups: list
    starts: list  # ids to read behind, as pairs


@cython.cfunc
def _options(session: Session, args: list, grouped: cython.bint) -> _Request:
    """Read what stands before the keys, and the keys."""
    request: _Request = _Request()
    request.timeout_ms = -1
    last: cython.Py_ssize_t = len(args) - 1
    place: cython.Py_ssize_t = 1
    while place <= last:
        option: bytes = args[place].upper()
        if option == b"STREAMS" and place < last:
            request.streams = place + 1
            break
        if option == b"BLOCK" and place < last:
            place += 1
            request.timeout_ms = _timeout(session, args[0], args[place])
        elif option == b"COUNT" and place < last:
            place += 1
            request.count = read_count(args[place])
        elif option == b"GROUP" and place + 1 < last:
            _only_in_groups(grouped, "GROUP")
            request.group = args[place + 1]
            request.consumer = args[place + 2]
            place += 2
        elif option == b"NOACK":
            _only_in_groups(grouped, "NOACK")
            request.no_ack = True
        else:
            raise SyntaxError_()
        place += 1
    if request.streams == 0:
        raise SyntaxError_()
    if (last - request.streams) % 2 == 0:
        name = "xreadgroup" if grouped else "xread"
        wanted = "ID or '>'" if grouped else "ID, '+', or '$'"
        raise Error(
            f"ERR Unbalanced '{name}' list of streams: "
            f"for each stream key an {wanted} must be specified."
        )
    if grouped and request.group is None:
        raise Error("ERR Missing GROUP option for XREADGROUP")
    request.keys = args[request.streams : (request.streams + last + 1) // 2]
    return request


@cython.cfunc
def _only_in_groups(grouped: cython.bint, option: str):
    if not grouped:
        raise Error(
            f"ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
        )


@cython.cfunc
@cython.exceptval(-2)
def _timeout(session: Session, name: bytes, word: bytes) -> int64_t:
    """How long to wait in ms, 0 for any time."""
    if session.flags & _SCRIPT:
        raise Error(b"ERR %s command is not allowed with BLOCK option from scripts" % shown(name))
    now: int64_t = session.keyspace.clock.ms
    deadline: int64_t = milliseconds(word, now)
    return deadline - now if deadline else 0


@cython.cfunc
def _read(session: Session, args: list, request: _Request):
    """Serve the streams that have something, or wait for one that does."""
    db: Database = session.db
    found: list = []
    key: bytes
    place: cython.Py_ssize_t
    values: Stream
    start = cython.declare(Id)
    _find_starts(session, args, request)
    for place in range(len(request.keys)):
        key = request.keys[place]
        values = db.collection(key, _Stream)
        if values is None:
            continue
        if request.group is not None:
            entries = _serve_group(session, key, values, request, place)
        else:
            start = id_of(request.starts[place])
            entries = _entries_behind(values, cython.address(start), request.count)
        if entries is not None:
            found.append((key, entries))
    if found:
        if session.protocol > 2:
            return FlatMap([part for pair in found for part in pair])
        return [list(pair) for pair in found]
    if request.timeout_ms == -1:
        return _NULL_ARRAY
    return session.engine.blocking.wait(
        session, _retried(args, request), request.keys, request.timeout_ms, _NULL_ARRAY,
        _TYPE if request.group is None else None,
    )  # fmt: skip


@cython.cfunc
def _retried(args: list, request: _Request) -> list:
    """The command as it is run again: what was last at its first time stays so."""
    words: list = list(args)
    ids: cython.Py_ssize_t = request.streams + len(request.keys)
    place: cython.Py_ssize_t
    id = cython.declare(Id)
    for place in range(len(request.keys)):
        if words[ids + place] == b"$":
            id = id_of(request.starts[place])
            words[ids + place] = format_id(cython.address(id))
    return words


# -- Where to begin ------------------------------------------------------------------------------


@cython.cfunc
def _find_starts(session: Session, args: list, request: _Request):
    """The ids to read behind, and the groups."""
    id = cython.declare(Id)
    values: Stream
    group: Group
    word: bytes
    place: cython.Py_ssize_t
    ids: cython.Py_ssize_t = request.streams + len(request.keys)
    grouped: cython.bint = request.group is not None
    request.starts = []
    request.groups = []
    for place in range(len(request.keys)):
        values = session.db.collection(request.keys[place], _Stream)
        if grouped:
            group = None if values is None else values.group(request.group)
            if group is None:
                raise no_group(
                    request.keys[place], request.group, b" in XREADGROUP with GROUP option"
                )
            session.db.keep(request.keys[place])
            request.groups.append(group)
        word = args[ids + place]
        id.ms = id.seq = 0
        if word == b">":
            if not grouped:
                raise Error(
                    "ERR The > ID can be specified only when calling XREADGROUP using the "
                    "GROUP <group> <consumer> option."
                )
            id = _HIGHEST
        elif word == b"$" or word == b"+":
            if grouped:
                raise Error(_MEANINGLESS.format(word.decode()))
            if values is not None and word == b"$":
                id = values.last
            elif values is not None and values.last_live(cython.address(id)):
                step_down(cython.address(id))
        else:
            read_id(word, cython.address(id), 0)
        request.starts.append(as_pair(cython.address(id)))


@cython.cfunc
@cython.exceptval(-1)
def _has_behind(values: Stream, id: cython.pointer[Id]) -> cython.bint:
    """Whether there is an entry with a higher id."""
    last = cython.declare(Id)
    if values.length == 0 or compare(cython.address(values.last), id) <= 0:
        return False
    return values.last_live(cython.address(last)) and compare(cython.address(last), id) > 0


@cython.cfunc
def _entries_behind(values: Stream, id: cython.pointer[Id], count: int64_t):
    """Entries with higher ids; None if there are none."""
    if not _has_behind(values, id):
        return None
    step_up(id)
    scan: Scan = values.scan(id, cython.address(_HIGHEST), False)
    found: list = []
    while scan.next():
        found.append(scan.item())
        if count and len(found) == count:
            break
    return found


# -- Groups --------------------------------------------------------------------------------------


@cython.cfunc
def _serve_group(
    session: Session, key: bytes, values: Stream, request: _Request, place: cython.Py_ssize_t
):
    """What a stream has for a consumer: new entries or those pending; None if nothing."""
    group: Group = request.groups[place]
    made: cython.bint = group.consumer(request.consumer) is None
    consumer: Consumer = consumer_for(session, key, group, request.consumer)
    start = cython.declare(Id)
    entries = None
    if request.starts[place] != _NEW:
        start = id_of(request.starts[place])
        step_up(cython.address(start))
        entries = _history(session, values, group, consumer, cython.address(start), request.count)
    elif _has_behind(values, cython.address(group.last)):
        if made and request.no_ack:
            propagate_consumer(session, key, group, request.consumer)
        made = made and not request.no_ack
        entries = _deliver(session, key, values, group, consumer, request)
        made = made and consumer.size() == 0
    if made:
        propagate_consumer(session, key, group, request.consumer)
    if entries is not None:
        session.keyspace.dirty += 1
    return entries


@cython.cfunc
def _deliver(
    session: Session,
    key: bytes,
    values: Stream,
    group: Group,
    consumer: Consumer,
    request: _Request,
) -> list:
    """Give entries that are new for the group to a consumer."""
    now: int64_t = session.keyspace.clock.ms
    pending: PendingPointer
    start: Id = group.last
    found: list = []
    step_up(cython.address(start))
    scan: Scan = values.scan(cython.address(start), cython.address(_HIGHEST), False)
    while scan.next():
        values.advance(group, cython.address(scan.entry.id))
        found.append(scan.item())
        if not request.no_ack:
            pending = group.deliver(cython.address(scan.entry.id), consumer)
            pending.time = now
            pending.count = 1
            consumer.active_ms = now
            propagate_claim(session, key, group, pending)
        if request.count and len(found) == request.count:
            break
    if request.no_ack and found:
        propagate_group(session, key, group)
    return found


@cython.cfunc
def _history(
    session: Session,
    values: Stream,
    group: Group,
    consumer: Consumer,
    start: cython.pointer[Id],
    count: int64_t,
) -> list:
    """Entries that are pending for a consumer, from an id on."""
    place = cython.declare(Place)
    pending: PendingPointer
    id: ConstId
    scan: Scan
    found: list = []
    seek(cython.address(consumer.pending), start, cython.address(place))
    while place.leaf is not cython.NULL and not (count and len(found) == count):
        id = cython.cast(ConstId, item_at(cython.address(consumer.pending), cython.address(place)))
        scan = values.scan(id, id, False)
        if scan.next():
            found.append(scan.item())
            pending = group.find(id)
            pending.time = session.keyspace.clock.ms
            pending.count += 1
        else:
            found.append([format_id(id), _NULL_ARRAY])
        step(cython.address(place))
    return found

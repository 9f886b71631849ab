"""XREAD and XREADGROUP: what is new in streams, or waiting for it."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.commands.streams.stream_operands import (
    consumer_for,
    count_delivery,
    propagate_claim,
    propagate_consumer,
    propagate_group,
    read_count,
    read_id,
)
from cython.cimports.carnelian.datatypes.streams.by_id import Place, item_at, seek, step
from cython.cimports.carnelian.datatypes.streams.group import Consumer, Group, PendingPointer
from cython.cimports.carnelian.datatypes.streams.ids import (
    ConstId,
    Id,
    as_pair,
    compare,
    format_id,
    id_of,
    step_down,
    step_up,
)
from cython.cimports.carnelian.datatypes.streams.scan import Scan
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.engine.ground.flags import FLAG_SCRIPT
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.resp.numbers import parse_int
from cython.cimports.cpython.bytes import PyBytes_GET_SIZE
from cython.cimports.libc.stdint import INT64_MAX, int64_t, uint64_t

from carnelian.commands.common.operands import integer, milliseconds
from carnelian.commands.streams.stream_operands import no_group, shown
from carnelian.engine.declaring import after, command
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR, Error, FlatMap

GROUP = "stream"

_TYPE: bytes = b"stream"

# Pending entries that are taken over at a time.
_MOST_TAKEN = cython.declare(int64_t, 1000)
# The least time, in ms, after which a waiting session looks again for what has become due.
_SHORTEST_WAIT = cython.declare(int64_t, 100)
# How long ago and how often a new entry was delivered.
_FIRST_DELIVERY: tuple = (0, 0)
# Bytes around a key, and of a null.
_KEY_FRAME = cython.declare(int64_t, 16)
_NULL_SIZE = cython.declare(int64_t, 5)

_HIGHEST = cython.declare(Id)
_HIGHEST.ms = _HIGHEST.seq = ~cython.cast(uint64_t, 0)
# What is new for the group.
_NEW: tuple = ((1 << 64) - 1, (1 << 64) - 1)

_MEANINGLESS = (
    "ERR The {0} ID is meaningless in the context of XREADGROUP: you want to read the history of "
    "this consumer by specifying a proper ID, or use the > ID to get new messages. The {0} ID "
    "would just return an empty result set."
)


# Words before STREAMS that are followed by others, and by how many.
_FOLLOWED = {
    b"BLOCK": 1, b"COUNT": 1, b"MAXCOUNT": 1, b"MAXSIZE": 1, b"CLAIM": 1, b"GROUP": 2, b"NOACK": 0,
}  # fmt: skip


def _keys_of_reading(args: list) -> list:
    """The keys, if the words before them make sense and each has an ID."""
    place: cython.Py_ssize_t = 1
    while place < len(args):
        word: bytes = args[place].upper()
        if word == b"STREAMS":
            many: cython.Py_ssize_t = len(args) - place - 1
            return [(place + 1 + i, "RO access") for i in range(0 if many % 2 else many // 2)]
        if word not in _FOLLOWED:
            break
        place += 1 + _FOLLOWED[word]
    return []


@command(
    "XREAD [COUNT count:integer] [MAXCOUNT maxcount:integer@8.10.0] [MAXSIZE "
    "maxsize:integer@8.10.0] [BLOCK milliseconds:integer] STREAMS streams=(key ... id ...)",
    "readonly blocking",
    keys=after("STREAMS", "RO access", last=-1, limit=2),
    get_keys=_keys_of_reading,
)
def xread(session: Session, args: list):
    """Replies with entries behind an id in each of several streams, or waits for some.

    Since 5.0.0, O(N) with N the number of entries replied
    8.10.0: Added MAXCOUNT and MAXSIZE.
    """
    return _read(session, args, _options(session, args, False))


@command(
    "XREADGROUP",
    "write blocking",
    arguments=(
        "GROUP group_consumer=(group consumer) [COUNT count:integer] [MAXCOUNT "
        "maxcount:integer@8.10.0] [MAXSIZE maxsize:integer@8.10.0] [BLOCK milliseconds:integer] "
        "[CLAIM min-idle-time:integer@8.4.0] [NOACK] STREAMS streams=(key ... id ...)"
    ),
    keys=after("STREAMS", "RO access", start=4, last=-1, limit=2),
    get_keys=_keys_of_reading,
)
def xreadgroup(session: Session, args: list):
    """Replies with entries that nobody of the group has got yet, or waits for some.

    Since 5.0.0, O(N) with N the number of entries replied; with CLAIM, now and then O(M) with M the
    number of pending entries
    8.4.0: Added CLAIM.
    8.10.0: Added MAXCOUNT and MAXSIZE.
    """
    session.rewrite([])
    return _read(session, args, _options(session, args, True))


@cython.final
@cython.cclass
class _Request:
    """The options of one command."""

    count: int64_t  # from each stream, 0 for any number
    most: int64_t  # from all of them
    size: int64_t  # bytes of the reply after which no more is added
    taken: int64_t
    bytes: int64_t
    timeout_ms: int64_t  # -1 not to wait
    claim: int64_t  # how long pending entries must have waited to be taken over, -1 not to
    retry_ms: int64_t  # when one will have
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
    request.timeout_ms = request.claim = -1
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
        elif option == b"MAXCOUNT" and place < last:
            place += 1
            request.most = _positive(args[place], "MAXCOUNT")
        elif option == b"MAXSIZE" and place < last:
            place += 1
            request.size = _positive(args[place], "MAXSIZE")
        elif option == b"CLAIM" and place < last:
            _only_in_groups(grouped, "CLAIM")
            place += 1
            request.claim = integer(args[place], "ERR min-idle-time is not an integer")
            if request.claim < 0:
                raise Error("ERR min-idle-time must be a positive integer")
        elif option == b"GROUP" and place + 1 < last:
            _only_in_groups(grouped, "GROUP")
            request.group = args[place + 1]
            request.consumer = args[place + 2]
            place += 2
        elif option == b"NOACK":
            _only_in_groups(grouped, "NOACK")
            request.no_ack = True
        else:
            raise SYNTAX_ERROR
        place += 1
    if request.streams == 0:
        raise SYNTAX_ERROR
    if (last - request.streams) % 2 == 0:
        name = "xreadgroup" if grouped else "xread"
        wanted = "ID or '>'" if grouped else "ID, '+', or '$'"
        raise Error(
            f"ERR Unbalanced '{name}' list of streams: "
            f"for each stream key an {wanted} must be specified."
        )
    if grouped and request.group is None:
        raise Error("ERR Missing GROUP option for XREADGROUP")
    if request.most and request.count > request.most:
        raise Error("ERR MAXCOUNT must be greater than or equal to COUNT")
    request.keys = args[request.streams : (request.streams + last + 1) // 2]
    return request


@cython.cfunc
@cython.exceptval(-1)
def _positive(word: bytes, option: str) -> int64_t:
    """The number of an option that takes no less than one."""
    number: int64_t = parse_int(word)
    if number < 1:
        raise Error(f"ERR {option} must be a positive integer")
    return number


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
    if session.flags & FLAG_SCRIPT:
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
        if request.taken and _is_full(request, 0):
            break
        values = db.collection(key, Stream)
        if values is None:
            continue
        if request.group is not None:
            entries = _serve_group(session, key, values, request, place)
        else:
            start = id_of(request.starts[place])
            entries = _entries_behind(values, cython.address(start), request)
        if entries is not None:
            found.append((key, entries))
            request.bytes += _KEY_FRAME + PyBytes_GET_SIZE(key)
    if found:
        if session.protocol > 2:
            return FlatMap([part for pair in found for part in pair])
        return [list(pair) for pair in found]
    if request.timeout_ms == -1:
        return NULL_ARRAY
    return session.engine.blocking.wait(
        session, _retried(args, request), request.keys, request.timeout_ms, NULL_ARRAY,
        _TYPE if request.group is None else None, request.retry_ms,
    )  # fmt: skip


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_full(request: _Request, here: cython.Py_ssize_t) -> cython.bint:
    """Whether no more is to be replied of a stream that has given so many entries."""
    return (
        (request.count != 0 and here >= request.count)
        or (request.most != 0 and request.taken >= request.most)
        or (request.size != 0 and request.bytes >= request.size)
    )


@cython.cfunc
@cython.exceptval(-1)
def _add(request: _Request, found: list, item: list) -> cython.bint:
    """Add an entry to what a stream gives; returns whether it is the last one."""
    found.append(item)
    request.taken += 1
    if request.size:
        request.bytes += _size_of(item)
    return _is_full(request, len(found))


@cython.cfunc
@cython.exceptval(-1)
def _size_of(part) -> int64_t:
    """Bytes of a part of a reply on the wire."""
    size: int64_t
    if isinstance(part, bytes):
        size = PyBytes_GET_SIZE(part)
        return size + 5 + _digits(size)
    if isinstance(part, list):
        size = 3 + _digits(len(part))
        for each in part:
            size += _size_of(each)
        return size
    return 3 + len(str(part)) if isinstance(part, int) else _NULL_SIZE


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _digits(number: int64_t) -> cython.int:
    digits: cython.int = 1
    while number >= 10:
        number //= 10
        digits += 1
    return digits


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
        values = session.db.collection(request.keys[place], Stream)
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
def _entries_behind(values: Stream, id: cython.pointer[Id], request: _Request):
    """Entries with higher ids; None if there are none."""
    if not _has_behind(values, id):
        return None
    step_up(id)
    scan: Scan = values.scan(id, cython.address(_HIGHEST), False)
    found: list = []
    while scan.next():
        if _add(request, found, scan.item()):
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
    found: list = []
    if request.starts[place] != _NEW:
        start = id_of(request.starts[place])
        step_up(cython.address(start))
        found = _history(session, values, group, consumer, cython.address(start), request)
    else:
        if request.claim >= 0:
            _take_over(session, key, values, group, consumer, request, found)
        if not _is_full(request, len(found)) and _has_behind(values, cython.address(group.last)):
            if made and request.no_ack and consumer.size() == 0:
                propagate_consumer(session, key, group, request.consumer)
                made = False
            _deliver(session, key, values, group, consumer, request, found)
        if found:
            session.keyspace.dirty += 1
    if made and consumer.size() == 0:
        propagate_consumer(session, key, group, request.consumer)
    return found if found or request.starts[place] != _NEW else None


@cython.cfunc
def _take_over(
    session: Session,
    key: bytes,
    values: Stream,
    group: Group,
    consumer: Consumer,
    request: _Request,
    found: list,
):
    """Give a consumer what has been pending for long, that which waits longest first."""
    now: int64_t = session.keyspace.clock.ms
    latest: int64_t = now - request.claim
    elapsed: int64_t
    pending: PendingPointer
    scan: Scan
    id = cython.declare(Id)
    # What is taken over is due again at once if it need not wait: all is looked at in one go.
    most: int64_t = -1 if request.claim == 0 else _MOST_TAKEN
    taken: list = [None]
    while taken and not _is_full(request, len(found)):
        if request.count and most > 0:
            most = min(most, request.count - len(found))
        if request.most and most > 0:
            most = min(most, request.most - request.taken)
        taken = group.take_due(latest, most)
        for pair in taken:
            if _is_full(request, len(found)):
                group.forget_order()
                break
            id = id_of(pair)
            scan = values.scan(cython.address(id), cython.address(id), False)
            if not scan.next():
                continue
            pending = group.find(cython.address(id))
            elapsed = -1 if pending.consumer is cython.NULL else max(now - pending.time, 0)
            item: list = scan.item()
            item += (elapsed, pending.count)
            group.assign(pending, consumer)
            group.stamp(pending, now)
            count_delivery(pending)
            consumer.active_ms = now
            propagate_claim(session, key, group, pending)
            _add(request, found, item)
        if request.claim == 0:
            break
    if not found:
        _note_retry(request, group, now)


@cython.cfunc
@cython.exceptval(check=False)
def _note_retry(request: _Request, group: Group, now: int64_t) -> cython.void:
    """Note when to look again for what has been pending for long enough.

    What is delivered to others from now on is not due before what a whole wait brings.
    """
    wait: int64_t = max(request.claim, _SHORTEST_WAIT)
    due: int64_t = group.next_due()
    if wait > INT64_MAX - now:
        return
    due = min(due, now) + wait
    if request.retry_ms == 0 or due < request.retry_ms:
        request.retry_ms = max(due, now + 1)


@cython.cfunc
@cython.exceptval(-1)
def _deliver(
    session: Session,
    key: bytes,
    values: Stream,
    group: Group,
    consumer: Consumer,
    request: _Request,
    found: list,
) -> cython.int:
    """Give entries that are new for the group to a consumer."""
    now: int64_t = session.keyspace.clock.ms
    pending: PendingPointer
    start: Id = group.last
    item: list
    step_up(cython.address(start))
    scan: Scan = values.scan(cython.address(start), cython.address(_HIGHEST), False)
    while scan.next():
        values.advance(group, cython.address(scan.entry.id))
        item = scan.item()
        if request.claim >= 0:
            item += _FIRST_DELIVERY
        if not request.no_ack:
            pending = group.deliver(cython.address(scan.entry.id), consumer)
            group.stamp(pending, now)
            pending.count = 1
            consumer.active_ms = now
            propagate_claim(session, key, group, pending)
        if _add(request, found, item):
            break
    if request.no_ack:
        propagate_group(session, key, group)
    return 0


@cython.cfunc
def _history(
    session: Session,
    values: Stream,
    group: Group,
    consumer: Consumer,
    start: cython.pointer[Id],
    request: _Request,
) -> list:
    """Entries that are pending for a consumer, from an id on. Nothing is changed by that."""
    place = cython.declare(Place)
    pending: PendingPointer
    id: ConstId
    scan: Scan
    item: list
    found: list = []
    seek(cython.address(consumer.pending), start, cython.address(place))
    while place.leaf is not cython.NULL:
        id = cython.cast(ConstId, item_at(cython.address(consumer.pending), cython.address(place)))
        scan = values.scan(id, id, False)
        if scan.next():
            item = scan.item()
            pending = group.find(id)
            group.stamp(pending, session.keyspace.clock.ms)
            count_delivery(pending)
        else:
            item = [format_id(id), NULL_ARRAY]
        step(cython.address(place))
        if _add(request, found, item):
            break
    return found

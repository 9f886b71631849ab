"""XPENDING, XCLAIM, XAUTOCLAIM and XNACK: what is pending, taking it over and giving it back."""

import cython
from cython.cimports.carnelian.commands.streams.stream_operands import (
    consumer_for,
    count_delivery,
    propagate,
    propagate_claim,
    propagate_consumer,
    propagate_group,
    read_count,
    read_end,
    read_id,
    read_ids,
    read_start,
)
from cython.cimports.carnelian.datatypes.streams.by_id import (
    Place,
    TreePointer,
    first_item,
    item_at,
    last_item,
    seek,
    step,
)
from cython.cimports.carnelian.datatypes.streams.group import (
    Consumer,
    Group,
    PendingPointer,
    owner,
    time_of,
)
from cython.cimports.carnelian.datatypes.streams.ids import (
    ConstId,
    Id,
    as_pair,
    compare,
    format_id,
    id_of,
    parse_id,
)
from cython.cimports.carnelian.datatypes.streams.scan import Scan
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import INT64_MAX, int64_t

from carnelian.commands.common.operands import integer
from carnelian.commands.streams.stream_operands import no_group, shown
from carnelian.engine.declaring import at, command
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR, WRONG_TYPE, Error

GROUP = "stream"

# The most that XAUTOCLAIM takes as COUNT, and pending entries it looks at for each of them.
_ATTEMPTS = cython.declare(int64_t, 10)
_MOST: int = (2**63 - 1) // 16
# The most that XNACK takes as a number of ids.
_MOST_IDS: int = 2**31 - 1


# -- Looking -------------------------------------------------------------------------------------


@command(
    "XPENDING key group [filters=([IDLE min-idle-time:integer@6.2.0] start end count:integer "
    "[consumer])]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def xpending(session: Session, args: list):
    """Replies with what is pending in a group, in short or one by one.

    Since 5.0.0, O(log(N)+M) with N the number of pending entries and M that of those replied
    6.2.0: Added IDLE, and an end may be left out of the interval.
    """
    start = cython.declare(Id)
    end = cython.declare(Id)
    count: int64_t = 0
    idle: int64_t = 0
    place: cython.Py_ssize_t = 3
    name: bytes | None = None
    if len(args) != 3:
        if len(args) < 6 or len(args) > 9:
            raise SYNTAX_ERROR
        if args[3].upper() == b"IDLE":
            idle = parse_int(args[4])
            if len(args) < 8:
                raise SYNTAX_ERROR
            place = 5
        count = read_count(args[place + 2])
        read_start(args[place], cython.address(start))
        read_end(args[place + 1], cython.address(end))
        if place + 3 < len(args):
            name = args[place + 3]
    values: Stream = session.db.collection(args[1], Stream)
    group: Group = None if values is None else values.group(args[2])
    if group is None:
        raise no_group(args[1], args[2])
    if len(args) == 3:
        return _summary(group)
    if name is not None and group.consumer(name) is None:
        return []
    return _listing(session, group, name, cython.address(start), cython.address(end), count, idle)


@cython.cfunc
def _summary(group: Group) -> list:
    """How much is pending, from where to where, and for whom how much."""
    if group.size() == 0:
        return [0, None, None, NULL_ARRAY]
    return [
        group.size(),
        format_id(cython.cast(ConstId, first_item(cython.address(group.pending)))),
        format_id(cython.cast(ConstId, last_item(cython.address(group.pending)))),
        [
            [consumer.name, b"%d" % consumer.size()]
            for consumer in group.in_order()
            if consumer.size()
        ],
    ]


@cython.cfunc
def _listing(
    session: Session,
    group: Group,
    name: bytes | None,
    start: cython.pointer[Id],
    end: cython.pointer[Id],
    count: int64_t,
    idle: int64_t,
) -> list:
    """Pending entries of an interval: of a consumer or of all."""
    place = cython.declare(Place)
    id: ConstId
    pending: PendingPointer
    elapsed: int64_t
    consumer: Consumer = None
    tree: TreePointer = cython.address(group.pending)
    found: list = []
    if name is not None:
        consumer = group.consumer(name)
        tree = cython.address(consumer.pending)
    seek(tree, start, cython.address(place))
    while count and place.leaf is not cython.NULL:
        id = cython.cast(ConstId, item_at(tree, cython.address(place)))
        if compare(id, end) > 0:
            break
        step(cython.address(place))
        pending = group.find(id)
        elapsed = session.keyspace.clock.ms - time_of(pending)
        if idle and elapsed < idle:
            continue
        count -= 1
        consumer = owner(pending)
        if consumer is None:
            found.append([format_id(id), b"", -1, pending.count])
        else:
            found.append([format_id(id), consumer.name, max(elapsed, 0), pending.count])
    return found


# -- Taking over ---------------------------------------------------------------------------------


@command(
    "XCLAIM key group consumer min-idle-time id ... [IDLE ms:integer] [TIME "
    "unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [force=FORCE] "
    "[justid=JUSTID] [LASTID id~lastid]",
    "write fast",
    keys=at(1, "RW update"),
    hints="nondeterministic_output",
)
def xclaim(session: Session, args: list):
    """Takes pending entries over for a consumer.

    Since 5.0.0, O(log(N)) for each entry, with N the number of pending ones
    """
    key: bytes = args[1]
    values: Stream = session.db.collection(key, Stream)
    group: Group = None if values is None else values.group(args[2])
    if group is None:
        raise no_group(key, args[2])
    claim: _Claim = _Claim()
    claim.idle = max(integer(args[4], "ERR Invalid min-idle-time argument for XCLAIM"), 0)
    _claim_options(session, args, claim)
    session.rewrite([])
    session.db.keep(key)
    told: cython.bint = True
    if compare(cython.address(claim.last), cython.address(group.last)) > 0:
        group.last = claim.last
        told = False
    fresh: cython.bint = group.consumer(args[3]) is None
    claim.consumer = consumer_for(session, key, group, args[3])
    found: list = []
    id = cython.declare(Id)
    for pair in claim.ids:
        id = id_of(pair)
        if _claim(session, key, values, group, claim, cython.address(id), found):
            told = True
    if fresh and claim.consumer.size() == 0:
        propagate_consumer(session, key, group, args[3])
    if not told:
        propagate_group(session, key, group)
        session.keyspace.dirty += 1
    return found


@cython.final
@cython.cclass
class _Claim:
    """The options of XCLAIM or XAUTOCLAIM."""

    idle: int64_t
    time: int64_t
    retries: int64_t
    force: cython.bint
    just_id: cython.bint
    last: Id
    ids: list
    consumer: Consumer


@cython.cfunc
def _claim_options(session: Session, args: list, claim: _Claim):
    """Read the ids and options of XCLAIM."""
    now: int64_t = session.keyspace.clock.ms
    id = cython.declare(Id)
    time: int = -1
    place: cython.Py_ssize_t = 5
    claim.retries = -1
    claim.ids = []
    while place < len(args) and parse_id(
        PyBytes_AS_STRING(args[place]), PyBytes_GET_SIZE(args[place]), 0, cython.address(id),
        cython.NULL,
    ):  # fmt: skip
        claim.ids.append(as_pair(cython.address(id)))
        place += 1
    while place < len(args):
        option: bytes = args[place].upper()
        more: cython.bint = place + 1 < len(args)
        if option == b"FORCE":
            claim.force = True
        elif option == b"JUSTID":
            claim.just_id = True
        elif option == b"LASTID" and more:
            place += 1
            read_id(args[place], cython.address(claim.last), 0)
        elif option in (b"IDLE", b"TIME", b"RETRYCOUNT") and more:
            place += 1
            number = integer(
                args[place], f"ERR Invalid {option.decode()} option argument for XCLAIM"
            )
            if option == b"RETRYCOUNT":
                claim.retries = number
            else:
                time = now - number if option == b"IDLE" else number
        else:
            raise Error(b"ERR Unrecognized XCLAIM option '%s'" % shown(args[place]))
        place += 1
    claim.time = time if 0 <= time <= now else now


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_fresh(pending: PendingPointer, now: int64_t, idle: int64_t) -> cython.bint:
    """Whether an entry was delivered too short a time ago; what is nobody's never was."""
    return pending.consumer is not cython.NULL and now - pending.time < idle


@cython.cfunc
@cython.exceptval(-1)
def _claim(
    session: Session,
    key: bytes,
    values: Stream,
    group: Group,
    claim: _Claim,
    id: cython.pointer[Id],
    found: list,
) -> cython.bint:
    """Take one entry over, or forget one that was deleted; returns whether something was done."""
    now: int64_t = session.keyspace.clock.ms
    pending: PendingPointer = group.find(id)
    scan: Scan = values.scan(id, id, False)
    if not scan.next():
        if pending is cython.NULL:
            return False
        _forget(session, key, group, pending)
        return True
    if pending is cython.NULL:
        if not claim.force:
            return False
        pending = group.force(id)
        pending.count = 1
    elif claim.idle and is_fresh(pending, now, claim.idle):
        return False
    _take(session, key, group, claim, pending)
    found.append(format_id(id) if claim.just_id else scan.item())
    return True


@cython.cfunc
def _take(session: Session, key: bytes, group: Group, claim: _Claim, pending: PendingPointer):
    """Let a pending entry be that of the one who claims."""
    group.assign(pending, claim.consumer)
    group.stamp(pending, claim.time)
    if claim.retries >= 0:
        pending.count = claim.retries
    elif not claim.just_id:
        count_delivery(pending)
    claim.consumer.active_ms = session.keyspace.clock.ms
    propagate_claim(session, key, group, pending)
    session.keyspace.dirty += 1


@cython.cfunc
def _forget(session: Session, key: bytes, group: Group, pending: PendingPointer):
    """Let an entry be pending no longer that is not in the stream any more."""
    id: Id = pending.id
    if pending.consumer is cython.NULL:
        propagate(session, [b"XACK", key, group.name, format_id(cython.address(id))])
    else:
        propagate_claim(session, key, group, pending)
    session.keyspace.dirty += 1
    group.acknowledge(cython.address(id))


@command(
    "XAUTOCLAIM key group consumer min-idle-time start [COUNT count:integer] [justid=JUSTID]",
    "write fast",
    keys=at(1, "RW delete"),
    hints="nondeterministic_output",
)
def xautoclaim(session: Session, args: list):
    """Takes over for a consumer what has been pending for long.

    Since 6.2.0, O(1) for each entry that is looked at
    7.0.0: The reply says which pending entries were deleted.
    """
    key: bytes = args[1]
    start = cython.declare(Id)
    claim: _Claim = _Claim()
    count: int64_t = 100
    place: cython.Py_ssize_t = 6
    value = session.db.lookup(key)
    claim.idle = max(integer(args[4], "ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0)
    read_start(args[5], cython.address(start))
    while place < len(args):
        option: bytes = args[place].upper()
        if option == b"COUNT" and place + 1 < len(args):
            place += 1
            count = integer(args[place], "ERR COUNT must be > 0", 1, _MOST)
        elif option == b"JUSTID":
            claim.just_id = True
        else:
            raise SYNTAX_ERROR
        place += 1
    if value is not None and not isinstance(value, Stream):
        raise WRONG_TYPE
    values: Stream = value
    group: Group = None if values is None else values.group(args[2])
    if group is None:
        raise no_group(key, args[2])
    session.rewrite([])
    claim.retries = -1
    claim.time = session.keyspace.clock.ms
    session.db.keep(key)
    fresh: cython.bint = group.consumer(args[3]) is None
    claim.consumer = consumer_for(session, key, group, args[3])
    reply = _claim_on(session, key, values, group, claim, cython.address(start), count)
    if fresh and claim.consumer.size() == 0:
        propagate_consumer(session, key, group, args[3])
    return reply


@cython.cfunc
def _claim_on(
    session: Session,
    key: bytes,
    values: Stream,
    group: Group,
    claim: _Claim,
    start: cython.pointer[Id],
    count: int64_t,
) -> list:
    """Go through what is pending from an id on: where to go on, what was taken, what is gone."""
    now: int64_t = session.keyspace.clock.ms
    attempts: int64_t = count * _ATTEMPTS
    place = cython.declare(Place)
    id = cython.declare(Id)
    pending: PendingPointer
    scan: Scan
    found: list = []
    gone: list = []
    seek(cython.address(group.pending), start, cython.address(place))
    while attempts and count and place.leaf is not cython.NULL:
        attempts -= 1
        pending = cython.cast(
            PendingPointer, item_at(cython.address(group.pending), cython.address(place))
        )
        id = pending.id
        scan = values.scan(cython.address(id), cython.address(id), False)
        if not scan.next():
            _forget(session, key, group, pending)
            gone.append(format_id(cython.address(id)))
            count -= 1
            seek(cython.address(group.pending), cython.address(id), cython.address(place))
            continue
        step(cython.address(place))
        if claim.idle and is_fresh(pending, now, claim.idle):
            continue
        _take(session, key, group, claim, pending)
        found.append(format_id(cython.address(id)) if claim.just_id else scan.item())
        count -= 1
    id.ms = id.seq = 0
    if place.leaf is not cython.NULL:
        pending = cython.cast(
            PendingPointer, item_at(cython.address(group.pending), cython.address(place))
        )
        id = pending.id
    return [format_id(cython.address(id)), found, gone]


# -- Giving back ---------------------------------------------------------------------------------


@cython.final
@cython.cclass
class _Release:
    """The options of XNACK."""

    mode: bytes
    retries: int64_t  # -1 if not given
    force: cython.bint
    ids: list


@command(
    "XNACK key group mode=<SILENT | FAIL | FATAL> ids=(IDS numids:integer id ...) [RETRYCOUNT "
    "count:integer] [FORCE]",
    "write fast",
    keys=at(1, "RW update"),
)
def xnack(session: Session, args: list):
    """Gives pending entries back, for any consumer to take over at once.

    Since 8.8.0, O(log(N)) for each entry, with N the number of pending ones
    """
    key: bytes = args[1]
    values: Stream = session.db.collection(key, Stream)
    group: Group = None if values is None else values.group(args[2])
    if group is None:
        raise no_group(key, args[2])
    options: _Release = _release_options(args)
    id = cython.declare(Id)
    pending: PendingPointer
    released: int64_t = 0
    session.db.keep(key)
    for pair in options.ids:
        id = id_of(pair)
        pending = group.find(cython.address(id))
        if pending is cython.NULL:
            if not options.force or not values.has(cython.address(id)):
                continue
            pending = group.force(cython.address(id))
            pending.count = 0
        group.release(pending)
        pending.count = _count_released(options, pending.count)
        released += 1
    if released:
        session.db.note_newer_form(key)
        session.keyspace.dirty += released
        session.engine.blocking.signal(session.db, key)
    return released


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _count_released(options: _Release, count: int64_t) -> int64_t:
    """How many deliveries an entry counts that was given back."""
    if options.retries >= 0:
        return options.retries
    if options.mode == b"FATAL":
        return INT64_MAX
    return count - 1 if options.mode == b"SILENT" and count > 0 else count


@cython.cfunc
def _release_options(args: list) -> _Release:
    """Read what stands behind the group of XNACK."""
    options: _Release = _Release()
    place: cython.Py_ssize_t
    options.mode = args[3].upper()
    options.retries = -1
    if options.mode not in (b"SILENT", b"FAIL", b"FATAL"):
        raise Error("ERR mode must be SILENT, FAIL, or FATAL")
    first: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t = 0
    place = 4
    while place < len(args):
        option: bytes = args[place].upper()
        has_more: cython.bint = place + 1 < len(args)
        if option == b"IDS" and has_more:
            count = integer(args[place + 1], "ERR numids must be a positive integer", 1, _MOST_IDS)
            first = place + 2
            if count > len(args) - first:
                raise Error("ERR number of IDs doesn't match numids")
            place = first + count
        elif option == b"FORCE":
            options.force = True
            place += 1
        elif option == b"RETRYCOUNT" and has_more:
            options.retries = parse_int(args[place + 1])
            if options.retries < 0:
                raise Error("ERR Invalid RETRYCOUNT value, must be >= 0")
            place += 2
        else:
            raise Error(b"ERR Unrecognized XNACK option '%s'" % shown(args[place]))
    if not first:
        raise Error("ERR syntax error, expected IDS keyword")
    options.ids = read_ids(args, first, first + count)
    return options

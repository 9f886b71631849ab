"""XCFGSET, XIDMPRECORD and what XADD does with IDMP: entries that may be sent again."""

import cython
from cython.cimports.carnelian.commands.streams.stream_operands import read_id
from cython.cimports.carnelian.datatypes.algorithms.xxh3 import u64
from cython.cimports.carnelian.datatypes.algorithms.xxh3_wide import digest128
from cython.cimports.carnelian.datatypes.streams.ids import ConstId, Id, as_pair
from cython.cimports.carnelian.datatypes.streams.producers import Idempotency
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.engine.ground.flags import FLAG_LOADER, FLAG_PRIMARY
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.resp.numbers import parse_int
from cython.cimports.libc.stdint import int64_t

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NO_SUCH_KEY, OK, SYNTAX_ERROR, Error

GROUP = "stream"

# These say what was decided already: how old it is does not matter.
_OBEYED = cython.declare(cython.int, FLAG_LOADER | FLAG_PRIMARY)

_LONGEST = cython.declare(int64_t, 86400)
_MOST = cython.declare(int64_t, 10000)


def memory_of(session, key, values):
    """What a stream remembers, from now on if it has not until now."""
    if values.idempotency is None:
        values.idempotency = Idempotency(
            session.keyspace.limits.stream_idmp_duration,
            session.keyspace.limits.stream_idmp_maxsize,
        )
        session.db.note_newer_form(key)
    return values.idempotency


def name_of(args, place):
    """A name for the fields and values from ``place`` on that is the same in whatever order."""
    hash = cython.declare(u64[2])
    sum_low: u64 = 0
    sum_high: u64 = 0
    xor_low: u64 = 0
    xor_high: u64 = 0
    index: cython.Py_ssize_t
    for index in range(place, len(args), 2):
        field: bytes = args[index]
        # Its length says where the field ends and the value begins.
        pair: bytes = field + len(field).to_bytes(8, "little") + args[index + 1]
        digest128(pair, len(pair), cython.address(hash[0]))
        sum_low += hash[0]
        sum_high += hash[1]
        xor_low ^= hash[0]
        xor_high ^= hash[1]
    sum_low ^= xor_high << 1 | xor_high >> 63
    sum_high ^= xor_low << 1 | xor_low >> 63
    return sum_low.to_bytes(8, "little") + sum_high.to_bytes(8, "little")


def is_known(session, values, found, id):
    """Whether an entry was added under its name before; its id is set to what it was then.

    Where it is said which id an entry has, only that very one counts.
    """
    obeyed: cython.bint = session.flags & _OBEYED != 0
    if values is None or values.idempotency is None:
        return False
    known: Idempotency = values.idempotency
    number = known.find(found.producer, found.name, 0 if obeyed else session.keyspace.clock.ms)
    if number is None or (
        obeyed and (not found.has_id or number != as_number(cython.address(found.id)))
    ):
        return False
    known.duplicates += 1
    id.ms = number >> 64
    id.seq = number & 0xFFFFFFFFFFFFFFFF
    return True


@cython.cfunc
def as_number(id: ConstId):
    """An id as one number."""
    ms, seq = as_pair(id)
    return ms << 64 | seq


def remember(session, key, values, found, id):
    """Note that an entry was added under its name."""
    known: Idempotency = memory_of(session, key, values)
    if not session.flags & _OBEYED:
        known.forget_idle(session.keyspace.clock.ms)
    known.record(found.producer, found.name, as_number(id))
    known.added += 1
    return 0


@command(
    "XCFGSET key [IDMP-DURATION idmp-duration:integer] [IDMP-MAXSIZE idmp-maxsize:integer]",
    "write fast",
    keys=at(1, "RW update"),
)
def xcfgset(session: Session, args: list):
    """Sets for how long, and how many, entries of a producer are known by their names.

    Since 8.6.0, O(1); O(N) where a setting changes, with N the number of entries known by name
    """
    values: Stream = session.db.collection_to_change(args[1], Stream)
    if values is None:
        raise NO_SUCH_KEY
    duration: int64_t = 0
    most: int64_t = 0
    place: cython.Py_ssize_t
    for place in range(2, len(args), 2):
        option: bytes = args[place].upper()
        if option not in (b"IDMP-DURATION", b"IDMP-MAXSIZE") or place + 1 == len(args):
            raise SYNTAX_ERROR
        if duration if option == b"IDMP-DURATION" else most:
            raise Error(b"ERR %s specified multiple times" % option)
        number: int64_t = parse_int(args[place + 1])
        if option == b"IDMP-DURATION":
            duration = number
            if not 1 <= duration <= _LONGEST:
                raise Error("ERR IDMP-DURATION must be between 1 and 86400 seconds")
        else:
            most = number
            if not 1 <= most <= _MOST:
                raise Error("ERR IDMP-MAXSIZE must be between 1 and 10000 entries")
    if not duration and not most:
        raise Error("ERR At least one parameter must be specified")
    # From now on, the stream has settings of its own, be they those of the server.
    changed: cython.bint = values.idempotency is None
    known: Idempotency = memory_of(session, args[1], values)
    duration = duration or known.duration_s
    most = most or known.most
    if duration != known.duration_s or most != known.most:
        known.duration_s = duration
        known.most = most
        known.clear()
        changed = True
    session.keyspace.dirty += changed
    return OK


@command("XIDMPRECORD key pid iid stream-id", "write denyoom fast", keys=at(1, "RW update"))
def xidmprecord(session: Session, args: list):
    """Gives an entry a name of its producer; for files and replicas.

    Since 8.6.2, O(log(N)) with N the number of entries
    """
    id = cython.declare(Id)
    read_id(args[4], cython.address(id), 0)
    if not args[2]:
        raise Error("ERR producer ID must be non-empty")
    if not args[3]:
        raise Error("ERR idempotent ID must be non-empty")
    values: Stream = session.db.collection_to_change(args[1], Stream)
    if values is None:
        raise NO_SUCH_KEY
    # A file has names of entries that are gone, too: they are known until their time is over.
    if not session.flags & _OBEYED and not values.has(cython.address(id)):
        raise Error("ERR No such message in stream")
    number = as_number(cython.address(id))
    known: Idempotency = memory_of(session, args[1], values)
    present = known.find(args[2], args[3], 0)
    if present is not None and present != number:
        raise Error("ERR IID already exists for this producer with a different stream ID")
    if present is None:
        known.record(args[2], args[3], number)
        known.added += 1
        session.keyspace.dirty += 1
    return OK

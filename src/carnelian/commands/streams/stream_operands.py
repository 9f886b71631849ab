"""What stream commands read from their words, and what several of them propagate."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.streams.group import Consumer, owner
from cython.cimports.carnelian.datatypes.streams.ids import (
    Id,
    as_pair,
    format_id,
    parse_id,
    step_down,
    step_up,
)
from cython.cimports.carnelian.datatypes.streams.stream import (
    ACKNOWLEDGED_ONLY,
    BY_ID,
    BY_LENGTH,
    DROP_REFERENCES,
    KEEP_REFERENCES,
    NO_TRIMMING,
    Trim,
)
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import FLAG_LOADER, FLAG_PRIMARY
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.events import STREAM
from cython.cimports.carnelian.resp.numbers import format_int, parse_int
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import INT64_MAX, int64_t, uint64_t
from cython.cimports.libc.string import memset

from carnelian.resp.replies import SYNTAX_ERROR, Error

# These get what was decided already: limits are not for them.
_OBEYED = cython.declare(cython.int, FLAG_LOADER | FLAG_PRIMARY)

_HIGHEST = cython.declare(uint64_t, ~cython.cast(uint64_t, 0))
# Entries that approximate trimming removes at most in one go.
_MOST_TRIMMED = cython.declare(int64_t, 1000000)
_USUALLY_TRIMMED = cython.declare(int64_t, 10000)

_POLICIES: dict = {
    b"KEEPREF": KEEP_REFERENCES,
    b"DELREF": DROP_REFERENCES,
    b"ACKED": ACKNOWLEDGED_ONLY,
}


class InvalidId(Error):
    """A word that should be the id of an entry is none."""

    def __init__(self) -> None:
        super().__init__("ERR Invalid stream ID specified as stream command argument")


def no_group(key: bytes, name: bytes, where: bytes = b"") -> Error:
    """The error for a key without such a group."""
    return Error(
        b"NOGROUP No such key '%s' or consumer group '%s'%s" % (shown(key), shown(name), where)
    )


def no_group_of_key(key: bytes, name: bytes) -> Error:
    """The error for a stream without such a group, in the words of XGROUP and XINFO."""
    return Error(
        b"NOGROUP No such consumer group '%s' for key name '%s'" % (shown(name), shown(key))
    )


def shown(word: bytes) -> bytes:
    """A word as errors show it: to its first zero byte."""
    return word.partition(b"\0")[0]


def bad_subcommand(container: str, word: bytes) -> Error:
    """The error for options that a subcommand does not have."""
    return Error(
        b"ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP."
        % (shown(word)[:128], container.encode())
    )


# -- Ids -----------------------------------------------------------------------------------------


def read_id(word, id, missing):
    """An id; ``missing`` is the sequence number where it has none. Raises InvalidId."""
    if not parse_id(PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word), missing, id, cython.NULL):
        raise InvalidId
    return 0


def read_new_id(word, id, any_seq):
    """An id, or the time of one with any number, as XADD takes them."""
    if not parse_id(PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word), 0, id, any_seq):
        raise InvalidId
    return 0


@cython.cfunc
@cython.exceptval(-1)
def read_bound(
    word: bytes, id: cython.pointer[Id], missing: uint64_t, exclusive: cython.pointer[cython.bint]
) -> cython.int:
    """An end of an interval: ``-``, ``+``, an id, or an id to be left out."""
    exclusive[0] = len(word) > 1 and word[0] == 40
    if exclusive[0]:
        return read_id(word[1:], id, missing)
    if word == b"-":
        id.ms = id.seq = 0
    elif word == b"+":
        id.ms = id.seq = _HIGHEST
    else:
        read_id(word, id, missing)
    return 0


def read_start(word, id):
    """The first id of an interval."""
    exclusive: cython.bint = False
    read_bound(word, id, 0, cython.address(exclusive))
    if exclusive and not step_up(id):
        raise Error("ERR invalid start ID for the interval")
    return 0


def read_end(word, id):
    """The last id of an interval."""
    exclusive: cython.bint = False
    read_bound(word, id, _HIGHEST, cython.address(exclusive))
    if exclusive and not step_down(id):
        raise Error("ERR invalid end ID for the interval")
    return 0


def read_ids(words, start, end):
    """Several ids, as pairs."""
    id = cython.declare(Id)
    found: list = []
    i: cython.Py_ssize_t
    for i in range(start, end):
        read_id(words[i], cython.address(id), 0)
        found.append(as_pair(cython.address(id)))
    return found


def read_count(word):
    """A number of entries; 0 if it is below that."""
    count: int64_t = parse_int(word)
    return max(count, 0)


# -- Trimming ------------------------------------------------------------------------------------


def read_policy(option):
    """What becomes of references, by the word for it; -1 for another word."""
    return _POLICIES.get(option, -1)


@cython.final
@cython.cclass
class Trimming:
    """What else was found: NOMKSTREAM, where the threshold stands, the id if one is given, and who
    calls the entry what.
    """


def read_trimming(session, args, how, adding, found):
    """Read the options of XADD or XTRIM; returns where the id stands, or the end."""
    at: cython.Py_ssize_t = 2
    last: cython.Py_ssize_t = len(args) - 1
    has_limit: cython.bint = False
    has_policy: cython.bint = False
    option: bytes
    memset(how, 0, cython.sizeof(Trim))
    while at <= last:
        option = args[at].upper()
        if adding and option == b"*":
            break
        if option in (b"MAXLEN", b"MINID") and at < last:
            at = read_threshold(args, at, how)
            found.threshold = at
        elif option == b"LIMIT" and at < last:
            at += 1
            how.limit = parse_int(args[at])
            if how.limit < 0:
                raise Error("ERR The LIMIT argument must be >= 0.")
            has_limit = True
        elif adding and option == b"NOMKSTREAM":
            found.no_stream = True
        elif adding and at < last - (option == b"IDMP") and option in (b"IDMP", b"IDMPAUTO"):
            at = read_name(args, at, found)
        elif option in _POLICIES and not has_policy:
            has_policy = True
            how.policy = _POLICIES[option]
        elif adding:
            read_new_id(args[at], cython.address(found.id), cython.address(found.any_seq))
            found.has_id = True
            break
        else:
            raise SYNTAX_ERROR
        at += 1
    if found.named and found.has_id and not session.flags & _OBEYED:
        raise Error("ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs")
    check_trimming(session, how, adding, has_limit)
    return at


def read_name(args, at, found):
    """Read IDMP or IDMPAUTO, which stands at ``at``; returns where its last word stands."""
    option: bytes = args[at].upper()
    if found.named:
        raise Error("ERR syntax error, IDMP/IDMPAUTO specified multiple times")
    found.named = at
    found.producer = args[at + 1]
    if not found.producer:
        raise Error(b"ERR syntax error, %s requires a non-empty producer ID" % option)
    if option == b"IDMPAUTO":
        return at + 1
    found.name = args[at + 2]
    if not found.name:
        raise Error("ERR syntax error, IDMP requires a non-empty idempotent ID")
    return at + 2


@cython.cfunc
@cython.exceptval(-1)
def read_threshold(
    args: list, at: cython.Py_ssize_t, how: cython.pointer[Trim]
) -> cython.Py_ssize_t:
    """Read MAXLEN or MINID, which stands at ``at``; returns where its last word stands."""
    by_length: cython.bint = args[at].upper() == b"MAXLEN"
    if how.by != NO_TRIMMING:
        raise Error(
            "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
        )
    how.approximate = False
    if at + 2 < len(args) and args[at + 1] in (b"~", b"="):
        how.approximate = args[at + 1] == b"~"
        at += 1
    at += 1
    if by_length:
        how.length = parse_int(args[at])
        if how.length < 0:
            raise Error("ERR The MAXLEN argument must be >= 0.")
    else:
        read_id(args[at], cython.address(how.lowest), 0)
    how.by = BY_LENGTH if by_length else BY_ID
    return at


@cython.cfunc
@cython.exceptval(-1)
def check_trimming(
    session: Session, how: cython.pointer[Trim], adding: cython.bint, has_limit: cython.bint
) -> cython.int:
    """Refuse options that do not fit together; how many entries may be removed."""
    usual: int64_t = session.keyspace.limits.stream_node_max_entries
    if how.limit and how.by == NO_TRIMMING:
        raise Error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
    if not adding and how.by == NO_TRIMMING:
        raise Error("ERR syntax error, XTRIM must be called with a trimming strategy")
    if session.flags & _OBEYED:
        how.limit = 0
    elif has_limit and not how.approximate:
        raise Error("ERR syntax error, LIMIT cannot be used without the special ~ option")
    elif not has_limit and how.approximate:
        how.limit = _USUALLY_TRIMMED
        if 0 < usual <= _MOST_TRIMMED // 100:
            how.limit = 100 * usual
        elif usual > 0:
            how.limit = _MOST_TRIMMED
    return 0


# -- Groups --------------------------------------------------------------------------------------


def consumer_for(session, key, group, name):
    """The consumer of a group that asks for something now; it is made where there is none."""
    now: int64_t = session.keyspace.clock.ms
    found: Consumer = group.consumer(name)
    if found is None:
        found = group.add_consumer(name, now)
        session.keyspace.dirty += 1
        session.keyspace.notify(session.db, STREAM, b"xgroup-createconsumer", key)
    found.seen_ms = now
    return found


def count_delivery(pending):
    """Count one more delivery of a pending entry, as far as can be counted."""
    if pending.count < INT64_MAX:
        pending.count += 1


def is_listened(session):
    """Whether what a command does goes anywhere, so that saying it is worth the time."""
    engine: Engine = session.engine
    return engine.effects.listening


def propagate(session, words):
    """Let a command go out; that of the client is to be rewritten to nothing."""
    engine: Engine = session.engine
    engine.effects.add(session.db.index, words)


def propagate_claim(session, key, group, pending):
    """Let go out for whom an entry is pending."""
    if not is_listened(session):
        return
    words = [
        b"XCLAIM", key, group.name, owner(pending).name, b"0",
        format_id(cython.address(pending.id)), b"TIME", format_int(pending.time),
        b"RETRYCOUNT", format_int(pending.count), b"FORCE", b"JUSTID",
        b"LASTID", format_id(cython.address(group.last)),
    ]  # fmt: skip
    propagate(session, words)


def propagate_group(session, key, group):
    """Let go out how far a group has read."""
    if is_listened(session):
        last = format_id(cython.address(group.last))
        read = format_int(group.entries_read)
        propagate(session, [b"XGROUP", b"SETID", key, group.name, last, b"ENTRIESREAD", read])


def propagate_consumer(session, key, group, name):
    """Let go out that a consumer was made."""
    if is_listened(session):
        propagate(session, [b"XGROUP", b"CREATECONSUMER", key, group.name, name])

"""XADD, XDEL, XDELEX, XLEN, XTRIM and XSETID: entries in and out."""

import cython
from cython.cimports.carnelian.commands.streams.idempotency import is_known, name_of, remember
from cython.cimports.carnelian.commands.streams.stream_operands import (
    Trimming,
    is_listened,
    read_id,
    read_ids,
    read_trimming,
)
from cython.cimports.carnelian.datatypes.streams.group import Group
from cython.cimports.carnelian.datatypes.streams.ids import Id, compare, format_id, id_of, is_zero
from cython.cimports.carnelian.datatypes.streams.stream import (
    ACKNOWLEDGED_ONLY,
    BY_ID,
    BY_LENGTH,
    DROP_REFERENCES,
    NO_TRIMMING,
    Stream,
    Trim,
)
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STREAM
from cython.cimports.carnelian.resp.numbers import format_int, parse_int
from cython.cimports.libc.stdint import int64_t, uint64_t

from carnelian.commands.common.operands import integer
from carnelian.commands.streams.stream_operands import _POLICIES
from carnelian.engine.catalogue.registry import wrong_arity
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NO_SUCH_KEY, OK, SYNTAX_ERROR, Error

GROUP = "stream"

_HIGHEST = cython.declare(uint64_t, ~cython.cast(uint64_t, 0))

# Replies for one id of XDELEX and XACKDEL.
NO_ENTRY = cython.declare(cython.int, -1)
ENTRY_DELETED = cython.declare(cython.int, 1)
ENTRY_REFERENCED = cython.declare(cython.int, 2)


# -- Adding --------------------------------------------------------------------------------------


@command(
    "XADD key [NOMKSTREAM@6.2.0] [condition@8.2.0=<KEEPREF | DELREF | ACKED>] "
    "[idmp@8.6.0=<IDMPAUTO producer-id | IDMP idmp_ids=(producer-id idempotent-id)>] "
    '[trim=(strategy=<MAXLEN | MINID@6.2.0> [operator=<equal="=" | approximately="~">] '
    'threshold [LIMIT count:integer@6.2.0])] id_or_auto=<auto_id="*" | id> field_value=(field '
    "value) ...",
    "write denyoom fast",
    keys=at(1, "RW update", notes="Trimming updates what is there."),
    hints="nondeterministic_output",
)
def xadd(session: Session, args: list):
    """Adds an entry to a stream, which is made if it is not there.

    Since 5.0.0, O(1) to add an entry, O(N) to trim, with N the number of entries removed
    6.2.0: Added NOMKSTREAM, MINID and LIMIT.
    7.0.0: An id may be a time with any number: `<ms>-*`.
    8.2.0: Added KEEPREF, DELREF and ACKED.
    8.6.0: Added IDMP and IDMPAUTO.
    """
    how = cython.declare(Trim)
    found: Trimming = None
    place: cython.Py_ssize_t = 2
    how.by = NO_TRIMMING
    how.approximate = False
    # Without options, nothing has to be read.
    if args[2] != b"*":
        found = Trimming()
        place = read_trimming(session, args, cython.address(how), True, found)
    words: cython.Py_ssize_t = len(args) - place - 1
    if words < 2 or words % 2:
        raise wrong_arity(session.command)
    given: cython.bint = found is not None and found.has_id and not found.any_seq
    if given and is_zero(cython.address(found.id)):
        raise Error("ERR The ID specified in XADD must be greater than 0-0")
    db: Database = session.db
    key: bytes = args[1]
    values: Stream = db.collection_to_change(key, Stream)
    made: cython.bint = values is None
    if made:
        if found is not None and found.no_stream:
            return None
        values = Stream()
    id = cython.declare(Id)
    if found is not None and found.named:
        if found.name is None:
            found.name = name_of(args, place + 1)
        if is_known(session, values, found, cython.address(id)):
            return _known_already(session, args, found, place, cython.address(id))
    exact: cython.bint = _choose_id(session, values, found, cython.address(id))
    if not values.fits(args, place + 1):
        raise Error("ERR Elements are too large to be stored")
    if made:
        db.add(key, values)
    values.append(session.keyspace.limits, cython.address(id), args, place + 1)
    if found is not None and found.named:
        remember(session, key, values, found, cython.address(id))
    reply: bytes = format_id(cython.address(id))
    db.changed(key, STREAM, b"xadd")
    if how.by != NO_TRIMMING and values.trim(cython.address(how)):
        session.keyspace.notify(db, STREAM, b"xtrim", key)
    if is_listened(session) and not (exact and not how.approximate):
        written: list = list(args)
        written[place] = reply
        if found is not None:
            _write_exactly(written, values, cython.address(how), found.threshold)
            if found.named and args[found.named].upper() == b"IDMPAUTO":
                written[found.named : found.named + 2] = [b"IDMP", found.producer, found.name]
        session.rewrite(written)
    return reply


@cython.cfunc
def _known_already(
    session: Session, args: list, found: Trimming, place: cython.Py_ssize_t, id: cython.pointer[Id]
) -> bytes:
    """The reply for an entry that was added before; only that it came again is to be logged."""
    reply: bytes = format_id(id)
    session.keyspace.dirty += 1
    if is_listened(session):
        session.rewrite(
            [args[0], args[1], b"IDMP", found.producer, found.name, reply, args[place + 1], b""]
        )
    return reply


@cython.cfunc
@cython.exceptval(-1)
def _choose_id(
    session: Session, values: Stream, found: Trimming | None, id: cython.pointer[Id]
) -> cython.bint:
    """The id of a new entry, higher than all before; returns whether it is as it was given."""
    if values.last.ms == _HIGHEST and values.last.seq == _HIGHEST:
        raise Error("ERR The stream has exhausted the last possible ID, unable to add more items")
    if found is None or not found.has_id:
        values.next_id(session.keyspace.clock.ms, id)
        return False
    id[0] = found.id
    if found.any_seq and id.ms == values.last.ms and values.last.seq != _HIGHEST:
        id.seq = values.last.seq + 1
    if compare(id, cython.address(values.last)) <= 0:
        raise Error(
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        )
    return not found.any_seq


@cython.cfunc
def _write_exactly(
    words: list, values: Stream, how: cython.pointer[Trim], threshold: cython.Py_ssize_t
):
    """Say in the words of a command how trimming that was approximate came out."""
    first = cython.declare(Id)
    if how.by == NO_TRIMMING or not how.approximate:
        return
    words[threshold - 1] = b"="
    if how.policy == ACKNOWLEDGED_ONLY or (how.policy == DROP_REFERENCES and how.by == BY_ID):
        # How far it goes by length hangs on the nodes, and others may have other ones.
        words[threshold - 2] = b"MINID"
        words[threshold] = format_id(cython.address(how.reached))
    elif how.by == BY_LENGTH:
        words[threshold] = format_int(values.length)
    else:
        first.ms = first.seq = _HIGHEST
        values.edge(True, cython.address(first))
        words[threshold] = format_id(cython.address(first))


# -- Removing ------------------------------------------------------------------------------------


@command(
    'XTRIM key trim=(strategy=<MAXLEN | MINID@6.2.0> [operator=<equal="=" | '
    'approximately="~">] threshold [LIMIT count:integer@6.2.0] [condition@8.2.0=<KEEPREF | '
    "DELREF | ACKED>])",
    "write",
    keys=at(1, "RW delete"),
    hints="nondeterministic_output",
)
def xtrim(session: Session, args: list):
    """Removes entries from the start of a stream.

    Since 5.0.0, O(N) with N the number of entries removed
    6.2.0: Added MINID and LIMIT.
    8.2.0: Added KEEPREF, DELREF and ACKED.
    """
    how = cython.declare(Trim)
    found: Trimming = Trimming()
    read_trimming(session, args, cython.address(how), False, found)
    key: bytes = args[1]
    values: Stream = session.db.collection_to_change(key, Stream)
    if values is None:
        return 0
    removed: int64_t = values.trim(cython.address(how))
    if removed:
        if how.approximate and is_listened(session):
            words: list = list(args)
            _write_exactly(words, values, cython.address(how), found.threshold)
            session.rewrite(words)
        session.db.changed(key, STREAM, b"xtrim", removed)
    return removed


@command("XDEL key id ...", "write fast", keys=at(1, "RW delete"))
def xdel(session: Session, args: list):
    """Removes entries by their ids.

    Since 5.0.0, O(1) for each entry
    """
    key: bytes = args[1]
    id = cython.declare(Id)
    values: Stream = session.db.collection_to_change(key, Stream)
    if values is None:
        return 0
    removed: cython.Py_ssize_t = 0
    for pair in read_ids(args, 2, len(args)):
        id = id_of(pair)
        removed += values.erase(cython.address(id))
    _deleted(session, key, values, removed)
    return removed


@cython.cfunc
def _deleted(session: Session, key: bytes, values: Stream, removed: cython.Py_ssize_t):
    """Report that entries were removed by their ids."""
    if removed:
        values.renew_first()
        session.db.changed(key, STREAM, b"xdel", removed)


@command(
    "XDELEX key [condition=<KEEPREF | DELREF | ACKED>] ids=(IDS numids:integer id ...)",
    "write fast",
    keys=at(1, "RW delete"),
)
def xdelex(session: Session, args: list):
    """Removes entries by their ids, and says what becomes of those that are pending.

    Since 8.2.0, O(1) for each entry
    """
    key: bytes = args[1]
    values: Stream = session.db.collection_to_change(key, Stream)
    policy, place, count = _selection(args, 2)
    if values is None:
        return [NO_ENTRY] * count
    return _remove(session, key, values, read_ids(args, place, place + count), policy)


@command(
    "XACKDEL key group [condition=<KEEPREF | DELREF | ACKED>] ids=(IDS numids:integer id ...)",
    "write fast",
    keys=at(1, "RW delete"),
)
def xackdel(session: Session, args: list):
    """Acknowledges entries for a group and removes them.

    Since 8.2.0, O(1) for each entry
    """
    key: bytes = args[1]
    id = cython.declare(Id)
    values: Stream = session.db.collection_to_change(key, Stream)
    group: Group = None if values is None else values.group(args[2])
    policy, place, count = _selection(args, 3)
    if group is None:
        return [NO_ENTRY] * count
    outcomes: list = []
    removed: cython.Py_ssize_t = 0
    for pair in read_ids(args, place, place + count):
        id = id_of(pair)
        if not group.acknowledge(cython.address(id)):
            outcomes.append(NO_ENTRY)
            continue
        session.keyspace.dirty += 1
        if policy == ACKNOWLEDGED_ONLY and values.is_referenced(cython.address(id)):
            outcomes.append(ENTRY_REFERENCED)
            continue
        if policy == DROP_REFERENCES:
            values.drop_references(cython.address(id))
        removed += values.erase(cython.address(id))
        outcomes.append(ENTRY_DELETED)
    _deleted(session, key, values, removed)
    return outcomes


@cython.cfunc
def _remove(session: Session, key: bytes, values: Stream, ids: list, policy: cython.int) -> list:
    """Remove entries; what became of each."""
    id = cython.declare(Id)
    outcomes: list = []
    removed: cython.Py_ssize_t = 0
    for pair in ids:
        id = id_of(pair)
        # Like Redis, tells this of entries that are not there, too.
        if policy == ACKNOWLEDGED_ONLY and values.is_referenced(cython.address(id)):
            outcomes.append(ENTRY_REFERENCED)
            continue
        gone: cython.bint = not values.erase(cython.address(id))
        if policy == DROP_REFERENCES and values.drop_references(cython.address(id)) and gone:
            # What is pending of an entry that went before is a change of its own.
            session.keyspace.dirty += 1
        removed += not gone
        outcomes.append(NO_ENTRY if gone else ENTRY_DELETED)
    _deleted(session, key, values, removed)
    return outcomes


@cython.cfunc
def _selection(args: list, place: cython.Py_ssize_t) -> tuple:
    """The policy of XDELEX and XACKDEL, where their ids begin, and how many they are."""
    policy = None
    first: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t = 0
    while place < len(args):
        option: bytes = args[place].upper()
        if option in _POLICIES and policy is None:
            policy = _POLICIES[option]
            place += 1
        elif option == b"IDS" and place + 1 < len(args):
            count = integer(args[place + 1], "ERR Number of IDs must be a positive integer", 1)
            first = place + 2
            if count > len(args) - first:
                raise Error("ERR The `numids` parameter must match the number of arguments")
            place = first + count
        else:
            raise SYNTAX_ERROR
    if not first:
        raise SYNTAX_ERROR
    return policy or 0, first, count


# -- The whole -----------------------------------------------------------------------------------


@command("XLEN key", "readonly fast", keys=at(1, "RO"))
def xlen(session: Session, args: list):
    """Replies with the number of entries.

    Since 5.0.0, O(1)
    """
    values: Stream = session.db.collection(args[1], Stream)
    return 0 if values is None else values.length


@command(
    "XSETID key last-id [ENTRIESADDED entries_added~entries-added:integer@7.0.0] "
    "[MAXDELETEDID max_deleted_entry_id~max-deleted-id@7.0.0]",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def xsetid(session: Session, args: list):
    """Sets the last id of a stream, for replicas and files.

    Since 5.0.0, O(1)
    7.0.0: Added ENTRIESADDED and MAXDELETEDID.
    """
    id = cython.declare(Id)
    deleted = cython.declare(Id)
    highest = cython.declare(Id)
    added: int64_t = -1
    place: cython.Py_ssize_t
    deleted.ms = deleted.seq = 0
    read_id(args[2], cython.address(id), 0)
    for place in range(3, len(args), 2):
        option: bytes = args[place].upper()
        if place + 1 == len(args):
            raise SYNTAX_ERROR
        if option == b"ENTRIESADDED":
            added = parse_int(args[place + 1])
            if added < 0:
                raise Error("ERR entries_added must be positive")
        elif option == b"MAXDELETEDID":
            read_id(args[place + 1], cython.address(deleted), 0)
            if compare(cython.address(id), cython.address(deleted)) < 0:
                raise Error(
                    "ERR The ID specified in XSETID is smaller than the provided "
                    "max_deleted_entry_id"
                )
        else:
            raise SYNTAX_ERROR
    values: Stream = session.db.collection_to_change(args[1], Stream)
    if values is None:
        raise NO_SUCH_KEY
    if compare(cython.address(id), cython.address(values.max_deleted)) < 0:
        raise Error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    if values.last_live(cython.address(highest)):
        if compare(cython.address(id), cython.address(highest)) < 0:
            raise Error("ERR The ID specified in XSETID is smaller than the target stream top item")
        if added != -1 and values.length > added:
            raise Error(
                "ERR The entries_added specified in XSETID is smaller than the target stream length"
            )
    values.last = id
    if added != -1:
        values.entries_added = added
        for group in values.groups():
            capped: Group = group
            capped.cap(values.entries_added)
    if not is_zero(cython.address(deleted)):
        values.max_deleted = deleted
    session.keyspace.dirty += 1
    session.keyspace.notify(session.db, STREAM, b"xsetid", args[1])
    return OK

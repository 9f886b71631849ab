"""XGROUP and XACK: groups of consumers, and what they are done with."""

import cython
from cython.cimports.carnelian.commands.streams.stream_operands import (
    consumer_for,
    read_id,
    read_ids,
    read_start,
)
from cython.cimports.carnelian.datatypes.streams.group import Group
from cython.cimports.carnelian.datatypes.streams.ids import Id, as_pair, id_of
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STREAM
from cython.cimports.libc.stdint import int64_t

from carnelian.commands.streams.stream_operands import bad_subcommand, no_group_of_key
from carnelian.engine.declaring import at, command
from carnelian.engine.help import container
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error

GROUP = "stream"

# Larger groups are freed in steps.
_MUCH = cython.declare(cython.Py_ssize_t, 4096)

container("XGROUP", group="stream", since="5.0.0", summary="Groups of consumers.")


@cython.cfunc
def _stream(session: Session, key: bytes) -> Stream:
    """The stream of a key, which has to be there."""
    values: Stream = session.db.collection_to_change(key, Stream)
    if values is None:
        raise Error(
            "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may "
            "want to use the MKSTREAM option to create an empty stream automatically."
        )
    return values


@cython.cfunc
def _group(session: Session, args: list) -> Group:
    """The group of a subcommand, which has to be there."""
    values: Stream = _stream(session, args[2])
    group: Group = values.group(args[3])
    if group is None:
        raise no_group_of_key(args[2], args[3])
    return group


@cython.cfunc
def _done(session: Session, event: bytes, key: bytes):
    """Report a change of groups. Whoever watches the key is not meant."""
    session.keyspace.dirty += 1
    session.keyspace.notify(session.db, STREAM, event, key)


@cython.cfunc
@cython.exceptval(-2)
def _options(args: list, creating: cython.bint, make: cython.pointer[cython.bint]) -> int64_t:
    """Read MKSTREAM, and ENTRIESREAD, which is returned, -1 without it."""
    place: cython.Py_ssize_t = 5
    read: int64_t = -1
    while place < len(args):
        option: bytes = args[place].upper()
        if creating and option == b"MKSTREAM":
            make[0] = True
        elif option == b"ENTRIESREAD" and place + 1 < len(args):
            place += 1
            read = parse_int(args[place])
            if read < -1:
                raise Error("ERR value for ENTRIESREAD must be positive or -1")
        else:
            raise bad_subcommand("XGROUP", args[1])
        place += 1
    return read


@command(
    'XGROUP CREATE key groupname~group id=<id | new_id="$"> [MKSTREAM] [ENTRIESREAD '
    "entries_read~entries-read:integer]",
    "write denyoom",
    keys=at(2, "RW insert"),
)
def xgroup_create(session: Session, args: list):
    """Makes a group.

    Since 5.0.0, O(1)
    7.0.0: Added ENTRIESREAD.
    """
    id = cython.declare(Id)
    make: cython.bint = False
    db: Database = session.db
    read: int64_t = _options(args, True, cython.address(make))
    values: Stream = db.collection_to_change(args[2], Stream) if make else None
    if not make:
        values = _stream(session, args[2])
    if len(args) > 8:
        raise bad_subcommand("XGROUP", args[1])
    id.ms = id.seq = 0
    if args[4] != b"$":
        read_id(args[4], cython.address(id), 0)
    elif values is not None:
        id = values.last
    if values is None:
        values = Stream()
        db.add(args[2], values)
        if session.keyspace.observer is not None:
            session.keyspace.observer(db, args[2], 0, b"")
    if values.add_group(args[3], as_pair(cython.address(id)), read) is None:
        raise Error("BUSYGROUP Consumer Group name already exists")
    _done(session, b"xgroup-create", args[2])
    return OK


@command(
    'XGROUP SETID key groupname~group id=<id | new_id="$"> [ENTRIESREAD '
    "entries_read~entries-read:integer]",
    "write",
    keys=at(2, "RW update"),
)
def xgroup_setid(session: Session, args: list):
    """Sets up to where a group has read.

    Since 5.0.0, O(1)
    7.0.0: Added ENTRIESREAD.
    """
    id = cython.declare(Id)
    unused: cython.bint = False
    read: int64_t = _options(args, False, cython.address(unused))
    group: Group = _group(session, args)
    values: Stream = _stream(session, args[2])
    if len(args) != 5 and len(args) != 7:
        raise bad_subcommand("XGROUP", args[1])
    if args[4] == b"$":
        id = values.last
    elif args[4] == b"-" or args[4] == b"+":
        read_start(args[4], cython.address(id))
    else:
        read_id(args[4], cython.address(id), 0)
    group.last = id
    group.entries_read = read
    group.cap(values.entries_added)
    _done(session, b"xgroup-setid", args[2])
    return OK


@command("XGROUP DESTROY key groupname~group", "write", keys=at(2, "RW delete"))
def xgroup_destroy(session: Session, args: list):
    """Removes a group.

    Since 5.0.0, O(N) with N the number of pending entries
    """
    values: Stream = _stream(session, args[2])
    group: Group = values.remove_group(args[3])
    if group is None:
        return 0
    if group.size() > _MUCH:
        session.keyspace.trash.add_value(group)
    _done(session, b"xgroup-destroy", args[2])
    session.engine.blocking.signal(session.db, args[2])
    return 1


@command(
    "XGROUP CREATECONSUMER key groupname~group consumername~consumer",
    "write denyoom",
    keys=at(2, "RW insert"),
)
def xgroup_createconsumer(session: Session, args: list):
    """Makes a consumer of a group.

    Since 6.2.0, O(1)
    """
    group: Group = _group(session, args)
    if group.consumer(args[4]) is not None:
        return 0
    consumer_for(session, args[2], group, args[4])
    return 1


@command(
    "XGROUP DELCONSUMER key groupname~group consumername~consumer", "write", keys=at(2, "RW delete")
)
def xgroup_delconsumer(session: Session, args: list):
    """Removes a consumer of a group.

    Since 5.0.0, O(N log(M)) with N entries pending for the consumer and M for its group
    """
    group: Group = _group(session, args)
    if group.consumer(args[4]) is None:
        return 0
    pending: cython.Py_ssize_t = group.remove_consumer(args[4])
    _done(session, b"xgroup-delconsumer", args[2])
    return pending


@command("XACK key group id ...", "write fast", keys=at(1, "RW update"))
def xack(session: Session, args: list):
    """Acknowledges entries: they are pending no longer.

    Since 5.0.0, O(log(N)) for each entry, with N the number of pending ones
    """
    id = cython.declare(Id)
    values: Stream = session.db.collection(args[1], Stream)
    group: Group = None if values is None else values.group(args[2])
    if group is None:
        return 0
    session.db.keep(args[1])
    acknowledged: cython.Py_ssize_t = 0
    if len(args) == 4:
        read_id(args[3], cython.address(id), 0)
        acknowledged = group.acknowledge(cython.address(id))
    else:
        for pair in read_ids(args, 3, len(args)):
            id = id_of(pair)
            acknowledged += group.acknowledge(cython.address(id))
    session.keyspace.dirty += acknowledged
    return acknowledged

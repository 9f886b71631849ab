"""Arrays that are appended to: behind what was appended last, or round and round in a ring."""

import cython
from cython.cimports.carnelian.commands.arrays.array_operands import index_of, unsigned
from cython.cimports.carnelian.commands.arrays.indexing import (
    MOST_PLACES,
    array_to_change,
    places_of,
)
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST, UNSET, Array
from cython.cimports.carnelian.datatypes.arrays.words import twin_of
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace import events
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.libc.stdint import uint64_t

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "array"


@command("ARINSERT key value ...", "write denyoom fast", keys=at(1, "RW insert"))
def arinsert(session: Session, args: list):
    """Appends elements behind what was appended last; returns the index of the last of them.

    Since 8.8.0, O(1) for each value
    """
    db: Database = session.db
    array: Array = db.collection_to_change(args[1], Array)
    start: uint64_t = 0
    more: uint64_t = len(args) - 3
    if array is not None and array.cursor != UNSET:
        if array.cursor >= HIGHEST:
            raise Error("ERR insert index overflow")
        start = array.cursor + 1
    if start > HIGHEST - more:
        raise Error("ERR insert index overflow")
    if array is None:
        array = array_to_change(db, session, args[1])
    array.set_run(session.keyspace.limits, start, args, 2)
    array.cursor = start + more
    db.changed(args[1], events.ARRAY, b"arinsert", len(args) - 2)
    return unsigned(array.cursor)


@command("ARRING key size:integer value ...", "write denyoom", keys=at(1, "RW update"))
def arring(session: Session, args: list):
    """Appends elements to a ring of so many places; returns the index of the last of them.

    Since 8.8.0, O(1) for each value; where the size has changed, O(N), with N the larger of the
    two sizes
    """
    db: Database = session.db
    limits: Limits = session.keyspace.limits
    size: uint64_t = _size(args[2])
    array: Array = array_to_change(db, session, args[1])
    i: cython.Py_ssize_t
    at_: uint64_t = 0
    fit(array, limits, size)
    for i in range(3, len(args)):
        at_ = (0 if array.cursor == UNSET else array.cursor + 1) % size
        array.set(limits, at_, args[i])
        array.cursor = at_
    db.changed(args[1], events.ARRAY, b"arring", len(args) - 3)
    return unsigned(at_)


def _size(text: bytes):
    """The size of a ring."""
    size = integer(text, "ERR invalid size")
    if size <= 0:
        raise Error("ERR size must be positive")
    return size


@cython.cfunc
@cython.exceptval(-1)
def fit(array: Array, limits: Limits, size: uint64_t) -> cython.int:
    """Bring what was appended last into the order of a ring of another size.

    That is needed where the ring has got smaller, and where it has got larger after the cursor had
    turned round. What is kept goes back, without a free place between, from the last one.
    """
    span: uint64_t = array.length
    kept: uint64_t = min(size, span)
    fresh: Array
    last: uint64_t
    at_: uint64_t
    count: uint64_t = 0
    i: uint64_t
    if span == 0 or size == span:
        return 0
    if size > span and (array.cursor == UNSET or array.cursor + 1 >= span):
        return 0
    last = span - 1 if array.cursor == UNSET else array.cursor % span
    at_ = last
    while count < kept and array.word(at_):
        count += 1
        at_ = span - 1 if at_ == 0 else at_ - 1
    at_ = (at_ + 1) % span
    fresh = Array(limits)
    for i in range(count):
        fresh.set_word(limits, i, twin_of(array.word(at_)))
        at_ = (at_ + 1) % span
    if count:
        fresh.cursor = count - 1
    return array.become(fresh)


@command("ARNEXT key", "readonly fast", keys=at(1, "RO access"))
def arnext(session: Session, args: list):
    """Returns the index that is appended to next, nil if there is none left.

    Since 8.8.0, O(1)
    """
    array: Array = session.db.collection(args[1], Array)
    if array is None or array.cursor == UNSET:
        return 0
    return None if array.cursor == HIGHEST else unsigned(array.cursor + 1)


@command("ARSEEK key index:integer", "write fast", keys=at(1, "RW update"))
def arseek(session: Session, args: list):
    """Says which index is to be appended to next; returns whether there is such an array.

    Since 8.8.0, O(1)
    """
    db: Database = session.db
    index: uint64_t = index_of(args[2], True)
    array: Array = db.collection_to_change(args[1], Array)
    if array is None:
        return 0
    array.cursor = index - 1 if index else UNSET
    db.changed(args[1], events.ARRAY, b"arseek")
    return 1


@command("ARLASTITEMS key count:integer [REV]", "readonly", keys=at(1, "RO access"))
def arlastitems(session: Session, args: list):
    """Returns what was appended last, the oldest first.

    Since 8.8.0, O(N), with N the number of places asked for
    """
    wanted: uint64_t
    back: cython.bint = len(args) == 4
    array: Array
    last: uint64_t
    count = integer(args[2], "ERR invalid COUNT")
    if count <= 0:
        return []
    if back and args[3].upper() != b"REV":
        raise SYNTAX_ERROR
    if len(args) > 4:
        raise Error("ERR wrong number of arguments for 'arlastitems' command")
    array = session.db.collection(args[1], Array)
    if array is None:
        return []
    wanted = min(cython.cast(uint64_t, count), array.length)
    if wanted > array.count and wanted > MOST_PLACES:
        raise Error(f"ERR count exceeds maximum of {MOST_PLACES} items")
    last = array.length - 1
    if array.cursor != UNSET and array.cursor < last:
        last = array.cursor
    if wanted <= last + 1:
        if back:
            return places_of(session, array, last, last + 1 - wanted)
        return places_of(session, array, last + 1 - wanted, last)
    # Round the end: those from the top come before those from the bottom.
    newer: list = places(array, last, 0)
    older: list = places(array, array.length - 1, array.length + last + 1 - wanted)
    found: list = newer + older
    if not back:
        found.reverse()
    return found


@cython.cfunc
def places(array: Array, start: uint64_t, end: uint64_t) -> list:
    """What stands at all indexes from one down to another."""
    found: list = [None] * (start - end + 1)
    for index, text in array.items(start, end, len(found)):
        found[start - index] = text
    return found

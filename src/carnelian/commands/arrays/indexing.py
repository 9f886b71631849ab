"""Elements of arrays by their indexes.

See https://redis.io/docs/latest/develop/data-types/arrays/
"""

import cython
from cython.cimports.carnelian.commands.arrays.array_operands import index_of, unsigned
from cython.cimports.carnelian.commands.common.many import PARTS, Many, reply_of
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST, UNSET, Array
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace import events
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.resp.rows import ARRAY
from cython.cimports.libc.stdint import uint64_t

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "array"

# Free places are a part of some replies, which therefore have to end.
MOST_PLACES = 1_000_000
# Places that a reply is made of at a time.
_PART = cython.declare(cython.Py_ssize_t, 512)


# -- Reading ---------------------------------------------------------------------------------------


@command("ARGET key index:integer", "readonly fast", keys=at(1, "RO access"))
def arget(session: Session, args: list):
    """Returns the element of an index.

    Since 8.8.0, O(1)
    """
    array: Array = session.db.collection(args[1], Array)
    index: uint64_t = index_of(args[2])
    return None if array is None else array.get(index)


@command("ARMGET key index:integer ...", "readonly fast", keys=at(1, "RO access"))
def armget(session: Session, args: list):
    """Returns the elements of several indexes.

    Since 8.8.0, O(1) for each index
    """
    array: Array = session.db.collection(args[1], Array)
    found: list = []
    i: cython.Py_ssize_t
    index: uint64_t
    for i in range(2, len(args)):
        index = index_of(args[i])
        found.append(None if array is None else array.get(index))
    return found


@command("ARGETRANGE key start:integer end:integer", "readonly", keys=at(1, "RO access"))
def argetrange(session: Session, args: list):
    """Returns what stands at all indexes from one to another, free ones included.

    Since 8.8.0, O(N), with N the number of indexes
    """
    start: uint64_t = index_of(args[2])
    end: uint64_t = index_of(args[3])
    array: Array = session.db.collection(args[1], Array)
    if max(start, end) - min(start, end) >= MOST_PLACES:
        raise Error(f"ERR range exceeds maximum of {MOST_PLACES} items")
    return places_of(session, array, start, end)


def places_of(session: Session, array: Array, start: uint64_t, end: uint64_t):
    """A reply of what stands at all indexes from one to another, which may be below it."""
    count: uint64_t = max(start, end) - min(start, end) + 1
    if array is None:
        return [None] * count
    return reply_of(session, Places(array, start, end), count, ARRAY, PARTS)


@cython.final
@cython.cclass
class Places(Many):
    """What stands at the indexes of a range."""

    def __init__(self, array: Array, start: uint64_t, end: uint64_t):
        self.array = array
        self.start = start
        self.end = end

    def total(self):
        """How many there are."""
        return max(self.start, self.end) - min(self.start, self.end) + 1

    def some(self, start: uint64_t, end: uint64_t) -> list:
        """The places of a part of the range."""
        found: list = [None] * (max(start, end) - min(start, end) + 1)
        for index, text in self.array.items(start, end, len(found)):
            found[index - start if start <= end else start - index] = text
        return found

    def parts(self):
        """All places, some at a time."""
        at: uint64_t = self.start
        last: uint64_t
        while True:
            if self.start <= self.end:
                last = at + min(self.end - at, _PART - 1)
            else:
                last = at - min(at - self.end, _PART - 1)
            yield self.some(at, last)
            if last == self.end:
                return
            at = last + 1 if self.start <= self.end else last - 1


@command("ARLEN key", "readonly fast", keys=at(1, "RO access"))
def arlen(session: Session, args: list):
    """Returns one more than the highest index that has an element.

    Since 8.8.0, O(1)
    """
    array: Array = session.db.collection(args[1], Array)
    return 0 if array is None else unsigned(array.length)


@command("ARCOUNT key", "readonly fast", keys=at(1, "RO access"))
def arcount(session: Session, args: list):
    """Returns the number of elements.

    Since 8.8.0, O(1)
    """
    array: Array = session.db.collection(args[1], Array)
    return 0 if array is None else array.count


@command("ARINFO key [FULL]", "readonly", keys=at(1, "RO access"))
def arinfo(session: Session, args: list):
    """Tells how an array is kept.

    Since 8.8.0, O(1), or with FULL O(N), with N the number of slices
    """
    if len(args) > 3 or (len(args) == 3 and args[2].upper() != b"FULL"):
        raise SYNTAX_ERROR
    array: Array = session.db.collection(args[1], Array)
    if array is None:
        raise Error("ERR no such key")
    appended = 0 if array.cursor == UNSET or array.cursor == HIGHEST else array.cursor + 1
    facts = {
        b"count": array.count,
        b"len": unsigned(array.length),
        b"next-insert-index": unsigned(appended),
        b"slices": array.slices,
        b"directory-size": array.slices,
        b"super-dir-entries": array.leaves if array.leaves > 1 else 0,
        b"slice-size": array.slice_size,
    }
    if len(args) == 3:
        facts.update(array.figures())
    return facts


# -- Changing --------------------------------------------------------------------------------------


def array_to_change(db: Database, session: Session, key: bytes):
    """The array at a key, which is made if there is none. Raises WrongType."""
    array: Array = db.collection_to_change(key, Array)
    if array is None:
        array = Array(session.keyspace.limits)
        db.add(key, array)
        db.note_newer_form(key)
    return array


@command("ARSET key index:integer value ...", "write denyoom fast", keys=at(1, "RW update"))
def arset(session: Session, args: list):
    """Puts elements at an index and those that follow; returns how many of these were free.

    Since 8.8.0, O(1) for each value
    """
    db: Database = session.db
    index: uint64_t = index_of(args[2])
    more: uint64_t = len(args) - 4
    array: Array
    added: cython.Py_ssize_t
    if index > HIGHEST - more:
        raise Error("ERR array index overflow")
    array = array_to_change(db, session, args[1])
    added = array.set_run(session.keyspace.limits, index, args, 3)
    db.changed(args[1], events.ARRAY, b"arset", len(args) - 3)
    return added


@command("ARMSET key data=(index:integer value) ...", "write denyoom fast", keys=at(1, "RW update"))
def armset(session: Session, args: list):
    """Puts elements at several indexes; returns how many of these were free.

    Since 8.8.0, O(1) for each index
    """
    db: Database = session.db
    limits = session.keyspace.limits
    array: Array
    added: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    refuse_odd(args, b"armset")
    for i in range(2, len(args), 2):
        index_of(args[i])
    array = array_to_change(db, session, args[1])
    for i in range(2, len(args), 2):
        added += array.set(limits, index_of(args[i]), args[i + 1])
    db.changed(args[1], events.ARRAY, b"armset", (len(args) - 2) // 2)
    return added


def refuse_odd(args: list, name: bytes):
    """Raise the error of a wrong number of arguments if there is no pair of each two."""
    if len(args) % 2:
        raise Error(b"ERR wrong number of arguments for '%s' command" % name)


@command("ARDEL key index:integer ...", "write fast", keys=at(1, "RW delete"))
def ardel(session: Session, args: list):
    """Removes the elements of indexes; returns how many there were.

    Since 8.8.0, O(1) for each index
    """
    db: Database = session.db
    array: Array
    removed: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    for i in range(2, len(args)):
        index_of(args[i])
    array = db.collection_to_change(args[1], Array)
    if array is None:
        return 0
    for i in range(2, len(args)):
        removed += array.remove(session.keyspace.limits, index_of(args[i]))
    if removed:
        db.shrank(args[1], array.count, events.ARRAY, b"ardel", removed)
    return removed


@command("ARDELRANGE key range=(start:integer end:integer) ...", "write", keys=at(1, "RW delete"))
def ardelrange(session: Session, args: list):
    """Removes the elements of one range of indexes or several; returns how many there were.

    Since 8.8.0, O(N), with N the number of elements removed and of slices touched
    """
    db: Database = session.db
    array: Array
    removed: uint64_t = 0
    start: uint64_t
    end: uint64_t
    i: cython.Py_ssize_t
    refuse_odd(args, b"ardelrange")
    for i in range(2, len(args)):
        index_of(args[i])
    array = db.collection_to_change(args[1], Array)
    if array is None:
        return 0
    for i in range(2, len(args), 2):
        start = index_of(args[i])
        end = index_of(args[i + 1])
        removed += array.remove_range(session.keyspace.limits, min(start, end), max(start, end))
    if removed:
        db.shrank(args[1], array.count, events.ARRAY, b"ardelrange", removed)
    return removed

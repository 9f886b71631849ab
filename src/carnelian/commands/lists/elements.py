"""LRANGE, LINDEX, LSET and their kin: elements of a list by place and by content."""

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import Many, reply_of
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.collections.list import List
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import LIST
from cython.cimports.carnelian.resp.numbers import parse_int

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NO_SUCH_KEY, OK, SYNTAX_ERROR, Error

GROUP = "list"

_MOST: int = 2**63 - 1

# Elements of a large reply that are made at once: each part is looked for from an end.
_PART = cython.declare(cython.Py_ssize_t, 4096)


@command("LRANGE key start:integer stop:integer", "readonly", keys=at(1, "RO access"))
def lrange(session: Session, args: list):
    """Replies with the elements of a list from one index to another.

    Since 1.0.0, O(S+N) with S the distance to the nearer end and N the number of elements replied
    """
    start: cython.Py_ssize_t = parse_int(args[2])
    stop: cython.Py_ssize_t = parse_int(args[3])
    values: List = session.db.collection(args[1], List)
    if values is None:
        return []
    size: cython.Py_ssize_t = values.size()
    if start < 0:
        start = max(start + size, 0)
    if stop < 0:
        stop += size
    stop = min(stop, size - 1)
    if start > stop:
        return []
    count: cython.Py_ssize_t = stop - start + 1
    elements: _Elements = _Elements.__new__(_Elements)
    elements.values = values
    elements.first = start
    elements.count = count
    return reply_of(session, elements, count)


@cython.final
@cython.no_gc
@cython.cclass
class _Elements(Many):
    """So many elements of a list from an index on."""

    values: List
    first: cython.Py_ssize_t
    count: cython.Py_ssize_t

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def pour(self, sink: Sink) -> cython.int:
        return self.values.pour(self.first, self.count, sink)

    @cython.cfunc
    def listed(self) -> list:
        return self.values.items(self.first, self.count)

    def parts(self) -> Iterator[list]:
        start: cython.Py_ssize_t = self.first
        end: cython.Py_ssize_t = self.first + self.count
        while start < end:
            yield self.values.items(start, min(end - start, _PART))
            start += _PART

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def total(self) -> cython.Py_ssize_t:
        return self.count


@command("LINDEX key index:integer", "readonly", keys=at(1, "RO access"))
def lindex(session: Session, args: list):
    """Replies with the element of an index.

    Since 1.0.0, O(N) with N the distance to the nearer end; O(1) for the first and the last
    """
    values: List = session.db.collection(args[1], List)
    if values is None:
        return None
    return values.item(parse_int(args[2]))


@command("LSET key index:integer element", "write denyoom", keys=at(1, "RW update"))
def lset(session: Session, args: list):
    """Replaces the element of an index.

    Since 1.0.0, O(N) with N the distance to the nearer end; O(1) for the first and the last
    """
    db: Database = session.db
    key: bytes = args[1]
    values: List = db.collection_to_change(key, List)
    if values is None:
        raise NO_SUCH_KEY
    if not values.set_item(session.keyspace.limits, parse_int(args[2]), args[3]):
        raise Error("ERR index out of range")
    db.changed(key, LIST, b"lset")
    return OK


@command(
    "LINSERT key where=<BEFORE | AFTER> pivot element", "write denyoom", keys=at(1, "RW insert")
)
def linsert(session: Session, args: list):
    """Inserts an element before or after the first one that equals a pivot.

    Since 2.2.0, O(N) with N the number of elements up to the pivot
    """
    db: Database = session.db
    key: bytes = args[1]
    where: bytes = args[2].lower()
    if where != b"before" and where != b"after":
        raise SYNTAX_ERROR
    values: List = db.collection_to_change(key, List)
    if values is None:
        return 0
    if not values.insert(session.keyspace.limits, args[3], args[4], where == b"after"):
        return -1
    db.changed(key, LIST, b"linsert")
    return values.size()


@command("LREM key count:integer element", "write", keys=at(1, "RW delete"))
def lrem(session: Session, args: list):
    """Removes elements that equal one; without any left the key is gone.

    Since 1.0.0, O(N+M) with N the length of the list and M the number of elements removed
    """
    db: Database = session.db
    key: bytes = args[1]
    count: cython.Py_ssize_t = parse_int(args[2])
    values: List = db.collection_to_change(key, List)
    if values is None:
        return 0
    forward: cython.bint = count >= 0
    # The most negative number has no counterpart; a list is never as long.
    most: cython.Py_ssize_t = count if forward else -max(count, -_MOST)
    removed: cython.Py_ssize_t = values.remove_equal(
        session.keyspace.limits, args[3], most if most else _MOST, forward
    )
    if removed:
        db.shrank(key, values.size(), LIST, b"lrem", removed)
    return removed


@command("LTRIM key start:integer stop:integer", "write", keys=at(1, "RW delete"))
def ltrim(session: Session, args: list):
    """Removes all elements but those from one index to another.

    Since 1.0.0, O(N) with N the number of elements removed
    """
    db: Database = session.db
    key: bytes = args[1]
    start: cython.Py_ssize_t = parse_int(args[2])
    stop: cython.Py_ssize_t = parse_int(args[3])
    values: List = db.collection_to_change(key, List)
    if values is None:
        return OK
    size: cython.Py_ssize_t = values.size()
    if start < 0:
        start = max(start + size, 0)
    if stop < 0:
        stop += size
    stop = min(stop, size - 1)
    if start > stop:
        start = size
        stop = size - 1
    values.remove_range(session.keyspace.limits, stop + 1, size - 1 - stop)
    values.remove_range(session.keyspace.limits, 0, start)
    db.shrank(key, values.size(), LIST, b"ltrim", size - values.size())
    return OK


@command(
    "LPOS key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
    "readonly",
    keys=at(1, "RO access"),
)
def lpos(session: Session, args: list):
    """Replies with the index of an element, or with those of several equal ones.

    Since 6.0.6, O(N) with N the number of elements looked at, all of them in the worst case
    """
    rank: cython.Py_ssize_t = 1
    most: cython.Py_ssize_t = -1
    scanned: cython.Py_ssize_t = 0
    place: cython.Py_ssize_t
    for place in range(3, len(args), 2):
        option: bytes = args[place].upper()
        if place + 1 == len(args):
            raise SYNTAX_ERROR
        if option == b"RANK":
            rank = _rank(args[place + 1])
        elif option == b"COUNT":
            most = integer(args[place + 1], "ERR COUNT can't be negative", 0)
        elif option == b"MAXLEN":
            scanned = integer(args[place + 1], "ERR MAXLEN can't be negative", 0)
        else:
            raise SYNTAX_ERROR
    values: List = session.db.collection(args[1], List)
    if values is None:
        return None if most < 0 else []
    found: list = values.positions(args[2], abs(rank), 1 if most < 0 else most, scanned, rank > 0)
    if most >= 0:
        return found
    return found[0] if found else None


@cython.cfunc
@cython.exceptval(0)
def _rank(text: bytes) -> cython.Py_ssize_t:
    """Which of the equal elements is the first that counts, from the end if below zero."""
    rank: int = parse_int(text)
    if rank == 0:
        raise Error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
            "or use negative to start from the end of the list"
        )
    if rank < -_MOST:
        raise Error(f"ERR value is out of range, value must between {-_MOST} and {_MOST}")
    return rank

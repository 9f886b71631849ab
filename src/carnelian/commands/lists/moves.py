"""LMOVE, RPOPLPUSH and LMPOP: elements from one list to another, and from the first of several."""

import cython
from cython.cimports.carnelian.commands.lists.ends import pop_several, popped
from cython.cimports.carnelian.datatypes.collections.list import List
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import LIST

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import at, command, counted
from carnelian.resp.numbers import format_int
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR

GROUP = "list"


def side(word):
    """1 for LEFT, the start of a list, and 0 for RIGHT; raises Error."""
    name: bytes = word.upper()
    if name == b"LEFT":
        return 1
    if name == b"RIGHT":
        return 0
    raise SYNTAX_ERROR


@command(
    "LMOVE source:key destination:key wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT>",
    "write denyoom",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def lmove(session: Session, args: list):
    """Takes an element from an end of a list and puts it at an end of another.

    Since 6.2.0, O(1)
    """
    from_head: cython.bint = side(args[3])
    to_head: cython.bint = side(args[4])
    return move(session, args[1], args[2], from_head, to_head)


@command(
    "RPOPLPUSH source:key destination:key",
    "write denyoom",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def rpoplpush(session: Session, args: list):
    """Takes the last element of a list and puts it before the first of another.

    Since 1.2.0, O(1)
    Deprecated since 6.2.0: `LMOVE` with the `RIGHT` and `LEFT` arguments
    """
    return move(session, args[1], args[2], False, True)


def move(session, source, destination, from_head, to_head):
    """The element that was moved, or None if there is no list to take it from."""
    db: Database = session.db
    origin: List = db.collection_to_change(source, List)
    target: List
    if origin is None:
        return None
    target = db.collection_to_change(destination, List)
    element: bytes = origin.pop(session.keyspace.limits, from_head)
    if target is None:
        target = List()
        db.add(destination, target)
    target.push_one(session.keyspace.limits, element, to_head)
    db.changed(destination, LIST, b"lpush" if to_head else b"rpush")
    popped(db, source, origin, from_head, 0)  # One change, of two keys.
    return element


@command(
    "LMPOP numkeys:integer key ... where=<LEFT | RIGHT> [COUNT count:integer]",
    "write",
    keys=counted(1, "RW access delete"),
)
def lmpop(session: Session, args: list):
    """Takes elements from the first of several lists that is not empty.

    Since 7.0.0, O(N+M) with N the number of keys and M the number of elements replied
    """
    wanted: Takings = takings(args, 1)
    reply = take(session, wanted.keys, wanted.at_head, wanted.count)
    return NULL_ARRAY if reply is None else reply


@cython.final
@cython.cclass
class Takings:
    """What LMPOP and BLMPOP are to take."""

    def __init__(self, keys: list):
        self.keys = keys
        self.at_head = False
        self.count = 1


def takings(args, at):
    """Read the operands from the number of keys on; raises Error."""
    keys: cython.Py_ssize_t = integer(args[at], "ERR numkeys should be greater than 0", 1)
    # Also where the number is too large to be added to.
    if keys >= len(args) - at - 1:
        raise SYNTAX_ERROR
    where: cython.Py_ssize_t = at + 1 + keys
    wanted: Takings = Takings(args[at + 1 : where])
    wanted.at_head = side(args[where])
    if len(args) > where + 1:
        if len(args) < where + 3 or args[where + 1].upper() != b"COUNT":
            raise SYNTAX_ERROR
        wanted.count = integer(args[where + 2], "ERR count should be greater than 0", 1)
        if len(args) > where + 3:
            raise SYNTAX_ERROR
    return wanted


def take(session, keys, at_head, count):
    """Take from the first list there is: the key and the elements, or None if there is none."""
    db: Database = session.db
    values: List
    key: bytes
    for key in keys:
        values = db.collection_to_change(key, List)
        if values is not None:
            elements: list = pop_several(session, db, key, values, at_head, count)
            session.rewrite([b"LPOP" if at_head else b"RPOP", key, format_int(len(elements))])
            return [key, elements]
    return None

"""LPUSH, RPUSH, LPOP, RPOP and their kin: a list as a stack or a queue."""

import cython
from cython.cimports.carnelian.datatypes.collections.list import List
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import LIST

from carnelian.commands.common.operands import integer
from carnelian.engine.catalogue.registry import wrong_arity
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NULL_ARRAY

GROUP = "list"

HEAD = cython.declare(cython.bint, True)
TAIL = cython.declare(cython.bint, False)

_PUSH_COMPLEXITY: str = "O(1) for each element that is pushed"
_POP_COMPLEXITY: str = "O(N) with N the number of elements replied"


@command("LPUSH key element ...", "write denyoom fast", keys=at(1, "RW insert"))
def lpush(session: Session, args: list):
    """Puts elements before the first of a list, one after the other.

    Since 1.0.0, O(1) for each element that is pushed
    2.4.0: Several elements can be given.
    """
    return _push_to(session, args, HEAD, True)


@command("RPUSH key element ...", "write denyoom fast", keys=at(1, "RW insert"))
def rpush(session: Session, args: list):
    """Puts elements behind the last of a list.

    Since 1.0.0, O(1) for each element that is pushed
    2.4.0: Several elements can be given.
    """
    return _push_to(session, args, TAIL, True)


@command("LPUSHX key element ...", "write denyoom fast", keys=at(1, "RW insert"))
def lpushx(session: Session, args: list):
    """Puts elements before the first of a list if there is one at the key.

    Since 2.2.0, O(1) for each element that is pushed
    4.0.0: Several elements can be given.
    """
    return _push_to(session, args, HEAD, False)


@command("RPUSHX key element ...", "write denyoom fast", keys=at(1, "RW insert"))
def rpushx(session: Session, args: list):
    """Puts elements behind the last of a list if there is one at the key.

    Since 2.2.0, O(1) for each element that is pushed
    4.0.0: Several elements can be given.
    """
    return _push_to(session, args, TAIL, False)


@cython.cfunc
def _push_to(session: Session, args: list, at_head: cython.bint, create: cython.bint):
    """Push all words behind the key; the new length."""
    key: bytes = args[1]
    values: List = session.db.collection_to_change(key, List)
    if values is None:
        if not create:
            return 0
        values = List()
        session.db.add(key, values)
    values.push(session.keyspace.limits, args, 2, at_head)
    session.db.changed(key, LIST, b"lpush" if at_head else b"rpush", len(args) - 2)
    return values.size()


@command("LPOP key [count:integer@6.2.0]", "write fast", keys=at(1, "RW access delete"))
def lpop(session: Session, args: list):
    """Takes elements from the start of a list; without any left the key is gone.

    Since 1.0.0, O(N) with N the number of elements replied
    6.2.0: A count can be given.
    """
    return _pop_from(session, args, HEAD)


@command("RPOP key [count:integer@6.2.0]", "write fast", keys=at(1, "RW access delete"))
def rpop(session: Session, args: list):
    """Takes elements from the end of a list; without any left the key is gone.

    Since 1.0.0, O(N) with N the number of elements replied
    6.2.0: A count can be given.
    """
    return _pop_from(session, args, TAIL)


@cython.cfunc
def _pop_from(session: Session, args: list, at_head: cython.bint):
    """An element, or as many as the count says."""
    db: Database = session.db
    key: bytes = args[1]
    count: cython.Py_ssize_t = -1
    values: List
    if len(args) > 2:
        if len(args) > 3:
            raise wrong_arity(session.command)
        count = integer(args[2], "ERR value is out of range, must be positive", 0)
    values = db.collection_to_change(key, List)
    if values is None:
        return None if count < 0 else NULL_ARRAY
    if count == 0:
        return []
    if count > 0:
        return pop_several(session, db, key, values, at_head, count)
    element = values.pop(session.keyspace.limits, at_head)
    popped(db, key, values, at_head, 1)
    return element


def popped(db, key, values, at_head, count):
    """Report that elements were taken from a list, and delete the key if it has none left."""
    db.shrank(key, values.size(), LIST, b"lpop" if at_head else b"rpop", count)
    return 0


def pop_several(session, db, key, values, at_head, count):
    """Take up to ``count`` elements from an end, the outermost first."""
    size: cython.Py_ssize_t = values.size()
    taken: list
    count = min(count, size)
    if at_head:
        taken = values.items(0, count, True)
        values.remove_range(session.keyspace.limits, 0, count)
    else:
        taken = values.items(size - 1, count, False)
        values.remove_range(session.keyspace.limits, size - count, count)
    popped(db, key, values, at_head, count)
    return taken


@command("LLEN key", "readonly fast", keys=at(1, "RO"))
def llen(session: Session, args: list):
    """Counts the elements of a list.

    Since 1.0.0, O(1)
    """
    values: List = session.db.collection(args[1], List)
    return 0 if values is None else values.size()

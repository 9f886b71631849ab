"""BLPOP, BLMOVE and their kin: they wait for a list to have elements."""

import cython
from cython.cimports.carnelian.commands.lists.ends import popped
from cython.cimports.carnelian.commands.lists.moves import Takings, move, side, take, takings
from cython.cimports.carnelian.datatypes.collections.list import List
from cython.cimports.carnelian.engine.ground.flags import FLAG_DENY_BLOCKING
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database

from carnelian.commands.common.operands import timeout
from carnelian.engine.declaring import at, command, counted
from carnelian.resp.replies import NULL_ARRAY

GROUP = "list"

_TYPE: bytes = b"list"


@command(
    "BLPOP key ... timeout:double",
    "write noscript blocking",
    keys=at(1, "RW access delete", last=-2),
)
def blpop(session: Session, args: list):
    """Takes the first element of the first list that has one, or waits for one.

    Since 2.0.0, O(N) with N the number of keys
    6.0.0: The timeout may be a fraction of seconds.
    """
    return _pop(session, args, True)


@command(
    "BRPOP key ... timeout:double",
    "write noscript blocking",
    keys=at(1, "RW access delete", last=-2),
)
def brpop(session: Session, args: list):
    """Takes the last element of the first list that has one, or waits for one.

    Since 2.0.0, O(N) with N the number of keys
    6.0.0: The timeout may be a fraction of seconds.
    """
    return _pop(session, args, False)


@cython.cfunc
def _pop(session: Session, args: list, at_head: cython.bint):
    """The key and the element."""
    db: Database = session.db
    milliseconds: cython.longlong = timeout(session, args[len(args) - 1])
    keys: list = args[1 : len(args) - 1]
    values: List
    key: bytes
    for key in keys:
        values = db.collection_to_change(key, List)
        if values is not None:
            element: bytes = values.pop(session.keyspace.limits, at_head)
            popped(db, key, values, at_head, 1)
            session.rewrite([b"LPOP" if at_head else b"RPOP", key])
            return [key, element]
    return session.engine.blocking.wait(session, args, keys, milliseconds, NULL_ARRAY, _TYPE)


@command(
    "BLMPOP timeout:double numkeys:integer key ... where=<LEFT | RIGHT> [COUNT count:integer]",
    "write blocking",
    keys=counted(2, "RW access delete"),
)
def blmpop(session: Session, args: list):
    """Takes elements from the first of several lists that is not empty, or waits for some.

    Since 7.0.0, O(N+M) with N the number of keys and M the number of elements replied
    """
    wanted: Takings = takings(args, 2)
    milliseconds: cython.longlong = timeout(session, args[1])
    reply = take(session, wanted.keys, wanted.at_head, wanted.count)
    if reply is not None:
        return reply
    return session.engine.blocking.wait(session, args, wanted.keys, milliseconds, NULL_ARRAY, _TYPE)


@command(
    "BLMOVE source:key destination:key wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> "
    "timeout:double",
    "write denyoom noscript blocking",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def blmove(session: Session, args: list):
    """Moves an element from an end of a list to an end of another, or waits for one.

    Since 6.2.0, O(1)
    """
    from_head: cython.bint = side(args[3])
    to_head: cython.bint = side(args[4])
    milliseconds: cython.longlong = timeout(session, args[5])
    element = move(session, args[1], args[2], from_head, to_head)
    if element is None:
        return _wait_for_source(session, args, milliseconds)
    session.rewrite([b"LMOVE", args[1], args[2], args[3], args[4]])
    return element


@command(
    "BRPOPLPUSH source:key destination:key timeout:double",
    "write denyoom noscript blocking",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def brpoplpush(session: Session, args: list):
    """Moves the last element of a list to the start of another, or waits for one.

    Since 2.2.0, O(1)
    6.0.0: The timeout may be a fraction of seconds.
    Deprecated since 6.2.0: `BLMOVE` with the `RIGHT` and `LEFT` arguments
    """
    milliseconds: cython.longlong = timeout(session, args[3])
    element = move(session, args[1], args[2], False, True)
    if element is None:
        return _wait_for_source(session, args, milliseconds)
    session.rewrite([b"RPOPLPUSH", args[1], args[2]])
    return element


@cython.cfunc
def _wait_for_source(session: Session, args: list, milliseconds: cython.longlong):
    """Wait for an element to move; where nothing may wait, a null like that of LMOVE."""
    if session.flags & FLAG_DENY_BLOCKING:
        return None
    return session.engine.blocking.wait(session, args, [args[1]], milliseconds, NULL_ARRAY, _TYPE)

"""BLPOP, BLMOVE and their kin: they wait for a list to have elements."""

import cython
from cython.cimports.carnelian.commands.lists.ends import popped
from cython.cimports.carnelian.commands.lists.moves import Takings, move, side, take, takings
from cython.cimports.carnelian.datatypes.list import List
from cython.cimports.carnelian.engine.flags import FLAG_DENY_BLOCKING
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database

from carnelian.commands.operands import timeout
from carnelian.engine.registry import at, command, counted
from carnelian.resp.replies import NULL_ARRAY

_TYPE: bytes = b"list"


@command(
    "BLPOP",
    arity=-3,
    flags="write noscript blocking",
    keys=at(1, "RW access delete", last=-2),
    group="list",
    since="2.0.0",
    complexity="O(N) with N the number of keys",
    summary="Takes the first element of the first list that has one, or waits for one.",
    arguments="key:key ... timeout:double",
    history=[("6.0.0", "The timeout may be a fraction of seconds.")],
)
def blpop(session: Session, args: list):
    return _pop(session, args, True)


@command(
    "BRPOP",
    arity=-3,
    flags="write noscript blocking",
    keys=at(1, "RW access delete", last=-2),
    group="list",
    since="2.0.0",
    complexity="O(N) with N the number of keys",
    summary="Takes the last element of the first list that has one, or waits for one.",
    arguments="key:key ... timeout:double",
    history=[("6.0.0", "The timeout may be a fraction of seconds.")],
)
def brpop(session: Session, args: list):
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
            popped(session, db, key, values, at_head, 1)
            session.rewrite([b"LPOP" if at_head else b"RPOP", key])
            return [key, element]
    return session.engine.blocking.wait(session, args, keys, milliseconds, NULL_ARRAY, _TYPE)


@command(
    "BLMPOP",
    arity=-5,
    flags="write blocking",
    keys=counted(2, "RW access delete"),
    group="list",
    since="7.0.0",
    complexity="O(N+M) with N the number of keys and M the number of elements replied",
    summary="Takes elements from the first of several lists that is not empty, or waits for some.",
    arguments=(
        "timeout:double numkeys:integer key:key ... where=<LEFT | RIGHT> [COUNT count:integer]"
    ),
)
def blmpop(session: Session, args: list):
    wanted: Takings = takings(args, 2)
    milliseconds: cython.longlong = timeout(session, args[1])
    reply = take(session, wanted.keys, wanted.at_head, wanted.count)
    if reply is not None:
        return reply
    return session.engine.blocking.wait(session, args, wanted.keys, milliseconds, NULL_ARRAY, _TYPE)


@command(
    "BLMOVE",
    arity=6,
    flags="write denyoom noscript blocking",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
    group="list",
    since="6.2.0",
    complexity="O(1)",
    summary="Moves an element from an end of a list to an end of another, or waits for one.",
    arguments=(
        "source:key destination:key wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> timeout:double"
    ),
)
def blmove(session: Session, args: list):
    from_head: cython.bint = side(args[3])
    to_head: cython.bint = side(args[4])
    milliseconds: cython.longlong = timeout(session, args[5])
    element = move(session, args[1], args[2], from_head, to_head)
    if element is None:
        return _wait_for_source(session, args, milliseconds)
    session.rewrite([b"LMOVE", args[1], args[2], args[3], args[4]])
    return element


@command(
    "BRPOPLPUSH",
    arity=4,
    flags="write denyoom noscript blocking",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
    group="list",
    since="2.2.0",
    complexity="O(1)",
    summary="Moves the last element of a list to the start of another, or waits for one.",
    arguments="source:key destination:key timeout:double",
    history=[("6.0.0", "The timeout may be a fraction of seconds.")],
    deprecated=("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
    doc_flags="deprecated",
)
def brpoplpush(session: Session, args: list):
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

"""ZPOPMIN, BZPOPMIN, ZMPOP and their kin: members taken from one end."""

import cython
from cython.cimports.carnelian.datatypes.collections.scored_pack import FLAT, PAIRS, Span
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import ZSET

from carnelian.commands.common.operands import integer, timeout
from carnelian.engine.declaring import at, command, counted
from carnelian.resp.numbers import format_int
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR

GROUP = "sorted-set"


@cython.cfunc
def _pop(
    session: Session,
    key: bytes,
    value: SortedSet,
    highest: cython.bint,
    count: cython.Py_ssize_t,
    shape: cython.int,
) -> list:
    """Take up to ``count`` members, at least one, from one end of a set that has some."""
    db: Database = session.db
    span = cython.declare(Span)
    size: cython.Py_ssize_t = value.size()
    count = min(count, size)
    span.start = size - count if highest else 0
    span.stop = span.start + count
    popped: list = value.slice(size - 1 if highest else 0, count, highest, shape)
    value.remove_span(cython.address(span))
    db.shrank(key, value.size(), ZSET, b"zpopmax" if highest else b"zpopmin", count)
    return popped


# -- From one key --------------------------------------------------------------------------------


@command("ZPOPMIN key [count:integer]", "write fast", keys=at(1, "RW access delete"))
def zpopmin(session: Session, args: list):
    """Removes the members of lowest score from a sorted set and replies with them.

    Since 5.0.0, O(log(N)*M), with N the number of members and M of those popped
    """
    return _pop_from(session, args, False)


@command("ZPOPMAX key [count:integer]", "write fast", keys=at(1, "RW access delete"))
def zpopmax(session: Session, args: list):
    """Removes the members of highest score from a sorted set and replies with them.

    Since 5.0.0, O(log(N)*M), with N the number of members and M of those popped
    """
    return _pop_from(session, args, True)


@cython.cfunc
def _pop_from(session: Session, args: list, highest: cython.bint):
    count: cython.Py_ssize_t = 1
    shape: cython.int = FLAT
    if len(args) > 3:
        raise SYNTAX_ERROR
    if len(args) == 3:
        count = integer(args[2], "ERR value is out of range, must be positive", 0)
        if session.protocol > 2:
            shape = PAIRS
    value: SortedSet = session.db.collection_to_change(args[1], SortedSet)
    if value is None or count == 0:
        return []
    return _pop(session, args[1], value, highest, count, shape)


# -- From the first of several keys --------------------------------------------------------------


@command(
    "ZMPOP numkeys:integer key ... where=<MIN | MAX> [COUNT count:integer]",
    "write",
    keys=counted(1, "RW access delete"),
)
def zmpop(session: Session, args: list):
    """Removes members from one end of the first of several sorted sets that has some.

    Since 7.0.0, O(K) + O(M*log(N)), with K keys, N the number of members and M of those popped
    """
    keys, highest, count = _sources(args, 1)
    for key in keys:
        value = session.db.collection_to_change(key, SortedSet)
        if value is not None:
            return _pop_first(session, key, value, highest, count)
    return NULL_ARRAY


@cython.cfunc
def _pop_first(
    session: Session, key: bytes, value: SortedSet, highest: cython.bint, count: cython.Py_ssize_t
):
    """The reply of ZMPOP from the key that has members."""
    popped: list = _pop(session, key, value, highest, count, PAIRS)
    _propagate(session, key, highest, len(popped))
    return [key, popped]


@cython.cfunc
def _propagate(session: Session, key: bytes, highest: cython.bint, count: cython.Py_ssize_t):
    """What was popped, as a command on one key; a count below zero is left out."""
    words: list = [b"ZPOPMAX" if highest else b"ZPOPMIN", key]
    if count >= 0:
        words.append(format_int(count))
    session.rewrite(words)


def _sources(args: list, first: cython.Py_ssize_t) -> tuple:
    """Keys, whether to take the highest, and how many; the number of keys is at ``first``."""
    numkeys = integer(args[first], "ERR numkeys should be greater than 0", 1)
    where = first + numkeys + 1
    count = 0
    if where >= len(args):
        raise SYNTAX_ERROR
    end = args[where].upper()
    if end not in (b"MIN", b"MAX"):
        raise SYNTAX_ERROR
    options = args[where + 1 :]
    while options:
        if count or options[0].upper() != b"COUNT" or len(options) < 2:
            raise SYNTAX_ERROR
        count = integer(options[1], "ERR count should be greater than 0", 1)
        options = options[2:]
    return args[first + 1 : where], end == b"MAX", count or 1


# -- Waiting for members -------------------------------------------------------------------------


@command(
    "BZPOPMIN key ... timeout:double",
    "write noscript fast blocking",
    keys=at(1, "RW access delete", last=-2),
)
def bzpopmin(session: Session, args: list):
    """Removes the member of lowest score from a sorted set; waits for one if need be.

    Since 5.0.0, O(log(N)), with N the number of members
    6.0.0: The timeout may have a fraction.
    """
    return _pop_or_wait(session, args, False)


@command(
    "BZPOPMAX key ... timeout:double",
    "write noscript fast blocking",
    keys=at(1, "RW access delete", last=-2),
)
def bzpopmax(session: Session, args: list):
    """Removes the member of highest score from a sorted set; waits for one if need be.

    Since 5.0.0, O(log(N)), with N the number of members
    6.0.0: The timeout may have a fraction.
    """
    return _pop_or_wait(session, args, True)


@cython.cfunc
def _pop_or_wait(session: Session, args: list, highest: cython.bint):
    keys: list = args[1 : len(args) - 1]
    wait_ms = timeout(session, args[len(args) - 1])
    for key in keys:
        value = session.db.collection_to_change(key, SortedSet)
        if value is not None:
            popped: list = _pop(session, key, value, highest, 1, FLAT)
            _propagate(session, key, highest, -1)
            return [key, *popped]
    return session.engine.blocking.wait(session, args, keys, wait_ms, NULL_ARRAY, b"zset")


@command(
    "BZMPOP timeout:double numkeys:integer key ... where=<MIN | MAX> [COUNT count:integer]",
    "write blocking",
    keys=counted(2, "RW access delete"),
)
def bzmpop(session: Session, args: list):
    """Removes members from one end of a sorted set; waits for some if need be.

    Since 7.0.0, O(K) + O(M*log(N)), with K keys, N the number of members and M of those popped
    """
    keys, highest, count = _sources(args, 2)
    wait_ms = timeout(session, args[1])
    for key in keys:
        value = session.db.collection_to_change(key, SortedSet)
        if value is not None:
            return _pop_first(session, key, value, highest, count)
    return session.engine.blocking.wait(session, args, keys, wait_ms, NULL_ARRAY, b"zset")

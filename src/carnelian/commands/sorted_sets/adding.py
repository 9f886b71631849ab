"""ZADD, ZINCRBY and ZREM: members in and out, one by one."""

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_double
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.collections.sorted_set import (
    ADDED,
    GT,
    INCREMENT,
    LT,
    NOT_A_NUMBER,
    NX,
    SKIPPED,
    UPDATED,
    XX,
    SortedSet,
)
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import ZSET
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.engine.declaring import at, command
from carnelian.resp.numbers import parse_float
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "sorted-set"

# Beside the conditions of put(): count changes, too.
_CHANGES = cython.declare(cython.int, 256)

_OPTIONS: dict = {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT, b"INCR": INCREMENT, b"CH": _CHANGES}


@command(
    "ZADD key [condition@3.0.2=<NX | XX>] [comparison@6.2.0=<GT | LT>] [change=CH@3.0.2] "
    "[increment=INCR@3.0.2] score_member=(score:double member) ...",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def zadd(session: Session, args: list):
    """Adds members to a sorted set, which is made if it is not there, or sets their scores.

    Since 1.2.0, O(log(N)) for each member, with N the number of members in the sorted set
    2.4.0: Several members can be given.
    3.0.2: Added XX, NX, CH and INCR.
    6.2.0: Added GT and LT.
    """
    score: cython.double = 0.0
    text: bytes = args[2]
    # No option reads as a number.
    if len(args) == 4 and to_double(
        PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(score)
    ):
        outcome: cython.int = _put(session, args[1], args[3], cython.address(score), 0)
        if outcome in (ADDED, UPDATED):
            session.db.changed(args[1], ZSET, b"zadd")
        return 1 if outcome == ADDED else 0
    return add(session, args, 0)


@command(
    "ZINCRBY key increment:integer member", "write denyoom fast", keys=at(1, "RW access update")
)
def zincrby(session: Session, args: list):
    """Adds to the score of a member of a sorted set.

    Since 1.2.0, O(log(N)), with N the number of members in the sorted set
    """
    return add(session, args, INCREMENT)


@cython.cfunc
@cython.exceptval(-1)
def _put(
    session: Session, key: bytes, member: bytes, score: cython.p_double, conditions: cython.int
) -> cython.int:
    """Set one score; the outcome."""
    db: Database = session.db
    keyspace: Keyspace = session.keyspace
    value: SortedSet = db.collection_to_change(key, SortedSet)
    outcome: cython.int
    if value is None:
        if conditions & XX:
            return SKIPPED
        value = SortedSet()
        outcome = value.put(member, score, conditions, keyspace.limits)
        db.add(key, value)
        return outcome
    return value.put(member, score, conditions, keyspace.limits)


def add(session, args, conditions):
    """ZADD with options or several members, and ZINCRBY; ``conditions`` hold beside the options."""
    first: cython.Py_ssize_t = 2
    option: object
    while first < len(args):
        option = _OPTIONS.get(args[first].upper())
        if option is None:
            break
        conditions |= option
        first += 1
    _check(conditions, len(args) - first)
    scores: list = [parse_float(text) for text in args[first::2]]
    if conditions & INCREMENT:
        return _increment(session, args[1], args[first + 1], scores[0], conditions & ~_CHANGES)
    return _add_several(session, args, first, scores, conditions)


@cython.cfunc
@cython.exceptval(-1)
def _check(conditions: cython.int, words: cython.Py_ssize_t) -> cython.int:
    """Raise Error if these options, or so many words behind them, do not go together."""
    if words == 0 or words % 2:
        raise SYNTAX_ERROR
    if conditions & NX and conditions & XX:
        raise Error("ERR XX and NX options at the same time are not compatible")
    if (conditions & (GT | LT) and conditions & NX) or (conditions & GT and conditions & LT):
        raise Error("ERR GT, LT, and/or NX options at the same time are not compatible")
    if conditions & INCREMENT and words > 2:
        raise Error("ERR INCR option supports a single increment-element pair")
    return 0


@cython.cfunc
def _increment(
    session: Session, key: bytes, member: bytes, score: cython.double, conditions: cython.int
):
    """Add to one score; the new one, None if a condition is not met."""
    outcome: cython.int = _put(session, key, member, cython.address(score), conditions)
    if outcome == SKIPPED:
        return None
    if outcome == NOT_A_NUMBER:
        raise Error("ERR resulting score is not a number (NaN)")
    if outcome in (ADDED, UPDATED):
        session.db.changed(key, ZSET, b"zincr")
    return score


@cython.cfunc
def _add_several(
    session: Session,
    args: list,
    first: cython.Py_ssize_t,
    scores: list,
    conditions: cython.int,
):
    """Set scores; how many members were added, or also changed if that was asked for."""
    key: bytes = args[1]
    db: Database = session.db
    keyspace: Keyspace = session.keyspace
    limits: Limits = keyspace.limits
    value: SortedSet = db.collection_to_change(key, SortedSet)
    added: cython.Py_ssize_t = 0
    updated: cython.Py_ssize_t = 0
    outcome: cython.int
    score: cython.double
    i: cython.Py_ssize_t
    if value is None:
        if conditions & XX:
            return 0
        value = SortedSet()
        db.add(key, value)
    for i in range(len(scores)):
        score = scores[i]
        outcome = value.put(
            args[first + 1 + 2 * i], cython.address(score), conditions & ~_CHANGES, limits
        )
        added += outcome == ADDED
        updated += outcome == UPDATED
    if added + updated:
        db.changed(key, ZSET, b"zadd", added + updated)
    return added + updated if conditions & _CHANGES else added


@command("ZREM key member ...", "write fast", keys=at(1, "RW delete"))
def zrem(session: Session, args: list):
    """Removes members from a sorted set, which goes with its last one.

    Since 1.2.0, O(M*log(N)), with N the number of members in the sorted set and M of those to
    remove
    2.4.0: Several members can be given.
    """
    key: bytes = args[1]
    db: Database = session.db
    value: SortedSet = db.collection_to_change(key, SortedSet)
    removed: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    if value is None:
        return 0
    for i in range(2, len(args)):
        removed += value.remove(args[i])
        if value.size() == 0:
            break
    if removed:
        db.shrank(key, value.size(), ZSET, b"zrem", removed)
    return removed

"""ZRANGE, ZRANGESTORE, ZREMRANGEBYSCORE and their kin: members of a range."""

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import PARTS, ROWS, Many, reply_of
from cython.cimports.carnelian.commands.sorted_sets.bounds import (
    RANKS,
    SCORES,
    TEXTS,
    Range,
    parse,
    span_of,
)
from cython.cimports.carnelian.commands.sorted_sets.ranges import Selection
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.collections.scored_pack import FLAT, MEMBERS, PAIRS, Span
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet, of_sorted
from cython.cimports.carnelian.engine.ground.flags import PART
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC, ZSET
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.resp.rows import ARRAY

from carnelian.engine.declaring import at, command
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "sorted-set"

# A kind of range that is up to the options.
_ANY = cython.declare(cython.int, -1)

# How a range is walked: also up to the options, or as the command says.
_FORWARD = cython.declare(cython.int, 0)
_REVERSE = cython.declare(cython.int, 1)


@cython.cfunc
@cython.exceptval(-1)
def _read_options(
    args: list,
    first: cython.Py_ssize_t,
    storing: cython.bint,
    selection: cython.pointer[Selection],
) -> cython.int:
    """Read the options of a range from ``first`` on; kind and direction are given or _ANY."""
    i: cython.Py_ssize_t = first
    option: bytes
    selection.with_scores = False
    selection.offset = 0
    selection.count = -1
    while i < len(args):
        option = args[i].upper()
        if option == b"WITHSCORES" and not storing:
            selection.with_scores = True
        elif option == b"LIMIT" and i + 2 < len(args):
            selection.offset = parse_int(args[i + 1])
            selection.count = parse_int(args[i + 2])
            i += 2
        elif option == b"REV" and selection.reverse == _ANY:
            selection.reverse = _REVERSE
        elif option == b"BYLEX" and selection.kind == _ANY:
            selection.kind = TEXTS
        elif option == b"BYSCORE" and selection.kind == _ANY:
            selection.kind = SCORES
        else:
            raise SYNTAX_ERROR
        i += 1
    selection.reverse = selection.reverse == _REVERSE
    if selection.kind == _ANY:
        selection.kind = RANKS
    return _check_options(selection)


@cython.cfunc
@cython.exceptval(-1)
def _check_options(selection: cython.pointer[Selection]) -> cython.int:
    """Raise Error if options do not go with the kind of range."""
    if selection.count != -1 and selection.kind == RANKS:
        raise Error(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
        )
    if selection.with_scores and selection.kind == TEXTS:
        raise Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _read_range(
    args: list,
    first: cython.Py_ssize_t,
    selection: cython.pointer[Selection],
    range: cython.pointer[Range],
) -> cython.int:
    """Read the ends of the range at ``first``; scores and texts come the other way in reverse."""
    low: cython.Py_ssize_t = first
    high: cython.Py_ssize_t = first + 1
    if selection.reverse and selection.kind != RANKS:
        low, high = high, low
    return parse(selection.kind, args[low], args[high], range)


@cython.cfunc
@cython.exceptval(-1)
def _select(
    value: SortedSet,
    selection: cython.pointer[Selection],
    range: cython.pointer[Range],
    span: cython.pointer[Span],
) -> cython.int:
    """The ranks of the members that a range and its LIMIT select."""
    length: cython.Py_ssize_t
    span_of(value, range, selection.reverse, span)
    if selection.kind == RANKS:
        return 0
    length = span.stop - span.start
    if selection.offset < 0 or selection.offset >= length:
        span.stop = span.start
        return 0
    length -= selection.offset
    if 0 <= selection.count < length:
        length = selection.count
    if selection.reverse:
        span.stop -= selection.offset
        span.start = span.stop - length
    else:
        span.start += selection.offset
        span.stop = span.start + length
    return 0


# -- As a reply ----------------------------------------------------------------------------------


@cython.cfunc
def _reply(session: Session, args: list, kind: cython.int, reverse: cython.int):
    selection = cython.declare(Selection)
    wanted = cython.declare(Range)
    span = cython.declare(Span)
    selection.kind = kind
    selection.reverse = reverse
    _read_options(args, 4, False, cython.address(selection))
    _read_range(args, 2, cython.address(selection), cython.address(wanted))
    value: SortedSet = session.db.collection(args[1], SortedSet)
    if value is None:
        return []
    _select(value, cython.address(selection), cython.address(wanted), cython.address(span))
    ranked: _Ranked = _Ranked.__new__(_Ranked)
    ranked.value = value
    ranked.first = span.stop - 1 if selection.reverse else span.start
    ranked.count = span.stop - span.start
    ranked.reverse = selection.reverse
    ranked.shape = MEMBERS
    if selection.with_scores:
        ranked.shape = PAIRS if session.protocol > 2 else FLAT
    # In RESP3 each score is a double, in a pair with its member: these are no rows of texts.
    forms: cython.int = PARTS if ranked.shape == PAIRS else ROWS | PARTS
    return reply_of(session, ranked, ranked.count, ARRAY, forms)


@cython.final
@cython.no_gc
@cython.cclass
class _Ranked(Many):
    """So many members of a sorted set from a rank on, or from there down."""

    value: SortedSet
    first: cython.Py_ssize_t
    count: cython.Py_ssize_t
    reverse: cython.bint
    shape: cython.int

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def pour(self, sink: Sink) -> cython.int:
        return self.value.pour(self.first, self.count, self.reverse, self.shape == FLAT, sink)

    @cython.cfunc
    def listed(self) -> list:
        return self.value.slice(self.first, self.count, self.reverse, self.shape)

    def parts(self) -> Iterator[list]:
        rank: cython.Py_ssize_t = self.first
        left: cython.Py_ssize_t = self.count
        size: cython.Py_ssize_t
        while left > 0:
            size = min(left, PART)
            yield self.value.slice(rank, size, self.reverse, self.shape)
            rank = rank - size if self.reverse else rank + size
            left -= size

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def total(self) -> cython.Py_ssize_t:
        return 2 * self.count if self.shape == FLAT else self.count


@command(
    "ZRANGE key start stop [sortby@6.2.0=<BYSCORE | BYLEX>] [REV@6.2.0] [LIMIT "
    "offset_count@6.2.0=(offset:integer count:integer)] [WITHSCORES]",
    "readonly",
    keys=at(1, "RO access"),
)
def zrange(session: Session, args: list):
    """Replies with the members of a sorted set in a range of ranks, scores or texts.

    Since 1.2.0, O(log(N)+M), with N the number of members and M of those in the reply
    6.2.0: Added REV, BYSCORE, BYLEX and LIMIT.
    """
    return _reply(session, args, _ANY, _ANY)


@command(
    "ZREVRANGE key start:integer stop:integer [WITHSCORES]", "readonly", keys=at(1, "RO access")
)
def zrevrange(session: Session, args: list):
    """Replies with the members of a sorted set in a range of ranks from the high end.

    Since 1.2.0, O(log(N)+M), with N the number of members and M of those in the reply
    Deprecated since 6.2.0: `ZRANGE` with the `REV` argument
    """
    return _reply(session, args, RANKS, _REVERSE)


@command(
    "ZRANGEBYSCORE key min:double max:double [WITHSCORES@2.0.0] [LIMIT "
    "offset_count=(offset:integer count:integer)]",
    "readonly",
    keys=at(1, "RO access"),
)
def zrangebyscore(session: Session, args: list):
    """Replies with the members of a sorted set in a range of scores.

    Since 1.0.5, O(log(N)+M), with N the number of members and M of those in the reply
    2.0.0: Added WITHSCORES.
    Deprecated since 6.2.0: `ZRANGE` with the `BYSCORE` argument
    """
    return _reply(session, args, SCORES, _FORWARD)


@command(
    "ZREVRANGEBYSCORE key max:double min:double [WITHSCORES] [LIMIT "
    "offset_count=(offset:integer count:integer)]",
    "readonly",
    keys=at(1, "RO access"),
)
def zrevrangebyscore(session: Session, args: list):
    """Replies with the members of a sorted set in a range of scores, the highest first.

    Since 2.2.0, O(log(N)+M), with N the number of members and M of those in the reply
    2.1.6: Both ends can be excluded.
    Deprecated since 6.2.0: `ZRANGE` with the `REV` and `BYSCORE` arguments
    """
    return _reply(session, args, SCORES, _REVERSE)


@command(
    "ZRANGEBYLEX key min max [LIMIT offset_count=(offset:integer count:integer)]",
    "readonly",
    keys=at(1, "RO access"),
)
def zrangebylex(session: Session, args: list):
    """Replies with the members of a sorted set in a range of texts.

    Since 2.8.9, O(log(N)+M), with N the number of members and M of those in the reply
    Deprecated since 6.2.0: `ZRANGE` with the `BYLEX` argument
    """
    return _reply(session, args, TEXTS, _FORWARD)


@command(
    "ZREVRANGEBYLEX key max min [LIMIT offset_count=(offset:integer count:integer)]",
    "readonly",
    keys=at(1, "RO access"),
)
def zrevrangebylex(session: Session, args: list):
    """Replies with the members of a sorted set in a range of texts, the last first.

    Since 2.8.9, O(log(N)+M), with N the number of members and M of those in the reply
    Deprecated since 6.2.0: `ZRANGE` with the `REV` and `BYLEX` arguments
    """
    return _reply(session, args, TEXTS, _REVERSE)


# -- Into another key ----------------------------------------------------------------------------


@command(
    "ZRANGESTORE dst:key src:key min max [sortby=<BYSCORE | BYLEX>] [REV] [LIMIT "
    "offset_count=(offset:integer count:integer)]",
    "write denyoom",
    keys=(at(1, "OW update"), at(2, "RO access")),
)
def zrangestore(session: Session, args: list):
    """Stores the members of a sorted set in a range of ranks, scores or texts.

    Since 6.2.0, O(log(N)+M), with N the number of members and M of those stored
    """
    selection = cython.declare(Selection)
    wanted = cython.declare(Range)
    span = cython.declare(Span)
    chosen: list = []
    selection.kind = selection.reverse = _ANY
    _read_options(args, 5, True, cython.address(selection))
    _read_range(args, 3, cython.address(selection), cython.address(wanted))
    value: SortedSet = session.db.collection(args[2], SortedSet)
    if value is not None:
        _select(value, cython.address(selection), cython.address(wanted), cython.address(span))
        chosen = value.slice(span.start, span.stop - span.start, False, PAIRS)
    return store(session, args[1], [(score, member) for member, score in chosen], b"zrangestore")


def store(session, key, pairs, event, count=1):
    """Set a key to ``(score, member)`` pairs in order, or delete it if there are none.

    If there are some, it comes to so many changes.
    """
    db: Database = session.db
    keyspace: Keyspace = session.keyspace
    if pairs:
        db.replace(key, of_sorted(pairs, keyspace.limits))
        db.changed(key, ZSET, event, count)
    elif db.delete(key):
        db.changed(key, GENERIC, b"del")
    return len(pairs)


# -- Removed -------------------------------------------------------------------------------------


@cython.cfunc
def _remove(session: Session, args: list, kind: cython.int, event: bytes):
    db: Database = session.db
    key: bytes = args[1]
    wanted = cython.declare(Range)
    span = cython.declare(Span)
    removed: cython.Py_ssize_t
    parse(kind, args[2], args[3], cython.address(wanted))
    value: SortedSet = db.collection_to_change(key, SortedSet)
    if value is None:
        return 0
    span_of(value, cython.address(wanted), False, cython.address(span))
    removed = span.stop - span.start
    if removed == 0:
        return 0
    left: cython.Py_ssize_t = value.size() - removed
    if left:
        value.remove_span(cython.address(span))
    db.shrank(key, left, ZSET, event, removed)
    return removed


@command("ZREMRANGEBYRANK key start:integer stop:integer", "write", keys=at(1, "RW delete"))
def zremrangebyrank(session: Session, args: list):
    """Removes the members of a sorted set in a range of ranks.

    Since 2.0.0, O(M*log(N)), with N the number of members and M of those removed
    """
    return _remove(session, args, RANKS, b"zremrangebyrank")


@command("ZREMRANGEBYSCORE key min:double max:double", "write", keys=at(1, "RW delete"))
def zremrangebyscore(session: Session, args: list):
    """Removes the members of a sorted set in a range of scores.

    Since 1.2.0, O(M*log(N)), with N the number of members and M of those removed
    """
    return _remove(session, args, SCORES, b"zremrangebyscore")


@command("ZREMRANGEBYLEX key min max", "write", keys=at(1, "RW delete"))
def zremrangebylex(session: Session, args: list):
    """Removes the members of a sorted set in a range of texts.

    Since 2.8.9, O(M*log(N)), with N the number of members and M of those removed
    """
    return _remove(session, args, TEXTS, b"zremrangebylex")

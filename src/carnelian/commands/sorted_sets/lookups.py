"""ZSCORE, ZRANK, ZCOUNT and their kin: commands that look at members."""

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import PARTS, Many, reply_of
from cython.cimports.carnelian.commands.sorted_sets.bounds import (
    SCORES,
    TEXTS,
    Range,
    parse,
    span_of,
)
from cython.cimports.carnelian.datatypes.algorithms.glob import matches
from cython.cimports.carnelian.datatypes.collections.scored_pack import FLAT, MEMBERS, PAIRS, Span
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet
from cython.cimports.carnelian.engine.ground.flags import PART
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.resp.rows import ARRAY
from cython.cimports.libc.stdint import uint64_t

from carnelian.commands.keys.scanning import parse_count, parse_cursor
from carnelian.engine.declaring import at, command
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR, Error

GROUP = "sorted-set"

_MOST: int = (1 << 63) - 1


@command("ZCARD key", "readonly fast", keys=at(1, "RO"))
def zcard(session: Session, args: list):
    """Counts the members of a sorted set.

    Since 1.2.0, O(1)
    """
    value: SortedSet = session.db.collection(args[1], SortedSet)
    return value.size() if value is not None else 0


@command("ZSCORE key member", "readonly fast", keys=at(1, "RO access"))
def zscore(session: Session, args: list):
    """Replies with the score of a member of a sorted set.

    Since 1.2.0, O(1)
    """
    value: SortedSet = session.db.collection(args[1], SortedSet)
    score: cython.double = 0.0
    if value is not None and value.lookup(args[2], cython.address(score)):
        return score
    return None


@command("ZMSCORE key member ...", "readonly fast", keys=at(1, "RO access"))
def zmscore(session: Session, args: list):
    """Replies with the scores of members of a sorted set.

    Since 6.2.0, O(N), with N the number of members asked for
    """
    value: SortedSet = session.db.collection(args[1], SortedSet)
    if value is None:
        return [None] * (len(args) - 2)
    return [value.score(member) for member in args[2:]]


@command("ZRANK key member [withscore=WITHSCORE@7.2.0]", "readonly fast", keys=at(1, "RO access"))
def zrank(session: Session, args: list):
    """Replies with how many members of a sorted set come before one.

    Since 2.0.0, O(log(N)), with N the number of members in the sorted set
    7.2.0: Added WITHSCORE.
    """
    return _rank(session, args, False)


@command(
    "ZREVRANK key member [withscore=WITHSCORE@7.2.0]", "readonly fast", keys=at(1, "RO access")
)
def zrevrank(session: Session, args: list):
    """Replies with how many members of a sorted set come behind one.

    Since 2.0.0, O(log(N)), with N the number of members in the sorted set
    7.2.0: Added WITHSCORE.
    """
    return _rank(session, args, True)


@cython.cfunc
def _rank(session: Session, args: list, reverse: cython.bint):
    score: cython.double = 0.0
    rank: cython.Py_ssize_t = -1
    with_score: cython.bint = False
    if len(args) > 4:
        name = args[0].lower()
        raise Error(b"ERR wrong number of arguments for '%s' command" % name)
    if len(args) == 4:
        if args[3].upper() != b"WITHSCORE":
            raise SYNTAX_ERROR
        with_score = True
    value: SortedSet = session.db.collection(args[1], SortedSet)
    if value is not None:
        rank = value.rank(args[2], cython.address(score))
    if rank < 0:
        return NULL_ARRAY if with_score else None
    if reverse:
        rank = value.size() - 1 - rank
    return [rank, score] if with_score else rank


@command("ZCOUNT key min:double max:double", "readonly fast", keys=at(1, "RO access"))
def zcount(session: Session, args: list):
    """Counts the members of a sorted set with a score in a range.

    Since 2.0.0, O(log(N)), with N the number of members in the sorted set
    """
    return _count(session, args, SCORES)


@command("ZLEXCOUNT key min max", "readonly fast", keys=at(1, "RO access"))
def zlexcount(session: Session, args: list):
    """Counts the members of a sorted set in a range of texts.

    Since 2.8.9, O(log(N)), with N the number of members in the sorted set
    """
    return _count(session, args, TEXTS)


@cython.cfunc
def _count(session: Session, args: list, kind: cython.int):
    wanted = cython.declare(Range)
    span = cython.declare(Span)
    parse(kind, args[2], args[3], cython.address(wanted))
    value: SortedSet = session.db.collection(args[1], SortedSet)
    if value is None:
        return 0
    span_of(value, cython.address(wanted), False, cython.address(span))
    return span.stop - span.start


@command(
    "ZRANDMEMBER key [options=(count:integer [withscores=WITHSCORES])]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def zrandmember(session: Session, args: list):
    """Replies with random members of a sorted set.

    Since 6.2.0, O(N), with N the number of members in the reply
    """
    value: SortedSet
    count: cython.longlong
    shape: cython.int = MEMBERS
    if len(args) == 2:
        value = session.db.collection(args[1], SortedSet)
        return value.random_pairs(1, MEMBERS)[0] if value is not None else None
    count = _random_count(args)
    if len(args) == 4:
        shape = PAIRS if session.protocol > 2 else FLAT
    value = session.db.collection(args[1], SortedSet)
    if value is None or count == 0:
        return []
    if count > 0:
        return value.sample(count, shape)
    draws: _Draws = _Draws.__new__(_Draws)
    draws.value = value
    draws.count = -count
    draws.shape = shape
    return reply_of(session, draws, draws.count, ARRAY, PARTS)


@cython.final
@cython.no_gc
@cython.cclass
class _Draws(Many):
    """So many members, each drawn from all of them."""

    value: SortedSet
    count: cython.longlong
    shape: cython.int

    @cython.cfunc
    def listed(self) -> list:
        return self.value.random_pairs(self.count, self.shape)

    def parts(self) -> Iterator[list]:
        left: cython.longlong = self.count
        while left > 0:
            yield self.value.random_pairs(min(left, PART), self.shape)
            left -= PART

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def total(self) -> cython.Py_ssize_t:
        return 2 * self.count if self.shape == FLAT else self.count


def _random_count(args: list) -> int:
    """How many members ZRANDMEMBER is to reply with; below zero if they may come again."""
    message = f"ERR value is out of range, value must between {-_MOST} and {_MOST}"
    count = parse_int(args[2])
    if count < -_MOST:
        raise Error(message)
    if len(args) > 4 or (len(args) == 4 and args[3].upper() != b"WITHSCORES"):
        raise SYNTAX_ERROR
    if len(args) == 4 and abs(count) > _MOST // 2:
        raise Error("ERR value is out of range")
    return count


@command(
    "ZSCAN key cursor:integer [MATCH pattern] [COUNT count:integer]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def zscan(session: Session, args: list):
    """Lists members of a sorted set and their scores part by part.

    Since 2.8.0, O(1) a call, O(N) for the whole of N members
    """
    cursor: uint64_t = parse_cursor(args[2])
    value: SortedSet = session.db.collection(args[1], SortedSet)
    if value is None:
        return [b"0", []]
    pattern, count = _scan_options(args)
    found: list = []
    cursor = value.scan(cursor, count, found)
    if pattern is not None:
        found = _matching(found, pattern)
    return [b"%d" % cursor, found]


@cython.cfunc
def _matching(found: list, pattern: bytes) -> list:
    """Those pairs whose member matches."""
    chosen: list = []
    i: cython.Py_ssize_t
    for i in range(0, len(found), 2):
        if matches(pattern, found[i]):
            chosen.append(found[i])
            chosen.append(found[i + 1])
    return chosen


def _scan_options(args: list) -> tuple:
    """Pattern, None if there is none, and count."""
    pattern = None
    count = 10
    i: cython.Py_ssize_t
    for i in range(3, len(args), 2):
        name = args[i].upper()
        if i + 1 == len(args):
            raise SYNTAX_ERROR
        if name == b"COUNT":
            count = parse_count(args[i + 1])
        elif name == b"MATCH":
            pattern = None if args[i + 1] == b"*" else args[i + 1]
        else:
            raise SYNTAX_ERROR
    return pattern, count

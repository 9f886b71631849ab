"""ZUNION, ZINTER, ZDIFF and their kin: several sorted sets made into one.

Plain sets take part, too, each member with a score of 1.
"""

from typing import Any

import cython
from cython.cimports.carnelian.commands.sorted_sets.ranges import store
from cython.cimports.carnelian.datatypes.collections.scored_pack import FLAT
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.libc.math import isnan

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import at, command, counted
from carnelian.resp.numbers import parse_float, parse_int
from carnelian.resp.replies import SYNTAX_ERROR, WRONG_TYPE, Error

GROUP = "sorted-set"

# What becomes of the scores of a member.
_SUM = cython.declare(cython.int, 0)
_MIN = cython.declare(cython.int, 1)
_MAX = cython.declare(cython.int, 2)
_COUNT = cython.declare(cython.int, 3)

_AGGREGATES: dict = {b"SUM": 0, b"MIN": 1, b"MAX": 2, b"COUNT": 3}
_HISTORY: tuple = (("8.8.0", "The aggregate COUNT came."),)


@cython.cclass
class Source:
    """One of the sets that are combined: a sorted set, a plain set, or None for a missing key."""

    value: Any
    scored: cython.bint
    size: cython.Py_ssize_t
    weight: cython.double

    def __init__(self, value: Any):
        self.value = value
        self.weight = 1.0
        self.scored = isinstance(value, SortedSet)
        if value is not None and not self.scored and getattr(value, "type_name", b"") != b"set":
            raise WRONG_TYPE
        self.size = value.size() if value is not None else 0

    @cython.cfunc
    def pairs(self) -> list:
        """Members and scores, one after the other."""
        if self.scored:
            return cython.cast(SortedSet, self.value).slice(0, self.size, False, FLAT)
        found: list = []
        if self.value is not None:
            for member in self.value.members():
                found.append(member)
                found.append(1.0)
        return found

    @cython.cfunc
    @cython.exceptval(-1)
    def find(self, member: bytes, score: cython.p_double) -> cython.bint:
        """Whether there is this member, and its score."""
        if self.scored:
            return cython.cast(SortedSet, self.value).lookup(member, score)
        score[0] = 1.0
        return self.value is not None and self.value.contains(member)


@cython.cclass
class Plan:
    """What a command combines, and how."""

    sources: list
    aggregate: cython.int
    with_scores: cython.bint
    limit: cython.Py_ssize_t


def _smallest_first(source: Source) -> int:
    return source.size


# -- Arguments -----------------------------------------------------------------------------------


@cython.cfunc
def _sources(session: Session, args: list, first: cython.Py_ssize_t) -> Plan:
    """Look up the sets, whose number is at ``first``; raises Error for any other value."""
    plan: Plan = Plan()
    count: cython.longlong = parse_int(args[first])
    if count < 1:
        name = session.command.name.decode()
        raise Error(f"ERR at least 1 input key is needed for '{name}' command")
    if count > len(args) - first - 1:
        raise SYNTAX_ERROR
    plan.sources = [Source(session.db.lookup(key)) for key in args[first + 1 : first + 1 + count]]
    return plan


@cython.cfunc
@cython.exceptval(-1)
def _read_options(
    plan: Plan, args: list, first: cython.Py_ssize_t, weighing: cython.bint, storing: cython.bint
) -> cython.int:
    """Read the options behind the keys; ``first`` is where the number of keys is."""
    count: cython.Py_ssize_t = len(plan.sources)
    i: cython.Py_ssize_t = first + 1 + count
    option: bytes
    while i < len(args):
        option = args[i].upper()
        if weighing and option == b"WEIGHTS" and len(args) - i > count:
            _read_weights(plan, args, i + 1)
            i += 1 + count
        elif weighing and option == b"AGGREGATE" and len(args) - i >= 2:
            aggregate = _AGGREGATES.get(args[i + 1].upper())
            if aggregate is None:
                raise SYNTAX_ERROR
            plan.aggregate = aggregate
            i += 2
        elif not storing and option == b"WITHSCORES":
            plan.with_scores = True
            i += 1
        else:
            raise SYNTAX_ERROR
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _read_weights(plan: Plan, args: list, first: cython.Py_ssize_t) -> cython.int:
    i: cython.Py_ssize_t
    source: Source
    for i in range(len(plan.sources)):
        source = plan.sources[i]
        source.weight = parse_float(args[first + i], "ERR weight value is not a float")
    return 0


# -- Combining -----------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _weighed(score: cython.double, weight: cython.double) -> cython.double:
    score *= weight
    return 0.0 if isnan(score) else score


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _share(score: cython.double, weight: cython.double, aggregate: cython.int) -> cython.double:
    """What a member brings along from one set: where sets are counted, the weight of the set."""
    return weight if aggregate == _COUNT else _weighed(score, weight)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _joined(score: cython.double, other: cython.double, aggregate: cython.int) -> cython.double:
    """Two scores as one; infinities that cancel each other out make zero."""
    if aggregate in (_SUM, _COUNT):
        score += other
        return 0.0 if isnan(score) else score
    if aggregate == _MIN:
        return other if other < score else score
    return other if other > score else score


@cython.cfunc
def _union(plan: Plan) -> list:
    """``(score, member)`` of all, in order."""
    scores: dict = {}
    source: Source
    i: cython.Py_ssize_t
    score: cython.double
    plan.sources.sort(key=_smallest_first)
    for source in plan.sources:
        pairs: list = source.pairs()
        for i in range(0, len(pairs), 2):
            score = _share(pairs[i + 1], source.weight, plan.aggregate)
            known = scores.get(pairs[i])
            if known is not None:
                score = _joined(known, score, plan.aggregate)
            scores[pairs[i]] = score
    return _in_order([(score, member) for member, score in scores.items()])


@cython.cfunc
def _intersection(plan: Plan) -> list:
    """``(score, member)`` of those that are in every set, in order."""
    plan.sources.sort(key=_smallest_first)
    smallest: Source = plan.sources[0]
    found: list = []
    source: Source
    pairs: list = smallest.pairs()
    i: cython.Py_ssize_t
    score: cython.double
    other: cython.double = 0.0
    for i in range(0, len(pairs), 2):
        score = _share(pairs[i + 1], smallest.weight, plan.aggregate)
        for source in plan.sources[1:]:
            if not source.find(pairs[i], cython.address(other)):
                break
            if plan.aggregate == _COUNT:
                other = 1.0
            score = _joined(score, other * source.weight, plan.aggregate)
        else:
            found.append((score, pairs[i]))
            if plan.limit and len(found) == plan.limit:
                break
    return _in_order(found)


@cython.cfunc
def _difference(plan: Plan) -> list:
    """``(score, member)`` of those of the first set that are in no other one, in order."""
    first: Source = plan.sources[0]
    found: list = []
    source: Source
    pairs: list = first.pairs()
    i: cython.Py_ssize_t
    score: cython.double = 0.0
    for i in range(0, len(pairs), 2):
        for source in plan.sources[1:]:
            if source.find(pairs[i], cython.address(score)):
                break
        else:
            found.append((pairs[i + 1], pairs[i]))
    return found if first.scored else _in_order(found)


@cython.cfunc
def _in_order(pairs: list) -> list:
    pairs.sort()
    return pairs


@cython.cfunc
def _reply(session: Session, plan: Plan, pairs: list) -> list:
    if not plan.with_scores:
        return [member for _, member in pairs]
    if session.protocol > 2:
        return [[member, score] for score, member in pairs]
    flat: list = []
    for score, member in pairs:
        flat.append(member)
        flat.append(score)
    return flat


# -- Commands ------------------------------------------------------------------------------------


@command(
    "ZUNION numkeys:integer key ... [WEIGHTS weight:integer ...] [AGGREGATE aggregate=<SUM | "
    "MIN | MAX | COUNT@8.8.0>] [WITHSCORES]",
    "readonly",
    keys=counted(1, "RO access"),
)
def zunion(session: Session, args: list):
    """Replies with the members of several sorted sets, their scores aggregated.

    Since 6.2.0, O(N)+O(M*log(M)), with N members in all sets and M in the result
    8.8.0: Added the aggregate COUNT.
    """
    plan: Plan = _sources(session, args, 1)
    _read_options(plan, args, 1, True, False)
    return _reply(session, plan, _union(plan))


@command(
    "ZUNIONSTORE destination:key numkeys:integer key ... [WEIGHTS weight:integer ...] "
    "[AGGREGATE aggregate=<SUM | MIN | MAX | COUNT@8.8.0>]",
    "write denyoom",
    keys=(at(1, "OW update"), counted(2, "RO access")),
)
def zunionstore(session: Session, args: list):
    """Stores the members of several sorted sets, their scores aggregated.

    Since 2.0.0, O(N)+O(M*log(M)), with N members in all sets and M in the result
    8.8.0: Added the aggregate COUNT.
    """
    plan: Plan = _sources(session, args, 2)
    _read_options(plan, args, 2, True, True)
    return store(session, args[1], _union(plan), b"zunionstore")


@command(
    "ZINTER numkeys:integer key ... [WEIGHTS weight:integer ...] [AGGREGATE aggregate=<SUM | "
    "MIN | MAX | COUNT@8.8.0>] [WITHSCORES]",
    "readonly",
    keys=counted(1, "RO access"),
)
def zinter(session: Session, args: list):
    """Replies with the members that several sorted sets share, their scores aggregated.

    Since 6.2.0, O(N*K)+O(M*log(M)), with N members in the smallest of K sets, M in the result
    8.8.0: Added the aggregate COUNT.
    """
    plan: Plan = _sources(session, args, 1)
    _read_options(plan, args, 1, True, False)
    return _reply(session, plan, _intersection(plan))


@command(
    "ZINTERSTORE destination:key numkeys:integer key ... [WEIGHTS weight:integer ...] "
    "[AGGREGATE aggregate=<SUM | MIN | MAX | COUNT@8.8.0>]",
    "write denyoom",
    keys=(at(1, "OW update"), counted(2, "RO access")),
)
def zinterstore(session: Session, args: list):
    """Stores the members that several sorted sets share, their scores aggregated.

    Since 2.0.0, O(N*K)+O(M*log(M)), with N members in the smallest of K sets, M in the result
    8.8.0: Added the aggregate COUNT.
    """
    plan: Plan = _sources(session, args, 2)
    _read_options(plan, args, 2, True, True)
    return store(session, args[1], _intersection(plan), b"zinterstore")


@command(
    "ZINTERCARD numkeys:integer key ... [LIMIT limit:integer]",
    "readonly",
    keys=counted(1, "RO access"),
)
def zintercard(session: Session, args: list):
    """Counts the members that several sorted sets share.

    Since 7.0.0, O(N*K), with N members in the smallest of K sets
    """
    plan: Plan = _sources(session, args, 1)
    i: cython.Py_ssize_t = 2 + len(plan.sources)
    while i < len(args):
        if args[i].upper() != b"LIMIT" or i + 1 == len(args):
            raise SYNTAX_ERROR
        plan.limit = integer(args[i + 1], "ERR LIMIT can't be negative", 0)
        i += 2
    return len(_intersection(plan))


@command("ZDIFF numkeys:integer key ... [WITHSCORES]", "readonly", keys=counted(1, "RO access"))
def zdiff(session: Session, args: list):
    """Replies with the members of a sorted set that are in none of several others.

    Since 6.2.0, O(N*K), with N members in the first of K sets
    """
    plan: Plan = _sources(session, args, 1)
    _read_options(plan, args, 1, False, False)
    return _reply(session, plan, _difference(plan))


@command(
    "ZDIFFSTORE destination:key numkeys:integer key ...",
    "write denyoom",
    keys=(at(1, "OW update"), counted(2, "RO access")),
)
def zdiffstore(session: Session, args: list):
    """Stores the members of a sorted set that are in none of several others.

    Since 6.2.0, O(N*K), with N members in the first of K sets
    """
    plan: Plan = _sources(session, args, 2)
    _read_options(plan, args, 2, False, True)
    return store(session, args[1], _difference(plan), b"zdiffstore")

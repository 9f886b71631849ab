"""Sets.

See https://redis.io/docs/latest/develop/data-types/sets/
"""

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import PARTS, ROWS, Many, reply_of
from cython.cimports.carnelian.datatypes.algorithms.glob import matches
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.collections.set import Set
from cython.cimports.carnelian.engine.ground.flags import PART
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace import events
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.resp.rows import ARRAY, SET

from carnelian.commands.keys.scanning import parse_count, parse_cursor
from carnelian.engine.declaring import at, command, counted
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import SYNTAX_ERROR, Error, FlatSet

GROUP = "set"

# What SRANDMEMBER may be asked for, either way.
_MOST_RANDOM = cython.declare(cython.longlong, (1 << 63) - 1)

# Where SPOP takes so many times as many members as it leaves, Redis makes a new set of the latter.
_LEFT_OVER = cython.declare(cython.Py_ssize_t, 5)


# -- Members ---------------------------------------------------------------------------------------


@command("SADD key member ...", "write denyoom fast", keys=at(1, "RW insert"))
def sadd(session: Session, args: list):
    """Adds members to a set, which is made if it is not there.

    Since 1.0.0, O(1) for each member
    2.4.0: Several members can be given.
    """
    db: Database = session.db
    key: bytes = args[1]
    limits = session.keyspace.limits
    value: Set = db.collection_to_change(key, Set)
    added: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    if value is None:
        value = Set()
        db.add(key, value)
    for i in range(2, len(args)):
        added += value.add(limits, args[i])
    if added:
        db.changed(key, events.SET, b"sadd", added)
    return added


@command("SREM key member ...", "write fast", keys=at(1, "RW delete"))
def srem(session: Session, args: list):
    """Removes members from a set, which goes with its last one.

    Since 1.0.0, O(1) for each member
    2.4.0: Several members can be given.
    """
    db: Database = session.db
    key: bytes = args[1]
    value: Set = db.collection_to_change(key, Set)
    removed: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    if value is None:
        return 0
    for i in range(2, len(args)):
        removed += value.remove(args[i])
        if value.size() == 0:
            break
    if removed:
        db.shrank(key, value.size(), events.SET, b"srem", removed)
    return removed


@command(
    "SMOVE source:key destination:key member",
    "write fast",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def smove(session: Session, args: list):
    """Moves a member from one set to another.

    Since 1.0.0, O(1)
    """
    db: Database = session.db
    source: Set = db.collection_to_change(args[1], Set)
    target: Set
    member: bytes = args[3]
    if source is None:
        return 0
    target = db.collection_to_change(args[2], Set)
    if source is target:
        return 1 if source.contains(member) else 0
    if not source.remove(member):
        return 0
    db.shrank(args[1], source.size(), events.SET, b"srem")
    if target is None:
        target = Set()
        db.add(args[2], target)
    if target.add(session.keyspace.limits, member):
        db.changed(args[2], events.SET, b"sadd")
    return 1


@command("SISMEMBER key member", "readonly fast", keys=at(1, "RO"))
def sismember(session: Session, args: list):
    """Tells whether a set has a member.

    Since 1.0.0, O(1)
    """
    value: Set = session.db.collection(args[1], Set)
    return 1 if value is not None and value.contains(args[2]) else 0


@command("SMISMEMBER key member ...", "readonly fast", keys=at(1, "RO access"))
def smismember(session: Session, args: list):
    """Tells for each of several members whether a set has it.

    Since 6.2.0, O(1) for each member
    """
    value: Set = session.db.collection(args[1], Set)
    if value is None:
        return [0] * (len(args) - 2)
    return [1 if value.contains(member) else 0 for member in args[2:]]


@command("SCARD key", "readonly fast", keys=at(1, "RO"))
def scard(session: Session, args: list):
    """Counts the members of a set.

    Since 1.0.0, O(1)
    """
    value: Set = session.db.collection(args[1], Set)
    return 0 if value is None else value.size()


@command("SMEMBERS key", "readonly", keys=at(1, "RO access"), hints="nondeterministic_output_order")
def smembers(session: Session, args: list):
    """Lists all members of a set.

    Since 1.0.0, O(N), with N the number of members
    """
    value: Set = session.db.collection(args[1], Set)
    if value is None:
        return FlatSet()
    every: _Every = _Every.__new__(_Every)
    every.value = value
    return reply_of(session, every, value.size(), SET)


@cython.final
@cython.no_gc
@cython.cclass
class _Every(Many):
    """All members of a set."""

    value: Set

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def pour(self, sink: Sink) -> cython.int:
        return self.value.pour(sink)

    @cython.cfunc
    def listed(self) -> list:
        return self.value.members()

    def parts(self) -> Iterator[list]:
        cursor, part = self.value.scan(0, PART)
        yield part
        while cursor:
            cursor, part = self.value.scan(cursor, PART)
            yield part

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def total(self) -> cython.Py_ssize_t:
        return self.value.size()


@command(
    "SSCAN key cursor:integer [MATCH pattern] [COUNT count:integer]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def sscan(session: Session, args: list):
    """Lists members part by part, with a cursor to go on from.

    Since 2.8.0, O(1) a call, O(N) for the whole of N members
    """
    cursor = parse_cursor(args[2])
    value: Set = session.db.collection(args[1], Set)
    if value is None:
        return [b"0", []]
    pattern, count = scan_options(args)
    cursor, found = value.scan(cursor, count)
    if pattern is not None:
        found = [member for member in found if matches(pattern, member)]
    return [b"%d" % cursor, found]


def scan_options(args: list) -> tuple:
    """Pattern (None for all) and count of an SSCAN, HSCAN or ZSCAN; raises for others."""
    pattern, count = None, 10
    i: cython.Py_ssize_t
    for i in range(3, len(args), 2):
        name = args[i].upper()
        if i + 1 == len(args) or name not in (b"MATCH", b"COUNT"):
            raise SYNTAX_ERROR
        if name == b"MATCH":
            pattern = None if args[i + 1] == b"*" else args[i + 1]
            continue
        count = parse_count(args[i + 1])
    return pattern, count


# -- Any of them -----------------------------------------------------------------------------------


@command(
    "SPOP key [count:integer@3.2.0]",
    "write fast",
    keys=at(1, "RW access delete"),
    hints="nondeterministic_output",
)
def spop(session: Session, args: list):
    """Removes one or several members, whichever, and replies with them.

    Since 1.0.0, O(1); with a count O(N), for N members popped
    3.2.0: A count can be given.
    """
    db: Database = session.db
    key: bytes = args[1]
    if len(args) == 3:
        return _pop_several(session, key, args[2])
    if len(args) > 3:
        raise SYNTAX_ERROR
    value: Set = db.collection_to_change(key, Set)
    if value is None:
        return None
    member: bytes = value.pop()
    db.shrank(key, value.size(), events.SET, b"spop")
    session.rewrite([b"SREM", key, member])
    return member


def _pop_several(session: Session, key: bytes, text: bytes) -> FlatSet:
    db: Database = session.db
    count = _positive(text)
    value: Set = db.collection_to_change(key, Set)
    if value is None or count == 0:
        return FlatSet()
    if count >= value.size():
        members = value.members()
        # Redis reads the set again here, as SUNION does.
        session.keyspace.stats.hits += 1
        db.shrank(key, 0, events.SET, b"spop", len(members))
        verb = b"UNLINK" if session.keyspace.lazy_server_del else b"DEL"
        session.rewrite([verb, key])
        return FlatSet(members)
    members = value.sample(count)
    for member in members:
        value.remove(member)
    if value.size() * _LEFT_OVER <= count:
        value.renew(session.keyspace.limits)
    db.changed(key, events.SET, b"spop", len(members))
    session.rewrite([b"SREM", key, *members])
    return FlatSet(members)


def _positive(text: bytes) -> int:
    try:
        count = parse_int(text)
    except Error:
        count = -1
    if count < 0:
        raise Error("ERR value is out of range, must be positive")
    return count


@command(
    "SRANDMEMBER key [count:integer@2.6.0]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def srandmember(session: Session, args: list):
    """Replies with one or several members, whichever.

    Since 1.0.0, O(1); with a count O(N), for N members asked for
    2.6.0: A count can be given.
    """
    if len(args) > 3:
        raise SYNTAX_ERROR
    if len(args) == 2:
        single: Set = session.db.collection(args[1], Set)
        return None if single is None else single.random()
    count = parse_int(args[2])
    if not -_MOST_RANDOM <= count <= _MOST_RANDOM:
        raise Error(
            b"ERR value is out of range, value must between %d and %d"
            % (-_MOST_RANDOM, _MOST_RANDOM)
        )
    value: Set = session.db.collection(args[1], Set)
    if value is None or count == 0:
        return []
    if count > 0:
        return value.sample(count)
    draws: _Draws = _Draws.__new__(_Draws)
    draws.value = value
    draws.count = -count
    return reply_of(session, draws, draws.count, ARRAY, PARTS)


@cython.final
@cython.no_gc
@cython.cclass
class _Draws(Many):
    """So many members, each drawn from all of them."""

    value: Set
    count: cython.longlong

    @cython.cfunc
    def listed(self) -> list:
        return [self.value.random() for _ in range(self.count)]

    def parts(self) -> Iterator[list]:
        left: cython.longlong = self.count
        while left > 0:
            yield [self.value.random() for _ in range(min(left, PART))]
            left -= PART

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def total(self) -> cython.Py_ssize_t:
        return self.count


# -- Several sets ----------------------------------------------------------------------------------


@command(
    "SINTER key ...",
    "readonly",
    keys=at(1, "RO access", last=-1),
    hints="nondeterministic_output_order",
)
def sinter(session: Session, args: list):
    """Lists the members that all sets have.

    Since 1.0.0, O(N*M), for M sets of which the smallest has N members
    """
    sets = _sets(session.db, args[1:])
    if None in sets:
        return FlatSet()
    common: _Common = _Common.__new__(_Common)
    common.smallest = min(sets, key=len)
    common.others = _besides(common.smallest, sets)
    return reply_of(session, common, common.smallest.size(), SET, ROWS)


@cython.final
@cython.cclass
class _Common(Many):
    """The members of a set that all others have."""

    smallest: Set
    others: list

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def pour(self, sink: Sink) -> cython.int:
        self.smallest.pour_common(self.others, self.smallest.size(), sink)
        return 0

    @cython.cfunc
    def listed(self) -> list:
        return self.smallest.common(self.others)


@command(
    "SINTERSTORE destination:key key ...",
    "write denyoom",
    keys=(at(1, "RW update"), at(2, "RO access", last=-1)),
)
def sinterstore(session: Session, args: list):
    """Makes a set of the members that all sets have.

    Since 1.0.0, O(N*M), for M sets of which the smallest has N members
    """
    sets = _sets(session.db, args[2:])
    members: list = []
    packed = True
    if None not in sets:
        members = _intersection(sets)
        packed = min(sets, key=len).encoding() != b"intset"
    return _store(session, args[1], members, b"sinterstore", packed)


@command(
    "SINTERCARD numkeys:integer key ... [LIMIT limit:integer]",
    "readonly",
    keys=counted(1, "RO access"),
)
def sintercard(session: Session, args: list):
    """Counts the members that all sets have.

    Since 7.0.0, O(N*M), for M sets of which the smallest has N members
    """
    count = _at_least(args[1], 1, "ERR numkeys should be greater than 0")
    if count > len(args) - 2:
        raise Error("ERR Number of keys can't be greater than number of args")
    most, i = 0, count + 2
    while i < len(args):
        if args[i].upper() != b"LIMIT" or i + 1 == len(args):
            raise SYNTAX_ERROR
        most = _at_least(args[i + 1], 0, "ERR LIMIT can't be negative")
        i += 2
    sets = _sets(session.db, args[2 : 2 + count])
    return 0 if None in sets else len(_intersection(sets, most))


def _at_least(text: bytes, lowest: int, message: str) -> int:
    try:
        number = parse_int(text)
    except Error:
        raise Error(message) from None
    if number < lowest:
        raise Error(message)
    return number


@command(
    "SUNION key ...",
    "readonly",
    keys=at(1, "RO access", last=-1),
    hints="nondeterministic_output_order",
)
def sunion(session: Session, args: list):
    """Lists the members that any of the sets has.

    Since 1.0.0, O(N), with N the number of members of all sets
    """
    return FlatSet(_union(_sets(session.db, args[1:])))


@command(
    "SUNIONSTORE destination:key key ...",
    "write denyoom",
    keys=(at(1, "OW update"), at(2, "RO access", last=-1)),
)
def sunionstore(session: Session, args: list):
    """Makes a set of the members that any of the sets has.

    Since 1.0.0, O(N), with N the number of members of all sets
    """
    members = _union(_sets(session.db, args[2:]))
    return _store(session, args[1], members, b"sunionstore", False)


@command(
    "SDIFF key ...",
    "readonly",
    keys=at(1, "RO access", last=-1),
    hints="nondeterministic_output_order",
)
def sdiff(session: Session, args: list):
    """Lists the members of the first set that no other has.

    Since 1.0.0, O(N), with N the number of members of all sets
    """
    return FlatSet(_difference(_sets(session.db, args[1:])))


@command(
    "SDIFFSTORE destination:key key ...",
    "write denyoom",
    keys=(at(1, "OW update"), at(2, "RO access", last=-1)),
)
def sdiffstore(session: Session, args: list):
    """Makes a set of the members of the first set that no other has.

    Since 1.0.0, O(N), with N the number of members of all sets
    """
    members = _difference(_sets(session.db, args[2:]))
    return _store(session, args[1], members, b"sdiffstore", False)


def _sets(db: Database, keys: list) -> list:
    """The sets at keys, None where there is none; raises WrongType."""
    return [db.collection(key, Set) for key in keys]


def _intersection(sets: list, most: cython.Py_ssize_t = 0) -> list:
    smallest: Set = min(sets, key=len)
    return smallest.common(_besides(smallest, sets), most)


def _besides(smallest: Set, sets: list) -> list:
    """All other sets, small ones first."""
    return sorted([other for other in sets if other is not smallest], key=len)


def _union(sets: list) -> list:
    present = [value for value in sets if value is not None]
    if len(present) == 1:
        return present[0].members()
    return list(dict.fromkeys(member for value in present for member in value.members()))


def _difference(sets: list) -> list:
    first: Set = sets[0]
    if first is None:
        return []
    left = first.members()
    other: Set
    for other in sets[1:]:
        if other is first:
            return []
        if other is not None:
            left = [member for member in left if not other.contains(member)]
    return left


def _store(session: Session, key: bytes, members: list, event: bytes, packed: bool) -> int:
    """Make a set of members, or no key of none; the number of members."""
    db: Database = session.db
    if not members:
        if db.delete(key):
            db.changed(key, events.GENERIC, b"del")
        return 0
    value: Set = Set(packed)
    for member in members:
        value.add(session.keyspace.limits, member)
    if packed:
        value.compact(session.keyspace.limits)
    db.replace(key, value)
    db.changed(key, events.SET, event)
    return len(members)

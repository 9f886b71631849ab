"""SORT: the elements of a list, set or sorted set in order of their own or of what keys say.

See https://redis.io/docs/latest/commands/sort/
"""

import locale

import cython
from cython.cimports.carnelian.commands.common.lifetimes import integer
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import hash_slot, slot_of_pattern
from cython.cimports.carnelian.datatypes.collections.scored_pack import MEMBERS
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet
from cython.cimports.carnelian.engine.ground.flags import FLAG_SCRIPT, RESTRICTED
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC, LIST
from cython.cimports.cpython.bytes import PyBytes_AS_STRING
from cython.cimports.libc.math import isinf, isnan
from cython.cimports.libc.stdlib import strtod

from carnelian.datatypes.collections.hash import Hash
from carnelian.datatypes.collections.list import List
from carnelian.engine.declaring import at, command, unknown
from carnelian.resp.replies import SYNTAX_ERROR, WRONG_TYPE, Error

GROUP = "generic"

_ELSEWHERE = (
    "SORT denied in cluster mode when keys formed by the pattern may be in different slots."
)
_SORTED_TYPES = (b"list", b"set")


@cython.final
@cython.cclass
class _Pattern:
    """A pattern of BY or GET: which key, or which field of a hash, an element stands for."""

    is_element: cython.bint
    prefix: bytes
    suffix: bytes
    field: bytes

    def __init__(self, text: bytes):
        # Redis reads patterns up to their first zero byte, but copies what is behind it.
        seen: bytes = text.partition(b"\0")[0]
        star: cython.Py_ssize_t = seen.find(b"*")
        arrow: cython.Py_ssize_t = seen.find(b"->", star + 1)
        self.is_element = seen == b"#"
        if star < 0:
            return
        self.prefix = text[:star]
        if 0 <= arrow < len(seen) - 2:
            self.field = text[arrow + 2 :]
            self.suffix = text[star + 1 : arrow]
        else:
            self.suffix = text[star + 1 :]

    @cython.cfunc
    def value(self, db: Database, element: bytes):
        """What is there, or None."""
        if self.is_element:
            return element
        if self.prefix is None:
            return None
        found = db.lookup(self.prefix + element + self.suffix)
        if self.field is None:
            return found if type(found) is bytes else None
        return found.get(self.field) if isinstance(found, Hash) else None


@cython.final
@cython.cclass
class _Options:
    """The options of a SORT."""

    descending: cython.bint
    alpha: cython.bint
    unsorted: cython.bint
    by: _Pattern
    gets: list
    start: cython.longlong
    count: cython.longlong
    store: bytes
    confined: cython.bint
    in_cluster: cython.bint
    for_script: cython.bint

    def __init__(self, session: Session, args: list, may_store: cython.bint):
        self.gets = []
        self.for_script = session.flags & FLAG_SCRIPT != 0
        # Whether there are keys that the user may not read: patterns could lead to them.
        self.confined = bool(session.gate & RESTRICTED) and not (
            session.rights.reads_all_keys(session.command, args)
        )
        self.in_cluster = session.engine.cluster is not None
        self.count = -1
        i: cython.Py_ssize_t = 2
        while i < len(args):
            i += self.read(args, i, may_store)

    @cython.cfunc
    @cython.exceptval(-1)
    def read(self, args: list, i: cython.Py_ssize_t, may_store: cython.bint) -> cython.Py_ssize_t:
        """Take the option at ``i``; returns how many words it is."""
        name: bytes = args[i].upper()
        left: cython.Py_ssize_t = len(args) - i - 1
        if name == b"ASC" or name == b"DESC":
            self.descending = name == b"DESC"
        elif name == b"ALPHA":
            self.alpha = True
        elif name == b"LIMIT" and left >= 2:
            self.start = integer(args[i + 1])
            self.count = integer(args[i + 2])
            return 3
        elif name == b"STORE" and may_store and left >= 1:
            self.store = args[i + 1]
            return 2
        elif name == b"BY" and left >= 1:
            self.by = _Pattern(args[i + 1])
            # The same for all elements: they stay in the order they are in.
            if self.by.prefix is None:
                self.unsorted = True
            elif self.leads_elsewhere(args[1], args[i + 1]):
                raise Error(f"ERR BY option of {_ELSEWHERE}")
            elif self.confined:
                raise Error("ERR BY option of SORT denied due to insufficient ACL permissions.")
            return 2
        elif name == b"GET" and left >= 1:
            if args[i + 1] != b"#" and self.leads_elsewhere(args[1], args[i + 1]):
                raise Error(f"ERR GET option of {_ELSEWHERE}")
            if self.confined:
                raise Error("ERR GET option of SORT denied due to insufficient ACL permissions.")
            self.gets.append(_Pattern(args[i + 1]))
            return 2
        else:
            raise SYNTAX_ERROR
        return 1

    @cython.cfunc
    @cython.exceptval(-1)
    def leads_elsewhere(self, key: bytes, pattern: bytes) -> cython.bint:
        """Whether keys that a pattern makes may be at other nodes than the key that is sorted."""
        return self.in_cluster and slot_of_pattern(pattern) != hash_slot(key)

    @cython.cfunc
    def limited(self, elements: list) -> list:
        """The part that LIMIT asks for."""
        size: cython.longlong = len(elements)
        start: cython.longlong = min(max(self.start, 0), size)
        count: cython.longlong = size if self.count < 0 else min(self.count, size)
        if start == 0 and count == size:
            return elements
        return elements[start : start + count]


def _keys_of_sort(args: list):
    """The key to sort, and the last one to store in."""
    keys: list = [(1, "RO access")]
    i: cython.Py_ssize_t = 2
    while i < len(args):
        name: bytes = args[i].upper()
        if name == b"LIMIT":
            i += 2
        elif name == b"GET" or name == b"BY":
            i += 1
        elif name == b"STORE" and i + 1 < len(args):
            keys[1:] = [(i + 1, "OW update")]
        i += 1
    return keys


def _key_of_sort_ro(args: list):
    return [(1, "RO access")]


_PATTERN_KEYS = unknown("RO access", notes="The keys of BY and GET follow from the elements")
_GRAMMAR = (
    "key:key [BY by-pattern:pattern#1] [LIMIT limit=(offset:integer count:integer)] "
    "[GET get-pattern:pattern#1 ...*] [order=<ASC | DESC>] [sorting=ALPHA]"
)


@command(
    "SORT " + _GRAMMAR + " [STORE destination:key#2]",
    "write denyoom",
    keys=[
        at(1, "RO access"),
        _PATTERN_KEYS,
        unknown("OW update", notes="STORE may stand anywhere among the options"),
    ],
    get_keys=_keys_of_sort,
    categories="-keyspace set sortedset list dangerous",
)
def sort(session: Session, args: list):
    """Sorts the elements of a list, set or sorted set; keeps the result if asked to.

    Since 1.0.0, O(N+M*log(M)), with N the elements of the collection and M those replied; O(N)
    where nothing is to be sorted
    """
    db: Database = session.db
    options: _Options = _Options(session, args, True)
    rows: list = _rows(db, args[1], options)
    if options.store is None:
        return rows
    return _store(db, options.store, rows)


@command(
    f"SORT_RO {_GRAMMAR}",
    "readonly",
    keys=[at(1, "RO access"), _PATTERN_KEYS],
    get_keys=_key_of_sort_ro,
    categories="-keyspace set sortedset list dangerous",
)
def sort_ro(session: Session, args: list):
    """Sorts the elements of a list, set or sorted set.

    Since 7.0.0, O(N+M*log(M)), with N the elements of the collection and M those replied; O(N)
    where nothing is to be sorted
    """
    return _rows(session.db, args[1], _Options(session, args, False))


@cython.cfunc
def _store(db: Database, key: bytes, rows: list):
    """Put the rows into a list under a key; returns how many there are."""
    size: cython.Py_ssize_t = len(rows)
    if size:
        values = List()
        values.push(db.keyspace.limits, [b"" if row is None else row for row in rows], 0, False)
        db.replace(key, values)
        db.changed(key, LIST, b"sortstore", size)
    elif db.delete(key):
        db.changed(key, GENERIC, b"del")
    return size


@cython.cfunc
def _rows(db: Database, key: bytes, options: _Options) -> list:
    """The elements in order, or what GET makes of them."""
    value = db.lookup(key)
    kind: bytes | None = None if value is None else getattr(value, "type_name", b"string")
    elements: list
    pattern: _Pattern
    if value is None:
        elements = []
    elif isinstance(value, SortedSet):
        zset: SortedSet = value
        elements = zset.slice(0, zset.size(), False, MEMBERS)
    elif kind in _SORTED_TYPES:
        elements = list(value)
    else:
        raise WRONG_TYPE
    elements = options.limited(_in_order(db, elements, kind, options))
    if not options.gets:
        return elements
    rows: list = []
    for element in elements:
        for pattern in options.gets:
            rows.append(pattern.value(db, element))
    return rows


@cython.cfunc
def _in_order(db: Database, elements: list, kind: bytes | None, options: _Options) -> list:
    """All elements, sorted."""
    by: _Pattern | None = options.by
    alpha: cython.bint = options.alpha
    if options.unsorted:
        if kind != b"set" or (options.store is None and not options.for_script):
            return elements[::-1] if options.descending and kind != b"set" else elements
        # What is stored, or a script gets, must not depend on the order that a set happens to have.
        by = None
        alpha = True
    if alpha:
        return _by_text(db, elements, by, options)
    return _by_number(db, elements, by, options.descending)


@cython.cfunc
def _by_number(db: Database, elements: list, by: _Pattern | None, descending: cython.bint) -> list:
    """Sorted by the numbers that elements are or stand for, those of the same by themselves."""
    ranked: list = []
    element: bytes
    weight: object
    sound: cython.bint = True
    for element in elements:
        weight = element if by is None else by.value(db, element)
        number: cython.double = 0
        if weight is not None and not _number(weight, cython.address(number)):
            sound = False
        ranked.append((number, element))
    if not sound:
        raise Error("ERR One or more scores can't be converted into double")
    ranked.sort(reverse=descending)
    return [pair[1] for pair in ranked]


@cython.cfunc
def _number(text: bytes, number: cython.pointer[cython.double]) -> cython.bint:
    """Read a number as C does; returns whether the text is one."""
    start: cython.p_char = PyBytes_AS_STRING(text)
    end: cython.p_char = start
    number[0] = strtod(start, cython.address(end))
    if end[0] != 0 or isnan(number[0]):
        return False
    # Out of range are numbers too big for a double, but not those written as infinite.
    return not isinf(number[0]) or b"inf" in text.lower()


@cython.cfunc
def _by_text(db: Database, elements: list, by: _Pattern | None, options: _Options) -> list:
    """Sorted by the texts that elements are or stand for; those without one come first."""
    collated: cython.bint = options.store is None and _has_collation()
    ranked: list = []
    element: bytes
    weight: object
    for element in elements:
        weight = element if by is None else by.value(db, element)
        if collated and weight is not None:
            weight = _collation_key(weight)
        ranked.append(((weight is not None, weight), element))
    ranked.sort(key=_rank, reverse=options.descending)
    return [pair[1] for pair in ranked]


def _rank(pair: tuple):
    return pair[0]


def _has_collation() -> bool:
    """Whether the locale orders texts in another way than by their bytes."""
    return locale.setlocale(locale.LC_COLLATE) not in ("C", "POSIX", "C.UTF-8")


def _collation_key(text: bytes) -> str:
    return locale.strxfrm(text.partition(b"\0")[0].decode("utf-8", "surrogateescape"))

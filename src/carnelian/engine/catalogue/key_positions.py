"""Where the keys of a command stand among its words, and what the command does to them.

Each command has a :class:`KeyFinder`, made of its declaration once. It is asked about every
command by those that judge or note what keys it takes (users, slots of a cluster, tracking), so
that for keys at fixed places no Python runs.

See https://redis.io/docs/latest/develop/reference/key-specs/ for the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.engine.catalogue.key_positions import (
    COUNT,
    RANGE,
    UNKNOWN,
    FoundKey,
    Place,
)
from cython.cimports.carnelian.engine.ground.access import INCOMPLETE, NOT_KEY, VARIABLE_FLAGS
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdlib import calloc, free, realloc

# Words of KeySpec.flags, in any case; in this order and these cases clients see them. Each has the
# bit of its place, see carnelian.engine.ground.access.
ACCESS_FLAGS = (
    "RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key", "incomplete",
    "variable_flags",
)  # fmt: skip
_BITS = {name.lower(): 1 << bit for bit, name in enumerate(ACCESS_FLAGS)}

# The bits of texts that were met.
_known: dict[str, int] = {}

# Keys that are found without a further allocation, and at most kept room for.
_USUAL_KEYS = cython.declare(cython.Py_ssize_t, 16)
_MOST_KEPT = cython.declare(cython.Py_ssize_t, 1024)


def access_of(flags: str) -> int:
    """The bits of the words of key flags; those that are none are passed over."""
    bits = _known.get(flags)
    if bits is None:
        bits = _known[flags] = sum({_BITS.get(word, 0) for word in flags.lower().split()})
    return bits


def flag_names(access: int) -> list[str]:
    """The words for these bits in the form and order in which clients see them."""
    return [name for bit, name in enumerate(ACCESS_FLAGS) if access & 1 << bit]


class KeySpec(NamedTuple):
    """Where the keys of a command stand, and what it does to them.

    ``begin`` is an index, or a keyword to search from ``begin_from`` (negative: backwards).
    The keys are found by ``range`` as (last, step, limit), relative to the first, or by ``keynum``
    as (index of the count, index of the first key, step). Neither: not known beforehand.
    """

    flags: str
    begin: int | str | None = None
    begin_from: int = 1
    range: tuple[int, int, int] | None = None
    keynum: tuple[int, int, int] | None = None
    notes: str = ""


def at(
    index: int, flags: str, last: int = 0, step: int = 1, limit: int = 0, notes: str = ""
) -> KeySpec:
    """Keys from argument ``index`` on, to ``last`` (relative to it, or from the end if below 0)."""
    return KeySpec(flags, begin=index, range=(last, step, limit), notes=notes)


def counted(index: int, flags: str, first: int = 1, step: int = 1, notes: str = "") -> KeySpec:
    """Argument ``index`` is a count, and so many keys follow (EVAL, ZUNION, LMPOP)."""
    return KeySpec(flags, begin=index, keynum=(0, first, step), notes=notes)


def after(
    word: str, flags: str, start: int = 1, last: int = 0, step: int = 1, limit: int = 0
) -> KeySpec:
    """Keys that follow a keyword, searched from argument ``start`` (XREAD's STREAMS)."""
    return KeySpec(flags, begin=word, begin_from=start, range=(last, step, limit))


def unknown(flags: str, notes: str = "") -> KeySpec:
    """Keys that only the command itself can find (SORT's GET patterns)."""
    return KeySpec(flags, notes=notes)


class Key(NamedTuple):
    """One key among the words of a command, and bits of :mod:`carnelian.engine.ground.access`."""

    position: int
    access: int


# What a command may bring along to find its keys itself: positions, or positions with flags.
Finder = Callable[[list[bytes]], "list[int] | list[tuple[int, str]]"]


@cython.final
@cython.cclass
class KeyPositions:
    """The keys that were found among the words of one command; to be used again for the next.

    Compiled code reads ``keys[0]`` to ``keys[count - 1]``.
    """

    def __cinit__(self):
        self.keys = cython.NULL
        self.resize(_USUAL_KEYS)

    def __dealloc__(self):
        free(self.keys)

    def clear(self) -> cython.int:
        """Hold none, nor much room for them."""
        self.count = 0
        if self.room > _MOST_KEPT:
            self.resize(_USUAL_KEYS)
        return 0

    def add(self, position: cython.Py_ssize_t, access: cython.int) -> cython.int:
        """Take in a key."""
        if self.count == self.room:
            self.resize(2 * self.room)
        self.keys[self.count].position = position
        self.keys[self.count].access = access
        self.count += 1
        return 0

    def resize(self, room: cython.Py_ssize_t):
        """Have room for so many."""
        keys: cython.p_void = realloc(self.keys, room * cython.sizeof(FoundKey))
        if keys == cython.NULL:
            raise MemoryError
        self.keys = cython.cast(cython.pointer[FoundKey], keys)
        self.room = room


@cython.final
@cython.cclass
class KeyFinder:
    """Finds the keys among the words of one command.

    - ``any``: whether the command has keys at all (a shard channel is none).

    Args:
        specs: the key specs of its declaration.
        get_keys: finds the keys where key specs cannot tell.
        channels: whether shard channels are found, too.
    """

    def __init__(self, specs: tuple[KeySpec, ...], get_keys: Finder | None, channels: bool = False):
        kept = [spec for spec in specs if channels or not access_of(spec.flags) & NOT_KEY]
        self.get_keys: Finder | None = get_keys
        self.any = get_keys is not None or len(kept) > 0
        self.places = cython.cast(
            cython.pointer[Place], calloc(max(len(kept), 1), cython.sizeof(Place))
        )
        if self.places == cython.NULL:
            raise MemoryError
        self.words = []
        self.size = 0
        self.varying = False
        for spec in kept:
            self.words.append(spec.begin.lower().encode() if isinstance(spec.begin, str) else b"")
            prepare(cython.address(self.places[self.size]), spec)
            self.varying |= self.places[self.size].access & VARIABLE_FLAGS != 0
            self.size += 1
        if self.size == 1 and _is_single(self.places):
            self.single = self.places[0].begin

    def __dealloc__(self):
        free(self.places)

    def locate(self, args: list, found: KeyPositions, exactly: cython.bint) -> cython.Py_ssize_t:
        """Find the keys of a command with these words, and return how many there are; none if the
        words make no sense. O(keys) where they stand at fixed places, else O(words).

        Where what the command does to a key depends on further words, ``exactly`` has them looked
        at. Otherwise the key is told with all that may be done to it.
        """
        if self.single > 0 and not (exactly and self.varying) and self.single < len(args):
            # Most commands, in as little time as there is: it is taken from each of them.
            found.keys[0].position = self.single
            found.keys[0].access = self.places[0].access
            found.count = 1
            return 1
        found.clear()
        if self.get_keys is None or not (exactly and self.varying):
            if self.size > 0 and self.follow(args, found):
                return found.count
            found.count = 0
        if self.get_keys is not None:
            self.ask(args, found)
        return found.count

    def follow(self, args: list, found: KeyPositions) -> cython.bint:
        """Find what the key specs tell; False if they do not fit the words, or not tell all."""
        number: cython.int = 0
        while number < self.size and self.follow_one(number, args, found):
            number += 1
        return number == self.size

    def follow_one(self, number: cython.int, args: list, found: KeyPositions) -> cython.bint:
        """The same for one of them."""
        place: cython.pointer[Place] = cython.address(self.places[number])
        count: cython.Py_ssize_t = len(args)
        first: cython.Py_ssize_t = place.begin
        last: cython.Py_ssize_t
        if place.searched:
            first = _after(self.words[number], place.begin, args)
            if first == 0:
                return True
        if place.extent == UNKNOWN:
            return False
        if place.extent == RANGE:
            last = _last(place, first, count)
            if first == count and last < first:
                # An optional range at the end, as the sources of PFMERGE: there are none.
                return True
        else:
            last = _counted(args, first + place.count_at)
            first += place.first_at
            last = first + (last - 1) * place.step
        if not 0 <= first <= last < count or place.step < 1 or place.access & INCOMPLETE:
            return False
        while first <= last:
            found.add(first, place.access)
            first += place.step
        return True

    def ask(self, args: list, found: KeyPositions):
        """Have the command's own function find the keys."""
        position: cython.Py_ssize_t
        find = self.get_keys
        if find is None:
            return
        for item in find(args):
            position, flags = (item, "") if isinstance(item, int) else item
            if not 0 <= position < len(args):
                raise IndexError(f"no word at {position} can be a key")
            found.add(position, access_of(flags))

    def find(self, args, exactly: cython.bint = True) -> list:
        """The same for Python: a list of Key."""
        found = KeyPositions()
        self.locate(args, found, exactly)
        return [
            Key(found.keys[number].position, found.keys[number].access)
            for number in range(found.count)
        ]


def prepare(place: cython.pointer[Place], spec):
    """Put a key spec down without objects."""
    place.access = access_of(spec.flags)
    place.searched = isinstance(spec.begin, str)
    place.begin = _small(spec.begin_from if place.searched else spec.begin or 0)
    place.last = place.limit = place.count_at = place.first_at = 0
    place.step = 1
    place.extent = UNKNOWN
    if spec.begin is None:
        return
    if spec.range is not None:
        place.extent = RANGE
        last, step, limit = spec.range
        place.last, place.step, place.limit = _small(last), _small(step), _small(limit)
    elif spec.keynum is not None:
        place.extent = COUNT
        count_at, first, step = spec.keynum
        place.count_at, place.first_at, place.step = _small(count_at), _small(first), _small(step)


@cython.cfunc
def _is_single(place: cython.pointer[Place]) -> cython.bint:
    """Whether this is one key, always at the same place: that of most commands."""
    whole: cython.bint = not place.searched and not place.access & INCOMPLETE
    return whole and place.extent == RANGE and place.last == 0 and place.step > 0


def _small(number: int) -> int:
    # No command has so many words; sums of these are far from the ends of 64 bits.
    return min(max(number, -(1 << 30)), 1 << 30)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _last(
    place: cython.pointer[Place], first: cython.Py_ssize_t, count: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the range that begins at ``first`` ends."""
    if place.last >= 0:
        return first + place.last
    if place.limit != 0:
        return first + place.last + (count - first) // place.limit
    return count + place.last


@cython.cfunc
@cython.exceptval(-1)
def _after(word: bytes, start: cython.Py_ssize_t, args: list) -> cython.Py_ssize_t:
    """The place after a keyword; 0 if it is not there."""
    place: cython.Py_ssize_t
    count: cython.Py_ssize_t = len(args)
    if start > 0:
        # A keyword in the last place has nothing after it.
        for place in range(start, count - 1):
            if _is(args[place], word):
                return place + 1
        return 0
    for place in range(min(count + start, count - 1), 1, -1):
        if _is(args[place], word):
            return place + 1
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _is(text: bytes, word: bytes) -> cython.bint:
    return PyBytes_GET_SIZE(text) == PyBytes_GET_SIZE(word) and text.lower() == word


@cython.cfunc
@cython.exceptval(check=False)
def _counted(args: list, position: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The number among the words; 0 if there is none, or if it is more than there are words."""
    value: cython.longlong = 0
    if not 0 <= position < len(args):
        return 0
    text: bytes = args[position]
    if not to_longlong(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(value)):
        return 0
    return value if 0 < value <= len(args) else 0


class LegacyRange(NamedTuple):
    """Keys as clients before Redis 7 know them: first, last (below 0: from the end) and step.

    ``movable`` says that this is not the whole truth. All is 0 without keys at fixed places.
    """

    first: int
    last: int
    step: int
    movable: bool


def legacy_range(specs: tuple[KeySpec, ...]) -> LegacyRange:
    """The old description of keys that comes nearest to the key specs."""
    if not specs:
        return LegacyRange(0, 0, 0, False)
    movable = any(access_of(spec.flags) & INCOMPLETE for spec in specs)
    if len(specs) == 1 and _has_fixed_place(specs[0]):
        first, last, step = _bounds(specs[0])
        return LegacyRange(first, last, step, movable)
    first = last = 0
    for spec in specs:
        # Ranges that follow each other without a gap make one.
        if not _has_fixed_place(spec):
            movable = True
            continue
        begin, end, step = _bounds(spec)
        if step != 1 or (last and last != begin - 1):
            movable = True
            continue
        first = min(first, begin) if first else begin
        last = end if end < 0 or (last >= 0 and end > last) else last
    if not first:
        return LegacyRange(0, 0, 0, True)
    return LegacyRange(first, last, 1, movable)


def _has_fixed_place(spec: KeySpec) -> bool:
    return isinstance(spec.begin, int) and spec.range is not None


def _bounds(spec: KeySpec) -> tuple[int, int, int]:
    assert isinstance(spec.begin, int) and spec.range is not None
    last, step, _ = spec.range
    return spec.begin, last if last < 0 else spec.begin + last, step

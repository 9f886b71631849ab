"""Where the keys of a command stand among its words, and what the command does to them.

See https://redis.io/docs/latest/develop/reference/key-specs/ for the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import Error

# Words of KeySpec.flags, in any case; in this order and these cases clients see them.
ACCESS_FLAGS = (
    "RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key", "incomplete",
    "variable_flags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeySpec:
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

    def is_marked(self, flag: str) -> bool:
        """Whether the flags have this word, given in lower case."""
        return flag in self.flags.lower().split()


def at(
    index: int, flags: str, last: int = 0, step: int = 1, limit: int = 0, notes: str = ""
) -> KeySpec:
    """Keys from argument ``index`` on, to ``last`` (relative to it, or from the end if below 0)."""
    return KeySpec(flags, begin=index, range=(last, step, limit), notes=notes)


def counted(index: int, flags: str, first: int = 1, step: int = 1) -> KeySpec:
    """Argument ``index`` is a count, and so many keys follow (EVAL, ZUNION, LMPOP)."""
    return KeySpec(flags, begin=index, keynum=(0, first, step))


def after(
    word: str, flags: str, start: int = 1, last: int = 0, step: int = 1, limit: int = 0
) -> KeySpec:
    """Keys that follow a keyword, searched from argument ``start`` (XREAD's STREAMS)."""
    return KeySpec(flags, begin=word, begin_from=start, range=(last, step, limit))


def unknown(flags: str, notes: str = "") -> KeySpec:
    """Keys that only the command itself can find (SORT's GET patterns)."""
    return KeySpec(flags, notes=notes)


class Key(NamedTuple):
    """One key among the words of a command."""

    position: int
    flags: str


# What a command may bring along to find its keys itself: positions, or positions with flags.
Finder = Callable[[list[bytes]], "list[int] | list[tuple[int, str]]"]


def may_have(specs: Iterable[KeySpec], finder: Finder | None) -> bool:
    """Whether a command that declares this has keys at all (a shard channel is none)."""
    return finder is not None or any(not spec.is_marked("not_key") for spec in specs)


def find(specs: tuple[KeySpec, ...], finder: Finder | None, args: list[bytes]) -> list[Key]:
    """The keys among the words of one command; empty if the words make no sense.

    O(words).
    """
    reliable = not any(spec.is_marked("variable_flags") for spec in specs)
    if reliable and may_have(specs, None):
        try:
            return [key for spec in specs for key in _of_spec(spec, args)]
        except _Unknowable:
            pass
    if finder is None:
        return []
    return [Key(item, "") if isinstance(item, int) else Key(*item) for item in finder(args)]


class _Unknowable(Exception):
    """A key spec does not fit the words, or says itself that it does not tell everything."""


def _of_spec(spec: KeySpec, args: list[bytes]) -> list[Key]:
    if spec.is_marked("not_key"):
        return []
    first = _first(spec, args)
    if first is None:
        return []
    if spec.range is not None:
        last, step, limit = spec.range
        if last >= 0:
            last += first
        elif limit:
            last += first + (len(args) - first) // limit
        else:
            last += len(args)
    elif spec.keynum is not None:
        count_at, first_at, step = spec.keynum
        count = _count(args, first + count_at)
        first += first_at
        last = first + (count - 1) * step
    else:
        raise _Unknowable
    if first == len(args) and spec.range is not None and last < first:
        # An optional range at the end, as the sources of PFMERGE: there are none.
        return []
    if not first <= last < len(args) or spec.is_marked("incomplete"):
        raise _Unknowable
    return [Key(position, spec.flags) for position in range(first, last + 1, step)]


def _first(spec: KeySpec, args: list[bytes]) -> int | None:
    """Where the search for keys begins; ``None`` if its keyword is not there."""
    if spec.begin is None:
        raise _Unknowable
    if isinstance(spec.begin, int):
        return spec.begin
    word, start, count = spec.begin.lower().encode(), spec.begin_from, len(args)
    # A keyword in the last place has nothing after it.
    places = range(start, count - 1) if start > 0 else range(count + start, 1, -1)
    return next((place + 1 for place in places if args[place].lower() == word), None)


def _count(args: list[bytes], position: int) -> int:
    if position >= len(args):
        raise _Unknowable
    try:
        count = parse_int(args[position])
    except Error:
        raise _Unknowable from None
    # More than there are words is refused by the caller, at any size.
    return count


def flag_names(flags: str) -> list[str]:
    """The words of key flags in the form and order in which clients see them."""
    given = flags.lower().split()
    return [name for name in ACCESS_FLAGS if name.lower() in given]


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
    movable = any(spec.is_marked("incomplete") for spec in specs)
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

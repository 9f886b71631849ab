"""The compact form of a sorted set: a listpack of pairs, member and score, in their order.

A score that is an integer is kept as one; any other as the shortest decimal that reads back as the
same double. That is how Redis writes them, so that the bytes are the same.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import put_double, to_double
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.collections.by_score import compare_text
from cython.cimports.carnelian.datatypes.collections.scored_pack import (
    FLAT,
    HIGHEST,
    LOWEST,
    MEMBERS,
    TEXT,
    Span,
    TextRange,
)
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import DIGITS, Item, Pack
from cython.cimports.cpython.list import PyList_New, PyList_SET_ITEM
from cython.cimports.cpython.ref import Py_INCREF
from cython.cimports.libc.math import HUGE_VAL
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memcpy

# Above the longest text that a double has.
SCORE_TEXT = cython.declare(cython.Py_ssize_t, 64)
# Doubles between these become integers without a check of the range.
LARGEST_INTEGER = cython.declare(cython.double, 4611686018427387904.0)


# -- Scores --------------------------------------------------------------------------------------


def score_at(pack: Pack, at: cython.Py_ssize_t) -> cython.double:
    """The score that is the element at that offset."""
    item = cython.declare(Item)
    if not listpack.read(pack, at, cython.address(item)):
        return 0.0
    return score_of(cython.address(item))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def score_of(item: cython.pointer[Item]) -> cython.double:
    """The score that an element is."""
    text = cython.declare(cython.char[65])
    score: cython.double = 0.0
    if item.text is cython.NULL:
        return cython.cast(cython.double, item.number)
    item.length = min(item.length, SCORE_TEXT)
    memcpy(text, item.text, item.length)
    text[item.length] = 0
    to_double(text, item.length, cython.address(score))
    return score


@cython.cfunc
@cython.exceptval(-1)
def insert_score(
    pack: cython.pointer[Pack], at: cython.Py_ssize_t, score: cython.double
) -> cython.int:
    """Insert a score at that offset."""
    text = cython.declare(cython.char[64])
    whole: int64_t
    if -LARGEST_INTEGER <= score <= LARGEST_INTEGER:
        whole = cython.cast(int64_t, score)
        if cython.cast(cython.double, whole) == score:
            return listpack.insert_integer(pack, at, whole)
    return listpack.insert(pack, at, text, put_double(text, score))


# -- Finding -------------------------------------------------------------------------------------


def find(
    pack: Pack, text: cython.p_const_char, length: cython.Py_ssize_t, score: cython.p_double
) -> cython.Py_ssize_t:
    """Offset of a member, 0 if it is not there; its score. O(n)."""
    at: cython.Py_ssize_t = listpack.first(pack)
    if at:
        at = listpack.find(pack, at, text, length, 1)
    if at:
        score[0] = score_at(pack, listpack.after(pack, at))
    return at


def rank_at(pack: Pack, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """How many pairs are before the one at that offset. O(n)."""
    rank: cython.Py_ssize_t = 0
    other: cython.Py_ssize_t = listpack.first(pack)
    while other and other < at:
        rank += 1
        other = listpack.after(pack, listpack.after(pack, other))
    return rank


def count_below(pack: Pack, score: cython.double, through: cython.bint) -> cython.Py_ssize_t:
    """How many pairs have a score below this one, or also this one if ``through``. O(n)."""
    item = cython.declare(Item)
    count: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = listpack.first(pack)
    other: cython.double
    if through and score == HUGE_VAL:
        return listpack.count_of(pack) >> 1
    while at:
        at = listpack.read_on(pack, listpack.after(pack, at), cython.address(item))
        if at == 0:
            break
        other = score_of(cython.address(item))
        if other > score or (other == score and not through):
            break
        count += 1
    return count


def compare_at(
    pack: Pack, at: cython.Py_ssize_t, text: cython.p_const_char, length: cython.Py_ssize_t
) -> cython.int:
    """How the member at that offset compares with a text: below, equal to or above zero."""
    digits = cython.declare(cython.char[DIGITS])
    size: cython.Py_ssize_t = 0
    member: cython.p_const_char = listpack.text_at(pack, at, digits, cython.address(size))
    return compare_text(member, size, text, length)


# -- Changing ------------------------------------------------------------------------------------


def append(
    pack: cython.pointer[Pack],
    text: cython.p_const_char,
    length: cython.Py_ssize_t,
    score: cython.double,
) -> cython.int:
    """Add a pair behind all others, where it belongs."""
    listpack.append(pack, text, length)
    return insert_score(pack, listpack.end_of(pack[0]), score)


def put(
    pack: cython.pointer[Pack],
    text: cython.p_const_char,
    length: cython.Py_ssize_t,
    score: cython.double,
) -> cython.int:
    """Insert a pair whose member is not there. O(n)."""
    at: cython.Py_ssize_t = place_for(pack[0], text, length, score)
    if at == 0:
        return append(pack, text, length, score)
    listpack.insert(pack, at, text, length)
    return insert_score(pack, listpack.after(pack[0], at), score)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def place_for(
    pack: Pack, text: cython.p_const_char, length: cython.Py_ssize_t, score: cython.double
) -> cython.Py_ssize_t:
    """Offset of the first pair that belongs behind this one, 0 if there is none."""
    at: cython.Py_ssize_t = listpack.last(pack)
    scored: cython.Py_ssize_t
    other: cython.double
    # Scores often grow, and then the last pair tells.
    if at == 0 or score_at(pack, at) < score:
        return 0
    at = listpack.first(pack)
    while at:
        scored = listpack.after(pack, at)
        other = score_at(pack, scored)
        if other > score or (other == score and compare_at(pack, at, text, length) > 0):
            return at
        at = listpack.after(pack, scored)
    return 0


def remove(pack: cython.pointer[Pack], at: cython.Py_ssize_t) -> cython.int:
    """Remove the pair whose member is at that offset. O(n)."""
    listpack.remove_several(pack, at, 2)
    return 0


# -- Ranges of texts -------------------------------------------------------------------------------


def is_empty(bounds: cython.pointer[cython.const[TextRange]]) -> cython.bint:
    """Whether no text can be in the range."""
    if bounds.low_kind == HIGHEST or bounds.high_kind == LOWEST:
        return True
    if bounds.low_kind != TEXT or bounds.high_kind != TEXT:
        return False
    order: cython.int = compare_text(bounds.low, bounds.low_length, bounds.high, bounds.high_length)
    return order > 0 or (order == 0 and (bounds.low_open or bounds.high_open))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def above_low(
    pack: Pack, at: cython.Py_ssize_t, bounds: cython.pointer[cython.const[TextRange]]
) -> cython.bint:
    """Whether a member is not below the range."""
    if bounds.low_kind != TEXT:
        return True
    order: cython.int = compare_at(pack, at, bounds.low, bounds.low_length)
    return order > 0 or (order == 0 and not bounds.low_open)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def below_high(
    pack: Pack, at: cython.Py_ssize_t, bounds: cython.pointer[cython.const[TextRange]]
) -> cython.bint:
    """Whether a member is not above the range."""
    if bounds.high_kind != TEXT:
        return True
    order: cython.int = compare_at(pack, at, bounds.high, bounds.high_length)
    return order < 0 or (order == 0 and not bounds.high_open)


def text_span(
    pack: Pack,
    bounds: cython.pointer[cython.const[TextRange]],
    reverse: cython.bint,
    span: cython.pointer[Span],
) -> cython.void:
    """The ranks of the members in a range of texts, which are found by a walk from its low end, or
    with ``reverse`` from its high end, to the first one outside.
    """
    at: cython.Py_ssize_t = listpack.first(pack)
    last: cython.Py_ssize_t = listpack.before(pack, listpack.last(pack))
    rank: cython.Py_ssize_t = 0
    if at == 0 or not above_low(pack, last, bounds) or not below_high(pack, at, bounds):
        return
    if reverse:
        rank = listpack.count_of(pack) >> 1
        while last and not below_high(pack, last, bounds):
            last = listpack.before(pack, listpack.before(pack, last))
            rank -= 1
        span.stop = span.start = rank
        while last and above_low(pack, last, bounds):
            last = listpack.before(pack, listpack.before(pack, last))
            span.start -= 1
        return
    while at and not above_low(pack, at, bounds):
        at = listpack.after(pack, listpack.after(pack, at))
        rank += 1
    span.start = span.stop = rank
    while at and below_high(pack, at, bounds):
        at = listpack.after(pack, listpack.after(pack, at))
        span.stop += 1


# -- Reading many --------------------------------------------------------------------------------


def slice(
    pack: Pack,
    rank: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    reverse: cython.bint,
    shape: cython.int,
) -> list:
    """``count`` pairs, which have to be there, from a rank on, or down from it if ``reverse``."""
    found: list = PyList_New(count * 2 if shape == FLAT else count)
    at: cython.Py_ssize_t = listpack.seek(pack, 2 * rank) if count else 0
    scored: cython.Py_ssize_t
    index: cython.Py_ssize_t = 0
    member: object
    score: object
    while count:
        member = listpack.bytes_at(pack, at)
        scored = listpack.after(pack, at)
        if shape != MEMBERS:
            score = score_at(pack, scored)
            if shape == FLAT:
                Py_INCREF(member)
                PyList_SET_ITEM(found, index, member)
                index += 1
                member = score
            else:
                member = [member, score]
        Py_INCREF(member)
        PyList_SET_ITEM(found, index, member)
        index += 1
        count -= 1
        at = (
            listpack.before(pack, listpack.before(pack, at))
            if reverse
            else listpack.after(pack, scored)
        )
    return found


def pour(
    pack: Pack,
    rank: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    reverse: cython.bint,
    with_scores: cython.bint,
    sink: Sink,
) -> cython.int:
    """As :func:`slice`, into a sink: members, each with its score behind it if wanted."""
    item = cython.declare(Item)
    at: cython.Py_ssize_t = listpack.seek(pack, 2 * rank) if count else 0
    behind: cython.Py_ssize_t
    while count and at:
        behind = listpack.read_on(pack, at, cython.address(item))
        if behind == 0:
            break
        if item.text is cython.NULL:
            sink.number(item.number)
        else:
            sink.text(item.text, item.length)
        behind = listpack.read_on(pack, behind, cython.address(item))
        if with_scores and behind:
            sink.score(score_of(cython.address(item)))
        count -= 1
        at = listpack.before(pack, listpack.before(pack, at)) if reverse else behind
    return 0

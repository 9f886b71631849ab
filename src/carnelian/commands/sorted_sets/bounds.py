"""Ranges of ranks, scores and texts, as arguments and as what they select."""

import cython
from cython.cimports.carnelian.commands.sorted_sets.bounds import RANKS, SCORES
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.datatypes.collections.scored_pack import HIGHEST, LOWEST, TEXT
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.math import isnan
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import strtod

from carnelian.resp.replies import NO_INTEGER, Error

NOT_AN_INTEGER: str = "ERR value is not an integer or out of range"


def parse(kind, low, high, range):
    """Read the two ends of a range.

    Ranks are integers, below zero from the end. Scores are numbers, excluded after ``(``. Texts
    come after ``[`` or ``(``; ``-`` and ``+`` are before and behind all. ``range`` points into
    both arguments. Raises Error if they are not that.
    """
    range.kind = kind
    if kind == RANKS:
        range.start = _rank(low)
        range.stop = _rank(high)
    elif kind == SCORES:
        _score(low, cython.address(range.scores.low), cython.address(range.scores.low_open))
        _score(high, cython.address(range.scores.high), cython.address(range.scores.high_open))
    else:
        range.texts.low_kind = _text_kind(low)
        range.texts.low_open = PyBytes_AS_STRING(low)[0] == b"("
        range.texts.low = PyBytes_AS_STRING(low) + 1
        range.texts.low_length = PyBytes_GET_SIZE(low) - 1
        range.texts.high_kind = _text_kind(high)
        range.texts.high_open = PyBytes_AS_STRING(high)[0] == b"("
        range.texts.high = PyBytes_AS_STRING(high) + 1
        range.texts.high_length = PyBytes_GET_SIZE(high) - 1
    return 0


@cython.cfunc
@cython.exceptval(-1, check=True)
def _rank(text: bytes) -> int64_t:
    number: cython.longlong = 0
    if not to_longlong(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)):
        raise NO_INTEGER
    return number


@cython.cfunc
@cython.exceptval(-1)
def _score(
    text: bytes, score: cython.p_double, excluded: cython.pointer[cython.bint]
) -> cython.int:
    """One end of a range of scores; like ``strtod`` it takes no digits at all for zero."""
    data: cython.p_char = PyBytes_AS_STRING(text)
    end: cython.p_char = cython.NULL
    excluded[0] = data[0] == b"("
    if excluded[0]:
        data += 1
    score[0] = strtod(data, cython.address(end))
    if end[0] != 0 or isnan(score[0]):
        raise Error("ERR min or max is not a float")
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _text_kind(text: bytes) -> cython.int:
    data: cython.p_char = PyBytes_AS_STRING(text)
    if data[0] == b"[" or data[0] == b"(":
        return TEXT
    if data[0] == b"-" and data[1] == 0:
        return LOWEST
    if data[0] == b"+" and data[1] == 0:
        return HIGHEST
    raise Error("ERR min or max not valid string range item")


def span_of(value, range, reverse, span):
    """The ranks that a range selects; with ``reverse`` its ranks count from the high end."""
    size: cython.Py_ssize_t
    if range.kind == SCORES:
        return value.score_span(cython.address(range.scores), span)
    if range.kind != RANKS:
        return value.text_span(cython.address(range.texts), reverse, span)
    size = value.size()
    span.start = _within(range.start, size)
    span.stop = _within(range.stop, size)
    if span.stop < size:
        span.stop += 1
    if range.stop < 0 and range.stop + size < 0:
        span.stop = 0
    if span.start >= span.stop:
        span.start = span.stop = 0
    elif reverse:
        span.start, span.stop = size - span.stop, size - span.start
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _within(rank: int64_t, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """A rank that may count from the end, as one between 0 and ``size``."""
    if rank < 0:
        rank += size
    return min(max(rank, 0), size)

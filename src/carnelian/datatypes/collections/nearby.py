"""The members of a sorted set of positions that are in a shape on the map."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms import geohash
from cython.cimports.carnelian.datatypes.algorithms.geohash import CELLS, Cell
from cython.cimports.carnelian.datatypes.base.memory import allocate, reallocate, release
from cython.cimports.carnelian.datatypes.collections.nearby import Point, Points
from cython.cimports.carnelian.datatypes.collections.scored_pack import ScoreRange, Span
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet
from cython.cimports.libc.stdlib import qsort
from cython.cimports.libc.string import memset

FIRST_ROOM = cython.declare(cython.Py_ssize_t, 16)
EVERY = cython.declare(cython.Py_ssize_t, cython.cast(cython.Py_ssize_t, 1) << 62)


@cython.final
@cython.cclass
class Nearby:
    """What a search has found; ``points.shape`` is to be set before :meth:`search`."""

    points: Points

    def __cinit__(self):
        memset(cython.address(self.points), 0, cython.sizeof(Points))
        self.members = []

    def __dealloc__(self):
        if self.points.items is not cython.NULL:
            release(self.points.items)

    def search(self, value: SortedSet, most: cython.Py_ssize_t) -> cython.int:
        """Find all members in the shape; any ``most`` of them if that is above zero.

        O(log n + members of the cells that cover the shape).
        """
        cells = cython.declare(Cell[CELLS])
        span = cython.declare(Span)
        bounds = cython.declare(ScoreRange)
        i: cython.int
        if most <= 0:
            most = EVERY
        bounds.low_open = False
        bounds.high_open = True
        geohash.prepare(cython.address(self.points.shape))
        for i in range(geohash.cover(cython.address(self.points.shape), cells)):
            geohash.scores_of(
                cython.address(cells[i]), cython.address(bounds.low), cython.address(bounds.high)
            )
            value.score_span(cython.address(bounds), cython.address(span))
            value.choose(
                cython.address(span), add_if_within, cython.address(self.points), most, self.members
            )
            if self.points.failed:
                raise MemoryError
            if self.points.count >= most:
                break
        return 0

    def sort(self, descending: cython.bint) -> cython.int:
        """Bring them in the order of their distance; those as far away stay in theirs."""
        if self.points.count:
            qsort(
                self.points.items,
                self.points.count,
                cython.sizeof(Point),
                farther_first if descending else nearer_first,
            )
        return 0

    def at(self, index: cython.Py_ssize_t) -> cython.pointer[cython.const[Point]]:
        """One of the positions."""
        return cython.address(self.points.items[index])

    def member(self, index: cython.Py_ssize_t) -> bytes:
        """The member at one of the positions."""
        return self.members[self.points.items[index].index]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_if_within(score: cython.double, context: cython.p_void) -> cython.bint:
    """Add the position of a score to the points if it is in their shape."""
    points: cython.pointer[Points] = cython.cast(cython.pointer[Points], context)
    point: cython.pointer[Point]
    if points.count == points.room and not grow(points):
        points.failed = True
        return False
    point = cython.address(points.items[points.count])
    geohash.decode(score, cython.address(point.longitude), cython.address(point.latitude))
    if not geohash.is_within(
        cython.address(points.shape),
        point.longitude,
        point.latitude,
        cython.address(point.distance),
    ):
        return False
    point.score = score
    point.index = points.count
    points.count += 1
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def grow(points: cython.pointer[Points]) -> cython.bint:
    """Make room for more points; returns whether there was memory for it."""
    room: cython.Py_ssize_t = points.room * 2 if points.room else FIRST_ROOM
    with cython.gil:
        try:
            if points.items is cython.NULL:
                points.items = cython.cast(
                    cython.pointer[Point], allocate(room * cython.sizeof(Point))
                )
            else:
                points.items = cython.cast(
                    cython.pointer[Point], reallocate(points.items, room * cython.sizeof(Point))
                )
        except MemoryError:
            return False
    points.room = room
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def nearer_first(a: cython.p_const_void, b: cython.p_const_void) -> cython.int:
    one: cython.pointer[cython.const[Point]] = cython.cast(cython.pointer[cython.const[Point]], a)
    other: cython.pointer[cython.const[Point]] = cython.cast(cython.pointer[cython.const[Point]], b)
    if one.distance != other.distance:
        return 1 if one.distance > other.distance else -1
    return 1 if one.index > other.index else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def farther_first(a: cython.p_const_void, b: cython.p_const_void) -> cython.int:
    one: cython.pointer[cython.const[Point]] = cython.cast(cython.pointer[cython.const[Point]], a)
    other: cython.pointer[cython.const[Point]] = cython.cast(cython.pointer[cython.const[Point]], b)
    if one.distance != other.distance:
        return 1 if one.distance < other.distance else -1
    return 1 if one.index > other.index else -1

"""Memory for entries: cells of equal size in slabs of 64 KB.

The general allocator serves a data set badly: it spends 8 bytes on each block, keeps what was
freed, and merges millions of freed blocks in one go, which takes seconds, when somebody next asks
for a large one. Here a cell costs its own size (rounded up by 7 bytes at most, up to 128), taking
and giving back are a few instructions, and a slab whose cells are all free goes back to the system.

The size of a cell is not kept: who gives it back says how large it is.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.memory import (
    allocate,
    block_memory,
    count,
    discard_pages,
    reallocate,
    release,
    reserve_pages,
)
from cython.cimports.carnelian.datatypes.base.slabs import (
    LARGEST_CELL,
    SizeClass,
    Slab,
    capacity,
    cell_size,
)
from cython.cimports.libc.stdint import uint8_t
from cython.cimports.libc.string import memcpy, memset

SLAB = cython.declare(cython.size_t, 64 * 1024)
HEADER = cython.declare(cython.size_t, 64)
# Address space is reserved for that many slabs at once.
SLABS_PER_AREA = cython.declare(cython.size_t, 512)
# Empty slabs that keep their pages, for a data set that shrinks and grows.
WARM_SLABS = cython.declare(cython.Py_ssize_t, 16)

_classes = cython.declare(SizeClass[41])
# The class of a size, by eighths of it rounded up.
_class_of = cython.declare(uint8_t[129])

_warm = cython.declare(cython.pointer[Slab])
_warm_count = cython.declare(cython.Py_ssize_t, 0)
# Addresses of empty slabs whose pages the system has back.
_cold = cython.declare(cython.pointer[cython.p_void])
_cold_count = cython.declare(cython.Py_ssize_t, 0)
_cold_room = cython.declare(cython.Py_ssize_t, 0)
_area = cython.declare(cython.size_t, 0)
_area_left = cython.declare(cython.size_t, 0)
_slabs = cython.declare(cython.Py_ssize_t, 0)


@cython.cfunc
def lay_out_classes():
    """Number the sizes of cells."""
    index: cython.int = 0
    eighths: cython.Py_ssize_t
    memset(_classes, 0, cython.sizeof(_classes))
    for eighths in range(LARGEST_CELL // 8 + 1):
        if _classes[index].cell < cell_size(eighths * 8):
            index += 1
            _classes[index].cell = cell_size(eighths * 8)
        _class_of[eighths] = index


def cell_memory(cell: cython.p_const_void, size: cython.size_t) -> cython.size_t:
    """Bytes that a cell taken for ``size`` counts for; the allocator may add to a large one."""
    return (
        cell_size(size) if size <= LARGEST_CELL else block_memory(cython.cast(cython.p_void, cell))
    )


def take(size: cython.size_t) -> cython.p_void:
    """A cell of at least ``size`` bytes, contents undefined; raises MemoryError."""
    if size > LARGEST_CELL:
        return allocate(cell_size(size))
    home: cython.pointer[SizeClass] = cython.address(_classes[_class_of[(size + 7) >> 3]])
    slab: cython.pointer[Slab] = home.current
    if slab is cython.NULL or is_full(slab):
        slab = next_slab(home)
    cell: cython.p_void = slab.free
    if cell is not cython.NULL:
        slab.free = cython.cast(cython.pointer[cython.p_void], cell)[0]
    else:
        cell = cython.cast(cython.p_char, slab) + slab.unused
        slab.unused += slab.cell
    slab.taken += 1
    count(slab.cell)
    return cell


def retake(cell: cython.p_void, old: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.p_void:
    """A cell of ``capacity(size)`` in place of one of ``capacity(old)``, with what was there.

    Raises MemoryError, with nothing changed.
    """
    if capacity(old) > LARGEST_CELL and capacity(size) > LARGEST_CELL:
        return reallocate(cell, capacity(size))
    fresh: cython.p_void = take(capacity(size))
    memcpy(fresh, cell, min(old, size))
    give(cell, capacity(old))
    return fresh


def give(cell: cython.p_void, size: cython.size_t) -> cython.void:
    """Give a cell back that was taken for a size of the same class."""
    if size > LARGEST_CELL:
        release(cell)
        return
    slab: cython.pointer[Slab] = cython.cast(
        cython.pointer[Slab], cython.cast(cython.size_t, cell) & ~(SLAB - 1)
    )
    home: cython.pointer[SizeClass] = cython.address(_classes[_class_of[(size + 7) >> 3]])
    was_full: cython.bint = is_full(slab)
    cython.cast(cython.pointer[cython.p_void], cell)[0] = slab.free
    slab.free = cell
    slab.taken -= 1
    count(-cython.cast(cython.Py_ssize_t, slab.cell))
    if slab == home.current:
        return
    if was_full:
        link(home, slab)
    elif slab.taken == 0:
        unlink(home, slab)
        close_slab(slab)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_full(slab: cython.pointer[Slab]) -> cython.bint:
    """Whether no cell can be taken."""
    return slab.free is cython.NULL and slab.unused + slab.cell > SLAB


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def link(home: cython.pointer[SizeClass], slab: cython.pointer[Slab]) -> cython.void:
    """Add a slab to those with cells to take."""
    slab.previous = cython.NULL
    slab.next = home.partial
    if slab.next is not cython.NULL:
        slab.next.previous = slab
    home.partial = slab


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def unlink(home: cython.pointer[SizeClass], slab: cython.pointer[Slab]) -> cython.void:
    """Take a slab from those with cells to take."""
    if slab.previous is not cython.NULL:
        slab.previous.next = slab.next
    else:
        home.partial = slab.next
    if slab.next is not cython.NULL:
        slab.next.previous = slab.previous


@cython.cfunc
@cython.exceptval(check=True)
def next_slab(home: cython.pointer[SizeClass]) -> cython.pointer[Slab]:
    """Make a slab with cells to take the current one: a partial or a new one."""
    slab: cython.pointer[Slab] = home.partial
    if slab is not cython.NULL:
        unlink(home, slab)
    else:
        slab = open_slab()
        slab.cell = home.cell
    home.current = slab
    return slab


@cython.cfunc
@cython.exceptval(check=True)
def open_slab() -> cython.pointer[Slab]:
    """An empty slab; raises MemoryError."""
    global _warm, _warm_count, _cold_count, _area, _area_left, _slabs
    slab: cython.pointer[Slab]
    if _warm is not cython.NULL:
        slab = _warm
        _warm = slab.next
        _warm_count -= 1
    elif _cold_count:
        _cold_count -= 1
        slab = cython.cast(cython.pointer[Slab], _cold[_cold_count])
    else:
        if _area_left == 0:
            # One more than is used, so that slabs can begin at a multiple of their size.
            _area = cython.cast(cython.size_t, reserve_pages((SLABS_PER_AREA + 1) * SLAB))
            _area = (_area + SLAB - 1) & ~(SLAB - 1)
            _area_left = SLABS_PER_AREA
        slab = cython.cast(cython.pointer[Slab], _area)
        _area += SLAB
        _area_left -= 1
    _slabs += 1
    memset(slab, 0, cython.sizeof(Slab))
    slab.unused = HEADER
    return slab


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def close_slab(slab: cython.pointer[Slab]) -> cython.void:
    """Keep an empty slab for later, without its pages if there are several already."""
    global _warm, _warm_count, _cold_count, _slabs
    _slabs -= 1
    if _warm_count < WARM_SLABS or not remember_cold(slab):
        slab.next = _warm
        _warm = slab
        _warm_count += 1
        return
    discard_pages(slab, SLAB)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remember_cold(slab: cython.pointer[Slab]) -> cython.bint:
    """Note the address of a slab outside of its pages; returns whether there was memory for it."""
    global _cold, _cold_count, _cold_room
    if _cold_count == _cold_room:
        with cython.gil:
            try:
                grow_cold()
            except MemoryError:
                return False
    _cold[_cold_count] = slab
    _cold_count += 1
    return True


@cython.cfunc
def grow_cold():
    """Make room for more addresses; raises MemoryError."""
    global _cold, _cold_room
    room: cython.Py_ssize_t = _cold_room * 2 if _cold_room else 512
    if _cold is cython.NULL:
        _cold = cython.cast(cython.pointer[cython.p_void], allocate(room * 8))
    else:
        _cold = cython.cast(cython.pointer[cython.p_void], reallocate(_cold, room * 8))
    _cold_room = room


def stats() -> dict:
    """Bytes of slabs in use, of empty ones kept, and of address space that is free to use."""
    return {
        "slabs": _slabs * SLAB,
        "kept": _warm_count * SLAB,
        "free": _cold_count * SLAB + _area_left * SLAB,
    }


lay_out_classes()

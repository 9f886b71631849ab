"""Raw memory, counted: everything that holds the data set is allocated here.

:func:`used` is the sum of what is allocated, each block at the size that the allocator really
spends on it, plus what holders of Python objects report with :func:`count`.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.memory import capacity
from cython.cimports.libc.stdlib import calloc, free, malloc, realloc
from cython.cimports.posix.mman import (
    MADV_DONTNEED,
    MAP_ANONYMOUS,
    MAP_FAILED,
    MAP_PRIVATE,
    PROT_READ,
    PROT_WRITE,
    madvise,
    mmap,
    munmap,
)

# The allocator's own word before each block.
BLOCK_HEADER = cython.declare(cython.Py_ssize_t, 8)
# Header of a bytes object with its closing zero, and the largest object of the small allocator.
BYTES_HEADER = cython.declare(cython.Py_ssize_t, 33)
SMALL_OBJECT = cython.declare(cython.Py_ssize_t, 512)

_used = cython.declare(cython.Py_ssize_t, 0)


def allocate(size: cython.size_t) -> cython.p_void:
    """A block of at least ``size`` bytes, contents undefined; raises MemoryError."""
    global _used
    block: cython.p_void = malloc(size)
    if block is cython.NULL:
        raise MemoryError
    _used += capacity(block) + BLOCK_HEADER
    return block


def allocate_zeroed(size: cython.size_t) -> cython.p_void:
    """A block of at least ``size`` zero bytes; raises MemoryError."""
    global _used
    block: cython.p_void = calloc(1, size)
    if block is cython.NULL:
        raise MemoryError
    _used += capacity(block) + BLOCK_HEADER
    return block


def reallocate(block: cython.p_void, size: cython.size_t) -> cython.p_void:
    """``block`` grown or shrunk to ``size`` bytes, perhaps elsewhere; raises MemoryError."""
    global _used
    before: cython.Py_ssize_t = capacity(block)
    block = realloc(block, size)
    if block is cython.NULL:
        raise MemoryError
    _used += cython.cast(cython.Py_ssize_t, capacity(block)) - before
    return block


def release(block: cython.p_void) -> cython.void:
    """Give a block back."""
    global _used
    _used -= capacity(block) + BLOCK_HEADER
    free(block)


def block_memory(block: cython.p_void) -> cython.Py_ssize_t:
    """Bytes that an allocated block counts for."""
    return capacity(block) + BLOCK_HEADER


def map_zeroed(size: cython.size_t) -> cython.p_void:
    """``size`` zero bytes in pages of their own, which cost nothing until they are touched.

    Unlike a large ``calloc`` this never clears memory that was used before, so that it takes the
    same few microseconds for any size. Raises MemoryError.
    """
    global _used
    start: cython.p_void = reserve_pages(size)
    _used += size
    return start


def reserve_pages(size: cython.size_t) -> cython.p_void:
    """As :func:`map_zeroed`, but what is used of it is for the caller to count."""
    start: cython.p_void = mmap(
        cython.NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0
    )
    if start == MAP_FAILED:
        raise MemoryError
    return start


def unmap(start: cython.p_void, size: cython.size_t) -> cython.void:
    """Give back what :func:`map_zeroed` returned; quick when its pages were discarded before."""
    global _used
    _used -= size
    munmap(start, size)


def discard_pages(start: cython.p_void, size: cython.size_t) -> cython.void:
    """Return the pages of a part of a mapping to the system; they read as zeros afterwards."""
    madvise(start, size, MADV_DONTNEED)


def count(change: cython.Py_ssize_t) -> cython.void:
    """Add ``change`` bytes that live in Python objects to the sum (or take them off)."""
    global _used
    _used += change


def bytes_object_size(length: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """What a ``bytes`` of that length costs, rounded as its allocator does."""
    size: cython.Py_ssize_t = length + BYTES_HEADER
    if size <= SMALL_OBJECT:
        return (size + 15) & ~15
    return (size + BLOCK_HEADER + 15) & ~15


def used() -> cython.Py_ssize_t:
    """Bytes that hold data now: blocks, tables, and Python objects kept as values."""
    return _used

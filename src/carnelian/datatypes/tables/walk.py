"""A walk over all entries of a table that does not change meanwhile."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.tables.entry import Entry
from cython.cimports.carnelian.datatypes.tables.table import (
    SLOTS,
    Array,
    Bucket,
    entry_at,
    prefetch,
)
from cython.cimports.carnelian.datatypes.tables.walk import Walk
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memset

LINE = cython.declare(cython.Py_ssize_t, 64)
# Buckets by which entries are fetched ahead.
AHEAD = cython.declare(cython.Py_ssize_t, 2)
ADDRESS = cython.declare(uint64_t, (cython.cast(uint64_t, 1) << 48) - 1)


def begin_walk(
    walk: cython.pointer[Walk],
    main: cython.pointer[cython.const[Array]],
    target: cython.pointer[cython.const[Array]],
    moved: cython.Py_ssize_t,
) -> cython.void:
    """Stand before the first entry of a table, given by its parts: ``moved`` is its position.

    No Python object is touched on the way, which a forked process wants to leave as they are.
    """
    memset(walk, 0, cython.sizeof(Walk))
    walk.main = main
    walk.target = target
    walk.moved = moved


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def numbered(walk: cython.pointer[Walk], number: uint64_t) -> cython.pointer[cython.const[Bucket]]:
    """The bucket of that number, NULL behind the last one."""
    buckets: uint64_t = walk.main.mask + 1
    if walk.main.buckets is cython.NULL:
        return cython.NULL
    if number < buckets:
        return cython.address(walk.main.buckets[number])
    number -= buckets
    if walk.moved < 0 or number > walk.target.mask:
        return cython.NULL
    return cython.address(walk.target.buckets[number])


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def fetch_ahead(walk: cython.pointer[Walk]) -> cython.void:
    """Have the entries fetched that come soon."""
    bucket: cython.pointer[cython.const[Bucket]] = numbered(walk, walk.number + AHEAD)
    i: cython.int
    if bucket is cython.NULL:
        return
    for i in range(SLOTS):
        if bucket.slots[i] == 0:
            return
        prefetch(cython.cast(cython.p_char, bucket.slots[i] & ADDRESS))
        prefetch(cython.cast(cython.p_char, bucket.slots[i] & ADDRESS) + LINE)


def walk_on(walk: cython.pointer[Walk]) -> cython.pointer[Entry]:
    """The next entry, NULL behind the last one."""
    while True:
        if walk.bucket is not cython.NULL:
            if walk.slot < SLOTS and walk.bucket.slots[walk.slot]:
                walk.slot += 1
                return entry_at(cython.address(walk.bucket.slots[walk.slot - 1]))
            walk.slot = 0
            walk.bucket = walk.bucket.next
            continue
        if walk.number == 0 and walk.moved > 0:
            walk.number = walk.moved
        walk.bucket = numbered(walk, walk.number)
        if walk.bucket is cython.NULL:
            return cython.NULL
        walk.number += 1
        fetch_ahead(walk)

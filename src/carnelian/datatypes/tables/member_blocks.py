"""Blocks of a few texts: the buckets of a table of members.

All members of a bucket stand in one block of memory, so that each costs its own length, two bytes,
and its share of the block's slack and of a word for the bucket. The two bytes are a mark: the
length, and bits of the hash that tell nearly all other members from the one that is looked for.
Texts too long for that stand elsewhere, and the block has a pointer to them.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.tables.member_blocks import (
    HEAD,
    SEGMENT,
    SEGMENT_BITS,
    STRIDE,
    TAG_MASK,
    LongText,
    Walk,
    block_of,
    count_of,
    is_long,
    long_text,
    marks_of,
    size_of,
    width_of,
    widths,
)
from cython.cimports.carnelian.datatypes.tables.table import hash_text, prefetch
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import uint8_t, uint16_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove

LINE = cython.declare(cython.Py_ssize_t, 64)
# Buckets by which blocks are fetched ahead.
AHEAD = cython.declare(cython.Py_ssize_t, 4)


# -- Walks ---------------------------------------------------------------------------------------


def begin_walk(
    walk: cython.pointer[Walk],
    segments: cython.pointer[cython.pointer[uint64_t]],
    buckets: cython.Py_ssize_t,
) -> cython.void:
    """Stand before the first member of a table, given by its parts.

    No Python object is touched on the way, which a forked process wants to leave as they are.
    """
    walk.segments = segments
    walk.buckets = buckets
    walk.number = 0
    walk.left = 0


def begin_bucket(walk: cython.pointer[Walk], bucket: uint64_t) -> cython.void:
    """Stand before the first member of one bucket."""
    walk.buckets = walk.number = 0
    enter(walk, bucket)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def enter(walk: cython.pointer[Walk], bucket: uint64_t) -> cython.void:
    """Go on with the members of a bucket."""
    walk.left = count_of(bucket)
    walk.mark = marks_of(block_of(bucket))
    walk.text = block_of(bucket) + size_of(walk.left, 0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def numbered(walk: cython.pointer[Walk], number: cython.Py_ssize_t) -> uint64_t:
    """The bucket of that number."""
    return walk.segments[number >> SEGMENT_BITS][number & (SEGMENT - 1)]


def walk_on(
    walk: cython.pointer[Walk],
    text: cython.pointer[cython.p_const_char],
    length: cython.p_Py_ssize_t,
) -> cython.bint:
    """The text of the next member, good until the table changes; returns whether there is one."""
    ahead: cython.p_char
    while walk.left == 0:
        if walk.number == walk.buckets:
            return False
        if walk.number + AHEAD < walk.buckets:
            ahead = cython.cast(cython.p_char, block_of(numbered(walk, walk.number + AHEAD)))
            prefetch(ahead)
            prefetch(ahead + LINE)
        enter(walk, numbered(walk, walk.number))
        walk.number += 1
    mark: uint16_t = walk.mark[0]
    length[0] = width_of(mark)
    text[0] = cython.cast(cython.p_const_char, walk.text)
    if is_long(mark):
        length[0] = long_text(walk.text).length
        text[0] = cython.cast(cython.p_const_char, long_text(walk.text) + 1)
    walk.text += width_of(mark)
    walk.mark += 1
    walk.left -= 1
    return True


def text_in(bucket: uint64_t, index: cython.Py_ssize_t) -> bytes:
    """The text of a member of a bucket."""
    walk = cython.declare(Walk)
    text: cython.p_const_char = cython.NULL
    length: cython.Py_ssize_t = 0
    begin_bucket(cython.address(walk), bucket)
    walk.text += widths(walk.mark, index)
    walk.mark += index
    walk_on(cython.address(walk), cython.address(text), cython.address(length))
    return PyBytes_FromStringAndSize(text, length)


# -- Blocks in the making ------------------------------------------------------------------------


def copy_without(
    target: cython.pointer[uint8_t],
    block: cython.pointer[uint8_t],
    count: cython.Py_ssize_t,
    index: cython.Py_ssize_t,
    before: cython.Py_ssize_t,
    behind: cython.Py_ssize_t,
) -> cython.void:
    """Write a block but for one member and its head to a place, which may be its own.

    ``before`` and ``behind`` are the bytes of the texts on both sides of it.
    """
    gap: cython.Py_ssize_t = size_of(index, 0)
    width: cython.Py_ssize_t = width_of(marks_of(block)[index])
    texts: cython.pointer[uint8_t] = block + size_of(count, 0)
    if target != block:
        memcpy(target + HEAD, block + HEAD, gap - HEAD)
    # What lies between the mark and the text moves as a whole, and ends two bytes earlier.
    memmove(target + gap, block + gap + 2, 2 * (count - index - 1) + before)
    memmove(target + size_of(count - 1, before), texts + before + width, behind)


def chain_blocks(
    target: cython.pointer[uint8_t],
    low: uint64_t,
    low_texts: cython.Py_ssize_t,
    high: uint64_t,
    high_texts: cython.Py_ssize_t,
) -> cython.void:
    """Write the members of two buckets to one block, behind its head."""
    count: cython.Py_ssize_t = count_of(low)
    more: cython.Py_ssize_t = count_of(high)
    target += HEAD
    memcpy(target, marks_of(block_of(low)), 2 * count)
    target += 2 * count
    memcpy(target, marks_of(block_of(high)), 2 * more)
    target += 2 * more
    memcpy(target, block_of(low) + size_of(count, 0), low_texts)
    memcpy(target + low_texts, block_of(high) + size_of(more, 0), high_texts)


def split_block(
    bucket: uint64_t, bit: uint16_t, shift: cython.int, low: uint64_t, high: uint64_t
) -> cython.void:
    """Write the members with a bit in their marks to one new bucket, the others to another.

    Tags are read anew from the hash, from ``shift`` on, unless that is 0.
    """
    halves = cython.declare(Walk[2])
    half: cython.pointer[Walk]
    count: cython.Py_ssize_t = count_of(bucket)
    marks: cython.pointer[uint16_t] = marks_of(block_of(bucket))
    at: cython.pointer[uint8_t] = block_of(bucket) + size_of(count, 0)
    width: cython.Py_ssize_t
    i: cython.Py_ssize_t
    enter(cython.address(halves[0]), low)
    enter(cython.address(halves[1]), high)
    for i in range(count):
        half = cython.address(halves[1 if marks[i] & bit else 0])
        width = width_of(marks[i])
        half.mark[0] = marks[i] if shift == 0 else tagged(marks[i], hash_at(at, marks[i]) >> shift)
        memcpy(half.text, at, width)
        half.mark += 1
        half.text += width
        at += width


def widen_tags(bucket: uint64_t, bits: uint64_t) -> cython.void:
    """Let tags begin a stride earlier in the hash, where ``bits`` are those of all members."""
    marks: cython.pointer[uint16_t] = marks_of(block_of(bucket))
    i: cython.Py_ssize_t
    for i in range(count_of(bucket)):
        marks[i] = tagged(marks[i], (cython.cast(uint64_t, marks[i]) << STRIDE) | bits)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def tagged(mark: uint16_t, bits: uint64_t) -> uint16_t:
    """A mark with another tag: the low ones of these bits."""
    return cython.cast(uint16_t, (mark & ~TAG_MASK) | (bits & TAG_MASK))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def hash_at(at: cython.pointer[uint8_t], mark: uint16_t) -> uint64_t:
    """The hash of the text of a member."""
    if not is_long(mark):
        return hash_text(cython.cast(cython.p_const_char, at), width_of(mark))
    long: cython.pointer[LongText] = long_text(at)
    return hash_text(cython.cast(cython.p_const_char, long + 1), long.length)

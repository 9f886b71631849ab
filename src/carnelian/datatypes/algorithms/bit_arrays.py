"""Strings as arrays of bits: counting, searching, combining, and integers of any width in them.

Bit 0 is the most significant one of the first byte.
"""

import cython
from cython.cimports.carnelian.datatypes.algorithms.bit_arrays import (
    AND,
    ANDOR,
    DIFF,
    DIFF1,
    NOT,
    ONE,
    OR,
    XOR,
    Source,
    octets,
    put_word,
    word_at,
)
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy, memset

_PAIRS = cython.declare(uint64_t, 0x5555555555555555)
_NIBBLES = cython.declare(uint64_t, 0x3333333333333333)
_BYTES = cython.declare(uint64_t, 0x0F0F0F0F0F0F0F0F)
_SUM = cython.declare(uint64_t, 0x0101010101010101)
_FULL = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)

# Sources are combined in blocks of so many bytes, which stay in the processor's cache.
_BLOCK = cython.declare(cython.Py_ssize_t, 4096)


def count(data: octets, first: int64_t, last: int64_t) -> int64_t:
    """Number of bits set from bit ``first`` to bit ``last``, both included. O(n)."""
    start: int64_t = first >> 3
    end: int64_t = last >> 3
    total: int64_t
    if first > last:
        return 0
    total = _count_bytes(data + start, end - start + 1)
    total -= _ones(data[start] & (0xFF00 >> (first & 7)) & 0xFF)
    total -= _ones(data[end] & (0x7F >> (last & 7)))
    return total


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _ones(word: uint64_t) -> int64_t:
    word = word - ((word >> 1) & _PAIRS)
    word = (word & _NIBBLES) + ((word >> 2) & _NIBBLES)
    word = (word + (word >> 4)) & _BYTES
    return cython.cast(int64_t, (word * _SUM) >> 56)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _add(
    sum: cython.pointer[uint64_t], carry: cython.pointer[uint64_t], a: uint64_t, b: uint64_t
) -> cython.void:
    """Add three bits in each of 64 places: what ``sum`` holds, ``a`` and ``b``."""
    half: uint64_t = a ^ b
    carry[0] = (a & b) | (half & sum[0])
    sum[0] = half ^ sum[0]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _count_bytes(data: octets, size: int64_t) -> int64_t:
    """Bits set in so many bytes: a tree of adders (Harley and Seal) takes eight words a turn."""
    total: int64_t = 0
    at: int64_t = 0
    ones: uint64_t = 0
    twos: uint64_t = 0
    fours: uint64_t = 0
    a: uint64_t = 0
    b: uint64_t = 0
    c: uint64_t = 0
    d: uint64_t = 0
    rest: uint64_t = 0
    while at + 64 <= size:
        _add(cython.address(ones), cython.address(a), word_at(data + at), word_at(data + at + 8))
        _add(
            cython.address(ones),
            cython.address(b),
            word_at(data + at + 16),
            word_at(data + at + 24),
        )
        _add(cython.address(twos), cython.address(c), a, b)
        _add(
            cython.address(ones),
            cython.address(a),
            word_at(data + at + 32),
            word_at(data + at + 40),
        )
        _add(
            cython.address(ones),
            cython.address(b),
            word_at(data + at + 48),
            word_at(data + at + 56),
        )
        _add(cython.address(twos), cython.address(d), a, b)
        _add(cython.address(fours), cython.address(a), c, d)
        total += _ones(a)
        at += 64
    total = 8 * total + 4 * _ones(fours) + 2 * _ones(twos) + _ones(ones)
    while at + 8 <= size:
        total += _ones(word_at(data + at))
        at += 8
    memcpy(cython.address(rest), data + at, size - at)
    return total + _ones(rest)


def find(data: octets, first: int64_t, last: int64_t, bit: cython.bint) -> int64_t:
    """The first bit of that value from bit ``first`` to bit ``last``, or -1. O(n)."""
    skipped: cython.uchar = 0 if bit else 0xFF
    at: int64_t = first >> 3
    end: int64_t = last >> 3
    position: int64_t
    if first > last:
        return -1
    position = _find_in_byte((data[at] ^ skipped) & (0xFF >> (first & 7)))
    if position == 8:
        at = _first_other(data, at + 1, end, skipped)
        position = _find_in_byte(data[at] ^ skipped) if at <= end else 0
    position += at * 8
    return position if position <= last else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _find_in_byte(byte: cython.int) -> cython.int:
    """The place of the first bit that is set, or 8."""
    position: cython.int = 0
    while position < 8 and not byte & (0x80 >> position):
        position += 1
    return position


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _first_other(data: octets, at: int64_t, last: int64_t, skipped: cython.uchar) -> int64_t:
    """The first byte from ``at`` to ``last`` that is not ``skipped``; beyond ``last`` if none."""
    word: uint64_t = _FULL if skipped else 0
    while at + 7 <= last and word_at(data + at) == word:
        at += 8
    while at <= last and data[at] == skipped:
        at += 1
    return at


def combine(
    operation: cython.int,
    out: cython.p_uchar,
    total: cython.Py_ssize_t,
    sources: cython.pointer[cython.const[Source]],
    given: cython.Py_ssize_t,
) -> cython.void:
    """Write ``total`` bytes: the sources combined bit by bit, short ones with zeros at the end.

    DIFF is what the first has and no other, DIFF1 what any other has and not the first, ANDOR
    what the first has and any other, ONE what exactly one has. O(n) in the bytes of all sources.
    """
    twice = cython.declare(cython.uchar[4096])
    start: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t
    while start < total:
        size = min(_BLOCK, total - start)
        if operation == ONE:
            _one(out + start, twice, start, size, sources, given)
        elif operation in (DIFF1, ANDOR):
            _load(out + start, start, size, cython.address(sources[1]))
            _merge(OR, out + start, start, size, sources + 2, given - 2)
            operation_on_first: cython.int = AND if operation == ANDOR else DIFF
            _merge(operation_on_first, out + start, start, size, sources, 1)
        else:
            _load(out + start, start, size, cython.address(sources[0]))
            if operation == NOT:
                _invert(out + start, size)
            else:
                _merge(operation, out + start, start, size, sources + 1, given - 1)
        start += size


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _available(
    source: cython.pointer[cython.const[Source]], start: cython.Py_ssize_t, size: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """How many of ``size`` bytes from ``start`` on a source has."""
    return max(0, min(size, source.length - start))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _load(
    out: cython.p_uchar,
    start: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    source: cython.pointer[cython.const[Source]],
) -> cython.void:
    """Copy a block of a source."""
    there: cython.Py_ssize_t = _available(source, start, size)
    if there:
        memcpy(out, source.data + start, there)
    memset(out + there, 0, size - there)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _merge(
    operation: cython.int,
    out: cython.p_uchar,
    start: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    sources: cython.pointer[cython.const[Source]],
    given: cython.Py_ssize_t,
) -> cython.void:
    """Combine a block with the same block of each source."""
    i: cython.Py_ssize_t
    there: cython.Py_ssize_t
    for i in range(given):
        there = _available(cython.address(sources[i]), start, size)
        _merge_bytes(operation, out, sources[i].data + start, there)
        if operation == AND:
            memset(out + there, 0, size - there)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _merge_bytes(
    operation: cython.int, out: cython.p_uchar, data: octets, size: cython.Py_ssize_t
) -> cython.void:
    """Combine so many bytes with others; DIFF clears the bits that the others have."""
    at: cython.Py_ssize_t = 0
    words: cython.Py_ssize_t = size & ~7
    if operation == AND:
        while at < words:
            put_word(out + at, word_at(out + at) & word_at(data + at))
            at += 8
    elif operation == OR:
        while at < words:
            put_word(out + at, word_at(out + at) | word_at(data + at))
            at += 8
    elif operation == XOR:
        while at < words:
            put_word(out + at, word_at(out + at) ^ word_at(data + at))
            at += 8
    else:
        while at < words:
            put_word(out + at, word_at(out + at) & ~word_at(data + at))
            at += 8
    while at < size:
        if operation == AND:
            out[at] &= data[at]
        elif operation == OR:
            out[at] |= data[at]
        elif operation == XOR:
            out[at] ^= data[at]
        else:
            out[at] &= ~data[at]
        at += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _invert(out: cython.p_uchar, size: cython.Py_ssize_t) -> cython.void:
    at: cython.Py_ssize_t = 0
    while at + 8 <= size:
        put_word(out + at, ~word_at(out + at))
        at += 8
    while at < size:
        out[at] = ~out[at]
        at += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _one(
    out: cython.p_uchar,
    twice: cython.p_uchar,
    start: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    sources: cython.pointer[cython.const[Source]],
    given: cython.Py_ssize_t,
) -> cython.void:
    """The bits that exactly one source has; ``twice`` is room for those that several have."""
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t
    there: cython.Py_ssize_t
    data: octets
    memset(out, 0, size)
    memset(twice, 0, size)
    for i in range(given):
        there = _available(cython.address(sources[i]), start, size)
        data = sources[i].data + start
        at = 0
        while at + 8 <= there:
            put_word(twice + at, word_at(twice + at) | (word_at(out + at) & word_at(data + at)))
            put_word(out + at, word_at(out + at) | word_at(data + at))
            at += 8
        while at < there:
            twice[at] |= out[at] & data[at]
            out[at] |= data[at]
            at += 1
    _merge_bytes(DIFF, out, twice, size)


def field(data: octets, length: cython.Py_ssize_t, offset: uint64_t, width: cython.int) -> uint64_t:
    """The unsigned integer of ``width`` bits (1 to 64) from bit ``offset`` on.

    Bits beyond the ``length`` bytes of the string are zeros. O(1).
    """
    value: uint64_t = 0
    at: uint64_t = offset >> 3
    shift: cython.int = cython.cast(cython.int, offset & 7)
    i: cython.int
    for i in range(8):
        value <<= 8
        if at + i < cython.cast(uint64_t, length):
            value |= data[at + i]
    if shift:
        value <<= shift
        if at + 8 < cython.cast(uint64_t, length):
            value |= data[at + 8] >> (8 - shift)
    return value >> (64 - width)


def set_field(
    data: cython.p_uchar, offset: uint64_t, width: cython.int, value: uint64_t
) -> cython.void:
    """Write the low ``width`` bits of ``value`` from bit ``offset`` on. O(1)."""
    room: cython.int
    taken: cython.int
    mask: cython.int
    part: cython.int
    while width > 0:
        room = 8 - cython.cast(cython.int, offset & 7)
        taken = min(room, width)
        mask = ((1 << taken) - 1) << (room - taken)
        part = cython.cast(cython.int, (value >> (width - taken)) & 0xFF) << (room - taken)
        data[offset >> 3] = (data[offset >> 3] & ~mask) | (part & mask)
        offset += taken
        width -= taken

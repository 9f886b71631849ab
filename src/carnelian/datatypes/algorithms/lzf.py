"""LZF: the fast compression of list nodes and of strings in RDB files.

A stream is a row of pieces. A byte below 32 is followed by that many and one bytes to copy. Any
other byte says with its upper three bits how many bytes, less two, to repeat (seven: a byte follows
that adds to it), and with its lower five bits and the byte after that from how far back, less one.

What is compressed is looked up in a table of the places where each three bytes were met last, with
the hash function and the short cuts of liblzf 3.6 as Redis configures it, so that the streams are
the same.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.lzf import Bytes
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import uint8_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memset

LONGEST_COPY = cython.declare(cython.size_t, 32)
LONGEST_REPEAT = cython.declare(cython.size_t, 264)
FARTHEST = cython.declare(cython.size_t, 8192)

# Where three bytes of a hash were met last: a place in the input, plus where the numbers of this
# input begin. Those of earlier inputs are below, so that nothing has to be cleared in between.
_places = cython.declare(uint64_t[65536])
_begin = cython.declare(uint64_t, 1)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def slot_of(data: Bytes) -> uint32_t:
    """The slot of the three bytes."""
    three: uint32_t = cython.cast(uint32_t, data[0]) << 16 | data[1] << 8 | data[2]
    return ((three >> 8) - three * 5) & 0xFFFF


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def common_length(a: Bytes, b: Bytes, most: cython.size_t) -> cython.size_t:
    """How many bytes, three at least and ``most`` at most, are the same."""
    length: cython.size_t = 3
    while length < most and a[length] == b[length]:
        length += 1
    return length


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def write_repeat(
    to: cython.pointer[uint8_t], back: cython.size_t, length: cython.size_t
) -> cython.size_t:
    """Write a piece that repeats; returns its bytes."""
    at: cython.size_t = 1
    if length < 9:
        to[0] = cython.cast(uint8_t, (length - 2) << 5 | back >> 8)
    else:
        to[0] = cython.cast(uint8_t, 7 << 5 | back >> 8)
        to[1] = cython.cast(uint8_t, length - 9)
        at = 2
    to[at] = cython.cast(uint8_t, back & 255)
    return at + 1


def pack(
    data: cython.pointer[cython.const[uint8_t]],
    length: cython.size_t,
    to: cython.pointer[uint8_t],
    room: cython.size_t,
) -> cython.size_t:
    """Compress; returns the bytes written, 0 if they would be more than ``room``.

    O(length); a stream of n bytes needs a little more room than n while it is made.
    """
    global _begin
    at: cython.size_t = 0  # in the input
    put: cython.size_t = 1  # in the output, behind the byte that counts what is copied
    copied: cython.size_t = 0
    back: cython.size_t
    size: cython.size_t
    most: cython.size_t
    slot: uint32_t
    place: uint64_t
    begin: uint64_t = _begin
    if length == 0 or room == 0:
        return 0
    _begin += length
    while at + 2 < length:
        slot = slot_of(data + at)
        place = _places[slot]
        _places[slot] = begin + at
        # The first byte of the input is never repeated.
        back = at - (place - begin) - 1 if place > begin else FARTHEST
        if (
            back >= FARTHEST
            or data[place - begin] != data[at]
            or data[place - begin + 1] != data[at + 1]
            or data[place - begin + 2] != data[at + 2]
        ):
            if put >= room:
                return 0
            to[put] = data[at]
            put += 1
            at += 1
            copied += 1
            if copied == LONGEST_COPY:
                to[put - copied - 1] = cython.cast(uint8_t, copied - 1)
                copied = 0
                put += 1
            continue
        if put - (copied == 0) + 4 >= room:
            return 0
        if copied:
            to[put - copied - 1] = cython.cast(uint8_t, copied - 1)
        else:
            put -= 1
        # What is close to the end counts in steps: here liblzf compares many bytes at a time.
        most = min(length - at - 2, LONGEST_REPEAT)
        if 16 < most < 19:
            most = 19
        size = common_length(data + at, data + (place - begin), most)
        put += write_repeat(to + put, back, size) + 1
        copied = 0
        at += size
        if at + 2 >= length:
            break
        _places[slot_of(data + at - 2)] = begin + at - 2
        _places[slot_of(data + at - 1)] = begin + at - 1
    if put + 3 > room:
        return 0
    while at < length:
        to[put] = data[at]
        put += 1
        at += 1
        copied += 1
        if copied == LONGEST_COPY:
            to[put - copied - 1] = cython.cast(uint8_t, copied - 1)
            copied = 0
            put += 1
    if copied == 0:
        return put - 1
    to[put - copied - 1] = cython.cast(uint8_t, copied - 1)
    return put


def unpack(
    data: cython.pointer[cython.const[uint8_t]],
    length: cython.size_t,
    to: cython.pointer[uint8_t],
    room: cython.size_t,
) -> cython.size_t:
    """Decompress; returns the bytes written, 0 if the stream is damaged or they are too many."""
    at: cython.size_t = 0
    put: cython.size_t = 0
    size: cython.size_t
    back: cython.size_t
    control: uint8_t
    while at < length:
        control = data[at]
        at += 1
        if control < 32:
            size = control + 1
            if size > length - at or size > room - put:
                return 0
            memcpy(to + put, data + at, size)
            at += size
            put += size
            continue
        size = control >> 5
        if size == 7:
            if at == length:
                return 0
            size += data[at]
            at += 1
        if at == length:
            return 0
        back = (cython.cast(cython.size_t, control & 31) << 8 | data[at]) + 1
        at += 1
        size += 2
        if back > put or size > room - put:
            return 0
        repeat(to + put, back, size)
        put += size
    return put


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def repeat(to: cython.pointer[uint8_t], back: cython.size_t, size: cython.size_t) -> cython.void:
    """Copy what stands ``back`` bytes before, which may reach into what is being written."""
    i: cython.size_t
    if back >= size:
        memcpy(to, to - back, size)
    elif back == 1:
        memset(to, (to - 1)[0], size)
    else:
        for i in range(size):
            to[i] = (to + i - back)[0]


# -- For Python ----------------------------------------------------------------------------------


def compress(data: bytes, most: cython.Py_ssize_t) -> bytes | None:
    """The stream of ``data`` if it has at most ``most`` bytes."""
    room: bytearray = bytearray(most + 1)
    size: cython.size_t = pack(
        cython.cast(Bytes, PyBytes_AS_STRING(data)),
        PyBytes_GET_SIZE(data),
        cython.cast(cython.pointer[uint8_t], cython.cast(cython.p_char, room)),
        most,
    )
    return bytes(room[:size]) if size else None


def decompress(data: bytes, length: cython.Py_ssize_t) -> bytes:
    """The ``length`` bytes that a stream stands for; raises ValueError if it does not."""
    plain: bytes = PyBytes_FromStringAndSize(cython.NULL, length)
    size: cython.size_t = unpack(
        cython.cast(Bytes, PyBytes_AS_STRING(data)),
        PyBytes_GET_SIZE(data),
        cython.cast(cython.pointer[uint8_t], PyBytes_AS_STRING(plain)),
        length,
    )
    if size != cython.cast(cython.size_t, length):
        raise ValueError("damaged LZF stream")
    return plain

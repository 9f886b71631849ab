"""Listpacks in the slim form, made of full ones and made full again."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.memory import allocate, release
from cython.cimports.carnelian.datatypes.packs.listpack import (
    FOOT,
    HEADER,
    Bytes,
    Pack,
    blank,
    destroy,
    end_of,
    extent,
    full_size,
    is_count,
    is_framed,
    is_slim,
    measure,
    seal,
    seal_slim,
    sound_size,
    stated_count,
    total_of,
    write_backlen,
)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import uint8_t
from cython.cimports.libc.string import memcpy

# Texts shorter than that are most of the elements. They are copied as if they were as long where so
# many bytes follow: that is quicker.
CHUNK = cython.declare(cython.Py_ssize_t, 16)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_short(byte: uint8_t) -> cython.bint:
    """Whether an element that begins so is a text shorter than CHUNK."""
    return 0x80 <= byte < 0x90


# -- To the slim form ----------------------------------------------------------------------------


def from_full(data: Bytes, length: cython.Py_ssize_t) -> Pack:
    """A slim listpack of the bytes of a full one; NULL if they are none. O(elements)."""
    # One walk that checks and copies is quicker than a second one to learn what memory it takes.
    scratch: Pack = cython.cast(Pack, allocate(length + FOOT))
    pack: Pack = cython.NULL
    total: cython.Py_ssize_t = slim_copy(data, length, scratch)
    try:
        if total:
            pack = blank(total)
            memcpy(pack, scratch, total)
    finally:
        release(scratch)
    return pack


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def slim_copy(data: Bytes, length: cython.Py_ssize_t, to: Pack) -> cython.Py_ssize_t:
    """Write the slim form, of at most FOOT bytes more than the full one; its length, 0 if the bytes
    are no listpack.
    """
    end: cython.Py_ssize_t = length - 1
    at: cython.Py_ssize_t = HEADER
    place: cython.Py_ssize_t = HEADER
    count: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t
    if not is_framed(data, length):
        return 0
    while at < end:
        if is_short(data[at]) and at + CHUNK < end:
            size = data[at] - 0x7F
            memcpy(to + place, data + at, 16)
            at += size + 1
            if data[at - 1] != size:
                return 0
        else:
            size = sound_size(data, at, end)
            if size == 0:
                return 0
            memcpy(to + place, data + at, size)
            at += extent(False, size)
        place += size
        count += 1
    if not is_count(data, count):
        return 0
    seal_slim(to, place + FOOT, count, at - place)
    return place + FOOT


def slim(pack: cython.pointer[Pack]) -> cython.int:
    """Do without the backward lengths of a listpack. O(elements)."""
    fresh: Pack
    if not is_slim(pack[0]):
        fresh = from_full(pack[0], total_of(pack[0]))
        if fresh is cython.NULL:
            raise ValueError("damaged listpack")
        destroy(pack[0])
        pack[0] = fresh
    return 0


# -- To the full form ----------------------------------------------------------------------------


def write_full(pack: Bytes, to: Pack) -> cython.void:
    """Write the full form of a slim listpack into memory of so many bytes. O(elements)."""
    at: cython.Py_ssize_t = HEADER
    place: cython.Py_ssize_t = HEADER
    end: cython.Py_ssize_t = end_of(pack)
    size: cython.Py_ssize_t
    while at < end:
        if is_short(pack[at]) and at + CHUNK <= end:
            # Since the full form is longer, there is room for a chunk, too.
            size = pack[at] - 0x7F
            memcpy(to + place, pack + at, 16)
            to[place + size] = cython.cast(uint8_t, size)
            place += size + 1
        else:
            size = measure(pack, at, end)
            memcpy(to + place, pack + at, size)
            place += size
            place += write_backlen(to + place, size)
        at += size
    seal(to, place + 1, stated_count(pack))


def duplicate_full(pack: Bytes) -> Pack:
    """A full listpack of what a slim one has."""
    fresh: Pack = blank(full_size(pack))
    write_full(pack, fresh)
    return fresh


def widen(pack: cython.pointer[Pack]) -> cython.int:
    """Give a listpack its backward lengths. O(elements)."""
    fresh: Pack
    if is_slim(pack[0]):
        fresh = duplicate_full(pack[0])
        destroy(pack[0])
        pack[0] = fresh
    return 0


def full_bytes(pack: Bytes) -> bytes:
    """The full form as ``bytes``."""
    if not is_slim(pack):
        return PyBytes_FromStringAndSize(cython.cast(cython.p_const_char, pack), total_of(pack))
    text: bytes = PyBytes_FromStringAndSize(cython.NULL, full_size(pack))
    write_full(pack, cython.cast(Pack, PyBytes_AS_STRING(text)))
    return text

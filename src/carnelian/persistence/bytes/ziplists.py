"""The compact forms of Redis before 7, turned into listpacks: ziplists (2.4 to 6.2), and zipmaps,
in which 2.4 kept small hashes. Both are only ever read.

A ziplist is its length and the offset of its last entry in four bytes each, the number of entries
in two (65535 for "count them"), the entries, and 255. An entry is the size of the one before it (a
byte, or 254 and four bytes), an encoding with the length, and the data.

A zipmap is the number of pairs in a byte (254 and more: count them), the pairs, and 255: each a
length and a key, a length, a number of unused bytes, a value and the unused bytes. A length is one
byte, or 254 and four bytes.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import Pack
from cython.cimports.carnelian.persistence.bytes.ziplists import Bytes
from cython.cimports.libc.stdint import int8_t, int16_t, int32_t, int64_t, uint16_t, uint32_t
from cython.cimports.libc.string import memcpy

HEADER = cython.declare(cython.Py_ssize_t, 10)
END = cython.declare(cython.int, 255)
LONG = cython.declare(cython.int, 254)
MANY = cython.declare(cython.int, 65535)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def word_at(data: Bytes) -> cython.Py_ssize_t:
    """Four bytes, the lowest first."""
    word: uint32_t = 0
    memcpy(cython.address(word), data, 4)
    return word


# -- Ziplists ------------------------------------------------------------------------------------


def from_ziplist(data: Bytes, length: cython.Py_ssize_t) -> Pack:
    """The entries of a ziplist; NULL if the bytes are none. O(entries)."""
    pack: Pack
    if length < HEADER + 1 or word_at(data) != length or data[length - 1] != END:
        return cython.NULL
    pack = listpack.create()
    if copy_entries(data, length - 1, cython.address(pack)):
        return pack
    listpack.destroy(pack)
    return cython.NULL


@cython.cfunc
@cython.exceptval(-1)
def copy_entries(data: Bytes, end: cython.Py_ssize_t, pack: cython.pointer[Pack]) -> cython.bint:
    """Append all entries; returns False where one is malformed."""
    at: cython.Py_ssize_t = HEADER
    start: cython.Py_ssize_t = HEADER
    before: cython.Py_ssize_t = 0
    entries: cython.Py_ssize_t = 0
    stated: uint16_t = 0
    while at < end:
        start = at
        if data[at] < LONG:
            if data[at] != before:
                return False
            at += 1
        else:
            # 255 would be the end, and is not there yet.
            if data[at] != LONG or end - at < 5 or word_at(data + at + 1) != before:
                return False
            at += 5
        at = copy_entry(data, at, end, pack)
        if at == 0:
            return False
        before = at - start
        entries += 1
    memcpy(cython.address(stated), data + 8, 2)
    if stated != MANY and stated != entries:
        return False
    return word_at(data + 4) == start


@cython.cfunc
@cython.exceptval(-1)
def copy_entry(
    data: Bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t, pack: cython.pointer[Pack]
) -> cython.Py_ssize_t:
    """Append the entry whose encoding is there; the offset behind it, 0 if it is malformed."""
    code: cython.int
    length: cython.Py_ssize_t
    head: cython.Py_ssize_t = 1
    if at >= end:
        return 0
    code = data[at]
    if code >= 0xC0:
        return copy_number(data, at, end, pack)
    if code < 0x40:
        length = code
    elif code < 0x80:
        head = 2
        if end - at < head:
            return 0
        length = (code & 0x3F) << 8 | data[at + 1]
    else:
        head = 5
        if end - at < head:
            return 0
        length = (
            cython.cast(cython.Py_ssize_t, data[at + 1]) << 24
            | cython.cast(cython.Py_ssize_t, data[at + 2]) << 16
            | cython.cast(cython.Py_ssize_t, data[at + 3]) << 8
            | data[at + 4]
        )
    at += head
    if length > end - at or not listpack.safe_to_add(pack[0], length):
        return 0
    listpack.append(pack, cython.cast(cython.p_const_char, data + at), length)
    return at + length


@cython.cfunc
@cython.exceptval(-1)
def copy_number(
    data: Bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t, pack: cython.pointer[Pack]
) -> cython.Py_ssize_t:
    """:func:`copy_entry` for integers."""
    code: cython.int = data[at]
    number: int64_t = 0
    width: cython.int = 0
    short: int16_t = 0
    medium: int32_t = 0
    if 0xF1 <= code <= 0xFD:
        number = (code & 15) - 1
    elif code == 0xC0:
        width = 2
    elif code == 0xD0:
        width = 4
    elif code == 0xE0:
        width = 8
    elif code == 0xF0:
        width = 3
    elif code == 0xFE:
        width = 1
    else:
        return 0
    at += 1
    if width > end - at:
        return 0
    if width == 1:
        number = cython.cast(int8_t, data[at])
    elif width == 2:
        memcpy(cython.address(short), data + at, 2)
        number = short
    elif width == 3:
        # Into the upper three bytes, so that the sign comes with them.
        memcpy(cython.cast(cython.p_char, cython.address(medium)) + 1, data + at, 3)
        number = medium >> 8
    elif width == 4:
        memcpy(cython.address(medium), data + at, 4)
        number = medium
    elif width == 8:
        memcpy(cython.address(number), data + at, 8)
    listpack.append_integer(pack, number)
    return at + width


# -- Zipmaps -------------------------------------------------------------------------------------


def from_zipmap(data: Bytes, length: cython.Py_ssize_t) -> Pack:
    """Keys and values of a zipmap in turn; NULL if the bytes are none. O(pairs)."""
    pack: Pack
    if length < 2 or data[length - 1] != END:
        return cython.NULL
    pack = listpack.create()
    if copy_pairs(data, length - 1, cython.address(pack)):
        return pack
    listpack.destroy(pack)
    return cython.NULL


@cython.cfunc
@cython.exceptval(-1)
def copy_pairs(data: Bytes, end: cython.Py_ssize_t, pack: cython.pointer[Pack]) -> cython.bint:
    """Append all pairs; returns False where one is malformed."""
    at: cython.Py_ssize_t = 1
    pairs: cython.Py_ssize_t = 0
    unused: cython.Py_ssize_t
    is_value: cython.bint
    size: cython.Py_ssize_t
    while at < end:
        for is_value in range(2):
            if end - at < 1:
                return False
            size = data[at]
            at += 1
            if size >= LONG:
                if size != LONG or end - at < 4:
                    return False
                size = word_at(data + at)
                at += 4
                if size < LONG:
                    return False
            unused = 0
            if is_value:
                if end - at < 1:
                    return False
                unused = data[at]
                at += 1
            if size + unused > end - at or not listpack.safe_to_add(pack[0], size):
                return False
            listpack.append(pack, cython.cast(cython.p_const_char, data + at), size)
            at += size + unused
        pairs += 1
    return pairs > 0 and (data[0] >= LONG or data[0] == pairs)

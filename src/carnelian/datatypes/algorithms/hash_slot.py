"""The hash slot of a key in a Redis Cluster: CRC-16 of the key, or of its tag in braces.

See https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import HASH_SLOTS, STEP
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint8_t, uint16_t, uint64_t
from cython.cimports.libc.string import memchr, memcpy

# x^16 + x^12 + x^5 + 1, highest bit first, from zero (XMODEM).
POLYNOMIAL = cython.declare(cython.int, 0x1021)
_tables = cython.declare(uint16_t[256][8])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def fill_tables() -> cython.void:
    """Table k: what a byte does to the sum when k more bytes come after it."""
    byte: cython.int
    k: cython.int
    _bit: cython.int
    crc: cython.int
    for byte in range(256):
        crc = byte << 8
        for _bit in range(8):
            crc = (crc << 1) ^ (POLYNOMIAL if crc & 0x8000 else 0)
        _tables[0][byte] = crc
        for k in range(1, 8):
            _tables[k][byte] = 0
    for byte in range(256):
        for k in range(1, 8):
            crc = _tables[k - 1][byte]
            _tables[k][byte] = (crc << 8) ^ _tables[0][crc >> 8]


fill_tables()


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def after_step(crc: cython.int, at: cython.pointer[cython.const[uint8_t]]) -> cython.int:
    """The sum after eight more bytes."""
    return (
        _tables[7][at[0] ^ (crc >> 8)]
        ^ _tables[6][at[1] ^ (crc & 255)]
        ^ _tables[5][at[2]]
        ^ _tables[4][at[3]]
        ^ _tables[3][at[4]]
        ^ _tables[2][at[5]]
        ^ _tables[1][at[6]]
        ^ _tables[0][at[7]]
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def crc16(text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.int:
    """The check sum of some bytes."""
    at: cython.pointer[cython.const[uint8_t]] = cython.cast(
        cython.pointer[cython.const[uint8_t]], text
    )
    crc: cython.int = 0
    while length >= STEP:
        crc = after_step(crc, at)
        at += STEP
        length -= STEP
    while length > 0:
        crc = ((crc << 8) & 0xFFFF) ^ _tables[0][at[0] ^ (crc >> 8)]
        at += 1
        length -= 1
    return crc


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def found(
    text: cython.p_const_char, byte: cython.int, length: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where a byte first stands in a text, or -1."""
    at: cython.p_const_char = cython.cast(cython.p_const_char, memchr(text, byte, length))
    return -1 if at is cython.NULL else at - text


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_special(byte: cython.char) -> cython.bint:
    """Whether it stands for something else in a pattern."""
    return byte == ord("*") or byte == ord("?") or byte == ord("[") or byte == ord("\\")


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def eight_of(byte: uint64_t) -> uint64_t:
    """A word of eight such bytes."""
    return byte * (cython.cast(uint64_t, 0x01010101) << 32 | 0x01010101)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def has_brace(word: uint64_t) -> cython.bint:
    """Whether one of eight bytes is a ``{``: only a byte that was zero lends its highest bit
    without having it.
    """
    word ^= eight_of(ord("{"))
    return (word - eight_of(1)) & ~word & eight_of(0x80) != 0


def slot_of(key, length):
    """The slot of a key: only what stands between the first ``{`` and the first ``}`` behind it is
    hashed, if there is something.
    """
    at: cython.pointer[cython.const[uint8_t]] = cython.cast(
        cython.pointer[cython.const[uint8_t]], key
    )
    left: cython.Py_ssize_t = length
    crc: cython.int = 0
    word: uint64_t = 0
    # Most keys have no tag: one way through them is enough.
    while left >= STEP:
        memcpy(cython.address(word), at, STEP)
        if has_brace(word):
            return slot_of_tagged(key, length)
        crc = after_step(crc, at)
        at += STEP
        left -= STEP
    while left > 0:
        if at[0] == ord("{"):
            return slot_of_tagged(key, length)
        crc = ((crc << 8) & 0xFFFF) ^ _tables[0][at[0] ^ (crc >> 8)]
        at += 1
        left -= 1
    return crc & (HASH_SLOTS - 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def slot_of_tagged(key: cython.p_const_char, length: cython.Py_ssize_t) -> cython.int:
    """The slot of a key that has braces."""
    opening: cython.Py_ssize_t = found(key, ord("{"), length)
    tag: cython.Py_ssize_t = found(key + opening + 1, ord("}"), length - opening - 1)
    if tag > 0:
        return crc16(key + opening + 1, tag) & (HASH_SLOTS - 1)
    return crc16(key, length) & (HASH_SLOTS - 1)


def hash_slot(key: bytes) -> cython.int:
    """The hash slot of a key, 0 to 16383; keys with the same text in ``{braces}`` share theirs.

    O(n) in the length of what is hashed.
    """
    return slot_of(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))


def slot_of_pattern(pattern: bytes) -> cython.int:
    """The one slot that all keys are in which match a pattern, or -1 if there may be several.

    That is so where the tag of the keys follows from the pattern (``{user:7}:*``), or where it has
    nothing special in it and is a key itself.
    """
    text: cython.p_const_char = PyBytes_AS_STRING(pattern)
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(pattern)
    plain: cython.Py_ssize_t = 0
    while plain < length and not is_special(text[plain]):
        plain += 1
    if plain == length:
        return slot_of(text, length)
    # Braces of a tag have to stand before anything that could match a brace itself.
    opening: cython.Py_ssize_t = found(text, ord("{"), plain)
    if opening >= 0 and found(text + opening + 1, ord("}"), plain - opening - 1) > 0:
        return slot_of(text, plain)
    return -1

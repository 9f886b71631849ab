"""The digest that values take themselves into, for DEBUG DIGEST.

It rests on SHA-1 (FIPS 180-4), of texts that are mostly short: to ask OpenSSL for each would take
longer than the sums.
"""

# mypy: disable-error-code="attr-defined"
# The header has the state.
from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.digest import octets
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memset

SIZE = cython.declare(cython.int, 20)
BLOCK = cython.declare(cython.Py_ssize_t, 64)


@cython.final
@cython.cclass
class Digest:
    """Twenty bytes that take in byte strings, in an order that matters or not."""

    def __cinit__(self):
        memset(self.state, 0, SIZE)

    @cython.ccall
    def blend(self, data: bytes):
        """Take in data regardless of what comes before or after it."""
        sums = cython.declare(cython.uchar[20])
        i: cython.int
        sha1(cython.cast(octets, PyBytes_AS_STRING(data)), PyBytes_GET_SIZE(data), sums)
        for i in range(SIZE):
            self.state[i] ^= sums[i]

    @cython.ccall
    def chain(self, data: bytes):
        """Take in data at this place of a sequence."""
        sums = cython.declare(cython.uchar[20])
        self.blend(data)
        sha1(self.state, SIZE, sums)
        memcpy(self.state, sums, SIZE)

    def value(self) -> bytes:
        """The twenty bytes."""
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.state), SIZE)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sha1(data: octets, size: cython.Py_ssize_t, into: cython.p_uchar) -> cython.void:
    """The SHA-1 of ``size`` bytes. O(N)."""
    sums = cython.declare(uint32_t[5])
    last = cython.declare(cython.uchar[128])
    bits: uint64_t = cython.cast(uint64_t, size) << 3
    left: cython.Py_ssize_t = size % BLOCK
    end: cython.Py_ssize_t = BLOCK if left < BLOCK - 8 else 2 * BLOCK
    i: cython.Py_ssize_t
    sums[0] = 0x67452301
    sums[1] = 0xEFCDAB89
    sums[2] = 0x98BADCFE
    sums[3] = 0x10325476
    sums[4] = 0xC3D2E1F0
    for i in range(0, size - left, 64):
        take_block(sums, cython.address(data[i]))
    memset(last, 0, 2 * BLOCK)
    memcpy(last, data + size - left, left)
    last[left] = 0x80
    for i in range(8):
        last[end - 1 - i] = cython.cast(cython.uchar, bits >> (8 * i))
    take_block(sums, last)
    if end > BLOCK:
        take_block(sums, cython.address(last[64]))
    for i in range(SIZE):
        into[i] = cython.cast(cython.uchar, sums[i >> 2] >> (24 - 8 * (i & 3)))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def take_block(sums: cython.pointer[uint32_t], block: octets) -> cython.void:
    """Take 64 bytes into the five sums."""
    words = cython.declare(uint32_t[80])
    a: uint32_t = sums[0]
    b: uint32_t = sums[1]
    c: uint32_t = sums[2]
    d: uint32_t = sums[3]
    e: uint32_t = sums[4]
    mixed: uint32_t
    i: cython.int
    for i in range(16):
        words[i] = (
            cython.cast(uint32_t, block[4 * i]) << 24
            | cython.cast(uint32_t, block[4 * i + 1]) << 16
            | cython.cast(uint32_t, block[4 * i + 2]) << 8
            | block[4 * i + 3]
        )
    for i in range(16, 80):
        words[i] = turned(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)
    for i in range(80):
        if i < 20:
            mixed = (d ^ (b & (c ^ d))) + cython.cast(uint32_t, 0x5A827999)
        elif i < 40:
            mixed = (b ^ c ^ d) + cython.cast(uint32_t, 0x6ED9EBA1)
        elif i < 60:
            mixed = ((b & c) | (d & (b | c))) + cython.cast(uint32_t, 0x8F1BBCDC)
        else:
            mixed = (b ^ c ^ d) + cython.cast(uint32_t, 0xCA62C1D6)
        mixed += turned(a, 5) + e + words[i]
        e = d
        d = c
        c = turned(b, 30)
        b = a
        a = mixed
    sums[0] += a
    sums[1] += b
    sums[2] += c
    sums[3] += d
    sums[4] += e


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def turned(word: uint32_t, bits: cython.int) -> uint32_t:
    """A word whose bits have gone round to the left."""
    return (word << bits) | (word >> (32 - bits))

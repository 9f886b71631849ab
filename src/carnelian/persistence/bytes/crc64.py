"""CRC-64 as RDB files and DUMP payloads have it: the Jones polynomial, reflected, from zero.

Sixteen bytes are taken at a time, each by a table of its own.
"""

from __future__ import annotations

import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint8_t, uint64_t
from cython.cimports.libc.string import memcpy

# 0xad93d23594c935a9 with its bits in reverse order.
POLYNOMIAL = cython.declare(uint64_t, cython.cast(uint64_t, 0x95AC9329) << 32 | 0xAC4BC9B5)
STEP = cython.declare(cython.Py_ssize_t, 16)

_tables = cython.declare(uint64_t[256][16])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def fill_tables() -> cython.void:
    """Table k: what a byte does to the sum when k more bytes come after it."""
    byte: cython.int
    k: cython.int
    _bit: cython.int
    crc: uint64_t
    for byte in range(256):
        crc = byte
        for _bit in range(8):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
        _tables[0][byte] = crc
    for byte in range(256):
        for k in range(1, 16):
            crc = _tables[k - 1][byte]
            _tables[k][byte] = (crc >> 8) ^ _tables[0][crc & 255]


fill_tables()


def update(crc: uint64_t, data: cython.p_const_void, length: cython.Py_ssize_t) -> uint64_t:
    """The sum of what ``crc`` is the sum of and these bytes behind it."""
    at: cython.pointer[cython.const[uint8_t]] = cython.cast(
        cython.pointer[cython.const[uint8_t]], data
    )
    low: uint64_t = 0
    high: uint64_t = 0
    while length >= STEP:
        memcpy(cython.address(low), at, 8)
        memcpy(cython.address(high), at + 8, 8)
        low ^= crc
        crc = (
            _tables[15][low & 255]
            ^ _tables[14][(low >> 8) & 255]
            ^ _tables[13][(low >> 16) & 255]
            ^ _tables[12][(low >> 24) & 255]
            ^ _tables[11][(low >> 32) & 255]
            ^ _tables[10][(low >> 40) & 255]
            ^ _tables[9][(low >> 48) & 255]
            ^ _tables[8][low >> 56]
            ^ _tables[7][high & 255]
            ^ _tables[6][(high >> 8) & 255]
            ^ _tables[5][(high >> 16) & 255]
            ^ _tables[4][(high >> 24) & 255]
            ^ _tables[3][(high >> 32) & 255]
            ^ _tables[2][(high >> 40) & 255]
            ^ _tables[1][(high >> 48) & 255]
            ^ _tables[0][high >> 56]
        )
        at += STEP
        length -= STEP
    while length > 0:
        crc = (crc >> 8) ^ _tables[0][(crc ^ at[0]) & 255]
        at += 1
        length -= 1
    return crc


def of(data: bytes, crc: uint64_t = 0) -> int:
    """The sum of ``data``, behind what ``crc`` is the sum of. ``of(b"123456789")`` is
    ``0xe9c6d914c4b8d9ca``.
    """
    text: cython.p_char = PyBytes_AS_STRING(data)
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(data)
    total: uint64_t
    with cython.nogil:
        total = update(crc, text, length)
    return total

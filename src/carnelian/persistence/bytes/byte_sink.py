"""Where RDB data go: a buffer of raw memory that is written to a file, handed to a spool, or kept.

The primitives of the format are here: lengths (6, 14, 32 or 64 bits, the upper two bits of the
first byte tell), and strings, which are a length and as many bytes, an integer of 8, 16 or 32 bits,
or an LZF stream.
"""

from __future__ import annotations

import os
from typing import Protocol

import cython
from cython.cimports.carnelian.datatypes.algorithms import lzf
from cython.cimports.carnelian.datatypes.base.string import format_integer, parse_integer
from cython.cimports.carnelian.persistence.bytes import crc64
from cython.cimports.carnelian.persistence.bytes.writeback import write_behind
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.exc import PyErr_SetFromErrno
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int64_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc, realloc
from cython.cimports.libc.string import memcpy, memmove
from cython.cimports.posix.unistd import write


class Drain(Protocol):
    """Who takes the content of a file piece by piece."""

    def put(self, piece: bytes) -> None:
        """Take a piece; never waits."""


# Of a file's buffer: it stays in the cache of a processor from the first byte to the check sum.
FILE_BUFFER = cython.declare(cython.Py_ssize_t, 128 * 1024)
PAYLOAD_BUFFER = cython.declare(cython.Py_ssize_t, 256)
# Strings above this length are compressed in memory of their own.
LARGE = cython.declare(cython.Py_ssize_t, 64 * 1024)
# The longest header of an LZF stream, and what is left free behind one.
STREAM_HEADER = cython.declare(cython.Py_ssize_t, 19)
SPARE = cython.declare(cython.Py_ssize_t, 16)
# Shorter strings are not compressed; a stream has to save that many bytes.
SHORTEST_COMPRESSED = cython.declare(cython.Py_ssize_t, 21)
LEAST_SAVED = cython.declare(cython.Py_ssize_t, 4)
LONGEST_INTEGER = cython.declare(cython.Py_ssize_t, 11)
# Bytes after which the kernel is told to write out (rdb-save-incremental-fsync).
SYNC_INTERVAL = cython.declare(int64_t, 4 * 1024 * 1024)

INT8 = cython.declare(cython.int, 0xC0)
INT16 = cython.declare(cython.int, 0xC1)
INT32 = cython.declare(cython.int, 0xC2)
LZF = cython.declare(cython.int, 0xC3)


@cython.final
@cython.no_gc
@cython.cclass
class Sink:
    """Takes RDB data.

    Args:
        version: the RDB version to write for.
        fd: the file to write to; -1 for a payload in memory.
        compress: use LZF for strings (``rdbcompression``).
        check: sum up what is written (``rdbchecksum``).
        sync: have the kernel write out as it goes on (``rdb-save-incremental-fsync``).

    Every method that writes raises OSError when the file does not take it.
    """

    def __cinit__(self, *args, **options):
        self.data = cython.NULL

    def __init__(
        self,
        version: cython.int,
        fd: cython.int = -1,
        compress: bool = True,
        check: bool = True,
        sync: bool = False,
    ):
        self.version = version
        self.fd = fd
        self.compressing = compress
        self.checking = check
        self.syncing = sync
        self.spool: Drain | None = None
        self.length = 0
        self.crc = 0
        self.flushed = 0
        self.synced = 0
        self.room = FILE_BUFFER if fd >= 0 else PAYLOAD_BUFFER
        self.data = cython.cast(cython.pointer[uint8_t], malloc(self.room))
        if self.data is cython.NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.data)

    # -- The buffer ------------------------------------------------------------------------------

    def position(self) -> int64_t:
        """Bytes taken until now."""
        return self.flushed + self.length

    def reserve(self, length: cython.Py_ssize_t) -> cython.int:
        """Have room for ``length`` more bytes."""
        room: cython.Py_ssize_t
        if self.length + length <= self.room:
            return 0
        if self.fd >= 0 or self.length >= FILE_BUFFER:
            self.flush()
        if self.length + length > self.room:
            room = max(self.room * 2, self.length + length)
            grown: cython.p_void = realloc(self.data, room)
            if grown is cython.NULL:
                raise MemoryError
            self.data = cython.cast(cython.pointer[uint8_t], grown)
            self.room = room
        return 0

    def flush(self) -> cython.int:
        """Write what is in the buffer to the file, or hand it to the spool."""
        length: cython.Py_ssize_t = self.length
        if self.fd < 0:
            return self.spool_out()
        self.length = 0
        return self.write_out(self.data, length)

    def spool_out(self) -> cython.int:
        """Hand what is in the buffer to the spool, if there is one now."""
        if self.spool is not None and self.length:
            self.spool.put(self.taken())
            self.flushed += self.length
            self.length = 0
        return 0

    def write_out(
        self, data: cython.pointer[cython.const[uint8_t]], length: cython.Py_ssize_t
    ) -> cython.int:
        """Sum up and write to the file."""
        done: cython.Py_ssize_t
        if self.checking:
            self.crc = crc64.update(self.crc, data, length)
        self.flushed += length
        while length > 0:
            done = write(self.fd, data, length)
            if done < 0:
                if errno == EINTR:
                    continue
                PyErr_SetFromErrno(OSError)
            data += done
            length -= done
        if self.syncing and self.flushed - self.synced >= SYNC_INTERVAL:
            self.sync_some()
        return 0

    def sync_some(self) -> cython.int:
        """Have the kernel write out what was written since the last time, so that no single call
        at the end has to wait for all of it.
        """
        if write_behind(self.fd, self.synced, self.flushed - self.synced) != 0:
            os.fsync(self.fd)
        self.synced = self.flushed
        return 0

    def taken(self) -> bytes:
        """Everything as ``bytes``, of a sink in memory."""
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.data), self.length)

    # -- Primitives ------------------------------------------------------------------------------

    def put(self, data: cython.p_const_void, length: cython.Py_ssize_t) -> cython.int:
        """Bytes as they are."""
        if self.fd >= 0 and length > self.room:
            self.flush()
            return self.write_out(cython.cast(cython.pointer[uint8_t], data), length)
        self.reserve(length)
        memcpy(self.data + self.length, data, length)
        self.length += length
        return 0

    def put_byte(self, byte: cython.int) -> cython.int:
        """One byte."""
        if self.length == self.room:
            self.reserve(1)
        self.data[self.length] = cython.cast(uint8_t, byte)
        self.length += 1
        return 0

    def put_word(self, word: int64_t) -> cython.int:
        """Eight bytes, the lowest first."""
        return self.put(cython.address(word), 8)

    def put_length(self, length: uint64_t) -> cython.int:
        """A length."""
        self.reserve(9)
        self.length += write_length(self.data + self.length, length)
        return 0

    def put_integer(self, number: int64_t) -> cython.int:
        """The decimal form of a number, as a string."""
        digits = cython.declare(cython.char[24])
        size: cython.int
        at: cython.pointer[uint8_t]
        self.reserve(25)
        at = self.data + self.length
        if -128 <= number <= 127:
            size = 1
            at[0] = cython.cast(uint8_t, INT8)
        elif -32768 <= number <= 32767:
            size = 2
            at[0] = cython.cast(uint8_t, INT16)
        elif -2147483648 <= number <= 2147483647:
            size = 4
            at[0] = cython.cast(uint8_t, INT32)
        else:
            size = format_integer(number, digits)
            at[0] = cython.cast(uint8_t, size)
            memcpy(at + 1, digits, size)
            self.length += 1 + size
            return 0
        memcpy(at + 1, cython.address(number), size)
        self.length += 1 + size
        return 0

    def put_text(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.int:
        """A string: as an integer or compressed if that is shorter."""
        number: int64_t = 0
        if (
            length <= LONGEST_INTEGER
            and parse_integer(text, length, cython.address(number))
            and -2147483648 <= number <= 2147483647
        ):
            return self.put_integer(number)
        if self.compressing and length >= SHORTEST_COMPRESSED and self.put_compressed(text, length):
            return 0
        self.put_length(length)
        return self.put(text, length)

    def put_compressed(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.bint:
        """A string as an LZF stream; returns False, with nothing written, if that saves nothing."""
        room: cython.Py_ssize_t = length - LEAST_SAVED
        size: cython.Py_ssize_t
        to: cython.pointer[uint8_t]
        if length > LARGE:
            to = cython.cast(cython.pointer[uint8_t], malloc(length + SPARE))
            if to is cython.NULL:
                raise MemoryError
            try:
                with cython.nogil:
                    size = lzf.pack(cython.cast(lzf.Bytes, text), length, to, room)
                if size:
                    self.put_stream(to, size, length)
            finally:
                free(to)
            return size != 0
        self.reserve(STREAM_HEADER + length + SPARE)
        to = self.data + self.length
        size = lzf.pack(cython.cast(lzf.Bytes, text), length, to + STREAM_HEADER, room)
        if size == 0:
            return False
        to[0] = cython.cast(uint8_t, LZF)
        to += 1
        to += write_length(to, size)
        to += write_length(to, length)
        memmove(to, self.data + self.length + STREAM_HEADER, size)
        self.length = cython.cast(cython.Py_ssize_t, to - self.data) + size
        return True

    def put_stream(
        self, stream: cython.p_const_void, length: cython.Py_ssize_t, plain: cython.Py_ssize_t
    ) -> cython.int:
        """A string of ``plain`` bytes that is an LZF stream already."""
        self.put_byte(LZF)
        self.put_length(length)
        self.put_length(plain)
        return self.put(stream, length)

    # -- For Python ------------------------------------------------------------------------------

    def drain_to(self, spool: Drain | None) -> None:
        """Hand everything to a spool from now on, what is in the buffer at once; None: to keep it
        in the buffer until there is one again.
        """
        self.spool = spool
        self.spool_out()

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.put(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    def text(self, text: bytes) -> None:
        """A string."""
        self.put_text(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    def size(self, length: uint64_t) -> None:
        """A length."""
        self.put_length(length)

    def content(self) -> bytes:
        """What was written, of a sink in memory."""
        return self.taken()

    @property
    def written(self) -> int:
        """Bytes taken until now."""
        return self.position()

    def close(self, sealed: bool = True) -> None:
        """Write what is left, with the check sum behind it if ``sealed``."""
        self.flush()
        if sealed:
            self.put_word(cython.cast(int64_t, self.crc))
            self.flush()


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def write_length(to: cython.pointer[uint8_t], length: uint64_t) -> cython.int:
    """Write a length, at most nine bytes; returns how many."""
    i: cython.int
    width: cython.int = 4
    if length < 64:
        to[0] = cython.cast(uint8_t, length)
        return 1
    if length < 16384:
        to[0] = cython.cast(uint8_t, 0x40 | length >> 8)
        to[1] = cython.cast(uint8_t, length & 255)
        return 2
    to[0] = 0x80
    if length >> 32:
        width = 8
        to[0] = 0x81
    for i in range(width):
        to[1 + i] = cython.cast(uint8_t, (length >> (8 * (width - 1 - i))) & 255)
    return 1 + width


def length_form(length: uint64_t) -> bytes:
    """The form of a length."""
    sink: Sink = Sink(0)
    sink.put_length(length)
    return sink.taken()


def string_form(text: bytes) -> bytes:
    """The form of a string, compressed if that is shorter."""
    sink: Sink = Sink(0)
    sink.text(text)
    return sink.taken()

"""Where RDB data come from: a file, read a piece at a time, a payload in memory, or somebody who
brings them bit by bit.

No length that is read is believed before it is held against the bytes that are left, so that
damaged data neither lead outside nor make room for what cannot be there.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms import lzf
from cython.cimports.carnelian.datatypes.base.string import format_integer
from cython.cimports.carnelian.persistence.bytes import crc64
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.exc import PyErr_SetFromErrno
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc, realloc
from cython.cimports.libc.string import memcpy, memmove
from cython.cimports.posix.unistd import read

from carnelian.persistence.bytes.file_errors import Corrupt, ShortRead

FILE_BUFFER = cython.declare(cython.Py_ssize_t, 256 * 1024)
# No LZF stream stands for more than so many times its own bytes.
LARGEST_RATIO = cython.declare(uint64_t, 100)
LARGEST_LENGTH = cython.declare(uint64_t, cython.cast(uint64_t, 1) << 62)

INT8 = cython.declare(cython.int, 0)
INT16 = cython.declare(cython.int, 1)
INT32 = cython.declare(cython.int, 2)
LZF = cython.declare(cython.int, 3)


@cython.final
@cython.no_gc
@cython.cclass
class Source:
    """Gives RDB data.

    Args:
        data: the payload to read, or None for a file.
        fd: the file to read; -1 if data are brought by :meth:`feed`.
        total: bytes of that file from where it stands.
        check: sum up what is read.

    Whatever reads raises ShortRead at the end, and Corrupt for what cannot be.
    """

    digits: cython.p_char  # of an integer read as text, in place

    def __cinit__(self, *args, **options):
        self.buffer = cython.NULL
        self.scratch = cython.NULL
        self.kept = cython.NULL

    def __init__(
        self, data: bytes | None, fd: cython.int = -1, total: int64_t = 0, check: bool = False
    ):
        self.held = data
        self.fd = fd
        self.fed = data is None and fd < 0
        self.wanted = 0
        self.before = 0
        self.at = 0
        self.summed = 0
        self.crc = 0
        self.checking = check
        self.scratch_room = 0
        self.kept_room = 0
        if data is not None:
            self.data = cython.cast(cython.pointer[uint8_t], PyBytes_AS_STRING(data))
            self.end = PyBytes_GET_SIZE(data)
            self.total = self.end
            return
        self.total = total
        self.end = 0
        self.room = FILE_BUFFER
        self.buffer = cython.cast(cython.pointer[uint8_t], malloc(self.room))
        if self.buffer is cython.NULL:
            raise MemoryError
        self.data = self.buffer

    def __dealloc__(self):
        free(self.buffer)
        free(self.scratch)
        free(self.kept)

    # -- Bytes -----------------------------------------------------------------------------------

    def position(self) -> int64_t:
        """Bytes read until now."""
        return self.before + self.at

    def left(self) -> int64_t:
        """Bytes that are still to be read."""
        return self.total - self.before - self.at

    def take(self, length: cython.Py_ssize_t) -> cython.pointer[cython.const[uint8_t]]:
        """The next bytes, good until something else is read."""
        if length > self.end - self.at:
            self.fetch(length)
        self.at += length
        return self.data + self.at - length

    def fetch(self, length: cython.Py_ssize_t) -> cython.int:
        """Have the next ``length`` bytes in the buffer."""
        got: cython.Py_ssize_t
        if self.fed:
            self.wanted = self.at + length
            raise ShortRead("Unexpected EOF reading RDB file")
        if length > self.left() or self.buffer is cython.NULL:
            raise ShortRead("Unexpected EOF reading RDB file")
        self.sum_up()
        memmove(self.buffer, self.buffer + self.at, self.end - self.at)
        self.before += self.at
        self.end -= self.at
        self.at = 0
        self.summed = 0
        if length > self.room:
            grown: cython.p_void = realloc(self.buffer, length)
            if grown is cython.NULL:
                raise MemoryError
            self.buffer = cython.cast(cython.pointer[uint8_t], grown)
            self.data = self.buffer
            self.room = length
        while self.end < length:
            got = read(self.fd, self.buffer + self.end, self.room - self.end)
            if got < 0:
                if errno == EINTR:
                    continue
                PyErr_SetFromErrno(OSError)
            if got == 0:
                raise ShortRead("Unexpected EOF reading RDB file")
            self.end += got
        return 0

    def lack(self, length: uint64_t) -> cython.int:
        """There are not so many bytes left: raises ShortRead."""
        if length < LARGEST_LENGTH:
            self.wanted = self.at + cython.cast(int64_t, length)
        raise ShortRead("Unexpected EOF reading RDB file")

    def feed(self, data: bytes) -> cython.int:
        """Take in what comes next, and let go of what was read. Not for files and payloads."""
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(data)
        kept: cython.Py_ssize_t = self.end - self.at
        self.sum_up()
        memmove(self.buffer, self.buffer + self.at, kept)
        self.before += self.at
        self.at = self.summed = 0
        if kept + size > self.room:
            room: cython.Py_ssize_t = max(kept + size, 2 * self.room)
            grown: cython.p_void = realloc(self.buffer, room)
            if grown is cython.NULL:
                raise MemoryError
            self.buffer = cython.cast(cython.pointer[uint8_t], grown)
            self.data = self.buffer
            self.room = room
        memcpy(self.buffer + kept, PyBytes_AS_STRING(data), size)
        self.end = kept + size
        self.total = self.before + self.end
        return 0

    def rewind(self, at: cython.Py_ssize_t) -> cython.int:
        """Go back to where reading stood, among the data that are there."""
        self.at = at
        return 0

    def sum_up(self) -> cython.int:
        """Bring the check sum to where reading stands."""
        if self.checking:
            self.crc = crc64.update(self.crc, self.data + self.summed, self.at - self.summed)
        self.summed = self.at
        return 0

    # -- Primitives ------------------------------------------------------------------------------

    def read_byte(self) -> cython.int:
        """One byte."""
        return self.take(1)[0]

    def read_word(self) -> int64_t:
        """Eight bytes, the lowest first."""
        word: int64_t = 0
        memcpy(cython.address(word), self.take(8), 8)
        return word

    def read_double(self) -> cython.double:
        """A double in its eight bytes."""
        number: cython.double = 0.0
        memcpy(cython.address(number), self.take(8), 8)
        return number

    def read_prefix(self, special: cython.pointer[cython.bint]) -> uint64_t:
        """A length, or the number of a special form of string."""
        first: cython.int = self.take(1)[0]
        bytes_: cython.pointer[cython.const[uint8_t]]
        width: cython.int = 4
        length: uint64_t = 0
        i: cython.int
        special[0] = False
        if first < 0x40:
            return first
        if first < 0x80:
            return (first & 0x3F) << 8 | self.take(1)[0]
        if first >= 0xC0:
            special[0] = True
            return first & 0x3F
        if first == 0x81:
            width = 8
        elif first != 0x80:
            raise Corrupt(f"Unknown length encoding {first} in rdbLoadLen()")
        bytes_ = self.take(width)
        for i in range(width):
            length = length << 8 | bytes_[i]
        return length

    def read_length(self) -> uint64_t:
        """A length, or any number that is written like one."""
        special: cython.bint = False
        return self.read_prefix(cython.address(special))

    def read_count(self) -> cython.Py_ssize_t:
        """How many elements there are: each takes a byte at least."""
        count: uint64_t = self.read_length()
        if count > cython.cast(uint64_t, self.left()):
            self.lack(count)
        return count

    def read_text(self, length: cython.p_Py_ssize_t) -> cython.p_const_char:
        """A string, good until something else is read."""
        special: cython.bint = False
        size: uint64_t = self.read_prefix(cython.address(special))
        number: int64_t
        short: int16_t = 0
        medium: int32_t = 0
        if not special:
            if size > cython.cast(uint64_t, self.left()):
                self.lack(size)
            length[0] = size
            return cython.cast(cython.p_const_char, self.take(size))
        if size == LZF:
            return self.read_stream(length)
        if size == INT8:
            number = cython.cast(int8_t, self.take(1)[0])
        elif size == INT16:
            memcpy(cython.address(short), self.take(2), 2)
            number = short
        elif size == INT32:
            memcpy(cython.address(medium), self.take(4), 4)
            number = medium
        else:
            raise Corrupt(f"Unknown RDB string encoding type {size}")
        length[0] = format_integer(number, self.digits)
        return self.digits

    def read_stream(self, length: cython.p_Py_ssize_t) -> cython.p_const_char:
        """A string that is an LZF stream."""
        packed: uint64_t = self.read_length()
        size: uint64_t = self.read_length()
        stream: cython.pointer[cython.const[uint8_t]]
        if packed > cython.cast(uint64_t, self.left()):
            self.lack(packed)
        if size > LARGEST_LENGTH or size // LARGEST_RATIO > packed:
            raise Corrupt("Invalid LZF compressed string")
        self.scratch = enlarged(self.scratch, cython.address(self.scratch_room), size)
        stream = self.take(packed)
        if lzf.unpack(stream, packed, self.scratch, size) != size:
            raise Corrupt("Invalid LZF compressed string")
        length[0] = size
        return cython.cast(cython.p_const_char, self.scratch)

    def retain(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.p_const_char:
        """The same text where it stays until the next one is retained."""
        self.kept = enlarged(self.kept, cython.address(self.kept_room), length)
        memcpy(self.kept, text, length)
        return cython.cast(cython.p_const_char, self.kept)

    def read_bytes(self) -> bytes:
        """A string as ``bytes``."""
        length: cython.Py_ssize_t = 0
        text: cython.p_const_char = self.read_text(cython.address(length))
        return PyBytes_FromStringAndSize(text, length)


@cython.cfunc
@cython.exceptval(check=True)
def enlarged(
    block: cython.pointer[uint8_t], room: cython.pointer[cython.Py_ssize_t], size: uint64_t
) -> cython.pointer[uint8_t]:
    """A block of at least ``size`` bytes in place of one that may be too small."""
    if block is not cython.NULL and size <= cython.cast(uint64_t, room[0]):
        return block
    fresh: cython.p_void = malloc(size + 1)
    if fresh is cython.NULL:
        raise MemoryError
    free(block)
    room[0] = size
    return cython.cast(cython.pointer[uint8_t], fresh)

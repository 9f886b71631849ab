"""Requests: multibulk and inline commands out of a stream of bytes, however it is split.

A parser does no I/O. A connection asks it where to put input (:meth:`Parser.reserve`), says how
much came (:meth:`Parser.commit`) and takes complete commands (:meth:`Parser.next`). While nothing
is unparsed it holds no buffer; the bytes of an argument of 32 KB or more are received where they
stay.

The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.resp.arguments import Cut, Run, collect, cut, name, plain_length, put
from cython.cimports.carnelian.resp.arguments import obtain as obtain_list
from cython.cimports.carnelian.resp.blocks import count, obtain, release
from cython.cimports.carnelian.resp.inline import split_line
from cython.cimports.carnelian.resp.layout import BLOCK
from cython.cimports.carnelian.resp.libc import PyObject, _PyBytes_Resize
from cython.cimports.carnelian.resp.parser import AHEAD, take
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF
from cython.cimports.libc.string import memchr, memcpy, memmove

from carnelian.resp.replies import Error

# A line that has not ended by then never will.
_MAX_LINE = cython.declare(cython.Py_ssize_t, 64 * 1024)
# Arguments from this size on get their own memory before their bytes are there.
_BIG = cython.declare(cython.Py_ssize_t, 32 * 1024)
# What a client that has yet to authenticate may send.
_MAX_ARGUMENTS_BEFORE_AUTH = cython.declare(cython.Py_ssize_t, 10)
_MAX_BULK_BEFORE_AUTH = cython.declare(cython.Py_ssize_t, 16384)
# Arguments that room is made for on the mere word of a client.
_TRUSTED_ARGUMENTS = cython.declare(cython.Py_ssize_t, 1024)
# The room a read gets at least, unless the caller asks for more.
_READ = cython.declare(cython.Py_ssize_t, 4096)

_TRIMMABLE = cython.declare(cython.Py_ssize_t, 4 * 1024)
_WORTH_TRIMMING = cython.declare(cython.Py_ssize_t, 32 * 1024)
_SAMPLE = cython.declare(cython.Py_ssize_t, 64)


class ProtocolError(Error):
    """Input that is not the protocol; the connection ends with this reply.

    ``reason`` is the short form for the log, ``excerpt`` the unparsed input, shortened and with
    dots for what cannot be printed.
    """

    def __init__(self, message: bytes, reason: str, excerpt: str):
        super().__init__(b"ERR Protocol error: " + message)
        self.reason = reason
        self.excerpt = excerpt


@cython.final
@cython.cclass
class Parser:
    """The input side of one connection.

    ``max_bulk`` (``proto-max-bulk-len``) and ``max_multibulk`` bound what a command may announce;
    while ``authenticated`` is false that is 10 arguments of 16 KB. ``argument_bytes`` is the size
    of the arguments of the command being read or just read.
    """

    ahead: cython.pointer[Cut]  # in place

    def __cinit__(self) -> None:
        self.max_bulk = 512 * 1024 * 1024
        self.max_multibulk = 0x7FFFFFFF
        self.authenticated = True
        self.room = 0
        self.argument_bytes = self.counted = 0
        self.error: ProtocolError | None = None
        # The buffer: what is before `position` was parsed, what is before `start` also reported;
        # `base` is the offset of its first byte in the whole stream.
        self.block = cython.NULL
        self.capacity = self.start = self.position = self.end = 0
        self.base = 0
        # For CLIENT LIST: the buffer this client counts as having, and the most it lately used.
        self.nominal = self.peak = 0
        # The command being read: its arguments so far, how many are missing, and the announced
        # length of the next one, or -1.
        self.arguments: Any = None
        self.filled = self.missing = 0
        self.expected = -1
        # A big argument being received, with the CRLF after it: a bytes object owned here.
        self.big = cython.NULL
        self.received = 0
        # Commands that were made before their turn, and how many of these had it.
        self.made = self.taken = 0

    def __dealloc__(self):
        self._drop()

    # What CLIENT LIST and the limits ask

    @property
    def pending(self) -> int:
        """Bytes that came and belong to no complete argument yet, or were not looked at."""
        return self.end - self.position + self.received

    @property
    def buffered(self) -> int:
        """Like ``pending`` with the commands parsed since the last read: ``qbuf``."""
        return self._in_buffer()

    @property
    def free(self) -> int:
        """Room set aside for the next read: ``qbuf-free``.

        A block is lent for a read only, but a client that was active lately counts as having one.
        """
        return max(self.nominal - self._in_buffer(), 0)

    @property
    def held(self) -> int:
        """Bytes of memory the parser really holds for unparsed input."""
        size: cython.Py_ssize_t = self.capacity
        if self.big != cython.NULL:
            size += PyBytes_GET_SIZE(cython.cast(bytes, self.big))
        return size

    @property
    def consumed(self) -> int:
        """Bytes parsed since the start: the offset in a replication stream."""
        return self.offset()

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def offset(self) -> cython.longlong:
        return self.base + self.position

    @cython.ccall
    def trim(self, idle: cython.bint = False):
        """Called from time to time: forget room that this client does not need.

        Args:
            idle: it sent nothing for more than two seconds.
        """
        used: cython.Py_ssize_t = self._in_buffer()
        if self.nominal - used > _TRIMMABLE:
            if idle:
                self.nominal = used
            elif self.nominal > _WORTH_TRIMMING and self.nominal // 2 > self.peak:
                self.nominal = max(used, self.peak, self.expected)
        self.peak = max(used, self.expected)

    # Input

    @cython.ccall
    def feed(self, data: bytes):
        """Take in a copy of ``data``; what comes after a protocol error is ignored."""
        source: cython.p_const_char = PyBytes_AS_STRING(data)
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(data)
        part: cython.Py_ssize_t
        target: cython.p_char
        while size > 0 and self.error is None:
            target = self.reserve(size)
            part = min(size, self.room)
            memcpy(target, source, part)
            self.commit(part)
            source += part
            size -= part

    @cython.cfunc
    def reserve(self, minimum: cython.Py_ssize_t) -> cython.p_char:
        """Where to put the next input: ``room`` bytes, to be followed by :meth:`commit`.

        There is room for ``minimum`` bytes (0: some kilobytes), except within a big argument, whose
        own memory is given and nothing after it.
        """
        if self.taken < self.made:
            # They would not be found again where they were.
            self.look_back()
        if self.big != cython.NULL and self.received < self.expected + 2:
            self.room = self.expected + 2 - self.received
            return PyBytes_AS_STRING(cython.cast(bytes, self.big)) + self.received
        if minimum <= 0:
            minimum = _READ
        if self.block == cython.NULL:
            self.capacity = max(minimum, BLOCK)
            try:
                self.block = obtain(self.capacity)
            except MemoryError:
                self.capacity = 0
                raise
        elif self.capacity - self.end < minimum:
            self._resize(max(self.capacity, self.end - self.position + minimum))
        if self.nominal < self.capacity:
            self.nominal = self.capacity
        self.room = self.capacity - self.end
        return self.block + self.end

    @cython.cfunc
    @cython.exceptval(check=False)
    def commit(self, size: cython.Py_ssize_t) -> cython.void:
        """``size`` bytes were put where :meth:`reserve` said; 0 when nothing came."""
        if self.big != cython.NULL and self.received < self.expected + 2:
            self.received += size
        else:
            self.end += size
            # Ends scans for digits.
            self.block[self.end] = 0
        if self.peak < self._in_buffer():
            self.peak = self._in_buffer()
        if size == 0:
            self._settle()

    # Commands

    @cython.ccall
    def next(self) -> list | None:
        """The next complete command, a list of bytes; ``None`` when more input is needed.

        Raises:
            ProtocolError: the connection is to be closed after this reply; from now on every call
                raises it again.
        """
        words: list | None
        if self.taken < self.made:
            return take(self)
        if self.error is not None:
            raise self.error
        if self.big != cython.NULL and not self._finish_big():
            self._count()
            return None
        while True:
            if self.arguments is None:
                self.argument_bytes = 0
                if self.position == self.end:
                    break
                if self.block[self.position] != b"*":
                    words = self._inline()
                    if words is None:
                        break
                    if len(words) > 0:
                        if self.counted:
                            self._count()
                        return words
                    continue
                if not self._begin():
                    break
                if self.arguments is None:
                    continue
            if not self._collect():
                break
            words = self.arguments
            self.arguments = None
            if self.counted:
                self._count()
            return words
        self._settle()
        if self.arguments is not None or self.counted:
            self._count()
        return None

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def look_ahead(self) -> cython.int:
        """Make more of the next commands, if they are all there and plain; returns how many wait.

        Whoever runs them may prepare for all of them at once. Until :meth:`next` returns it, a
        command counts as not parsed, and nothing depends on whether this was called.
        """
        stop: cython.Py_ssize_t = self.position
        size: cython.Py_ssize_t
        if self.taken < self.made:
            return self.made - self.taken
        self.made = self.taken = 0
        if self.position == self.end or self.arguments is not None or not self.authenticated:
            return 0
        while self.made < AHEAD:
            size = cut(
                self.block + stop,
                self.block + self.end,
                self.max_bulk,
                cython.address(self.ahead[self.made]),
            )
            if size == 0:
                break
            stop += size
            self.ahead[self.made].stop = stop
            self.made += 1
        return self.made

    @cython.cfunc
    @cython.exceptval(check=False)
    def look_back(self) -> cython.void:
        """Have the commands that wait made again when it is their turn."""
        while self.taken < self.made:
            Py_DECREF(cython.cast(object, self.ahead[self.taken].words))
            self.taken += 1

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _begin(self) -> cython.bint:
        """Read the ``*count`` line; 0 if not there yet. ``arguments`` stays ``None`` if empty."""
        count: cython.Py_ssize_t = 0
        value: cython.longlong = 0
        stop: cython.Py_ssize_t
        first: cython.Py_ssize_t = self.position + 1
        used: cython.Py_ssize_t = plain_length(self.block + first, cython.address(count))
        if used > 0 and first + used > self.end:
            return False
        if used == 0:
            stop = self._line_end("too big mbulk count string")
            if stop < 0:
                return False
            if not to_longlong(self.block + first, stop - first, cython.address(value)):
                self._fail(b"invalid multibulk length", "invalid mbulk count")
            if value > self.max_multibulk:
                self._fail(b"invalid multibulk length", "invalid mbulk count")
            count = value
            used = stop + 2 - first
        if count > self.max_multibulk:
            self._fail(b"invalid multibulk length", "invalid mbulk count")
        if not self.authenticated and count > _MAX_ARGUMENTS_BEFORE_AUTH:
            self._fail(b"unauthenticated multibulk length", "unauth mbulk count")
        self.position = first + used
        if count > 0:
            self.missing = count
            self.filled = 0
            self.arguments = obtain_list(min(count, _TRUSTED_ARGUMENTS))
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _bulk_header(self) -> cython.bint:
        """Read an unusual or incomplete ``$length`` line with all checks; 0 if not there yet."""
        value: cython.longlong = 0
        first: cython.Py_ssize_t = self.position + 1
        stop: cython.Py_ssize_t = self._line_end("too big bulk count string")
        if stop < 0:
            return False
        if self.block[self.position] != b"$":
            self._fail(
                b"expected '$', got '%c'" % cython.cast(cython.uchar, self.block[self.position]),
                "expected $ but got something else",
            )
        if not to_longlong(self.block + first, stop - first, cython.address(value)):
            self._fail(b"invalid bulk length", "invalid bulk length")
        if value < 0 or value > self.max_bulk:
            self._fail(b"invalid bulk length", "invalid bulk length")
        if not self.authenticated and value > _MAX_BULK_BEFORE_AUTH:
            self._fail(b"unauthenticated bulk length", "unauth bulk length")
        self.position = stop + 2
        self.expected = value
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _collect(self) -> cython.bint:
        """Read arguments of a multibulk; 0 when input ends before the last one."""
        while self.missing > 0:
            if self.position == self.end:
                # There may be no buffer at all.
                return False
            if self.expected < 0:
                self._collect_plain()
                if self.missing == 0:
                    break
                if not self._bulk_header():
                    return False
            if self.end - self.position < self.expected + 2:
                if self.expected >= _BIG:
                    self._start_big()
                return False
            text: cython.p_char = self.block + self.position
            self.position += self.expected + 2
            if self.filled == 0:
                self._store(name(text, self.expected))
            else:
                self._store(PyBytes_FromStringAndSize(text, self.expected))
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _collect_plain(self) -> cython.int:
        """Read as many arguments as ``collect`` does; the checks of the caller see to others."""
        run = cython.declare(Run)
        bound: cython.Py_ssize_t = self.max_bulk
        if not self.authenticated:
            bound = min(bound, _MAX_BULK_BEFORE_AUTH)
        run.at = self.block + self.position
        run.filled = self.filled
        run.wanted = self.filled + self.missing
        collect(self.arguments, cython.address(run), self.block + self.end, bound)
        self.argument_bytes += run.size
        self.missing -= run.filled - self.filled
        self.filled = run.filled
        self.position = run.at - self.block
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _store(self, argument: bytes) -> cython.int:
        """Put the argument that was read into its place."""
        put(self.arguments, self.filled, argument)
        self.filled += 1
        self.missing -= 1
        self.argument_bytes += self.expected
        self.expected = -1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _start_big(self) -> cython.int:
        """Give the argument being read its own memory, the CRLF after it included."""
        have: cython.Py_ssize_t = self.end - self.position
        size: cython.Py_ssize_t = self.expected + 2
        whole: bytes = PyBytes_FromStringAndSize(cython.NULL, size)
        memcpy(PyBytes_AS_STRING(whole), self.block + self.position, have)
        Py_INCREF(whole)
        self.big = cython.cast(cython.p_void, whole)
        self.received = have
        self.end = self.position
        if self.nominal < size:
            self.nominal = size
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _finish_big(self) -> cython.bint:
        """Make an argument of the big one; 0 when bytes of it are still to come."""
        argument: bytes
        moved: cython.pointer[PyObject]
        if self.received < self.expected + 2:
            return False
        moved = cython.cast(cython.pointer(PyObject), self.big)
        self.big = cython.NULL
        self.base += self.received
        self.received = 0
        _PyBytes_Resize(cython.address(moved), self.expected)
        argument = cython.cast(bytes, moved)
        Py_DECREF(argument)
        self._store(argument)
        return True

    @cython.cfunc
    def _inline(self) -> list | None:
        """Read a line as a command; ``None`` when it does not end yet, empty for a blank one."""
        line: cython.p_char = self.block + self.position
        pending: cython.Py_ssize_t = self.end - self.position
        scan: cython.Py_ssize_t = min(pending, _MAX_LINE + 1)
        stop: cython.p_char = cython.cast(cython.p_char, memchr(line, 10, scan))
        size: cython.Py_ssize_t = scan if stop == cython.NULL else stop - line
        words: list | None
        if stop == cython.NULL or memchr(line, 0, size) != cython.NULL:
            if pending > _MAX_LINE:
                self._fail(b"too big inline request", "too big inline request")
            return None
        if size > 0 and line[size - 1] == 13:
            size -= 1
        words = split_line(line, size)
        if words is None:
            self._fail(b"unbalanced quotes in request", "unbalanced quotes in inline request")
        self.position = stop + 1 - self.block
        for word in words:
            self.argument_bytes += PyBytes_GET_SIZE(cython.cast(bytes, word))
        return words

    @cython.cfunc
    @cython.exceptval(-2, check=False)
    def _line_end(self, reason: str) -> cython.Py_ssize_t:
        """Where the CR is that ends the line at ``position``; -1 when its line is not complete.

        As in Redis a NUL hides what comes after it, and what follows the CR is not looked at.
        """
        line: cython.p_char = self.block + self.position
        pending: cython.Py_ssize_t = self.end - self.position
        scan: cython.Py_ssize_t = min(pending, _MAX_LINE + 1)
        stop: cython.p_char = cython.cast(cython.p_char, memchr(line, 13, scan))
        size: cython.Py_ssize_t = scan if stop == cython.NULL else stop - line
        if stop == cython.NULL or memchr(line, 0, size) != cython.NULL:
            if pending > _MAX_LINE:
                self._fail(reason.encode(), reason)
            return -1
        return stop - self.block if size + 2 <= pending else -1

    # Memory

    @cython.cfunc
    @cython.exceptval(check=False)
    def _count(self) -> cython.void:
        """Have the arguments of a command that is not complete counted as memory in use."""
        size: cython.Py_ssize_t = 0
        if self.arguments is not None:
            size = self.argument_bytes
        if self.big != cython.NULL:
            size += PyBytes_GET_SIZE(cython.cast(bytes, self.big))
        count(size - self.counted)
        self.counted = size

    @cython.cfunc
    @cython.exceptval(check=False)
    def _in_buffer(self) -> cython.Py_ssize_t:
        return self.end - self.start + self.received

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _resize(self, capacity: cython.Py_ssize_t) -> cython.int:
        """Move what is unparsed to the front, into a buffer of another size if need be."""
        have: cython.Py_ssize_t = self.end - self.position
        block: cython.p_char
        if capacity > self.capacity:
            capacity = max(capacity, self.capacity * 2)
        if capacity == self.capacity:
            memmove(self.block, self.block + self.position, have)
        else:
            block = obtain(capacity)
            memcpy(block, self.block + self.position, have)
            release(self.block, self.capacity)
            self.block = block
            self.capacity = capacity
        self.base += self.position
        self.start = self.position = 0
        self.end = have
        self.block[have] = 0
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _settle(self) -> cython.void:
        """All that could be parsed was: give the buffer back, or what is too much of it."""
        if self.position == self.end:
            if self.block != cython.NULL:
                release(self.block, self.capacity)
                self.block = cython.NULL
                self.capacity = 0
            self.base += self.position
            self.start = self.position = self.end = 0
            return
        self.start = self.position
        if self.capacity > 2 * BLOCK and self.end - self.position <= BLOCK:
            try:
                self._resize(BLOCK)
            except MemoryError:
                return

    @cython.cfunc
    @cython.exceptval(check=False)
    def _drop(self) -> cython.void:
        """Hold nothing any more."""
        self.look_back()
        if self.block != cython.NULL:
            release(self.block, self.capacity)
            self.block = cython.NULL
            self.capacity = 0
        if self.big != cython.NULL:
            Py_DECREF(cython.cast(object, self.big))
            self.big = cython.NULL
        self.start = self.position = self.end = self.received = 0
        self.missing = 0
        self.arguments = None
        self._count()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _fail(self, message: bytes, reason: str) -> cython.int:
        """Raise a protocol error, after which the parser is dead."""
        self.error = ProtocolError(message, reason, _excerpt(self.block[self.position : self.end]))
        self.base += self.position
        self._drop()
        raise self.error


def _excerpt(data: bytes) -> str:
    """The start and the end of ``data`` for the log."""
    if len(data) < 2 * _SAMPLE:
        return f"'{_printable(data)}'"
    hidden = len(data) - 2 * _SAMPLE
    return (
        f"'{_printable(data[:_SAMPLE])}' (... more {hidden} bytes ...) "
        f"'{_printable(data[-_SAMPLE:])}'"
    )


def _printable(data: bytes) -> str:
    return "".join(chr(char) if 32 <= char < 127 else "." for char in data)

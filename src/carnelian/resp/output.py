"""What a client has still to be sent.

Replies are written one after the other into blocks from the shared stock; values of 16 KB and more
are not copied but kept by reference. A sealed *segment* is either such a value or a piece of a
block; the open segment at the end is where the writer goes on. With nothing to send a buffer holds
no memory.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.resp.blocks import count, obtain, release
from cython.cimports.carnelian.resp.layout import BLOCK, Mark, Segment
from cython.cimports.carnelian.resp.libc import iovec
from cython.cimports.carnelian.resp.output import unsent
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.libc.string import memcpy, memmove

# From this size on sharing a value is cheaper than copying it and handling one more segment.
_BY_REFERENCE = cython.declare(cython.Py_ssize_t, 16 * 1024)
# Up to here the contents of another buffer are copied, not moved block by block.
_WORTH_COPYING = cython.declare(cython.Py_ssize_t, 4 * 1024)


@cython.final
@cython.cclass
class OutputBuffer:
    """Chunks of pending output; grows at the tail, is sent from the head.

    Compiled callers write at ``tail`` after asking :meth:`grow` for room when ``limit - tail`` is
    too little. ``len()`` is the number of bytes to send.
    """

    def __cinit__(self) -> None:
        self.block = self.head = self.tail = self.limit = cython.NULL
        self.segments = cython.NULL
        self.first = self.count = self.capacity = 0
        self.sealed = self.held = 0

    def __dealloc__(self):
        self.clear()

    def __len__(self) -> int:
        return self.pending()

    @property
    def total(self) -> int:
        """Bytes to send."""
        return self.pending()

    @property
    def chunk_count(self) -> int:
        """Pieces the output consists of: what one ``writev`` would need entries for."""
        return self.count + (self.tail != self.head)

    @property
    def memory(self) -> int:
        """Bytes held: whole blocks, values kept by reference, and the list of segments."""
        return self.held + self.capacity * cython.sizeof(Segment)

    @cython.cfunc
    @cython.exceptval(check=False)
    def pending(self) -> cython.Py_ssize_t:
        return unsent(self)

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def grow(self, size: cython.Py_ssize_t) -> cython.int:
        """Make room for ``size`` bytes (at most ``BLOCK``) in one piece at the tail."""
        if self.limit - self.tail >= size:
            return 0
        block: cython.p_char = obtain(BLOCK)
        if self.block != cython.NULL:
            try:
                self._seal(True)
            except MemoryError:
                release(block, BLOCK)
                raise
        self.block = block
        self.head = self.tail = block
        self.limit = block + BLOCK
        self.held += BLOCK
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def put(self, data: cython.p_const_char, size: cython.Py_ssize_t) -> cython.int:
        """Append a copy of ``size`` bytes."""
        part: cython.Py_ssize_t
        while size > 0:
            if self.tail == self.limit:
                self.grow(1)
            part = min(size, self.limit - self.tail)
            memcpy(self.tail, data, part)
            self.tail += part
            data += part
            size -= part
        return 0

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def put_bytes(self, value: bytes) -> cython.int:
        """Append raw bytes, by reference when that is cheaper than a copy."""
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(value)
        if size < _BY_REFERENCE:
            return self.put(PyBytes_AS_STRING(value), size)
        self._seal(False)
        self._append(PyBytes_AS_STRING(value), size, cython.cast(cython.p_void, value), cython.NULL)
        Py_INCREF(value)
        self.held += size
        count(size)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def share(self, owner: object, data: cython.p_char, size: cython.Py_ssize_t) -> cython.int:
        """Append bytes that stay where they are as long as ``owner`` does.

        They are memory of their owner, and not counted as that of the buffer.
        """
        self._seal(False)
        marked: cython.p_char = cython.cast(cython.p_char, cython.cast(cython.p_void, owner)) + 1
        self._append(data, size, cython.cast(cython.p_void, marked), cython.NULL)
        Py_INCREF(owner)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def leave_gap(self, size: cython.Py_ssize_t) -> cython.int:
        """Leave ``size`` bytes (at most ``BLOCK``) to be written later; returns their number."""
        self.grow(size)
        self._seal(False)
        self.tail += size
        self._seal(False)
        return self.count - 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def fill_gap(
        self, number: cython.int, text: cython.p_const_char, size: cython.Py_ssize_t
    ) -> cython.void:
        """Write the bytes of a gap, perhaps fewer; nothing may have been consumed since."""
        gap: cython.pointer[Segment] = self.segments + self.first + number
        self.sealed -= gap.size - size
        gap.size = size
        memcpy(gap.data, text, size)

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def absorb(self, other: OutputBuffer) -> cython.int:
        """Move everything of ``other`` to the end of this buffer; ``other`` is empty after it."""
        at: cython.int
        segment: cython.pointer[Segment]
        if other.count == 0 and other.tail - other.head <= _WORTH_COPYING:
            self.put(other.head, other.tail - other.head)
            other.clear()
            return 0
        self._reserve(other.count + 1)
        self._seal(True)
        for at in range(other.count):
            segment = other.segments + other.first + at
            self._append(segment.data, segment.size, segment.value, segment.block)
        self.block = other.block
        self.head = other.head
        self.tail = other.tail
        self.limit = other.limit
        self.held += other.held
        other.block = cython.NULL
        other.count = 0
        other._rest()
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def iovecs(self, out: cython.pointer[iovec], maximum: cython.int) -> cython.int:
        """Fill up to ``maximum`` entries for ``writev`` from the head on; returns how many."""
        filled: cython.int = 0
        segment: cython.pointer[Segment] = self.segments + self.first
        while filled < self.count and filled < maximum:
            out[filled].iov_base = segment.data
            out[filled].iov_len = segment.size
            filled += 1
            segment += 1
        if filled < maximum and self.tail != self.head:
            out[filled].iov_base = self.head
            out[filled].iov_len = self.tail - self.head
            filled += 1
        return filled

    def peek(self, maximum: int = 16) -> list[bytes]:
        """Copies of the first ``maximum`` chunks, as :meth:`iovecs` would give them."""
        parts = cython.declare(iovec[16])
        return [
            cython.cast(cython.p_char, parts[at].iov_base)[: parts[at].iov_len]
            for at in range(self.iovecs(parts, min(maximum, 16)))
        ]

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def consume(self, size: cython.Py_ssize_t) -> cython.int:
        """Drop ``size`` bytes from the head: they were sent.

        Raises:
            ValueError: there is not so much.
        """
        segment: cython.pointer[Segment]
        if size < 0 or size > self.pending():
            raise ValueError("consumed more than there is")
        while self.count > 0:
            segment = self.segments + self.first
            if size < segment.size:
                segment.data += size
                segment.size -= size
                self.sealed -= size
                return 0
            size -= segment.size
            self.sealed -= segment.size
            self.first += 1
            self.count -= 1
            self._drop(segment)
        self.head += size
        if self.head == self.tail:
            self._rest()
        return 0

    @cython.ccall
    def take(self) -> bytes:
        """Everything pending in one piece; the buffer is empty after it."""
        at: cython.int
        segment: cython.pointer[Segment]
        joined: bytes = PyBytes_FromStringAndSize(cython.NULL, self.pending())
        out: cython.p_char = PyBytes_AS_STRING(joined)
        for at in range(self.count):
            segment = self.segments + self.first + at
            memcpy(out, segment.data, segment.size)
            out += segment.size
        if self.tail != self.head:
            memcpy(out, self.head, self.tail - self.head)
        self.clear()
        return joined

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def clear(self) -> cython.int:
        """Drop everything."""
        while self.count > 0:
            self.count -= 1
            self.first += 1
            self._drop(self.segments + self.first - 1)
        self._rest()
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def mark(self, at: cython.pointer[Mark]) -> cython.void:
        """Remember the end, so that :meth:`rollback` can take back what is appended after it."""
        at.count = self.count
        at.block = self.block
        at.head = self.head
        at.tail = self.tail
        at.sealed = self.sealed
        at.held = self.held

    @cython.cfunc
    @cython.exceptval(check=False)
    def rollback(self, at: cython.pointer[Mark]) -> cython.void:
        """Take back everything since ``at`` was marked; nothing may have been consumed since."""
        segment: cython.pointer[Segment]
        while self.count > at.count:
            self.count -= 1
            segment = self.segments + self.first + self.count
            if segment.block == at.block:
                segment.block = cython.NULL
            self._drop(segment)
        if self.count > 0 and at.block != cython.NULL:
            segment = self.segments + self.first + self.count - 1
            if segment.block == at.block:
                segment.block = cython.NULL
        if self.block != at.block and self.block != cython.NULL:
            release(self.block, BLOCK)
        self.block = at.block
        self.head = at.head
        self.tail = at.tail
        self.limit = at.block + BLOCK if at.block != cython.NULL else cython.NULL
        self.sealed = at.sealed
        self.held = at.held

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _append(
        self,
        data: cython.p_char,
        size: cython.Py_ssize_t,
        value: cython.p_void,
        block: cython.p_char,
    ) -> cython.int:
        """Add a segment; whoever consumes it drops the reference and gives the block back."""
        segment: cython.pointer[Segment]
        if self.first + self.count == self.capacity:
            self._reserve(1)
        segment = self.segments + self.first + self.count
        segment.data = data
        segment.size = size
        segment.value = value
        segment.block = block
        self.count += 1
        self.sealed += size
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _reserve(self, more: cython.int) -> cython.int:
        """Make room for ``more`` segments at the end of the list."""
        moved: cython.p_void
        wanted: cython.int = max(self.count + more, self.capacity, 8)
        if self.count + more > self.capacity:
            wanted = max(wanted, self.capacity * 2)
            moved = realloc(self.segments, wanted * cython.sizeof(Segment))
            if moved == cython.NULL:
                raise MemoryError
            self.segments = cython.cast(cython.pointer(Segment), moved)
            self.capacity = wanted
        if self.first > 0:
            memmove(self.segments, self.segments + self.first, self.count * cython.sizeof(Segment))
            self.first = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _seal(self, retire: cython.bint) -> cython.int:
        """Turn the open segment into a sealed one.

        The block goes on being written after it, unless it is to ``retire``: then its last segment
        gives it back once sent.
        """
        block: cython.p_char = self.block if retire else cython.NULL
        if self.tail != self.head:
            self._append(self.head, self.tail - self.head, cython.NULL, block)
        elif block != cython.NULL and self.count > 0 and self.head != block:
            # Earlier pieces of the block may be still to be sent, and what follows them is last. It
            # has no block to give back itself: only a value can stand there.
            self.segments[self.first + self.count - 1].block = block
        elif block != cython.NULL:
            release(block, BLOCK)
            self.held -= BLOCK
        self.head = self.tail
        if retire:
            self.block = self.head = self.tail = self.limit = cython.NULL
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _drop(self, segment: cython.pointer[Segment]) -> cython.void:
        """Give back what a segment owns."""
        block: cython.p_char = segment.block
        value: cython.p_void = segment.value
        if block != cython.NULL:
            release(block, BLOCK)
            self.held -= BLOCK
        if cython.cast(cython.size_t, value) & 1:
            # Shared: objects stand at even addresses.
            value = cython.cast(cython.p_void, cython.cast(cython.p_char, value) - 1)
            Py_DECREF(cython.cast(object, value))
        elif value != cython.NULL:
            self.held -= PyBytes_GET_SIZE(cython.cast(bytes, value))
            count(-PyBytes_GET_SIZE(cython.cast(bytes, value)))
            Py_DECREF(cython.cast(object, value))

    @cython.cfunc
    @cython.exceptval(check=False)
    def _rest(self) -> cython.void:
        """Hold nothing, now that no byte is pending."""
        if self.block != cython.NULL:
            release(self.block, BLOCK)
        self.block = self.head = self.tail = self.limit = cython.NULL
        self.held = self.sealed = 0
        if self.capacity > 0:
            free(self.segments)
            self.segments = cython.NULL
            self.capacity = 0
        self.first = 0


@cython.cclass
class Feed:
    """Where a connection gets output from that is not made for it alone, piece by piece.

    It is asked when the connection is about to send, and as soon as all was sent.
    """

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def fill(self, output: OutputBuffer) -> cython.int:
        """Append what there is to be sent now, or the beginning of it."""
        raise NotImplementedError

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def memory(self) -> cython.Py_ssize_t:
        """The bytes that wait for this connection, shared with others or not."""
        raise NotImplementedError

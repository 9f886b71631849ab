"""The history of a data set: which one it is, how far it has come, and the last of its bytes.

The changes of a data set are a stream of bytes. An ID names the stream, an offset a place in it: it
is the number of bytes before that place, so that the byte at offset 0 is the first. PSYNC and the
fields of INFO count from 1, and name by that number the next byte, or the last one.
"""

# mypy: disable-error-code="assignment, call-arg, union-attr"
# It takes attributes for what they begin as, and knows no __cinit__; the header has their types.
from __future__ import annotations

import os

import cython
from cython.cimports.carnelian.resp.blocks import obtain, release
from cython.cimports.carnelian.resp.layout import BLOCK
from cython.cimports.carnelian.resp.output import OutputBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy

NO_ID = "0" * 40

_held = cython.declare(cython.Py_ssize_t, 0)
# What Redis counts for a block beside its bytes.
BLOCK_OVERHEAD = cython.declare(cython.Py_ssize_t, 64)


# Blocks that are given back at a time, where there is time for it.
_MANY = 4096


def random_id() -> str:
    """An ID that no other history has: 40 hexadecimal digits."""
    return os.urandom(20).hex()


@cython.cclass
class History:
    """Which history a data set has.

    - ``id``: of the stream from now on;
    - ``offset``: how many bytes it has;
    - ``second_id``: of the stream that it was until ``second_offset``; NO_ID and -1 if it had no
      other name.

    What is reached at ``offset`` under ``id`` is the same at every node.
    """

    def __init__(self, id: str = "", offset: cython.longlong = 0):
        self.id = id or random_id()
        self.offset = offset
        self.second_id = NO_ID
        self.second_offset = -1

    @cython.ccall
    def can_continue(self, wanted: str, offset: cython.longlong) -> cython.bint:
        """Whether who has ``offset`` bytes of the stream ``wanted`` has the beginning of this one.

        Whether what follows is still there is for the backlog to tell.
        """
        if wanted == self.id:
            return True
        return wanted == self.second_id and wanted != NO_ID and offset <= self.second_offset

    @cython.ccall
    def shift(self):
        """Go on under a new name, as who becomes a primary does; the old one holds until here."""
        self.second_id = self.id
        self.second_offset = self.offset
        self.id = random_id()

    @cython.ccall
    def adopt(self, id: str, offset: cython.longlong):
        """Go on with the history of somebody else, of whom all is here up to ``offset``."""
        self.id = id
        self.offset = offset
        self.forget_second()

    @cython.ccall
    def new_id(self):
        """Begin another history: nobody can go on with this one."""
        self.id = random_id()
        self.forget_second()

    def forget_second(self) -> None:
        """The stream had no other name."""
        self.second_id = NO_ID
        self.second_offset = -1


@cython.final
@cython.no_gc
@cython.cclass
class Block:
    """Some bytes of a stream; those who send them share it, as long as one of them needs it.

    ``users`` are the places in it, ``following`` the next block.
    """

    def __cinit__(self, start: cython.longlong, number: cython.longlong):
        global _held
        self.data = obtain(BLOCK)
        self.used = self.users = 0
        self.start = start
        self.number = number
        _held += BLOCK

    @cython.cfunc
    def cut(self) -> Block:
        """Let go of what follows, and return it."""
        following: Block = self.following  # type: ignore[has-type]
        self.following = None
        return following

    def __dealloc__(self):
        global _held
        if self.data != cython.NULL:
            release(self.data, BLOCK)
            _held -= BLOCK


@cython.final
@cython.cclass
class Backlog:
    """The last bytes of a stream, in blocks, for those who still need them.

    Holds ``limit`` bytes, or more where somebody who is behind needs more. ``first`` is the offset
    of the first byte that is there, ``length`` how many there are.

    Args:
        offset: of the next byte.
        limit: bytes to hold.
    """

    def __init__(self, offset: cython.longlong, limit: cython.longlong):
        self.head = self.tail = None
        self.first = offset
        self.length = 0
        self.limit = limit
        self.closed = False

    def __dealloc__(self):
        self._free()

    @cython.cfunc
    @cython.exceptval(check=False)
    def _free(self) -> cython.void:
        # One by one: a chain that is let go of at once is freed by as deep a recursion. What comes
        # behind a place is freed by that.
        block: Block = self.head
        self.closed = True
        self.head = self.tail = None
        while block is not None and block.users == 0:
            block = block.cut()

    @property
    def end_offset(self) -> int:
        """The offset of the next byte."""
        return self.first + self.length

    @property
    def memory(self) -> int:
        """The bytes of its blocks, with what they are kept in."""
        if self.head is None:
            return 0
        return (self.tail.number - self.head.number + 1) * (BLOCK + BLOCK_OVERHEAD)

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def append(self, data: cython.p_const_char, size: cython.Py_ssize_t) -> cython.int:
        """Take the next bytes of the stream."""
        part: cython.Py_ssize_t
        block: Block = self.tail
        while size > 0:
            if block is None or block.used == BLOCK:
                block = self.extend()
            part = min(size, BLOCK - block.used)
            memcpy(block.data + block.used, data, part)
            block.used += part
            self.length += part
            data += part
            size -= part
        if self.length - self.limit > BLOCK:
            self.trim()
        return 0

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def put(self, data: bytes) -> cython.int:
        """Take the next bytes of the stream."""
        return self.append(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    @cython.cfunc
    def extend(self) -> Block:
        block: Block
        if self.tail is None:
            block = Block(self.first + self.length, 1)
            self.head = block
        else:
            block = Block(self.first + self.length, self.tail.number + 1)
            self.tail.following = block
        self.tail = block
        return block

    @cython.ccall
    def resize(self, limit: cython.longlong):
        """Hold so many bytes from now on."""
        self.limit = limit
        self.trim(_MANY)

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def trim(self, most: cython.int = 64) -> cython.int:
        """Let go of what is more than the limit, and of no use to anybody: of so many blocks at
        most, as it takes time to give back much memory.
        """
        head: Block = self.head
        while head is not None and head is not self.tail and head.users == 0 and most > 0:
            most -= 1
            if self.length - head.used < self.limit:
                break
            self.length -= head.used
            self.first += head.used
            # What is being sent may still refer to it, which needs nothing of what follows.
            head = head.cut()
            self.head = head
        return 0

    @cython.ccall
    def since(self, offset: cython.longlong) -> Place | None:
        """The place at an offset; None if the byte there is gone, or not there yet. O(blocks)."""
        block: Block = self.head
        if not self.first <= offset <= self.first + self.length:
            return None
        if block is None:
            block = self.extend()
        while offset > block.start + block.used or (
            offset == block.start + block.used and block.following is not None
        ):
            block = block.following
        return Place(self, block, offset - block.start)

    @cython.ccall
    def end(self) -> Place:
        """The place where the stream goes on."""
        block: Block = self.tail
        if block is None:
            block = self.extend()
        return Place(self, block, block.used)

    @cython.ccall
    def drop(self):
        """Hold nothing any more, and take nothing; places in use keep what they need."""
        self.first += self.length
        self.length = 0
        self._free()


@cython.final
@cython.cclass
class Place:
    """How far somebody has come with a stream; keeps all that follows until :meth:`leave`."""

    def __init__(self, backlog: Backlog, block: Block, at: cython.Py_ssize_t):
        self.backlog = backlog
        self.block = block
        self.at = at
        block.users += 1

    def __dealloc__(self):
        self._step_out()

    @cython.cfunc
    @cython.exceptval(check=False)
    def _step_out(self) -> cython.void:
        block: Block = self.block
        self.block = None
        if block is None:
            return
        block.users -= 1
        while self.backlog.closed and block is not None and block.users == 0:
            block = block.cut()

    @cython.ccall
    def offset(self) -> cython.longlong:
        """The offset of the next byte."""
        return self.block.start + self.at

    @cython.ccall
    def behind(self) -> cython.longlong:
        """How many bytes follow."""
        if self.block is None or self.backlog.tail is None:
            return 0
        return self.backlog.tail.start + self.backlog.tail.used - self.block.start - self.at

    @cython.ccall
    def blocks_behind(self) -> cython.longlong:
        """Blocks that it keeps, the one that it is in included."""
        if self.block is None or self.backlog.tail is None:
            return 0
        return self.backlog.tail.number - self.block.number + 1

    @cython.ccall
    def copy(self) -> Place:
        """The same place, for somebody else."""
        return Place(self.backlog, self.block, self.at)

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def pour(self, output: OutputBuffer, most: cython.int = 64) -> cython.int:
        """Have what follows sent, of at most so many blocks; it is not copied."""
        block: Block = self.block
        following: Block
        while block is not None and most > 0:
            if block.used > self.at:
                output.share(block, block.data + self.at, block.used - self.at)
                self.at = block.used
            following = block.following
            if following is None:
                return 0
            block.users -= 1
            following.users += 1
            if self.backlog.closed and block.users == 0:
                block.cut()
            self.block = block = following
            self.at = 0
            most -= 1
        return block is not None

    @cython.ccall
    def leave(self):
        """Keep nothing any more."""
        self._step_out()


@cython.ccall
@cython.exceptval(check=False)
def held() -> cython.Py_ssize_t:
    """Bytes of all blocks there are, of every stream of this process."""
    return _held

"""Which keys of a table are in which hash slot.

All that is kept of a key is a number: the lower 32 bits of its hash. They tell its bucket in the
table (:meth:`carnelian.datatypes.tables.table.Table.collect_alike`), wherever its entry stands in
memory and however often that or the table's size changes: the index changes with the set of keys
only.

The numbers of a slot are a tree. A leaf is one cell of memory with up to 254 numbers in order; one
that becomes larger is split by the next four bits from above into sixteen, below a branch. Hashes
are spread evenly, so the tree is as even without any balancing, and a slot with nearly all keys of
a database is no worse than others. Numbers in order are a walk that can go on from any of them,
whatever was added or removed meanwhile.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import HASH_SLOTS
from cython.cimports.carnelian.datatypes.base.memory import allocate_zeroed, block_memory, release
from cython.cimports.carnelian.datatypes.base.slabs import capacity, give, retake, take
from cython.cimports.carnelian.datatypes.tables.slot_index import Node
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove, memset

HEADER = cython.declare(cython.Py_ssize_t, 8)
NUMBER = cython.declare(cython.Py_ssize_t, 4)
# Bits of a number, and those that choose a child of a branch.
WIDTH = cython.declare(cython.int, 32)
BITS = cython.declare(cython.int, 4)
CHILDREN = cython.declare(cython.int, 16)
BRANCH_SIZE = cython.declare(cython.Py_ssize_t, 136)
# A leaf has no more numbers than that before it is split, which makes its cell the largest one; a
# branch with fewer than the second becomes a leaf again.
MOST = cython.declare(cython.Py_ssize_t, 254)
FEW = cython.declare(cython.Py_ssize_t, 64)


# -- Nodes ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_branch(node: cython.pointer[Node]) -> cython.bint:
    """Whether there is a branch rather than a leaf or nothing."""
    return node is not cython.NULL and node.room == 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_full(leaf: cython.pointer[Node], shift: cython.int) -> cython.bint:
    """Whether a leaf has to be split. Where no bits are left all its numbers are equal."""
    return leaf is not cython.NULL and leaf.count >= MOST and shift > 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def numbers_of(leaf: cython.pointer[Node]) -> cython.pointer[uint32_t]:
    """The numbers of a leaf."""
    return cython.cast(cython.pointer[uint32_t], leaf + 1)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def child(
    branch: cython.pointer[Node], number: uint64_t, shift: cython.int
) -> cython.pointer[cython.pointer[Node]]:
    """The place of the child for a number, whose bits begin at ``shift``."""
    children: cython.pointer[cython.pointer[Node]] = cython.cast(
        cython.pointer[cython.pointer[Node]], branch + 1
    )
    return children + ((number >> shift) & (CHILDREN - 1))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def position_of(leaf: cython.pointer[Node], number: uint64_t) -> cython.Py_ssize_t:
    """How many numbers of a leaf are below one."""
    numbers: cython.pointer[uint32_t] = numbers_of(leaf)
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = leaf.count
    middle: cython.Py_ssize_t
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remove_at(leaf: cython.pointer[Node], position: cython.Py_ssize_t) -> cython.void:
    """Close the gap where a number was."""
    at: cython.pointer[uint32_t] = numbers_of(leaf) + position
    leaf.count -= 1
    memmove(at, at + 1, (leaf.count - position) * NUMBER)


# -- The index -----------------------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.cclass
class SlotIndex:
    """The numbers of each slot; a number may be there several times."""

    def __cinit__(self):
        self.slots = cython.NULL
        self.bytes = 0
        self.drained = 0

    def __dealloc__(self):
        while not self.drain(HASH_SLOTS):
            pass
        if self.slots is not cython.NULL:
            release(self.slots)

    def memory(self) -> cython.Py_ssize_t:
        """Bytes that the index takes."""
        if self.slots is cython.NULL:
            return 0
        return self.bytes + block_memory(self.slots)

    def count(self, slot):
        """How many numbers a slot has. O(1)"""
        if self.slots is cython.NULL or self.slots[slot] is cython.NULL:
            return 0
        return self.slots[slot].count

    def add(self, slot, number):
        """Add a number to a slot; raises MemoryError, with nothing changed that could be seen."""
        shift: cython.int = WIDTH
        if self.slots is cython.NULL:
            self.slots = cython.cast(
                cython.pointer[cython.pointer[Node]],
                allocate_zeroed(HASH_SLOTS * cython.sizeof(cython.p_void)),
            )
        root: cython.pointer[cython.pointer[Node]] = self.slots + slot
        place: cython.pointer[cython.pointer[Node]] = root
        while is_branch(place[0]) or is_full(place[0], shift):
            shift -= BITS
            if place[0].room:
                self.split(place, shift)
            place = child(place[0], number, shift)
        self.put(place, number)
        shift = WIDTH
        while is_branch(root[0]):
            root[0].count += 1
            shift -= BITS
            root = child(root[0], number, shift)
        return 0

    def discard(self, slot, number):
        """Remove a number from a slot, once, if it is there."""
        if self.slots is cython.NULL:
            return 0
        shift: cython.int = WIDTH
        position: cython.Py_ssize_t
        root: cython.pointer[cython.pointer[Node]] = self.slots + slot
        place: cython.pointer[cython.pointer[Node]] = root
        while is_branch(place[0]):
            shift -= BITS
            place = child(place[0], number, shift)
        if place[0] is cython.NULL:
            return 0
        position = position_of(place[0], number)
        if position == place[0].count or numbers_of(place[0])[position] != number:
            return 0
        remove_at(place[0], position)
        self.shrink(place)
        shift = WIDTH
        while is_branch(root[0]):
            root[0].count -= 1
            if root[0].count < FEW:
                self.merge(root)
            # Still a branch if there was no memory for a leaf.
            if is_branch(root[0]):
                shift -= BITS
                root = child(root[0], number, shift)
        return 0

    def collect(self, slot, first, wanted, numbers, count):
        """Write out up to ``wanted`` different numbers of a slot from ``first`` on, in order.

        Returns where to go on, 0 at the end. O(wanted), and O(1) for each branch on the way.
        """
        leaf: cython.pointer[Node]
        shift: cython.int
        i: cython.Py_ssize_t
        last: uint64_t
        count[0] = 0
        if self.slots is cython.NULL or self.slots[slot] is cython.NULL:
            return 0
        while first >> WIDTH == 0:
            leaf = self.slots[slot]
            shift = WIDTH
            while is_branch(leaf):
                shift -= BITS
                leaf = child(leaf, first, shift)[0]
            last = first | ((cython.cast(uint64_t, 1) << shift) - 1)
            if leaf is not cython.NULL:
                for i in range(position_of(leaf, first), leaf.count):
                    if count[0] and numbers_of(leaf)[i] == numbers[count[0] - 1]:
                        continue
                    if count[0] == wanted:
                        return numbers_of(leaf)[i]
                    numbers[count[0]] = numbers_of(leaf)[i]
                    count[0] += 1
            first = last + 1
        return 0

    def drain(self, nodes):
        """Give back up to so many nodes of an index that nobody uses any more.

        Returns whether none is left.
        """
        if self.slots is cython.NULL:
            return True
        while self.drained < HASH_SLOTS:
            if self.slots[self.drained] is cython.NULL:
                self.drained += 1
                continue
            if nodes <= 0:
                return False
            self.close_one(self.slots + self.drained)
            nodes -= 1
        return True

    # -- Leaves and branches ---------------------------------------------------------------------

    def open_leaf(self, count):
        """An empty leaf with room for so many numbers; raises MemoryError."""
        size: cython.Py_ssize_t = capacity(HEADER + count * NUMBER)
        leaf: cython.pointer[Node] = cython.cast(cython.pointer[Node], take(size))
        leaf.count = 0
        leaf.room = (size - HEADER) // NUMBER
        self.bytes += size
        return leaf

    def close(self, node):
        """Give a node back."""
        size: cython.Py_ssize_t = HEADER + node.room * NUMBER if node.room else BRANCH_SIZE
        self.bytes -= capacity(size)
        give(node, capacity(size))

    def put(self, place, number):
        """Add a number to a leaf, which is made if there is none."""
        position: cython.Py_ssize_t
        at: cython.pointer[uint32_t]
        if place[0] is cython.NULL:
            place[0] = self.open_leaf(1)
        elif place[0].count == place[0].room:
            self.refit(place, place[0].count + 1)
        position = position_of(place[0], number)
        at = numbers_of(place[0]) + position
        memmove(at + 1, at, (place[0].count - position) * NUMBER)
        at[0] = number
        place[0].count += 1
        return 0

    def refit(self, place, count):
        """Give a leaf another cell, with room for so many numbers; raises MemoryError."""
        old: cython.Py_ssize_t = HEADER + place[0].room * NUMBER
        size: cython.Py_ssize_t = capacity(HEADER + count * NUMBER)
        place[0] = cython.cast(cython.pointer[Node], retake(place[0], old, size))
        place[0].room = (size - HEADER) // NUMBER
        self.bytes += size - capacity(old)
        return 0

    def shrink(self, place):
        """Give back what a leaf has too much, or all of an empty one."""
        leaf: cython.pointer[Node] = place[0]
        if leaf.count == 0:
            self.close(leaf)
            place[0] = cython.NULL
        elif leaf.room > leaf.count + 2 + (leaf.count >> 3):
            try:
                self.refit(place, leaf.count)
            except MemoryError:
                return 0  # Room that is kept does no harm.
        return 0

    def split(self, place, shift):
        """Put a branch in the place of a leaf; raises MemoryError, with nothing changed."""
        leaf: cython.pointer[Node] = place[0]
        branch: cython.pointer[Node] = cython.cast(cython.pointer[Node], take(BRANCH_SIZE))
        part: cython.pointer[cython.pointer[Node]]
        start: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t
        memset(branch, 0, BRANCH_SIZE)
        self.bytes += capacity(BRANCH_SIZE)
        try:
            while start < leaf.count:
                part = child(branch, numbers_of(leaf)[start], shift)
                end = start
                while end < leaf.count and child(branch, numbers_of(leaf)[end], shift) == part:
                    end += 1
                part[0] = self.open_leaf(end - start)
                part[0].count = end - start
                memcpy(numbers_of(part[0]), numbers_of(leaf) + start, (end - start) * NUMBER)
                start = end
        except MemoryError:
            while is_branch(branch):
                self.close_one(cython.address(branch))
            raise
        branch.count = leaf.count
        place[0] = branch
        self.close(leaf)
        return 0

    def merge(self, place):
        """Put a leaf in the place of a branch with few numbers, if there is memory."""
        leaf: cython.pointer[Node]
        try:
            leaf = self.open_leaf(FEW)
        except MemoryError:
            return 0
        self.gather(place[0], leaf)
        place[0] = leaf
        return self.shrink(place)

    def gather(self, node, leaf):
        """Move all numbers below a node into a leaf with room for them."""
        i: cython.int
        if node is cython.NULL:
            return
        if is_branch(node):
            for i in range(CHILDREN):
                self.gather(child(node, i, 0)[0], leaf)
        else:
            memcpy(numbers_of(leaf) + leaf.count, numbers_of(node), node.count * NUMBER)
            leaf.count += node.count
        self.close(node)

    def close_one(self, place):
        """Give back one leaf below a place, or a branch without any."""
        node: cython.pointer[Node] = place[0]
        i: cython.int = 0
        while is_branch(node):
            while i < CHILDREN and child(node, i, 0)[0] is cython.NULL:
                i += 1
            if i == CHILDREN:
                break
            place = child(node, i, 0)
            node = place[0]
            i = 0
        self.close(node)
        place[0] = cython.NULL

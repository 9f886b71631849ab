"""The array: elements by indexes of 64 bits, in slices of some thousand neighbouring ones.

An integer, a fraction or a text of up to seven bytes takes 8 bytes where elements stand close
together, and 10 where they do not; a longer text its own length in addition, and one for that. A
slice takes 32 bytes besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.arrays import slice_index
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST, UNSET, Kept
from cython.cimports.carnelian.datatypes.arrays.array_slices import (
    Rules,
    Slice,
    SlicePointer,
    close_place,
    close_run,
    copy_of,
    free_slice,
    last_offset,
    new_slice,
    open_place,
    open_run,
    settle,
    slice_memory,
    texts_of,
    word_at,
)
from cython.cimports.carnelian.datatypes.arrays.array_walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.datatypes.arrays.slice_index import (
    Place,
    Seat,
    SeatPointer,
    free_index,
    home_of,
    index_memory,
    last_seat,
    seat_at,
)
from cython.cimports.carnelian.datatypes.arrays.words import bytes_of, drop, heap_memory, word_of
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.tables.table import Keeper
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memset

if TYPE_CHECKING:
    from carnelian.datatypes.base.digest import Digest


# Bytes of the Python object.
SHELL = cython.declare(cython.Py_ssize_t, 112)
# What one step of freeing gives back.
SLICES_PER_STEP = cython.declare(cython.Py_ssize_t, 4)
# Bytes of the shortest text that does not fit a word.
LEAST_TEXT = cython.declare(cython.Py_ssize_t, 16)
# Elements that are taken out at a time for a digest.
DIGESTED = cython.declare(cython.Py_ssize_t, 1024)
MOST_VERSIONS = cython.declare(cython.int, 65535)
# Bounds of array-slice-size.
LEAST_BITS = cython.declare(cython.int, 8)
MOST_BITS = cython.declare(cython.int, 16)


@cython.final
@cython.no_gc
@cython.cclass
class Array(Value):
    """Texts at indexes from 0 to 2**64 - 2, most of which may be free.

    ``cursor`` is where was appended last. Mutators take the directives that decide on the form of
    slices, and a new array its size of them.
    """

    type_name = b"array"

    def __cinit__(self):
        self.count = 0
        self.length = 0
        self.cursor = UNSET
        self.texts = 0
        self.version = 0
        self.keeper: Keeper | None = None
        self.near = cython.NULL
        self.shift = LEAST_BITS
        memset(cython.address(self.index), 0, cython.sizeof(self.index))
        count_memory(SHELL)

    def __init__(self, limits: Limits):
        while self.shift < MOST_BITS and (1 << self.shift) < limits.array_slice_size:
            self.shift += 1

    def __dealloc__(self):
        self.drain(self.index.slices)
        count_memory(-SHELL)

    # -- As a value ------------------------------------------------------------------------------

    def has_newer_form(self) -> cython.bint:
        """Redis before 8.8 has no arrays."""
        return True

    def encoding(self):
        """There is one form, whatever that of the slices is."""
        return b"sliced-array"

    def size(self):
        """How many elements there are."""
        return self.count

    def memory(self):
        """Bytes held. O(slices)."""
        held: cython.Py_ssize_t = SHELL + self.texts + index_memory(cython.address(self.index))
        place = cython.declare(Place)
        more: cython.bint = slice_index.seek(
            cython.address(self.index), 0, True, cython.address(place)
        )
        while more:
            held += slice_memory(seat_at(cython.address(self.index), cython.address(place)).slice)
            more = slice_index.step(cython.address(self.index), True, cython.address(place))
        return held

    def free_effort(self):
        """The number of slices, and of texts with cells of their own at worst."""
        if self.texts == 0:
            return self.index.slices + 1
        return self.index.slices + self.texts // LEAST_TEXT + 1

    def free_some(self) -> cython.bint:
        """Free some of an array that nobody uses any more; returns whether more is left."""
        return self.keeper is None and self.drain(SLICES_PER_STEP)

    def copy(self):
        """Another array of the same elements, with the same cursor."""
        twin: Array = Array(Limits())
        place = cython.declare(Place)
        seat: SeatPointer
        slice: SlicePointer
        more: cython.bint = slice_index.seek(
            cython.address(self.index), 0, True, cython.address(place)
        )
        twin.shift = self.shift
        while more:
            seat = seat_at(cython.address(self.index), cython.address(place))
            slice = copy_of(seat.slice)
            try:
                slice_index.insert(cython.address(twin.index), seat.number, slice)
            except MemoryError:
                free_slice(slice)
                raise
            twin.texts += texts_of(slice)
            twin.count += slice.count
            more = slice_index.step(cython.address(self.index), True, cython.address(place))
        twin.length = self.length
        twin.cursor = self.cursor
        return twin

    def digest(self, digest: Digest) -> None:
        """Take the elements in with their indexes, and the cursor (DEBUG DIGEST)."""
        start: uint64_t = 0
        while start < self.length:
            for index, text in self.items(start, HIGHEST, DIGESTED):
                digest.chain(str(index).encode())
                digest.chain(text)
                start = index
            start += 1
        digest.chain(str(self.cursor).encode())

    def items(self, start: uint64_t, end: uint64_t, most: cython.Py_ssize_t) -> list:
        """Up to so many elements from an index to another, which may be below it: index and text.

        O(elements)
        """
        walk = cython.declare(Walk)
        index: uint64_t = 0
        word: uint64_t = 0
        found: list = []
        begin_walk(cython.address(walk), cython.address(self.index), self.shift, start, end)
        while most > 0 and walk_on(
            cython.address(walk), cython.address(index), cython.address(word)
        ):
            found.append((index, bytes_of(word)))
            most -= 1
        return found

    def __len__(self) -> int:
        return self.count

    # -- Elements --------------------------------------------------------------------------------

    def get(self, index: uint64_t) -> bytes | None:
        """The element of an index; None if there is none. O(log slices)."""
        return bytes_of(self.word(index))

    def word(self, index: uint64_t) -> uint64_t:
        """The same as the word that it is, 0 if there is none."""
        seat: cython.pointer[Seat] = self.seat(index >> self.shift)
        if seat is cython.NULL:
            return 0
        return word_at(seat.slice, cython.cast(uint32_t, index - (seat.number << self.shift)))

    def set(self, limits: Limits, index: uint64_t, text: bytes) -> cython.bint:
        """Put an element at an index up to HIGHEST; returns whether that was free."""
        return self.set_word(
            limits, index, word_of(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        )

    def set_word(self, limits: Limits, index: uint64_t, word: uint64_t) -> cython.bint:
        """Put a word, which is taken over in any case, at an index."""
        rules: Rules = self.rules(limits)
        seat: cython.pointer[Seat]
        try:
            seat = self.own_seat(index >> self.shift, limits, index)
            return self.put_word(seat, cython.address(rules), index, word)
        except MemoryError:
            drop(word)
            self.forsake(index >> self.shift)
            raise

    def set_run(
        self, limits: Limits, index: uint64_t, texts: list, start: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Put the texts from ``start`` on at an index and those that follow, up to HIGHEST.

        Returns how many places were free.
        """
        rules: Rules = self.rules(limits)
        before: uint64_t = self.count
        size: uint64_t = cython.cast(uint64_t, 1) << self.shift
        end: cython.Py_ssize_t
        i: cython.Py_ssize_t = start
        offset: uint64_t
        seat: cython.pointer[Seat]
        while i < len(texts):
            seat = self.own_seat(index >> self.shift, limits, index)
            offset = index & (size - 1)
            end = i + cython.cast(
                cython.Py_ssize_t, min(size - offset, cython.cast(uint64_t, len(texts) - i))
            )
            try:
                if end - i > 1:
                    open_run(
                        home_of(seat),
                        cython.cast(uint32_t, offset),
                        cython.cast(uint32_t, offset + (end - i) - 1),
                        cython.address(rules),
                    )
                while i < end:
                    self.put_text(seat, cython.address(rules), index, texts[i])
                    index += 1
                    i += 1
            except MemoryError:
                self.forsake(index >> self.shift)
                raise
        return cython.cast(cython.Py_ssize_t, self.count - before)

    def remove(self, limits: Limits, index: uint64_t) -> cython.bint:
        """Take an element out; returns whether there was one."""
        rules: Rules = self.rules(limits)
        number: uint64_t = index >> self.shift
        offset: uint32_t = cython.cast(uint32_t, index - (number << self.shift))
        seat: cython.pointer[Seat] = self.seat(number)
        word: uint64_t
        if seat is cython.NULL or word_at(seat.slice, offset) == 0:
            return False
        self.keep(seat)
        word = close_place(seat.slice, offset)
        self.texts -= heap_memory(word)
        drop(word)
        self.count -= 1
        if seat.slice.count == 0:
            self.close(number)
        else:
            settle(home_of(seat), cython.address(rules))
        if index + 1 == self.length:
            self.find_length()
        return True

    def remove_range(self, limits: Limits, low: uint64_t, high: uint64_t) -> uint64_t:
        """Take out the elements of all indexes from one to another, not below it.

        O(elements and slices of them), returns how many.
        """
        rules: Rules = self.rules(limits)
        place = cython.declare(Place)
        seat: cython.pointer[Seat]
        base: uint64_t
        last: uint64_t = (cython.cast(uint64_t, 1) << self.shift) - 1
        removed: uint64_t = 0
        more: cython.bint = slice_index.seek(
            cython.address(self.index), low >> self.shift, True, cython.address(place)
        )
        while more:
            seat = seat_at(cython.address(self.index), cython.address(place))
            base = seat.number << self.shift
            if base > high:
                break
            self.keep(seat)
            removed += close_run(
                seat.slice,
                cython.cast(uint32_t, low - base if low > base else 0),
                cython.cast(uint32_t, min(high - base, last)),
                cython.address(self.texts),
            )
            if seat.slice.count == 0:
                free_slice(seat.slice)
                slice_index.remove(cython.address(self.index), cython.address(place))
                more = place.shelf < self.index.count
            else:
                settle(home_of(seat), cython.address(rules))
                more = slice_index.step(cython.address(self.index), True, cython.address(place))
        self.near = cython.NULL
        self.count -= removed
        if removed and high + 1 >= self.length:
            self.find_length()
        return removed

    def become(self, other: Array) -> cython.int:
        """Take the content of another array, which is empty then, for the own one. O(elements)."""
        place = cython.declare(Place)
        more: cython.bint = self.keeper is not None and slice_index.seek(
            cython.address(self.index), 0, True, cython.address(place)
        )
        while more:
            self.keep(seat_at(cython.address(self.index), cython.address(place)))
            more = slice_index.step(cython.address(self.index), True, cython.address(place))
        self.drain(self.index.slices)
        memcpy(cython.address(self.index), cython.address(other.index), cython.sizeof(other.index))
        self.count = other.count
        self.length = other.length
        self.cursor = other.cursor
        self.texts = other.texts
        self.shift = other.shift
        memset(cython.address(other.index), 0, cython.sizeof(other.index))
        other.count = other.length = 0
        other.texts = 0
        more = slice_index.seek(cython.address(self.index), 0, True, cython.address(place))
        while more:
            seat_at(cython.address(self.index), cython.address(place)).slice.version = self.version
            more = slice_index.step(cython.address(self.index), True, cython.address(place))
        return 0

    def figures(self) -> dict[bytes, object]:
        """What ARINFO tells of the slices, with FULL. O(slices)."""
        place = cython.declare(Place)
        slice: SlicePointer
        dense: cython.Py_ssize_t = 0
        window: cython.double = 0
        filled: cython.double = 0
        room: cython.double = 0
        sparse: cython.Py_ssize_t
        more: cython.bint = slice_index.seek(
            cython.address(self.index), 0, True, cython.address(place)
        )
        while more:
            slice = seat_at(cython.address(self.index), cython.address(place)).slice
            if slice.dense:
                dense += 1
                window += slice.room
                filled += slice.count
            else:
                room += slice.room
            more = slice_index.step(cython.address(self.index), True, cython.address(place))
        sparse = self.index.slices - dense
        return {
            b"dense-slices": dense,
            b"sparse-slices": sparse,
            b"avg-dense-size": window / dense if dense else 0.0,
            b"avg-dense-fill": filled / window if dense else 0.0,
            b"avg-sparse-size": room / sparse if sparse else 0.0,
        }

    @property
    def slices(self) -> int:
        """How many slices there are."""
        return self.index.slices

    @property
    def slice_size(self) -> int:
        """How many indexes belong to a slice."""
        return 1 << self.shift

    @property
    def leaves(self) -> int:
        """How many leaves the index of the slices has."""
        return self.index.count

    # -- Versions --------------------------------------------------------------------------------

    def begin_version(self, keeper: Keeper) -> cython.int:
        """Hand each slice over to a keeper before it changes, once."""
        place = cython.declare(Place)
        more: cython.bint
        if self.version == MOST_VERSIONS:
            # Slices that were not handed out long ago would seem to be of the new version.
            more = slice_index.seek(cython.address(self.index), 0, True, cython.address(place))
            while more:
                seat_at(cython.address(self.index), cython.address(place)).slice.version = 0
                more = slice_index.step(cython.address(self.index), True, cython.address(place))
            self.version = 0
        self.version += 1
        self.keeper = keeper
        return 0

    def end_version(self) -> cython.int:
        """Change slices freely again."""
        self.keeper = None
        return 0

    def keep(self, seat: cython.pointer[Seat]) -> cython.int:
        """Hand a slice over that is about to change or to go, if it is still to be."""
        kept = cython.declare(Kept)
        if self.keeper is not None and seat.slice.version != self.version:
            kept.base = seat.number << self.shift
            kept.slice = seat.slice
            self.keeper.keep_block(0, cython.address(kept), 0, 0, False)
            seat.slice.version = self.version
        return 0

    # -- Slices ----------------------------------------------------------------------------------

    def rules(self, limits: Limits) -> Rules:
        """What slices go by."""
        rules = cython.declare(Rules)
        rules.size = cython.cast(uint32_t, 1) << self.shift
        rules.kmax = cython.cast(uint32_t, limits.array_sparse_kmax)
        rules.kmin = cython.cast(uint32_t, limits.array_sparse_kmin)
        return rules

    def seat(self, number: uint64_t) -> cython.pointer[Seat]:
        """The seat of a slice; NULL if there is none. O(1) for the one that was asked for last."""
        near: SeatPointer = self.near
        if near is cython.NULL or near.number != number:
            near = slice_index.find(cython.address(self.index), number)
            self.near = near
        return near

    def own_seat(self, number: uint64_t, limits: Limits, index: uint64_t) -> cython.pointer[Seat]:
        """The seat of a slice that is about to change; one without elements if there is none."""
        seat: cython.pointer[Seat] = self.seat(number)
        slice: cython.pointer[Slice]
        rules: Rules
        if seat is not cython.NULL:
            self.keep(seat)
            return seat
        rules = self.rules(limits)
        slice = new_slice(
            cython.cast(uint32_t, index - (number << self.shift)),
            cython.address(rules),
            self.version,
        )
        try:
            self.near = slice_index.insert(cython.address(self.index), number, slice)
        except MemoryError:
            free_slice(slice)
            raise
        return self.near

    def put_word(
        self,
        seat: cython.pointer[Seat],
        rules: cython.pointer[Rules],
        index: uint64_t,
        word: uint64_t,
    ) -> cython.bint:
        """Put a word into a slice; returns whether the place was free."""
        place: cython.pointer[uint64_t] = open_place(
            home_of(seat),
            cython.cast(uint32_t, index - (seat.number << self.shift)),
            rules,
        )
        old: uint64_t = place[0]
        place[0] = word
        self.texts += heap_memory(word)
        if old:
            self.texts -= heap_memory(old)
            drop(old)
            return False
        self.count += 1
        if index >= self.length:
            self.length = index + 1
        return True

    def put_text(
        self, seat: cython.pointer[Seat], rules: cython.pointer[Rules], index: uint64_t, text: bytes
    ) -> cython.int:
        """Put a text into a slice."""
        word: uint64_t = word_of(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        try:
            self.put_word(seat, rules, index, word)
        except MemoryError:
            drop(word)
            raise
        return 0

    def forsake(self, number: uint64_t) -> cython.int:
        """Give up a slice if it has no elements, because there was no memory for the first."""
        seat: cython.pointer[Seat] = self.seat(number)
        if seat is not cython.NULL and seat.slice.count == 0:
            self.close(number)
        return 0

    def close(self, number: uint64_t) -> cython.int:
        """Give up a slice without elements."""
        place = cython.declare(Place)
        slice_index.seek(cython.address(self.index), number, True, cython.address(place))
        free_slice(seat_at(cython.address(self.index), cython.address(place)).slice)
        slice_index.remove(cython.address(self.index), cython.address(place))
        self.near = cython.NULL
        return 0

    def find_length(self) -> cython.int:
        """Look for the highest index that is left."""
        seat: cython.pointer[Seat] = last_seat(cython.address(self.index))
        if seat is cython.NULL:
            self.length = 0
        else:
            self.length = (seat.number << self.shift) + last_offset(seat.slice) + 1
        return 0

    def drain(self, slices: cython.Py_ssize_t) -> cython.bint:
        """Give the last slices back, so many of them; returns whether more are left."""
        place = cython.declare(Place)
        seat: cython.pointer[Seat]
        self.near = cython.NULL
        while slices > 0 and self.index.slices:
            slices -= 1
            seat = last_seat(cython.address(self.index))
            free_slice(seat.slice)
            place.shelf = self.index.count - 1
            place.seat = self.index.shelves[place.shelf].leaf.count - 1
            slice_index.remove(cython.address(self.index), cython.address(place))
        if self.index.slices == 0:
            free_index(cython.address(self.index))
            self.count = self.length = 0
            self.texts = 0
        return self.index.slices != 0

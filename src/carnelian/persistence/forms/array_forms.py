"""Arrays in files: how many elements, where was appended last, and each with its index.

An element is an integer or a double of eight bytes, or a text, behind a number that says which.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.arrays import slice_index
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST, UNSET, Array, Kept
from cython.cimports.carnelian.datatypes.arrays.array_slices import (
    SlicePointer,
    offset_at,
    places_of,
    words_of,
)
from cython.cimports.carnelian.datatypes.arrays.array_walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.datatypes.arrays.slice_index import Place, SeatPointer, seat_at
from cython.cimports.carnelian.datatypes.arrays.words import (
    FRACTION,
    INTEGER,
    SCRATCH,
    SHORT,
    bytes_of,
    double_of,
    integer_of,
    kind_of,
    text_of,
    word_of_double,
    word_of_integer,
    word_of_text,
)
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import ITEMS, CommandFile
from cython.cimports.carnelian.persistence.bytes.formats import ARRAY, WITH_ARRAYS
from cython.cimports.carnelian.persistence.bytes.frozen import Freezing, Frozen
from cython.cimports.carnelian.persistence.forms.array_forms import (
    DECIMAL,
    LONG_TEXT,
    SHORT_FORM,
    WHOLE,
)
from cython.cimports.carnelian.persistence.forms.directory import register
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy

from carnelian.persistence.bytes.file_errors import Corrupt, EmptyValue

# Slices that are handed out before the time is looked at.
SLICES = cython.declare(cython.Py_ssize_t, 2)


@cython.final
@cython.cclass
class ArrayForm(Form):
    """Of arrays."""

    def type_of(self, value, version):
        """The only one."""
        return ARRAY

    def put(self, sink, value):
        """All elements in their order."""
        walk = cython.declare(Walk)
        index: uint64_t = 0
        word: uint64_t = 0
        put_head(sink, cython.cast(Array, value).count, cython.cast(Array, value).cursor)
        begin_walk(
            cython.address(walk),
            cython.address(cython.cast(Array, value).index),
            cython.cast(Array, value).shift,
            0,
            HIGHEST,
        )
        while walk_on(cython.address(walk), cython.address(index), cython.address(word)):
            put_element(sink, index, word)
        return 0

    def needed_version(self, value, quickly):
        """The one that arrays came with."""
        return WITH_ARRAYS

    def read(self, source, type, limits, thorough):
        """Elements in any order."""
        count: uint64_t = source.read_length()
        made: Array = Array(limits)
        index: uint64_t
        if count == 0:
            raise EmptyValue("Array")
        if source.read_length():
            made.cursor = source.read_length()
            if made.cursor > HIGHEST:
                raise Corrupt("Array insert index out of range")
        while count > 0:
            count -= 1
            index = source.read_length()
            if index > HIGHEST:
                raise Corrupt("Array index out of range")
            if not made.set_word(limits, index, read_element(source)):
                raise Corrupt("Duplicate array index detected")
        return made

    def freeze(self, freezer, index, value):
        """Slice by slice, if it has many elements."""
        array: Array = value
        if array.count < freezer.big:
            return None
        frozen: FrozenArray = FrozenArray(freezer, index, array)
        array.begin_version(frozen)
        return frozen

    def rewrite(self, commands, key, value):
        """Elements in pieces, then where was appended last."""
        walk = cython.declare(Walk)
        index: uint64_t = 0
        word: uint64_t = 0
        words: list = []
        array: Array = value
        begin_walk(cython.address(walk), cython.address(array.index), array.shift, 0, HIGHEST)
        while walk_on(cython.address(walk), cython.address(index), cython.address(word)):
            words.append(decimal(index))
            words.append(bytes_of(word))
            if len(words) == 2 * ITEMS:
                commands.put([b"ARMSET", key, *words])
                words = []
        if words:
            commands.put([b"ARMSET", key, *words])
        return put_seek(commands, key, array.cursor)


register(Array, ArrayForm(), (ARRAY,))


@cython.cfunc
def decimal(number: uint64_t) -> bytes:
    """The decimal text of an index."""
    return str(number).encode()


@cython.cfunc
@cython.exceptval(-1)
def put_seek(commands: CommandFile, key: bytes, cursor: uint64_t) -> cython.int:
    """Write the command that says where is to be appended, if it was said."""
    if cursor == UNSET:
        return 0
    return commands.put([b"ARSEEK", key, decimal(cursor + 1)])


@cython.cfunc
@cython.exceptval(-1)
def put_head(sink: Sink, count: uint64_t, cursor: uint64_t) -> cython.int:
    """Write what comes before the elements."""
    sink.put_length(count)
    if cursor == UNSET:
        return sink.put_length(0)
    sink.put_length(1)
    return sink.put_length(cursor)


@cython.cfunc
@cython.exceptval(-1)
def put_element(sink: Sink, index: uint64_t, word: uint64_t) -> cython.int:
    """Write an element."""
    scratch = cython.declare(cython.char[SCRATCH])
    length: cython.Py_ssize_t = 0
    number: cython.double
    bits: int64_t = 0
    kind: cython.int = kind_of(word)
    text: cython.p_const_char
    sink.put_length(index)
    if kind == INTEGER:
        sink.put_length(WHOLE)
        return sink.put_word(integer_of(word))
    if kind == FRACTION:
        number = double_of(word)
        memcpy(cython.address(bits), cython.address(number), 8)
        sink.put_length(DECIMAL)
        return sink.put_word(bits)
    sink.put_length(SHORT_FORM if kind == SHORT else LONG_TEXT)
    text = text_of(word, scratch, cython.address(length))
    return sink.put_text(text, length)


@cython.cfunc
@cython.exceptval(0)
def read_element(source: Source) -> uint64_t:
    """An element as a word."""
    length: cython.Py_ssize_t = 0
    kind: uint64_t = source.read_length()
    text: cython.p_const_char
    if kind == WHOLE:
        return word_of_integer(source.read_word())
    if kind == DECIMAL:
        return word_of_double(source.read_double())
    if kind != SHORT_FORM and kind != LONG_TEXT:
        raise Corrupt("Unknown array element type")
    text = source.read_text(cython.address(length))
    return word_of_text(text, length)


# -- In parts --------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class FrozenArray(Frozen):
    """The slices of a big array; each is a part."""

    def __init__(self, freezer: Freezing, index: cython.int, array: Array):
        self.freezer = freezer
        self.index = index
        self.array = array
        self.count = array.count
        self.cursor = array.cursor
        self.next = 0
        self.begun = False
        self.record: Any = None

    def walk(self):
        """Hand out some slices that have not changed."""
        place = cython.declare(Place)
        seat: SeatPointer
        left: cython.Py_ssize_t = SLICES
        more: cython.bint = slice_index.seek(
            cython.address(self.array.index), self.next, True, cython.address(place)
        )
        while more:
            if left == 0:
                if self.freezer.late():
                    return False
                left = SLICES
            left -= 1
            seat = seat_at(cython.address(self.array.index), cython.address(place))
            self.array.keep(seat)
            if self.freezer.fault is not None:
                return True
            self.next = seat.number + 1
            more = slice_index.step(cython.address(self.array.index), True, cython.address(place))
        return True

    def keep_block(self, number, data, size, stream, plain):
        """Hand out a slice."""
        if self.freezer.fault is None:
            try:
                self.freezer.output.put_part(self, data)
            except Exception as fault:
                self.freezer.fault = fault
        return 0

    def finish(self, complete):
        """Let the array go on unobserved."""
        self.array.end_version()
        if cython.cast(cython.pointer[PyObject], self.array).ob_refcnt == 1:
            # It was dropped meanwhile, and is freed in steps.
            self.freezer.keyspace.trash.add_value(self.array)
        self.array = None
        return 0

    def type_of(self, version):
        """As that of a whole array."""
        return ARRAY

    def put_head(self, record):
        """Write the number of elements, and where was appended."""
        return put_head(record, self.count, self.cursor)

    def put_part(self, record, compressing, part):
        """Write the elements of a slice."""
        kept: cython.pointer[cython.const[Kept]] = cython.cast(
            cython.pointer[cython.const[Kept]], part
        )
        slice: SlicePointer = kept.slice
        at: cython.Py_ssize_t
        for at in range(places_of(slice)):
            if words_of(slice)[at]:
                put_element(record, kept.base + offset_at(slice, at), words_of(slice)[at])
        return 0

    def rewrite_part(self, commands, key, part):
        """Write the commands that add a slice, and once where is to be appended."""
        kept: cython.pointer[cython.const[Kept]] = cython.cast(
            cython.pointer[cython.const[Kept]], part
        )
        slice: SlicePointer = kept.slice
        words: list = []
        at: cython.Py_ssize_t
        for at in range(places_of(slice)):
            if words_of(slice)[at]:
                words.append(decimal(kept.base + offset_at(slice, at)))
                words.append(bytes_of(words_of(slice)[at]))
                if len(words) == 2 * ITEMS:
                    commands.put([b"ARMSET", key, *words])
                    words = []
        if words:
            commands.put([b"ARMSET", key, *words])
        if not self.begun:
            self.begun = True
            put_seek(commands, key, self.cursor)
        return 0

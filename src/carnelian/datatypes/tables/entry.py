"""An entry of a table: one block of raw memory with the key, the value and what belongs to both.

Where a value is a reference to a Python object the block owns it; the counts that keep it alive
are kept here, by hand, because no collector knows these blocks.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.bytes_object import PyBytesObject
from cython.cimports.carnelian.datatypes.base.memory import bytes_object_size, count
from cython.cimports.carnelian.datatypes.base.slabs import cell_size, give, take
from cython.cimports.carnelian.datatypes.base.string import (
    StringBuffer,
    format_integer,
    new_buffer,
    parse_integer,
)
from cython.cimports.carnelian.datatypes.tables.entry import (
    BUFFER,
    BYTES,
    CLOCK_MASK,
    EXPIRES,
    INLINE,
    INLINE_LIMIT,
    INTEGER,
    LONG_KEY,
    MODIFIED,
    OBJECT,
    Content,
    Entry,
    expires,
    key_length,
    key_of,
    reference_of,
    set_expiry_of,
    value_of,
    word_of,
)
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF, Py_REFCNT, Py_XDECREF
from cython.cimports.libc.stdint import int64_t, uint32_t
from cython.cimports.libc.string import memcpy, memmove, memset

HEADER = cython.declare(cython.Py_ssize_t, 8)
WORD = cython.declare(cython.Py_ssize_t, 8)
# Up to this length, copying a string takes less time and memory than the copy of a page.
COPY_LIMIT = cython.declare(cython.Py_ssize_t, 32 * 1024)

_shared = cython.declare(cython.bint, False)

# Short texts that were made last, one for each remainder of their length.
SPARES = cython.declare(cython.Py_ssize_t, 64)
_spares = cython.declare(cython.p_void[64])


# -- Blocks --------------------------------------------------------------------------------------


def block_size(key_length, expires, content):
    """Bytes of a block with such a key and value."""
    size: cython.Py_ssize_t = HEADER + key_length + content.length + content.zeros
    if expires:
        size += WORD
    if key_length >= LONG_KEY:
        size += 4
    return size


def build(key, length, clock, expiry, content):
    """A new block; an ``expiry`` below zero stands for none. Raises MemoryError."""
    size: cython.Py_ssize_t = block_size(length, expiry >= 0, content)
    entry: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], take(size))
    at: cython.p_char = cython.cast(cython.p_char, entry) + HEADER
    entry.access = clock & CLOCK_MASK
    if expiry >= 0:
        entry.access |= EXPIRES
        set_expiry_of(entry, expiry)
        at += WORD
    if length >= LONG_KEY:
        entry.short_length = LONG_KEY
        long_length: uint32_t = length
        memcpy(at, cython.address(long_length), 4)
        at += 4
    else:
        entry.short_length = length
    memcpy(at, key, length)
    fill(entry, content)
    return entry


def fill(entry, content):
    """Write a value that fits the block. The data may be the very value that stands there."""
    value: cython.p_char = value_of(entry)
    entry.kind = content.kind
    entry.access = (entry.access & ~cython.cast(uint32_t, MODIFIED)) | content.flags
    entry.length = content.length + content.zeros
    memmove(value, content.data, content.length)
    if content.zeros:
        memset(value + content.length, 0, content.zeros)


def size_of(entry):
    """Bytes of the block; its cell is the one for this size at any time."""
    return (WORD if expires(entry) else 0) + HEADER + payload_size(entry)


def fits(entry, size):
    """Whether a block of ``size`` bytes would take a cell of the same size as ``entry`` has."""
    return cell_size(size) == cell_size(size_of(entry))


def free_block(entry):
    """Give the block back; a reference in it is not given up."""
    give(entry, size_of(entry))


def with_expiry(entry, expiry):
    """The same entry with room for an expiry, in a new block; the old one is given back."""
    head: cython.Py_ssize_t = HEADER
    size: cython.Py_ssize_t = payload_size(entry)
    fresh: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], take(head + WORD + size))
    fresh[0] = entry[0]
    fresh.access |= EXPIRES
    set_expiry_of(fresh, expiry)
    memcpy(
        cython.cast(cython.p_char, fresh) + head + WORD,
        cython.cast(cython.p_char, entry) + head,
        size,
    )
    free_block(entry)
    return fresh


def without_expiry(entry):
    """The same entry without the room for an expiry, in a new block; the old one is given back."""
    head: cython.Py_ssize_t = HEADER
    size: cython.Py_ssize_t = payload_size(entry)
    fresh: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], take(head + size))
    fresh[0] = entry[0]
    fresh.access &= ~cython.cast(uint32_t, EXPIRES)
    memcpy(
        cython.cast(cython.p_char, fresh) + head,
        cython.cast(cython.p_char, entry) + head + WORD,
        size,
    )
    free_block(entry)
    return fresh


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def payload_size(entry: cython.pointer[cython.const[Entry]]) -> cython.Py_ssize_t:
    """Bytes of the key, its length field and the value."""
    size: cython.Py_ssize_t = key_length(entry)
    if entry.short_length == LONG_KEY:
        size += 4
    return size + (entry.length if entry.kind == INLINE else WORD)


# -- Values on the way in ------------------------------------------------------------------------


def describe_bytes(text, content):
    """A string as it is kept best: an integer, inline, or the object itself, then held."""
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    if length <= 20 and parse_integer(
        PyBytes_AS_STRING(text), length, cython.address(content.word)
    ):
        return describe_integer(content.word, content)
    return describe_text(text, content)


def describe_text(text, content):
    """A string as it is, even if it is the text of an integer."""
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    data: cython.p_char = PyBytes_AS_STRING(text)
    content.flags = 0
    content.zeros = 0
    if length <= INLINE_LIMIT:
        content.kind = INLINE
        content.length = length
        content.data = data
        return 0
    describe_reference(BYTES, text, content)
    count(bytes_object_size(length))
    return 0


def describe_integer(number, content):
    """An integer."""
    content.kind = INTEGER
    content.flags = 0
    content.length = WORD
    content.zeros = 0
    content.word = number
    content.data = cython.cast(cython.p_char, cython.address(content.word))
    return 0


def describe_object(value, content):
    """A collection, then held."""
    describe_reference(OBJECT, value, content)
    return 0


def describe_zeros(data, length, total, content):
    """A string that may be changed in place: ``length`` bytes, then zeros up to ``total``."""
    if total <= INLINE_LIMIT:
        content.kind = INLINE
        content.flags = MODIFIED
        content.length = length
        content.zeros = total - length
        content.data = data
        return 0
    describe_reference(BUFFER, new_buffer(data, length, total), content)
    content.flags = MODIFIED
    return 0


def describe_entry(entry, content):
    """The value of ``entry`` as it stands, to be moved to another block with its reference."""
    content.kind = entry.kind
    content.flags = entry.access & MODIFIED
    content.zeros = 0
    if entry.kind == INLINE:
        content.length = entry.length
        content.data = value_of(entry)
        return 0
    content.length = WORD
    content.word = word_of(entry)
    content.data = cython.cast(cython.p_char, cython.address(content.word))
    return 0


def describe_copy(entry, content):
    """The value of ``entry`` for another key, sharing nothing that may change."""
    describe_entry(entry, content)
    if entry.kind == BYTES:
        text: bytes = cython.cast(bytes, reference_of(entry))
        Py_INCREF(text)
        count(bytes_object_size(PyBytes_GET_SIZE(text)))
    elif entry.kind == BUFFER or entry.kind == OBJECT:
        describe_reference(entry.kind, cython.cast(object, reference_of(entry)).copy(), content)
        content.flags = entry.access & MODIFIED
    return 0


@cython.cfunc
def describe_reference(kind: cython.int, value: object, content: cython.pointer[Content]):
    """A reference to an object, owned by the content from now on."""
    Py_INCREF(value)
    content.kind = kind
    content.flags = 0
    content.length = WORD
    content.zeros = 0
    content.word = cython.cast(int64_t, cython.cast(cython.pointer[PyObject], value))
    content.data = cython.cast(cython.p_char, cython.address(content.word))


# -- Values on the way out -----------------------------------------------------------------------


def share_memory(shared: cython.bint) -> None:
    """Tell whether a child process shares the memory of this one.

    A reference to a string is written into the string, and so makes the kernel copy a page. While
    memory is shared, strings are copied instead, as long as that is cheaper.
    """
    global _shared
    _shared = shared


def read_value(entry):
    """The value: ``bytes`` for every kind of string, the object itself for a collection."""
    digits = cython.declare(cython.char[24])
    if entry.kind == INLINE:
        return short_text(value_of(entry), entry.length)
    if entry.kind == INTEGER:
        return PyBytes_FromStringAndSize(digits, format_integer(word_of(entry), digits))
    if _shared and entry.kind == BYTES:
        return copy_of(reference_of(entry))
    value: object = cython.cast(object, reference_of(entry))
    if entry.kind == BUFFER:
        return cython.cast(StringBuffer, value).value()
    return value


@cython.cfunc
@cython.inline
def short_text(text: cython.p_const_char, length: cython.Py_ssize_t):
    """A ``bytes`` of this content: the last one of that length, if nobody has it any more, as is so
    where it was a reply that has been written.
    """
    place: cython.Py_ssize_t = length & (SPARES - 1)
    spare: cython.pointer[PyObject] = cython.cast(cython.pointer[PyObject], _spares[place])
    if (
        spare != cython.NULL
        and PyBytes_GET_SIZE(cython.cast(bytes, spare)) == length
        and Py_REFCNT(cython.cast(object, spare)) == 1
    ):
        memcpy(PyBytes_AS_STRING(cython.cast(bytes, spare)), text, length)
        cython.cast(cython.pointer[PyBytesObject], spare).ob_shash = -1
        return cython.cast(object, spare)
    fresh: bytes = PyBytes_FromStringAndSize(text, length)
    if length > 1:
        # Shorter ones are everybody's.
        Py_INCREF(fresh)
        _spares[place] = cython.cast(cython.p_void, fresh)
        Py_XDECREF(spare)
    return fresh


@cython.cfunc
def copy_of(text: cython.pointer[PyObject]):
    """A string that was kept by reference: a copy of it, or itself if it is very long."""
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(cython.cast(bytes, text))
    if length > COPY_LIMIT:
        return cython.cast(object, text)
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(cython.cast(bytes, text)), length)


def read_key(entry):
    """The key as ``bytes``."""
    return PyBytes_FromStringAndSize(key_of(entry), key_length(entry))


def text_length(entry):
    """Length of a string's text; -1 with an exception set never happens for strings."""
    digits = cython.declare(cython.char[24])
    if entry.kind == INLINE:
        return entry.length
    if entry.kind == INTEGER:
        return format_integer(word_of(entry), digits)
    if entry.kind == BYTES:
        return PyBytes_GET_SIZE(cython.cast(bytes, reference_of(entry)))
    return cython.cast(StringBuffer, reference_of(entry)).length


def memory_of(entry):
    """Bytes of the block and of the object it refers to."""
    size: cython.Py_ssize_t = cell_size(size_of(entry))
    if entry.kind == BYTES:
        return size + bytes_object_size(text_length(entry))
    if entry.kind == BUFFER:
        return size + cython.cast(StringBuffer, reference_of(entry)).memory()
    if entry.kind == OBJECT:
        return size + cython.cast(object, reference_of(entry)).memory()
    return size


def drop_reference(kind, word):
    """Give up the reference that a value of that kind is, if it is one."""
    if kind < BYTES:
        return 0
    value: object = cython.cast(object, cython.cast(cython.pointer[PyObject], word))
    if kind == BYTES:
        count(-bytes_object_size(PyBytes_GET_SIZE(value)))
    Py_DECREF(value)
    return 0


def destroy(entry):
    """Give up the reference, if any, and the block."""
    kind: cython.int = entry.kind
    word: int64_t = word_of(entry) if kind >= BYTES else 0
    free_block(entry)
    return drop_reference(kind, word)

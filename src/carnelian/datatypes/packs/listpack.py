"""Listpacks: sequences of strings and integers in one run of bytes, the compact form of small
collections.

The bytes are those of Redis (https://github.com/antirez/listpack): the total length in four bytes
and the number of elements in two (65535 for "count them"), the elements, a closing 255. An element
is an encoding byte, perhaps length bytes, the data, and the length of all that once more, in a form
that can be read from behind. Text that is the decimal form of a 64-bit integer is kept as one.

That is the full form. In memory there is a slim one besides, for what is seldom read from behind:
the elements have no backward lengths, and in place of the 255 stands in four bytes how long these
would be together. The highest bit of the total length tells the forms apart. All functions take
both; in the slim form, what goes backwards walks from the first element. What changes one into the
other is in :mod:`carnelian.datatypes.packs.slim`.

The functions work on bare bytes (``Pack``), so that a collection costs no more than they do;
:class:`carnelian.datatypes.packs.packed.Listpack` wraps them for Python. Whatever reads an element
learns its extent from ``measure``, which looks at no byte outside. A listpack that comes from
elsewhere is validated once, by :func:`from_text`.

Memory for n bytes is always ``capacity(n)`` of :mod:`carnelian.datatypes.base.slabs`.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import random_below
from cython.cimports.carnelian.datatypes.base.slabs import capacity, cell_memory, give, retake, take
from cython.cimports.carnelian.datatypes.base.string import format_integer, parse_integer
from cython.cimports.carnelian.datatypes.packs.listpack import (
    DIGITS,
    FOOT,
    HEADER,
    SLIM,
    Bytes,
    Item,
    Pack,
    Span,
    backlen_size,
    decode_integer,
    end_of,
    extent,
    full_size,
    is_slim,
    measure,
    put_word,
    stated_count,
    string_header,
    string_size,
    total_of,
    word_at,
)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t, uint8_t, uint64_t
from cython.cimports.libc.string import memcmp, memcpy, memmove

END = cython.declare(uint8_t, 255)
# In place of a number of elements that two bytes cannot hold.
MANY = cython.declare(cython.Py_ssize_t, 65535)
LARGEST = cython.declare(cython.Py_ssize_t, 1 << 30)

# -- Memory --------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def resize(pack: cython.pointer[Pack], total: cython.Py_ssize_t) -> cython.int:
    """Make room for ``total`` bytes, or give up room. The content stays as far as it fits."""
    old: cython.Py_ssize_t = total_of(pack[0])
    if capacity(old) != capacity(total):
        pack[0] = cython.cast(Pack, retake(pack[0], old, total))
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def set_total(pack: Pack, total: cython.Py_ssize_t) -> cython.void:
    """Note the length; the form stays."""
    put_word(pack, total | cython.cast(cython.Py_ssize_t, pack[3] & SLIM) << 24)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def owe(pack: Pack, change: cython.Py_ssize_t) -> cython.void:
    """Keep what the backward lengths would take right, where they are left out."""
    if is_slim(pack):
        foot: Pack = pack + end_of(pack)
        put_word(foot, word_at(foot) + change)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def set_count(pack: Pack, count: cython.Py_ssize_t) -> cython.void:
    if count > MANY:
        count = MANY
    pack[4] = cython.cast(uint8_t, count & 255)
    pack[5] = cython.cast(uint8_t, count >> 8)


def create() -> Pack:
    """An empty listpack; raises MemoryError."""
    pack: Pack = blank(HEADER + 1)
    seal(pack, HEADER + 1, 0)
    return pack


def create_slim() -> Pack:
    """An empty listpack that is to go without backward lengths."""
    pack: Pack = blank(HEADER + FOOT)
    seal_slim(pack, HEADER + FOOT, 0, 0)
    return pack


def from_text(data: cython.p_const_char, length: cython.Py_ssize_t) -> Pack:
    """A listpack of those bytes; raises ValueError if they are none. O(elements)."""
    if not is_valid(cython.cast(Bytes, data), length):
        raise ValueError("not a listpack")
    return copy_of(cython.cast(Bytes, data), length)


def blank(total: cython.Py_ssize_t) -> Pack:
    """Memory for a listpack of that many bytes, which the caller has to write."""
    return cython.cast(Pack, take(capacity(total)))


def duplicate(pack: Bytes) -> Pack:
    """Another listpack of the same content."""
    return copy_of(pack, total_of(pack))


@cython.cfunc
@cython.exceptval(check=True)
def copy_of(data: Bytes, total: cython.Py_ssize_t) -> Pack:
    pack: Pack = blank(total)
    memcpy(pack, data, total)
    return pack


def destroy(pack: Pack) -> cython.void:
    """Give the memory back."""
    give(pack, capacity(total_of(pack)))


# -- The form of elements ------------------------------------------------------------------------


def write_backlen(to: Pack, size: cython.Py_ssize_t) -> cython.int:
    """Write that length, seven bits in each byte, the highest first; returns its bytes."""
    width: cython.int = backlen_size(size)
    i: cython.int
    to[0] = cython.cast(uint8_t, size >> (7 * (width - 1)))
    for i in range(1, width):
        to[i] = cython.cast(uint8_t, ((size >> (7 * (width - 1 - i))) & 127) | 128)
    return width


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def read_backlen(pack: Bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The length whose last byte stands right before ``at``; -1 if it is malformed."""
    size: cython.Py_ssize_t = 0
    shift: cython.int
    byte: uint8_t
    for shift in range(0, 35, 7):
        at -= 1
        if at < HEADER:
            return -1
        byte = pack[at]
        size |= cython.cast(cython.Py_ssize_t, byte & 127) << shift
        if byte < 128:
            return size
    return -1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def encode_integer(number: int64_t, to: Pack) -> cython.int:
    """Write the shortest form of an integer (at most 9 bytes), without backlen; its length."""
    bits: uint64_t = cython.cast(uint64_t, number)
    if 0 <= number <= 127:
        to[0] = cython.cast(uint8_t, number)
        return 1
    if -4096 <= number <= 4095:
        to[0] = cython.cast(uint8_t, 0xC0 | ((bits >> 8) & 0x1F))
        to[1] = cython.cast(uint8_t, bits & 255)
        return 2
    width: cython.int = 8
    to[0] = 0xF4
    if -32768 <= number <= 32767:
        width = 2
        to[0] = 0xF1
    elif -8388608 <= number <= 8388607:
        width = 3
        to[0] = 0xF2
    elif -2147483648 <= number <= 2147483647:
        width = 4
        to[0] = 0xF3
    i: cython.int
    for i in range(width):
        to[1 + i] = cython.cast(uint8_t, (bits >> (8 * i)) & 255)
    return 1 + width


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def encode_string(text: cython.p_const_char, length: cython.Py_ssize_t, to: Pack) -> cython.void:
    """Write a string, without backlen."""
    if length < 64:
        to[0] = cython.cast(uint8_t, 0x80 | length)
        memcpy(to + 1, text, length)
    elif length < 4096:
        to[0] = cython.cast(uint8_t, 0xE0 | length >> 8)
        to[1] = cython.cast(uint8_t, length & 255)
        memcpy(to + 2, text, length)
    else:
        to[0] = 0xF0
        to[1] = cython.cast(uint8_t, length & 255)
        to[2] = cython.cast(uint8_t, (length >> 8) & 255)
        to[3] = cython.cast(uint8_t, (length >> 16) & 255)
        to[4] = cython.cast(uint8_t, (length >> 24) & 255)
        memcpy(to + 5, text, length)


def is_valid(data: Bytes, length: cython.Py_ssize_t) -> cython.bint:
    """Whether those bytes are a listpack in the full form, each element looked at."""
    at: cython.Py_ssize_t = HEADER
    count: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t
    if not is_framed(data, length):
        return False
    while at < length - 1:
        size = sound_size(data, at, length - 1)
        if size == 0:
            return False
        at += extent(False, size)
        count += 1
    return is_count(data, count)


def is_framed(data: Bytes, length: cython.Py_ssize_t) -> cython.bint:
    """Whether those bytes begin and end as a full listpack of that length does."""
    return length >= HEADER + 1 and word_at(data) == length and data[length - 1] == END


def is_count(data: Bytes, count: cython.Py_ssize_t) -> cython.bint:
    """Whether a listpack says that it has so many elements, or does not say how many."""
    return stated_count(data) == MANY or stated_count(data) == count


def sound_size(data: Bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """As ``measure``, and 0 as well if the backward length is not right."""
    size: cython.Py_ssize_t = measure(data, at, end)
    behind: cython.Py_ssize_t = at + extent(False, size)
    return size if size and behind <= end and read_backlen(data, behind) == size else 0


# -- Facts ---------------------------------------------------------------------------------------


def count_of(pack: Pack) -> cython.Py_ssize_t:
    """Number of elements: O(1) below 65535, else O(elements)."""
    stated: cython.Py_ssize_t = stated_count(pack)
    if stated != MANY:
        return stated
    counted: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = first(pack)
    while at:
        counted += 1
        at = after(pack, at)
    if counted < MANY:
        set_count(pack, counted)
    return counted


def memory_of(pack: Bytes) -> cython.Py_ssize_t:
    """Bytes of memory that it takes."""
    return cell_memory(pack, capacity(total_of(pack)))


def safe_to_add(pack: Bytes, more: cython.Py_ssize_t) -> cython.bint:
    """Whether ``more`` bytes keep it under 1 GB, the most that a listpack is to have."""
    return full_size(pack) + more <= LARGEST


def room_for(text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Bytes that the text takes as an element of the full form."""
    number: int64_t = 0
    scratch = cython.declare(uint8_t[10])
    size: cython.Py_ssize_t
    if length <= 20 and parse_integer(text, length, cython.address(number)):
        return encode_integer(number, scratch) + 1
    size = string_size(length)
    return size + backlen_size(size)


# -- Walking -------------------------------------------------------------------------------------


def size_at(pack: Bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Bytes of the element at ``at``, all included; 0 if there is none."""
    size: cython.Py_ssize_t = measure(pack, at, end_of(pack))
    return extent(is_slim(pack), size) if size else 0


def span_of(pack: Bytes, at: cython.Py_ssize_t, count: cython.Py_ssize_t) -> Span:
    """Up to ``count`` elements from ``at`` on. O(count)."""
    span = cython.declare(Span)
    slim: cython.bint = is_slim(pack)
    end: cython.Py_ssize_t = end_of(pack)
    size: cython.Py_ssize_t
    span.behind = at
    span.count = span.owed = 0
    while span.count < count:
        size = measure(pack, span.behind, end)
        if size == 0:
            break
        span.behind += extent(slim, size)
        span.count += 1
        span.owed += backlen_size(size)
    return span


def first(pack: Bytes) -> cython.Py_ssize_t:
    """Offset of the first element, 0 if there is none."""
    return HEADER if end_of(pack) > HEADER else 0


def last(pack: Bytes) -> cython.Py_ssize_t:
    """Offset of the last element, 0 if there is none."""
    return before(pack, end_of(pack))


def after(pack: Bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset of the next element, 0 if there is none."""
    end: cython.Py_ssize_t = end_of(pack)
    size: cython.Py_ssize_t = measure(pack, at, end)
    at += extent(is_slim(pack), size)
    return at if size and at < end else 0


def before(pack: Bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset of the element before ``at``, which may be the end; 0 if there is none.

    O(1), O(elements before) in the slim form.
    """
    if is_slim(pack):
        return before_in_slim(pack, at)
    size: cython.Py_ssize_t = read_backlen(pack, at)
    if size <= 0:
        return 0
    at -= size + backlen_size(size)
    return at if at >= HEADER else 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def before_in_slim(pack: Bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """:func:`before`, from the first element on."""
    found: cython.Py_ssize_t = 0
    passed: cython.Py_ssize_t = HEADER
    size: cython.Py_ssize_t = 1
    while passed < at and size:
        found = passed
        size = measure(pack, passed, at)
        passed += size
    return found if passed == at else 0


def skip(pack: Bytes, at: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset of the element behind ``count`` ones from ``at`` on, 0 if there is none. O(count)."""
    slim: cython.bint = is_slim(pack)
    end: cython.Py_ssize_t = end_of(pack)
    size: cython.Py_ssize_t = measure(pack, at, end)
    while count > 0 and size:
        at += extent(slim, size)
        size = measure(pack, at, end)
        count -= 1
    return at if size else 0


def seek(pack: Pack, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset of an element by its index, from behind if it is negative; 0 if there is none.

    O(distance to the nearer end), O(index) in the slim form.
    """
    slim: cython.bint = is_slim(pack)
    count: cython.Py_ssize_t = count_of(pack) if slim and index < 0 else stated_count(pack)
    at: cython.Py_ssize_t
    if count != MANY:
        if index < 0:
            index += count
        if index < 0 or index >= count:
            return 0
        if index > count // 2 and not slim:
            index -= count
    if index >= 0:
        return skip(pack, HEADER, index)
    at = last(pack)
    while at and index < -1:
        at = before(pack, at)
        index += 1
    return at


def random_at(pack: Pack, step: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset of a random one among every ``step``-th element; 0 if there is none."""
    count: cython.Py_ssize_t = count_of(pack) // step
    return seek(pack, cython.cast(cython.Py_ssize_t, random_below(count)) * step) if count else 0


# -- Reading -------------------------------------------------------------------------------------


def read(pack: Bytes, at: cython.Py_ssize_t, item: cython.pointer[Item]) -> cython.bint:
    """Read an element: text (valid until the listpack changes) or an integer.

    Returns whether there is an element at that offset.
    """
    return read_on(pack, at, item) != 0


def text_at(
    pack: Bytes, at: cython.Py_ssize_t, digits: cython.p_char, length: cython.p_Py_ssize_t
) -> cython.p_const_char:
    """The text of an element; that of an integer is written to ``digits``, of DIGITS bytes.

    NULL if there is no element at that offset.
    """
    item = cython.declare(Item)
    if not read(pack, at, cython.address(item)):
        return cython.NULL
    if item.text is cython.NULL:
        length[0] = format_integer(item.number, digits)
        return digits
    length[0] = item.length
    return item.text


def bytes_at(pack: Bytes, at: cython.Py_ssize_t) -> bytes | None:
    """The text of an element as ``bytes``, None if there is none at that offset."""
    digits = cython.declare(cython.char[DIGITS])
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = text_at(pack, at, digits, cython.address(length))
    return PyBytes_FromStringAndSize(text, length) if text is not cython.NULL else None


def pour(pack, at, count, sink):
    """Pour up to ``count`` elements from ``at`` on; returns how many were missing. O(count)."""
    slim: cython.bint = is_slim(pack)
    end: cython.Py_ssize_t = end_of(pack)
    size: cython.Py_ssize_t
    header: cython.int
    while count > 0:
        size = measure(pack, at, end)
        if size == 0:
            break
        header = string_header(pack[at])
        if header:
            sink.text(cython.cast(cython.p_const_char, pack + at + header), size - header)
        else:
            sink.number(decode_integer(pack, at))
        at += extent(slim, size)
        count -= 1
    return count


def equals(pack, at, text, length):
    """Whether the element is that text."""
    item = cython.declare(Item)
    number: int64_t = 0
    if not read(pack, at, cython.address(item)):
        return False
    if item.text is not cython.NULL:
        return item.length == length and memcmp(item.text, text, length) == 0
    if length > 20 or not parse_integer(text, length, cython.address(number)):
        return False
    return number == item.number


def find(pack, at, text, length, skip):
    """Offset of the first element from ``at`` on that is this text, 0 if there is none.

    ``skip`` elements after each one that is compared are passed over: 1 looks at the fields of
    pairs only. O(bytes from ``at`` on).
    """
    slim: cython.bint = is_slim(pack)
    end: cython.Py_ssize_t = end_of(pack)
    number: int64_t = 0
    is_number: cython.bint = length <= 20 and parse_integer(text, length, cython.address(number))
    passing: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = measure(pack, at, end)
    header: cython.int
    while size:
        if passing:
            passing -= 1
        else:
            header = string_header(pack[at])
            if header == 0:
                if is_number and decode_integer(pack, at) == number:
                    return at
            elif size - header == length and memcmp(pack + at + header, text, length) == 0:
                return at
            passing = skip
        at += extent(slim, size)
        size = measure(pack, at, end)
    return 0


def read_on(pack: Bytes, at: cython.Py_ssize_t, item: cython.pointer[Item]) -> cython.Py_ssize_t:
    """As :func:`read`; returns the offset of what follows, 0 if there is no element there."""
    size: cython.Py_ssize_t = measure(pack, at, end_of(pack))
    if size == 0:
        return 0
    header: cython.int = string_header(pack[at])
    if header:
        item.text = cython.cast(cython.p_const_char, pack + at + header)
        item.length = size - header
    else:
        item.text = cython.NULL
        item.number = decode_integer(pack, at)
    return at + extent(is_slim(pack), size)


# -- Writing into memory of the caller -----------------------------------------------------------


def write_integer(to: Pack, number: int64_t) -> cython.int:
    """Write an integer as an element, of at most 10 bytes; returns how many."""
    size: cython.int = encode_integer(number, to)
    to[size] = cython.cast(uint8_t, size)
    return size + 1


def write_text(to: Pack, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Write a text as an element, of at most ``length + 10`` bytes; returns how many."""
    number: int64_t = 0
    size: cython.Py_ssize_t
    if length <= 20 and parse_integer(text, length, cython.address(number)):
        return write_integer(to, number)
    encode_string(text, length, to)
    size = string_size(length)
    return size + write_backlen(to + size, size)


def seal(pack: Pack, total: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.void:
    """Close a listpack whose elements were written behind HEADER, with END as its last byte."""
    put_word(pack, total)
    set_count(pack, count)
    pack[total - 1] = END


def seal_slim(pack, total, count, owed):
    """As :func:`seal`, for elements without their backward lengths, which would take ``owed``
    bytes; the last FOOT bytes say so.
    """
    put_word(pack, total)
    pack[3] |= SLIM
    set_count(pack, count)
    put_word(pack + total - FOOT, owed)


# -- Changing ------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def open_gap(
    pack: cython.pointer[Pack],
    at: cython.Py_ssize_t,
    old: cython.Py_ssize_t,
    new: cython.Py_ssize_t,
) -> cython.int:
    """Put ``new`` bytes to be filled in place of the ``old`` ones at ``at``."""
    total: cython.Py_ssize_t = total_of(pack[0])
    behind: cython.Py_ssize_t = at + old
    if at < HEADER or behind > end_of(pack[0]):
        raise IndexError("outside of the listpack")
    if total + new - old > LARGEST:
        raise OverflowError("a listpack of more than 1 GB")
    if new > old:
        resize(pack, total + new - old)
    if new != old:
        memmove(pack[0] + at + new, pack[0] + behind, total - behind)
    if new < old:
        resize(pack, total + new - old)
    set_total(pack[0], total + new - old)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def add_count(pack: Pack, change: cython.Py_ssize_t) -> cython.void:
    """Keep the number of elements right, where it is stated."""
    if stated_count(pack) != MANY:
        set_count(pack, stated_count(pack) + change)


@cython.cfunc
@cython.exceptval(-1)
def put(
    pack: cython.pointer[Pack],
    at: cython.Py_ssize_t,
    old: cython.Py_ssize_t,
    text: cython.p_const_char,
    length: cython.Py_ssize_t,
) -> cython.int:
    """Put a text in place of ``old`` bytes; it must not be a part of this listpack."""
    number: int64_t = 0
    if length <= 20 and parse_integer(text, length, cython.address(number)):
        return put_integer(pack, at, old, number)
    size: cython.Py_ssize_t = string_size(length)
    slim: cython.bint = is_slim(pack[0])
    open_gap(pack, at, old, extent(slim, size))
    encode_string(text, length, pack[0] + at)
    if slim:
        owe(pack[0], backlen_size(size) - owed_for(old))
    else:
        write_backlen(pack[0] + at + size, size)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def owed_for(size: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The backward length that an element of the slim form goes without, if there is one."""
    return backlen_size(size) if size else 0


@cython.cfunc
@cython.exceptval(-1)
def put_integer(
    pack: cython.pointer[Pack], at: cython.Py_ssize_t, old: cython.Py_ssize_t, number: int64_t
) -> cython.int:
    """Put an integer in place of ``old`` bytes."""
    encoded = cython.declare(uint8_t[10])
    size: cython.int = write_integer(encoded, number)
    if is_slim(pack[0]):
        size -= 1
    open_gap(pack, at, old, size)
    memcpy(pack[0] + at, encoded, size)
    owe(pack[0], 1 - owed_for(old))
    return 0


def insert(pack, at, text, length):
    """Insert a text before the element at ``at``, or at the end; it then stands at ``at``.

    The text must not be a part of this listpack. O(bytes behind). Raises MemoryError,
    OverflowError (the listpack would have more than 1 GB).
    """
    put(pack, at, 0, text, length)
    add_count(pack[0], 1)
    return 0


def insert_integer(pack, at, number):
    """As :func:`insert`, for an integer."""
    put_integer(pack, at, 0, number)
    add_count(pack[0], 1)
    return 0


def append(pack, text, length):
    """Add a text behind the last element; see :func:`insert`."""
    return insert(pack, end_of(pack[0]), text, length)


def append_integer(pack: cython.pointer[Pack], number: int64_t) -> cython.int:
    """Add an integer behind the last element; see :func:`insert`."""
    return insert_integer(pack, end_of(pack[0]), number)


def prepend(pack, text, length):
    """Add a text before the first element; see :func:`insert`."""
    return insert(pack, HEADER, text, length)


def replace(pack, at, text, length):
    """Put a text in place of the element at ``at``; see :func:`insert`."""
    return put(pack, at, existing(pack[0], at), text, length)


def replace_integer(pack, at, number):
    """Put an integer in place of the element at ``at``; see :func:`insert`."""
    return put_integer(pack, at, existing(pack[0], at), number)


@cython.cfunc
@cython.exceptval(-1)
def existing(pack: Bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Bytes of the element at ``at``; raises IndexError if there is none."""
    size: cython.Py_ssize_t = size_at(pack, at)
    if size == 0:
        raise IndexError("no element there")
    return size


def remove(pack: cython.pointer[Pack], at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Remove the element at ``at``; returns the offset of the one behind it, 0 if none is."""
    size: cython.Py_ssize_t = existing(pack[0], at)
    open_gap(pack, at, size, 0)
    owe(pack[0], -owed_for(size))
    add_count(pack[0], -1)
    return at if at < end_of(pack[0]) else 0


def remove_several(pack, at, count):
    """Remove up to ``count`` elements from ``at`` on; returns the offset of what is behind, or 0.

    O(elements removed + bytes behind).
    """
    span: Span = span_of(pack[0], at, count)
    if span.count:
        open_gap(pack, at, span.behind - at, 0)
        owe(pack[0], -span.owed)
        add_count(pack[0], -span.count)
    return at if at < end_of(pack[0]) else 0


def remove_range(pack, index, count):
    """Remove up to ``count`` elements from that index on, from behind if it is negative."""
    at: cython.Py_ssize_t = seek(pack[0], index)
    if at:
        remove_several(pack, at, count)
    return 0


def merge(pack: cython.pointer[Pack], tail: cython.pointer[Pack]) -> cython.int:
    """Move the elements of ``tail`` behind those of ``pack``; ``tail`` is gone, and NULL, then.

    Both have to be of the same form. O(bytes of both).
    """
    total: cython.Py_ssize_t = total_of(pack[0])
    end: cython.Py_ssize_t = end_of(pack[0])
    added: cython.Py_ssize_t = end_of(tail[0]) - HEADER
    counted: cython.Py_ssize_t = count_of(pack[0]) + count_of(tail[0])
    owed: cython.Py_ssize_t = full_size(pack[0]) - end + full_size(tail[0]) - end_of(tail[0]) - 2
    if is_slim(pack[0]) != is_slim(tail[0]):
        raise ValueError("listpacks of different forms")
    if total + added > LARGEST:
        raise OverflowError("a listpack of more than 1 GB")
    resize(pack, total + added)
    memcpy(pack[0] + end, tail[0] + HEADER, added)
    seal_as(pack[0], is_slim(tail[0]), end + added, counted, owed)
    destroy(tail[0])
    tail[0] = cython.NULL
    return 0


def split(pack: cython.pointer[Pack], at: cython.Py_ssize_t) -> Pack:
    """Cut off the elements from ``at`` on (which may be the end) and return them on their own."""
    slim: cython.bint = is_slim(pack[0])
    end: cython.Py_ssize_t = end_of(pack[0])
    left: cython.Py_ssize_t = stated_count(pack[0])
    owed: cython.Py_ssize_t = full_size(pack[0]) - end - 1
    foot: cython.Py_ssize_t = total_of(pack[0]) - end
    if at < HEADER or at > end:
        raise IndexError("outside of the listpack")
    span: Span = span_of(pack[0], at, LARGEST)
    tail: Pack = blank(HEADER + end - at + foot)
    memcpy(tail + HEADER, pack[0] + at, end - at)
    seal_as(tail, slim, HEADER + end - at, span.count, span.owed)
    resize(pack, at + foot)
    seal_as(pack[0], slim, at, left - span.count if left != MANY else MANY, owed - span.owed)
    return tail


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def seal_as(
    pack: Pack,
    slim: cython.bint,
    end: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    owed: cython.Py_ssize_t,
) -> cython.void:
    """Close a listpack of either form behind its elements."""
    if slim:
        seal_slim(pack, end + FOOT, count, owed)
    else:
        seal(pack, end + 1, count)

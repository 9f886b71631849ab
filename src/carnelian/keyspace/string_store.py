"""The strings of a database: set, counted, appended to and changed in place."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.string import (
    StringBuffer,
    format_integer,
    parse_integer,
)
from cython.cimports.carnelian.datatypes.tables.entry import (
    BUFFER,
    BYTES,
    INLINE,
    INTEGER,
    MODIFIED,
    OBJECT,
    Content,
    Entry,
    describe_bytes,
    describe_integer,
    describe_text,
    describe_zeros,
    expires,
    expiry_of,
    read_value,
    reference_of,
    set_word_of,
    text_length,
    value_of,
    word_of,
)
from cython.cimports.carnelian.datatypes.tables.table import entry_at, keep
from cython.cimports.carnelian.keyspace.slots import Slots
from cython.cimports.carnelian.keyspace.store import hash_of
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import INT64_MAX, INT64_MIN, int64_t, uint64_t
from cython.cimports.libc.string import memcpy

from carnelian.resp.replies import NO_INTEGER, WRONG_TYPE, Error


@cython.cclass
class Strings(Slots):
    """What is done to strings only; the form that they are kept in does not show."""

    def set_string(
        self, key: bytes, value: bytes, keep_ttl: cython.bint = False, expiry: int64_t = -1
    ) -> cython.bint:
        """Set a key to a string, whatever it held; returns whether it was there.

        The key expires at ``expiry`` (ms since 1970; below zero: never) or, with ``keep_ttl``,
        when it would have before.
        """
        content = cython.declare(Content)
        describe_bytes(value, cython.address(content))
        return self.put(key, cython.address(content), keep_ttl, expiry)

    def set_text(self, key: bytes, text: bytes, keep_ttl: cython.bint = False) -> cython.bint:
        """:meth:`set_string`, but never kept as an integer.

        With ``keep_ttl`` the value counts as changed, not as replaced.
        """
        content = cython.declare(Content)
        slot: cython.pointer[uint64_t] = cython.NULL
        entry: cython.pointer[Entry]
        describe_text(text, cython.address(content))
        if keep_ttl:
            slot = self.seek(key, hash_of(key))
        if slot is cython.NULL:
            return self.put(key, cython.address(content), False, -1)
        # The value goes on with other digits: nothing is replaced.
        entry = entry_at(slot)
        self.overwrite(
            hash_of(key),
            slot,
            cython.address(content),
            expiry_of(entry) if expires(entry) else -1,
        )
        return True

    def set_integer(
        self, key: bytes, number: int64_t, keep_ttl: cython.bint = False
    ) -> cython.bint:
        """Set a key to the decimal form of a number; returns whether it was there."""
        content = cython.declare(Content)
        describe_integer(number, cython.address(content))
        return self.put(key, cython.address(content), keep_ttl, -1)

    def increment(self, key: bytes, delta: int64_t) -> int64_t:
        """Add to the integer under a key, zero if it is not there; returns the sum.

        Raises WrongType, or Error if the value is no 64-bit integer or the sum would not be one.
        """
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        entry: cython.pointer[Entry]
        content = cython.declare(Content)
        number: int64_t
        if slot is cython.NULL:
            describe_integer(delta, cython.address(content))
            self.create(key, hash, cython.address(content), -1)
            self.added(key)
            return delta
        entry = entry_at(slot)
        if entry.kind == OBJECT:
            raise WRONG_TYPE
        number = word_of(entry) if entry.kind == INTEGER else integer_of_text(entry)
        if number > INT64_MAX - delta if delta > 0 else number < INT64_MIN - delta:
            raise Error("ERR increment or decrement would overflow")
        number += delta
        if entry.kind == INTEGER:
            keep(self.table, entry)
            self.touch_entry(entry)
            set_word_of(entry, number)
            return number
        describe_integer(number, cython.address(content))
        self.overwrite(
            hash, slot, cython.address(content), expiry_of(entry) if expires(entry) else -1
        )
        return number

    def append(self, key: bytes, tail: bytes) -> cython.Py_ssize_t:
        """Append to the string under a key, or set it; returns the length. Amortized O(tail).

        Raises WrongType, or Error if the string would be too long.
        """
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(tail)
        entry: cython.pointer[Entry] = self.write(key)
        length: cython.Py_ssize_t
        if entry is cython.NULL:
            self.set_string(key, tail)
            return size
        if entry.kind == OBJECT:
            raise WRONG_TYPE
        length = text_length(entry)
        self.check_length(length, size)
        memcpy(self.edit(key, length + size) + length, PyBytes_AS_STRING(tail), size)
        return length + size

    def set_range(self, key: bytes, offset: cython.Py_ssize_t, part: bytes) -> cython.Py_ssize_t:
        """Overwrite a part of the string under a key, zeros filling any gap; returns the length.

        Nothing happens for an empty part. Raises WrongType, or Error if the offset is negative or
        the string would be too long.
        """
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(part)
        entry: cython.pointer[Entry]
        length: cython.Py_ssize_t = 0
        if offset < 0:
            raise Error("ERR offset is out of range")
        entry = self.write(key)
        if entry is not cython.NULL:
            if entry.kind == OBJECT:
                raise WRONG_TYPE
            length = text_length(entry)
        if size == 0:
            return length
        self.check_length(offset, size)
        memcpy(self.edit(key, offset + size) + offset, PyBytes_AS_STRING(part), size)
        return max(length, offset + size)

    def string_length(self, key: bytes) -> cython.Py_ssize_t:
        """Length of the string under a key, 0 if it is not there; raises WrongType."""
        entry: cython.pointer[Entry] = self.read(key, True)
        if entry is cython.NULL:
            return 0
        if entry.kind == OBJECT:
            raise WRONG_TYPE
        return text_length(entry)

    def get_range(self, key: bytes, start: int64_t, end: int64_t) -> bytes:
        """Bytes ``start`` to ``end``, both included; below zero they count from the end.

        Empty where there is nothing; raises WrongType.
        """
        digits = cython.declare(cython.char[24])
        length: cython.Py_ssize_t = 0
        data: cython.p_const_char = self.view(key, digits, cython.address(length))
        if start < 0:
            start = max(start + length, 0)
        if end < 0:
            end += length
        end = min(end, length - 1)
        if start > end:
            return b""
        return PyBytes_FromStringAndSize(data + start, end - start + 1)

    def view(self, key, digits, length):
        """The text under a key for a command that reads it, good until the next change; or NULL.

        ``digits`` has room for 24 bytes; the text of an integer is written there. Raises WrongType.
        """
        entry: cython.pointer[Entry] = self.read(key, True)
        length[0] = 0
        if entry is cython.NULL:
            return cython.NULL
        return self.text(entry, digits, length)

    def glimpse(self, key, digits, length):
        """As :meth:`view`, but neither counted nor touched."""
        entry: cython.pointer[Entry] = self.find(key)
        length[0] = 0
        if entry is cython.NULL:
            return cython.NULL
        return self.text(entry, digits, length)

    def length_to_change(self, key):
        """Length of the string under a key that is about to change, -1 if it is not there.

        Renews the access clock; raises WrongType.
        """
        entry: cython.pointer[Entry] = self.write(key)
        if entry is cython.NULL:
            return -1
        if entry.kind == OBJECT:
            raise WRONG_TYPE
        return text_length(entry)

    def text(self, entry, digits, length):
        """The text of an entry; raises WrongType."""
        kind: cython.int = entry.kind
        if kind == OBJECT:
            raise WRONG_TYPE
        length[0] = text_length(entry)
        if kind == INLINE:
            return value_of(entry)
        if kind == INTEGER:
            format_integer(word_of(entry), digits)
            return digits
        if kind == BYTES:
            return PyBytes_AS_STRING(cython.cast(bytes, reference_of(entry)))
        return cython.cast(StringBuffer, reference_of(entry)).data

    def edit(self, key, length):
        """The bytes under a key, to be changed in place, good until the next change.

        The string is there afterwards and at least ``length`` bytes long, new bytes being zero.
        Raises WrongType.
        """
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        entry: cython.pointer[Entry]
        content = cython.declare(Content)
        digits = cython.declare(cython.char[24])
        size: cython.Py_ssize_t = 0
        if slot is cython.NULL:
            describe_zeros(digits, 0, length, cython.address(content))
            self.create(key, hash, cython.address(content), -1)
            self.added(key)
            entry = self.find(key)
            if entry is cython.NULL:
                raise RuntimeError("a key was deleted while it was added")
            return cython.cast(cython.p_char, self.text(entry, digits, cython.address(size)))
        entry = entry_at(slot)
        keep(self.table, entry)
        data: cython.p_const_char = self.text(entry, digits, cython.address(size))
        if entry.kind == BUFFER:
            buffer: StringBuffer = cython.cast(StringBuffer, reference_of(entry))
            if length > size:
                buffer.resize(length)
            return buffer.data
        if length <= size and entry.kind == INLINE and entry.access & MODIFIED:
            return cython.cast(cython.p_char, data)
        describe_zeros(data, size, max(size, length), cython.address(content))
        entry = self.overwrite(
            hash, slot, cython.address(content), expiry_of(entry) if expires(entry) else -1
        )
        return cython.cast(cython.p_char, self.text(entry, digits, cython.address(size)))

    def check_length(self, offset, length):
        """Raise Error if a string of that length is not allowed."""
        if offset > self.keyspace.max_string - length:
            raise Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
        return 0


@cython.cfunc
@cython.exceptval(-1, check=True)
def integer_of_text(entry: cython.pointer[Entry]) -> int64_t:
    """The integer that a text stands for; raises WrongType, or Error if it is none."""
    number: int64_t = 0
    if entry.kind == OBJECT:
        raise WRONG_TYPE
    text: bytes = read_value(entry) if text_length(entry) <= 20 else b""
    if not parse_integer(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)):
        raise NO_INTEGER
    return number

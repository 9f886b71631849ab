"""Values as payloads: what DUMP replies and RESTORE takes.

A payload is an RDB type and value, the RDB version in two bytes and the CRC-64 of all before it in
eight, the lowest byte first.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.tables.entry import (
    OBJECT,
    Content,
    Entry,
    describe_bytes,
    describe_object,
    drop_reference,
    read_value,
)
from cython.cimports.carnelian.datatypes.tables.entry import build as build_entry
from cython.cimports.carnelian.datatypes.tables.entry import destroy as destroy_entry
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.persistence.bytes import crc64
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.formats import FUNCTION, NEWEST, is_type
from cython.cimports.carnelian.persistence.rdb.records import (
    put_payload,
    read_content,
    version_of_entry,
)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcmp

from carnelian.persistence.bytes.file_errors import Corrupt

FOOTER = cython.declare(cython.Py_ssize_t, 10)


def of_key(db: Database, key: bytes, version: cython.int, compress: bool) -> bytes | None:
    """The payload of a key's value, which is read; None if the key is not there. O(value)."""
    entry: cython.pointer[Entry] = db.read(key, True)
    if entry is cython.NULL:
        return None
    return payload(entry, version, compress)


def of_value(value: object, version: int, compress: bool) -> bytes:
    """The payload of a value as a key space keeps it: ``bytes`` for a string."""
    content = cython.declare(Content)
    entry: cython.pointer[Entry]
    if isinstance(value, bytes):
        describe_bytes(value, cython.address(content))
    else:
        describe_object(value, cython.address(content))
    entry = build_entry(b"", 0, 0, -1, cython.address(content))
    try:
        return payload(entry, version, compress)
    finally:
        destroy_entry(entry)


@cython.cfunc
def payload(entry: cython.pointer[Entry], version: cython.int, compress: bool):
    """The payload of an entry, of that version or the lowest later one that has a form for it."""
    sink: Sink = Sink(max(version, version_of_entry(entry, False)), compress=compress)
    put_payload(sink, entry)
    return _sealed(sink)


def of_functions(codes: list, version: int, compress: bool) -> bytes:
    """The payload of FUNCTION DUMP: the texts of libraries."""
    sink: Sink = Sink(version, compress=compress)
    for code in codes:
        sink.put_byte(FUNCTION)
        sink.text(code)
    return _sealed(sink)


@cython.cfunc
def _sealed(sink: Sink):
    """What a sink has, with version and check sum behind it."""
    sum_: uint64_t
    sink.put_byte(sink.version & 255)
    sink.put_byte(sink.version >> 8)
    sum_ = crc64.update(0, sink.data, sink.length)
    sink.put(cython.address(sum_), 8)
    return sink.taken()


def is_sound(data: bytes, check: bool = True) -> bool:
    """Whether a payload is of a version that can be read, and has the right check sum."""
    text: cython.p_char = PyBytes_AS_STRING(data)
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(data)
    sum_: uint64_t
    if length < FOOTER or data[length - 10] | data[length - 9] << 8 > NEWEST:
        return False
    sum_ = crc64.update(0, text, length - 8)
    return not check or memcmp(cython.address(sum_), text + length - 8, 8) == 0


def value_of(data: bytes, limits: Limits, thorough: bool):
    """The value of a payload that is sound: ``bytes`` for a string.

    Args:
        limits: what decides the form of the value.
        thorough: look for elements that are there twice, too (``sanitize-dump-payload``).

    Raises:
        FormatError: it is damaged all the same, or a collection without elements.
    """
    source: Source = Source(data)
    content = cython.declare(Content)
    entry: cython.pointer[Entry]
    type_: cython.int
    source.total -= FOOTER
    source.end -= FOOTER
    type_ = source.read_byte()
    if not is_type(type_):
        raise Corrupt(f"Unknown RDB type {type_}")
    read_content(source, type_, limits, thorough, cython.address(content))
    if content.kind == OBJECT:
        return taken(cython.address(content))
    entry = build_entry(b"", 0, 0, -1, cython.address(content))
    try:
        return read_value(entry)
    finally:
        destroy_entry(entry)


@cython.cfunc
def taken(content: cython.pointer[Content]):
    """The object that a content holds, which holds it no longer."""
    value: object = cython.cast(object, cython.cast(cython.p_void, content.word))
    drop_reference(content.kind, content.word)
    return value

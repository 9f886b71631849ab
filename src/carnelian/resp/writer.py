"""Replies on the wire: Python values in RESP2 or RESP3.

RESP2 has no maps, sets, doubles, booleans, big numbers, verbatim strings, pushes and attributes;
here is the only place that knows what stands for them there.

The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import (
    digits,
    put_double,
    put_longlong,
    put_plain,
)
from cython.cimports.carnelian.resp.layout import BLOCK, Mark
from cython.cimports.carnelian.resp.output import OutputBuffer
from cython.cimports.carnelian.resp.replies import Error
from cython.cimports.carnelian.resp.rows import MAP, SET, Rows
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromObject,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.long import PyLong_AsLongLongAndOverflow
from cython.cimports.cpython.unicode import PyUnicode_AsUTF8AndSize, PyUnicode_AsUTF8String
from cython.cimports.libc.string import memchr, memcpy

from carnelian.resp.replies import (
    MAX_DEPTH,
    NO_REPLY,
    NULL_ARRAY,
    OK,
    Attribute,
    BigNumber,
    BigText,
    FlatMap,
    FlatSet,
    Lazy,
    PlainFloat,
    Push,
    Several,
    Status,
    Unsigned,
    Verbatim,
)

# The types and sentinels as C globals: a name of another module would be looked up for each reply.

# Bulk strings from this size on may be kept by reference instead of copied.
_LARGE = cython.declare(cython.Py_ssize_t, 16 * 1024)
# The longest header, and the longest number, with room to spare.
_HEADER = cython.declare(cython.Py_ssize_t, 32)
_NUMBER = cython.declare(cython.Py_ssize_t, 64)


@cython.ccall
@cython.exceptval(-1, check=False)
def write(out: OutputBuffer, value: Any, protocol: cython.int) -> cython.int:
    """Append ``value`` as a reply in ``protocol`` (2 or 3) to ``out``.

    Nothing is appended when an error is raised. O(size of the value).

    Raises:
        TypeError: something in ``value`` is of a type that no reply has.
        ValueError: more than 500 levels of nesting.
    """
    at = cython.declare(Mark)
    kind = cython.declare(object, type(value))
    if value is OK:
        if out.limit - out.tail < 5:
            out.grow(5)
        memcpy(out.tail, cython.cast(cython.p_const_char, b"+OK\r\n"), 5)
        out.tail += 5
        return 0
    if kind is bytes:
        return _write_bulk(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), value)
    if kind is int:
        return _write_int(out, value, protocol)
    if value is None:
        return _write_null(out, protocol)
    if kind is Status:
        return _write_line(out, b"+", value)
    out.mark(cython.address(at))
    try:
        if kind is Rows:
            _write_rows(out, value, protocol)
        else:
            _write_value(out, value, protocol, 0)
    except BaseException:
        out.rollback(cython.address(at))
        raise
    return 0


@cython.ccall
def encode(value: Any, protocol: cython.int = 2) -> bytes:
    """The bytes of ``value`` as a reply in ``protocol``; raises what :func:`write` does."""
    out: OutputBuffer = OutputBuffer()
    write(out, value, protocol)
    return out.take()


# Part by part


@cython.ccall
@cython.exceptval(-2, check=False)
def begin_parts(out: OutputBuffer, lazy: Any, protocol: cython.int) -> cython.int:
    """Append the header of a :class:`carnelian.resp.replies.Lazy`.

    Its parts are to follow with :func:`add_part`, then :func:`end_parts` with what this returns.
    """
    count = lazy.count
    if count is None:
        return out.leave_gap(_HEADER)
    _write_list_header(out, lazy.kind, count, protocol)
    return -1


@cython.ccall
@cython.exceptval(-1, check=False)
def add_part(out: OutputBuffer, part: list, protocol: cython.int) -> cython.int:
    """Append some members of a lazy reply."""
    return _write_items(out, part, protocol, 1)


@cython.ccall
@cython.exceptval(-1, check=False)
def end_parts(
    out: OutputBuffer, lazy: Any, protocol: cython.int, gap: cython.int, count: cython.Py_ssize_t
) -> cython.int:
    """Complete a lazy reply of ``count`` members; nothing of it may have been sent before."""
    header: OutputBuffer
    if gap >= 0:
        header = OutputBuffer()
        _write_list_header(header, lazy.kind, count, protocol)
        out.fill_gap(gap, header.head, header.pending())
    elif count != lazy.count:
        raise ValueError(f"{lazy.count} members were announced, {count} came")
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_lazy(out: OutputBuffer, lazy: Any, protocol: cython.int) -> cython.int:
    """All of it."""
    count: cython.Py_ssize_t = 0
    gap: cython.int = begin_parts(out, lazy, protocol)
    for part in lazy.parts:
        add_part(out, part, protocol)
        count += len(part)
    return end_parts(out, lazy, protocol, gap, count)


# Pieces


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_header(out: OutputBuffer, kind: cython.char, count: cython.Py_ssize_t) -> cython.int:
    """``*3``, ``$5`` and the like."""
    at: cython.p_char
    if out.limit - out.tail < _HEADER:
        out.grow(_HEADER)
    at = out.tail
    at[0] = kind
    at += 1
    at += digits(at, count)
    at[0] = b"\r"
    at[1] = b"\n"
    out.tail = at + 2
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_bulk(
    out: OutputBuffer, text: cython.p_const_char, size: cython.Py_ssize_t, owner: object
) -> cython.int:
    """A bulk string; ``owner`` is the bytes object that ``text`` is the whole of, or ``None``."""
    at: cython.p_char
    if size >= _LARGE:
        _write_header(out, b"$", size)
        if owner is None:
            out.put(text, size)
        else:
            out.put_bytes(owner)  # type: ignore[arg-type]
        return out.put(b"\r\n", 2)
    if out.limit - out.tail < size + _HEADER:
        if size + _HEADER > BLOCK:
            _write_header(out, b"$", size)
            out.put(text, size)
            return out.put(b"\r\n", 2)
        out.grow(size + _HEADER)
    at = out.tail
    at[0] = b"$"
    at += 1
    at += digits(at, size)
    at[0] = b"\r"
    at[1] = b"\n"
    memcpy(at + 2, text, size)
    at += size + 2
    at[0] = b"\r"
    at[1] = b"\n"
    out.tail = at + 2
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_null(out: OutputBuffer, protocol: cython.int) -> cython.int:
    if protocol >= 3:
        return out.put(b"_\r\n", 3)
    return out.put(b"$-1\r\n", 5)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_int(out: OutputBuffer, value: Any, protocol: cython.int) -> cython.int:
    """An integer, or a big number where it does not fit 64 bits."""
    overflow: cython.int = 0
    at: cython.p_char
    number: cython.longlong = PyLong_AsLongLongAndOverflow(value, cython.address(overflow))
    if overflow:
        return _write_big_number(out, value, protocol)
    if out.limit - out.tail < _HEADER:
        out.grow(_HEADER)
    at = out.tail
    at[0] = b":"
    at += 1
    at += put_longlong(at, number)
    at[0] = b"\r"
    at[1] = b"\n"
    out.tail = at + 2
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_big_number(out: OutputBuffer, value: Any, protocol: cython.int) -> cython.int:
    text: bytes = b"%d" % value
    if protocol >= 3:
        return _write_line(out, b"(", text)
    return _write_bulk(out, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), text)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_double(out: OutputBuffer, value: cython.double, protocol: cython.int) -> cython.int:
    text = cython.declare(cython.char[64])
    return _write_digits(out, text, put_double(text, value), protocol)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_plain(out: OutputBuffer, value: cython.double, protocol: cython.int) -> cython.int:
    text = cython.declare(cython.char[352])
    return _write_digits(out, text, put_plain(text, value), protocol)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_digits(
    out: OutputBuffer, text: cython.p_const_char, size: cython.Py_ssize_t, protocol: cython.int
) -> cython.int:
    """The text of a double."""
    if protocol < 3:
        return _write_bulk(out, text, size, None)
    out.put(b",", 1)
    out.put(text, size)
    return out.put(b"\r\n", 2)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_bool(out: OutputBuffer, value: cython.bint, protocol: cython.int) -> cython.int:
    if protocol >= 3:
        return out.put(b"#t\r\n" if value else b"#f\r\n", 4)
    return out.put(b":1\r\n" if value else b":0\r\n", 4)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_line(out: OutputBuffer, kind: cython.char, text: Any) -> cython.int:
    """A status, error or number given as bytes: a line, in which line breaks become spaces."""
    at: cython.p_char
    if not isinstance(text, bytes):
        raise TypeError(f"a line of a reply is bytes, not {type(text).__name__}")
    line: cython.p_const_char = PyBytes_AS_STRING(text)
    size: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    if memchr(line, 13, size) != cython.NULL or memchr(line, 10, size) != cython.NULL:
        text = bytes(text).rstrip(b"\r\n").replace(b"\r", b" ").replace(b"\n", b" ")
        line = PyBytes_AS_STRING(text)
        size = PyBytes_GET_SIZE(text)
    if size + 3 > BLOCK:
        out.put(cython.address(kind), 1)
        out.put(line, size)
        return out.put(b"\r\n", 2)
    if out.limit - out.tail < size + 3:
        out.grow(size + 3)
    at = out.tail
    at[0] = kind
    memcpy(at + 1, line, size)
    at += size + 1
    at[0] = b"\r"
    at[1] = b"\n"
    out.tail = at + 2
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_verbatim(out: OutputBuffer, value: Any, protocol: cython.int) -> cython.int:
    text: Any = value.text
    data: bytes = text.encode() if isinstance(text, str) else bytes(text)
    if protocol < 3:
        return _write_bulk(out, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), data)
    form: bytes = value.format
    if len(form) != 3:
        raise ValueError(f"the format of a verbatim string has three letters, not {form!r}")
    _write_header(out, b"=", PyBytes_GET_SIZE(data) + 4)
    out.put(PyBytes_AS_STRING(form), 3)
    out.put(b":", 1)
    out.put_bytes(data)
    return out.put(b"\r\n", 2)


# Aggregates


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_items(
    out: OutputBuffer, items: Any, protocol: cython.int, depth: cython.int
) -> cython.int:
    """The members of a list or of a subclass of it."""
    for item in cython.cast(list, items):
        if type(item) is bytes:
            _write_bulk(out, PyBytes_AS_STRING(item), PyBytes_GET_SIZE(item), item)
        else:
            _write_value(out, item, protocol, depth)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_dict(
    out: OutputBuffer, items: dict, protocol: cython.int, depth: cython.int
) -> cython.int:
    for key, value in items.items():
        _write_value(out, key, protocol, depth)
        _write_value(out, value, protocol, depth)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_list(
    out: OutputBuffer, kind: Any, value: Any, protocol: cython.int, depth: cython.int
) -> cython.int:
    """A list or one of its subclasses that say what it stands for."""
    _write_list_header(out, kind, len(cython.cast(list, value)), protocol)
    return _write_items(out, value, protocol, depth)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_list_header(
    out: OutputBuffer, kind: Any, size: cython.Py_ssize_t, protocol: cython.int
) -> cython.int:
    """What comes before the members."""
    if kind is list or protocol < 3:
        if kind is not Several:
            _write_header(out, b"*", size)
    elif kind is FlatMap:
        _write_header(out, b"%", size // 2)
    elif kind is FlatSet:
        _write_header(out, b"~", size)
    elif kind is Push:
        _write_header(out, b">", size)
    elif kind is not Several:
        _write_header(out, b"*", size)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_rows(out: OutputBuffer, rows: Rows, protocol: cython.int) -> cython.int:
    """Elements that are on the wire what they are; they may be moved, so that this works once."""
    source: OutputBuffer = rows.out
    if rows.kind == MAP:
        _write_header(
            out, b"%" if protocol >= 3 else b"*", rows.count // 2 if protocol >= 3 else rows.count
        )
    else:
        _write_header(out, b"~" if protocol >= 3 and rows.kind == SET else b"*", rows.count)
    if source.count:
        return out.absorb(source)
    return out.put(source.head, source.tail - source.head)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_attribute(
    out: OutputBuffer, value: Any, protocol: cython.int, depth: cython.int
) -> cython.int:
    attributes: dict
    if protocol >= 3:
        attributes = value.attributes
        _write_header(out, b"|", len(attributes))
        _write_dict(out, attributes, protocol, depth)
    return _write_value(out, value.value, protocol, depth)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_value(
    out: OutputBuffer, value: Any, protocol: cython.int, depth: cython.int
) -> cython.int:
    """Any value, the types that replies consist of most first."""
    size: cython.Py_ssize_t = 0
    text: cython.p_const_char
    kind = cython.declare(object, type(value))
    if kind is bytes:
        return _write_bulk(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), value)
    if kind is int:
        return _write_int(out, value, protocol)
    if value is None:
        return _write_null(out, protocol)
    if kind is Status:
        return _write_line(out, b"+", value)
    if isinstance(value, Error):
        return _write_line(out, b"-", cython.cast(Error, value).message)
    if depth >= MAX_DEPTH:
        raise ValueError("a reply is nested too deeply")
    if kind is list:
        _write_header(out, b"*", len(cython.cast(list, value)))
        return _write_items(out, value, protocol, depth + 1)
    if kind is bool:
        return _write_bool(out, value is True, protocol)
    if kind is float:
        return _write_double(out, value, protocol)
    if kind is str:
        text = PyUnicode_AsUTF8AndSize(value, cython.address(size))
        return _write_bulk(out, text, size, None)
    if kind is dict:
        if protocol >= 3:
            _write_header(out, b"%", len(value))
        else:
            _write_header(out, b"*", 2 * len(value))
        return _write_dict(out, value, protocol, depth + 1)
    return _write_special(out, kind, value, protocol, depth)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _write_special(
    out: OutputBuffer, kind: Any, value: Any, protocol: cython.int, depth: cython.int
) -> cython.int:
    """The rarer types and subclasses of all."""
    data: bytes
    if isinstance(value, list):
        return _write_list(out, kind, value, protocol, depth + 1)
    if kind is Rows:
        return _write_rows(out, value, protocol)
    if kind is Lazy:
        return _write_lazy(out, value, protocol)
    if kind is PlainFloat:
        return _write_plain(out, value, protocol)
    if isinstance(value, tuple):
        return _write_list(out, list, list(value), protocol, depth + 1)
    if value is NULL_ARRAY:
        return out.put(b"_\r\n", 3) if protocol >= 3 else out.put(b"*-1\r\n", 5)
    if value is NO_REPLY:
        return 0
    if isinstance(value, (set, frozenset)):
        return _write_list(out, FlatSet, list(value), protocol, depth + 1)
    if kind is Verbatim:
        return _write_verbatim(out, value, protocol)
    if kind is Attribute:
        return _write_attribute(out, value, protocol, depth + 1)
    if kind is BigNumber:
        return _write_big_number(out, value, protocol)
    if kind is Unsigned:
        return _write_line(out, b":", b"%d" % value)
    if isinstance(value, Status):
        return _write_line(out, b"+", value)
    if kind is BigText and protocol >= 3:
        return _write_line(out, b"(", value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        # Whatever a subclass thinks that its bytes or its text are.
        data = PyBytes_FromObject(value)
        return _write_bulk(out, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), data)
    if isinstance(value, int):
        return _write_int(out, value, protocol)
    if isinstance(value, float):
        return _write_double(out, value, protocol)
    if isinstance(value, str):
        data = PyUnicode_AsUTF8String(value)
        return _write_bulk(out, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), data)
    if isinstance(value, dict):
        return _write_value(out, dict(value), protocol, depth)
    raise TypeError(f"{kind.__name__} is no type of a reply")

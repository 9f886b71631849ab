"""Words of a line, with the quoting of inline commands, ``redis.conf`` and ``redis-cli``.

``"..."`` knows ``\\xHH``, ``\\n``, ``\\r``, ``\\t``, ``\\b``, ``\\a`` and takes any other escaped
character as it is; ``'...'`` knows only ``\\'``. A closing quote must end the word.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.resp.arguments import name
from cython.cimports.cpython.bytearray import (
    PyByteArray_AS_STRING,
    PyByteArray_FromStringAndSize,
)
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.string import memchr


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_space(char: cython.char) -> cython.bint:
    return char == 32 or (9 <= char <= 13)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _ends_word(char: cython.char) -> cython.bint:
    # Vertical tab and form feed are skipped between words but do not end one.
    return char == 32 or char == 9 or char == 10 or char == 13


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hex_digit(char: cython.char) -> cython.int:
    if 48 <= char <= 57:
        return char - 48
    if 97 <= char <= 102:
        return char - 87
    if 65 <= char <= 70:
        return char - 55
    return -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _unescaped(char: cython.char) -> cython.char:
    """The character that an escape letter stands for."""
    if char == 110:
        return 10
    if char == 114:
        return 13
    if char == 116:
        return 9
    if char == 98:
        return 8
    if char == 97:
        return 7
    return char


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _unquote_double(
    at: cython.p_const_char, end: cython.p_const_char, out: cython.p_char, size: cython.p_Py_ssize_t
) -> cython.p_const_char:
    """Copy a double-quoted text whose opening quote is before ``at``; NULL if it never closes.

    Returns what follows the closing quote.
    """
    high: cython.int
    low: cython.int
    while at < end and at[0] != 34:
        if at[0] != 92 or at + 1 == end:
            out[size[0]] = at[0]
            at += 1
        elif at[1] == 120 and at + 3 < end and _hex_digit(at[2]) >= 0 and _hex_digit(at[3]) >= 0:
            high = _hex_digit(at[2])
            low = _hex_digit(at[3])
            out[size[0]] = cython.cast(cython.char, high * 16 + low)
            at += 4
        else:
            out[size[0]] = _unescaped(at[1])
            at += 2
        size[0] += 1
    return at + 1 if at < end else cython.NULL


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _unquote_single(
    at: cython.p_const_char, end: cython.p_const_char, out: cython.p_char, size: cython.p_Py_ssize_t
) -> cython.p_const_char:
    """Like :func:`_unquote_double` for single quotes."""
    while at < end and at[0] != 39:
        if at[0] == 92 and at + 1 < end and at[1] == 39:
            at += 1
        out[size[0]] = at[0]
        size[0] += 1
        at += 1
    return at + 1 if at < end else cython.NULL


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _quoted_word(
    at: cython.p_const_char, end: cython.p_const_char, out: cython.p_char, size: cython.p_Py_ssize_t
) -> cython.p_const_char:
    """Copy a word that holds quotes to ``out``; returns its end, NULL if the quotes are wrong."""
    size[0] = 0
    while at < end and not _ends_word(at[0]):
        if at[0] != 34 and at[0] != 39:
            out[size[0]] = at[0]
            size[0] += 1
            at += 1
            continue
        if at[0] == 34:
            at = _unquote_double(at + 1, end, out, size)
        else:
            at = _unquote_single(at + 1, end, out, size)
        if at == cython.NULL or at == end:
            return at
        return at if _is_space(at[0]) else cython.NULL
    return at


@cython.cfunc
def split_line(line: cython.p_const_char, size: cython.Py_ssize_t) -> list | None:
    """The words of ``size`` bytes at ``line``, which hold no NUL; ``None`` if quotes are wrong."""
    at: cython.p_const_char = line
    end: cython.p_const_char = line + size
    start: cython.p_const_char
    scratch: bytearray | None = None
    length: cython.Py_ssize_t = 0
    words: list = []
    while True:
        while at < end and _is_space(at[0]):
            at += 1
        if at == end:
            return words
        start = at
        while at < end and not _ends_word(at[0]) and at[0] != 34 and at[0] != 39:
            at += 1
        if at == end or _ends_word(at[0]):
            words.append(
                PyBytes_FromStringAndSize(start, at - start) if words else name(start, at - start)
            )
            continue
        if scratch is None:
            scratch = PyByteArray_FromStringAndSize(cython.NULL, size)
        at = _quoted_word(start, end, PyByteArray_AS_STRING(scratch), cython.address(length))
        if at == cython.NULL:
            return None
        words.append(PyBytes_FromStringAndSize(PyByteArray_AS_STRING(scratch), length))


@cython.ccall
def split_arguments(line: bytes) -> list:
    """The words of a line up to its first NUL byte, if any.

    Raises:
        ValueError: a quote does not close, or a closing quote does not end its word.
    """
    text: cython.p_const_char = PyBytes_AS_STRING(line)
    size: cython.Py_ssize_t = PyBytes_GET_SIZE(line)
    nul: cython.p_const_char = cython.cast(cython.p_const_char, memchr(text, 0, size))
    words: list | None = split_line(text, size if nul == cython.NULL else nul - text)
    if words is None:
        raise ValueError("unbalanced quotes")
    return words

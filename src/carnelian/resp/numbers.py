"""Numbers as Redis reads and writes them: texts with their errors, and texts of numbers.

INCRBYFLOAT and HINCRBYFLOAT work in ``long double`` and never write an exponent.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import (
    is_space,
    put_double,
    put_longlong,
    put_plain,
    to_double,
    to_longlong,
    trimmed,
)
from cython.cimports.carnelian.resp.libc import isinf, isnan, strtold
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc import errno as libc
from cython.cimports.libc.stdio import snprintf

from carnelian.resp.replies import NO_FLOAT, NO_INTEGER, Error

NOT_AN_INTEGER: str = "ERR value is not an integer or out of range"
NOT_A_FLOAT: str = "ERR value is not a valid float"
NOT_FINITE: str = "ERR increment would produce NaN or Infinity"

# Texts from here on are not numbers to Redis, however many zeros they have.
_LONG_DOUBLE_CHARS = cython.declare(cython.Py_ssize_t, 5 * 1024)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _to_long_double(
    text: cython.p_const_char, size: cython.Py_ssize_t, value: cython.p_longdouble
) -> cython.bint:
    """Like :func:`to_double` in the range and precision of ``long double``."""
    stop: cython.p_char = cython.NULL
    if size == 0 or size >= _LONG_DOUBLE_CHARS or is_space(text[0]):
        return False
    libc.errno = 0
    value[0] = strtold(text, cython.address(stop))
    if stop - text != size or isnan(value[0]):
        return False
    return not (libc.errno == libc.ERANGE and (isinf(value[0]) or value[0] == 0.0))


@cython.ccall
def parse_int(text: bytes):
    """The strict 64-bit integer in ``text``.

    Raises:
        Error: ``ERR value is not an integer or out of range``.
    """
    value: cython.longlong = 0
    if not to_longlong(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(value)):
        raise NO_INTEGER
    return value


@cython.ccall
@cython.exceptval(-1.0, check=True)
def parse_float(text: bytes, message: Any = NOT_A_FLOAT) -> cython.double:
    """The double in ``text``: decimal, hexadecimal or an infinity, with nothing around it.

    Raises:
        Error: with ``message``, which defaults to ``ERR value is not a valid float``.
    """
    value: cython.double = 0.0
    if not to_double(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(value)):
        raise NO_FLOAT if message is NOT_A_FLOAT else Error(message)
    return value


@cython.ccall
def format_plain(value: cython.double) -> bytes:
    """The text of a :class:`carnelian.resp.replies.PlainFloat`: ``13.36138933897018433``."""
    out = cython.declare(cython.char[352])
    return PyBytes_FromStringAndSize(out, put_plain(out, value))


@cython.ccall
def format_int(value: cython.longlong) -> bytes:
    """The decimal text of a 64-bit integer."""
    out = cython.declare(cython.char[24])
    return PyBytes_FromStringAndSize(out, put_longlong(out, value))


@cython.ccall
def format_float(value: cython.double) -> bytes:
    """The text of a double in replies: ``3``, ``0.1``, ``1e+20``, ``inf``."""
    out = cython.declare(cython.char[48])
    return PyBytes_FromStringAndSize(out, put_double(out, value))


@cython.cfunc
def _format_long_double(value: cython.longdouble) -> bytes:
    """17 digits after the point without trailing zeros, and never an exponent."""
    out = cython.declare(cython.char[5120])
    size: cython.Py_ssize_t = snprintf(out, 5120, b"%.17Lf", value)
    return PyBytes_FromStringAndSize(out, trimmed(out, size))


@cython.ccall
def add_floats(current: bytes, increment: bytes) -> bytes:
    """The sum of two texts in ``long double``, as INCRBYFLOAT and HINCRBYFLOAT store it.

    A missing value counts as ``b"0"``.

    Raises:
        Error: ``ERR value is not a valid float`` for either text, or ``ERR increment would
            produce NaN or Infinity``.
    """
    value: cython.longdouble = 0
    delta: cython.longdouble = 0
    if not _to_long_double(
        PyBytes_AS_STRING(current), PyBytes_GET_SIZE(current), cython.address(value)
    ) or not _to_long_double(
        PyBytes_AS_STRING(increment), PyBytes_GET_SIZE(increment), cython.address(delta)
    ):
        raise NO_FLOAT
    value += delta
    if isnan(value) or isinf(value):
        raise Error(NOT_FINITE)
    return _format_long_double(value)

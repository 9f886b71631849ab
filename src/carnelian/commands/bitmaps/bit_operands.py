"""Where a bit is: the operand that all bitmap commands share."""

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t

from carnelian.resp.replies import Error

_MOST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
_HASH = cython.declare(cython.char, ord("#"))

MESSAGE: str = "ERR bit offset is not an integer or out of range"


def bit_offset(db: Database, text: bytes):
    """The number of a bit; raises Error if no string may be long enough to have it."""
    return _bit_offset(db, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), 1)


def field_offset(db: Database, text: bytes, width: cython.int):
    """As :func:`bit_offset`; after ``#`` stands how many integers of that width come before."""
    data: cython.p_const_char = PyBytes_AS_STRING(text)
    size: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    if size and data[0] == _HASH:
        return _bit_offset(db, data + 1, size - 1, width)
    return _bit_offset(db, data, size, 1)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _bit_offset(
    db: Database, text: cython.p_const_char, size: cython.Py_ssize_t, scale: cython.int
) -> int64_t:
    offset: cython.longlong = 0
    if (
        not to_longlong(text, size, cython.address(offset))
        or offset < 0
        or offset > _MOST // scale
        or (offset * scale) >> 3 >= db.keyspace.max_string
    ):
        raise Error(MESSAGE)
    return offset * scale

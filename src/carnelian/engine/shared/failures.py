"""Error replies, counted by their code: what INFO shows as errorstats."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.ground.stats import Stats
from cython.cimports.carnelian.resp.replies import CountedError, Error
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcmp

from carnelian.resp.replies import WRONG_TYPE


@cython.cfunc
def count_failure(stats: Stats, error: Error):
    """Count an error, but for one that a script has failed with and that its command counted."""
    if type(error) is CountedError:
        return
    counts: dict = stats.errors
    code = "WRONGTYPE" if error is WRONG_TYPE else _code(error)
    count = counts.get(code)
    if count is None:
        stats.count_error(code)
        return
    counts[code] = count + 1
    stats.error_replies += 1


@cython.cfunc
def _code(error: Error) -> object:
    """The code of an error; nothing is made for most."""
    message: bytes = error.message
    if (
        message is not None
        and PyBytes_GET_SIZE(message) > 4
        and memcmp(PyBytes_AS_STRING(message), b"ERR ", 4) == 0
    ):
        return "ERR"
    return error.code

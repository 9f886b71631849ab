"""Errors that commands end with: caught as replies, and counted by their code for INFO.

A command that fails is to cost no more than one that does not. ``except`` would ask for a
traceback, and for what ``sys.exc_info`` shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cython
from cython.cimports.carnelian.engine.ground.stats import Stats
from cython.cimports.carnelian.engine.shared.failures import (
    PyErr_Occurred,
    PyException_SetTraceback,
    PyType_IsSubtype,
    context_of,
    type_of,
)
from cython.cimports.carnelian.resp.replies import CountedError, Error
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.exc import (
    PyErr_Fetch,
    PyErr_NormalizeException,
)
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_XDECREF
from cython.cimports.libc.string import memcmp

from carnelian.resp.replies import WRONG_TYPE

Log = Callable[[str, str], None]

# Exceptions that are looked at of those an error was raised in the handling of.
_LONGEST_CHAIN = cython.declare(cython.int, 64)


@cython.cfunc
def caught_error() -> Error | None:
    """The error that was raised, and is no more; None if what was raised is something else."""
    kind: cython.pointer[PyObject] = cython.NULL
    value: cython.pointer[PyObject] = cython.NULL
    frames: cython.pointer[PyObject] = cython.NULL
    if not _is_error(PyErr_Occurred()):
        return None
    PyErr_Fetch(cython.address(kind), cython.address(value), cython.address(frames))
    if value == cython.NULL or type_of(value) != kind:
        # It was raised as a class, in C.
        PyErr_NormalizeException(
            cython.address(kind), cython.address(value), cython.address(frames)
        )
    error: Error = cython.cast(Error, cython.cast(object, value))
    Py_XDECREF(kind)
    Py_XDECREF(value)
    Py_XDECREF(frames)
    _forget_frames(error)
    return error


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_error(kind: cython.pointer[PyObject]) -> cython.bint:
    wanted = cython.cast(cython.pointer[PyObject], Error)
    return kind == wanted or PyType_IsSubtype(kind, wanted)


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
def _code(error: Error) -> Any:
    """The code of an error; nothing is made for most."""
    message: bytes = error.message
    if (
        message is not None
        and PyBytes_GET_SIZE(message) > 4
        and memcmp(PyBytes_AS_STRING(message), b"ERR ", 4) == 0
    ):
        return "ERR"
    return error.code


@cython.cfunc
def _forget_frames(error: object):
    """Let go of what the callers hold: a reply may wait in the session that one of them holds."""
    before: cython.pointer[PyObject]
    PyException_SetTraceback(error, None)
    # A chain that somebody has closed to a ring has no end.
    for _ in range(_LONGEST_CHAIN):
        before = context_of(error)
        if before == cython.NULL:
            return
        error = cython.cast(object, before)
        Py_XDECREF(before)
        PyException_SetTraceback(error, None)


def note_unexpected(
    log: Log, facts: dict, sender: str, receiver: str, name: bytes, error: Error
) -> None:
    """Say that a command has failed which comes from where nobody hears of it, and count that."""
    message: bytes = error.message
    # What has no code of its own is logged without one, as Redis does.
    message = message[4:] if error.code == "ERR" else b"-" + message
    log(
        "warning",
        f"== CRITICAL == This {sender} is sending an error to its {receiver}: '{_shown(message)}' "
        f"after processing the command '{_shown(name)}'",
    )
    facts["unexpected_error_replies"] = facts.get("unexpected_error_replies", 0) + 1


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")

"""What is left in the log when the process dies of a fault, its own or one from outside."""

from __future__ import annotations

import faulthandler
import os
import sys

import cython
from cython.cimports.carnelian.server.system.crash import (
    SA_NODEFER,
    SIGABRT,
    SIGBUS,
    SIGFPE,
    SIGILL,
    SIGSEGV,
    raise_,
    sigaction,
    sigaction_t,
    write,
)
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.string import memset

from carnelian import __version__
from carnelian.server.system.log_file import STDOUT, Log

_RULE = "=" * 20

_fd = cython.declare(cython.int, -1)
_name = cython.declare(bytes, __version__.encode())
_before = cython.declare(sigaction_t[65])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _on_fault(number: cython.int) -> cython.void:
    """Say which signal it was, then leave the rest to the handler that was there before.

    Runs where nothing but system calls may be used.
    """
    line = cython.declare(cython.char[128])
    size: cython.int = snprintf(
        line,
        128,
        b"\n=== CRASH REPORT ===\nCarnelian crashed by signal: %d\n------ STACK TRACE ------\n",
        number,
    )
    write(_fd, line, size)
    sigaction(number, cython.address(_before[number]), cython.NULL)
    raise_(number)


def enable(log: Log) -> None:
    """Have the log show where the program was when a fatal signal ends it."""
    global _fd
    action = cython.declare(sigaction_t)
    _fd = STDOUT
    if log.path:
        try:
            _fd = os.open(log.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        except OSError:
            return
    faulthandler.enable(file=int(_fd))
    memset(cython.address(action), 0, cython.sizeof(sigaction_t))
    action.sa_handler = _on_fault
    action.sa_flags = SA_NODEFER
    for number in (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT):
        sigaction(number, cython.address(action), cython.address(_before[number]))


def disable() -> None:
    """Let fatal signals end the process without a word."""
    faulthandler.disable()
    action = cython.declare(sigaction_t)
    memset(cython.address(action), 0, cython.sizeof(sigaction_t))
    for number in (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT):
        sigaction(number, cython.address(action), cython.NULL)


def report(log: Log, fault: BaseException) -> None:
    """Log a fault of the server itself, with the way to it."""
    log("warning", f"{_RULE} CARNELIAN BUG REPORT {_RULE}")
    log("warning", f"Carnelian {__version__} ends: {type(fault).__name__}: {fault}")
    log.raw("warning", "------ STACK TRACE ------\n")
    import traceback

    log.raw("warning", "".join(traceback.format_exception(fault)))
    log("warning", f"Python {sys.version}")

"""The library ``os``: of Lua's, only the processor's time."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import State, lua, set_function
from cython.cimports.posix.time import CLOCK_PROCESS_CPUTIME_ID, clock_gettime, timespec


@cython.cfunc
@cython.exceptval(check=False)
def open_os(L: State) -> cython.void:
    """Push the table of the library."""
    lua.createtable(L, 0, 1)
    set_function(L, b"clock", _clock)


@cython.cfunc
@cython.exceptval(check=False)
def _clock(L: State) -> cython.int:
    """``os.clock()``: seconds of processor time that this process has taken."""
    spent = cython.declare(timespec)
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, cython.address(spent))
    lua.pushnumber(L, spent.tv_sec + spent.tv_nsec / 1e9)
    return 1

"""How much memory the machine, or the container that this process is in, can still spare.

Asked when a script has taken much, so that it is refused more before the kernel ends the process.
"""

from __future__ import annotations

import os

import cython
from cython.cimports.libc.stdio import FILE, fclose, fgets, fopen, sscanf
from cython.cimports.libc.string import strncmp

# What is left to others: an eighth of all there is, but not more than this.
_MOST_KEPT = cython.declare(cython.size_t, 256 << 20)
_MACHINE = cython.declare(cython.size_t, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
_NO_LIMIT = cython.declare(cython.size_t, 1 << 60)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def spare_bytes() -> cython.size_t:
    """Bytes that may still be taken, with something left for others.

    Where nothing tells, half of the machine's memory.
    """
    kept: cython.size_t = min(total_bytes() // 8, _MOST_KEPT)
    available: cython.size_t = _field(b"/proc/meminfo", b"MemAvailable:", 13) * 1024
    if available == 0:
        available = total_bytes() // 2
    limit: cython.size_t = _container_limit()
    if limit < _NO_LIMIT:
        # What was read from files, and not for long, is given back when it is wanted.
        used: cython.size_t = _number(b"/sys/fs/cgroup/memory.current")
        used += _number(b"/sys/fs/cgroup/memory/memory.usage_in_bytes")
        reclaimable: cython.size_t = _field(
            b"/sys/fs/cgroup/memory.stat", b"inactive_file ", 14
        ) + _field(b"/sys/fs/cgroup/memory/memory.stat", b"total_inactive_file ", 20)
        used -= min(used, reclaimable)
        available = min(available, limit - min(limit, used))
    return available - min(available, kept)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def total_bytes() -> cython.size_t:
    """The memory of the machine, or what the container may take of it."""
    return min(_MACHINE, _container_limit())


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _container_limit() -> cython.size_t:
    """Bytes that all processes of the container may take together (cgroups 2 and 1)."""
    limit: cython.size_t = _number(b"/sys/fs/cgroup/memory.max")
    if limit == 0:
        limit = _number(b"/sys/fs/cgroup/memory/memory.limit_in_bytes")
    return limit if 0 < limit < _NO_LIMIT else _NO_LIMIT


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _number(path: cython.p_const_char) -> cython.size_t:
    """The number that a file consists of; 0 if it is none, or there is no such file."""
    return _field(path, b"", 0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _field(
    path: cython.p_const_char, name: cython.p_const_char, size: cython.size_t
) -> cython.size_t:
    """The number that follows a name of so many bytes, at the beginning of a line; 0 if none."""
    line = cython.declare(cython.char[256])
    value: cython.ulonglong = 0
    file: cython.pointer[FILE] = fopen(path, b"re")
    if file == cython.NULL:
        return 0
    while fgets(line, 256, file) != cython.NULL:
        if strncmp(line, name, size) == 0:
            sscanf(cython.cast(cython.p_char, line) + size, b"%llu", cython.address(value))
            break
    fclose(file)
    return value

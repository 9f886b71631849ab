"""Raw buffers for input and output, shared by all connections.

A connection holds a buffer only while it has unparsed input or unsent output. The block given back
last is handed out next, so that a busy server works in a few blocks that stay in the CPU's cache,
and ten thousand idle connections hold none.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.resp.layout import BLOCK, SLACK
from cython.cimports.libc.stdlib import free, malloc

# Blocks of the common size kept for reuse: one megabyte, more than a loop turn needs.
_KEEP = cython.declare(cython.int, 64)

_kept = cython.declare(cython.p_char[64])
_kept_count = cython.declare(cython.int, 0)
_lent_count = cython.declare(cython.Py_ssize_t, 0)
_lent_bytes = cython.declare(cython.Py_ssize_t, 0)
_beside_bytes = cython.declare(cython.Py_ssize_t, 0)


@cython.cfunc
def obtain(size: cython.Py_ssize_t) -> cython.p_char:
    """A buffer of at least ``size`` bytes, and ``SLACK`` more that a scan may run into.

    Up to ``BLOCK`` bytes it is a block of that size from the shared stock.

    Raises:
        MemoryError: the system has no more memory.
    """
    global _kept_count, _lent_count, _lent_bytes
    block: cython.p_char = cython.NULL
    if size <= BLOCK:
        size = BLOCK
        if _kept_count > 0:
            _kept_count -= 1
            block = _kept[_kept_count]
    if block == cython.NULL:
        block = cython.cast(cython.p_char, malloc(size + SLACK))
        if block == cython.NULL:
            raise MemoryError
    _lent_count += 1
    _lent_bytes += size
    return block


@cython.cfunc
@cython.exceptval(check=False)
def release(block: cython.p_char, size: cython.Py_ssize_t) -> cython.void:
    """Give back a buffer that was obtained with ``size``."""
    global _kept_count, _lent_count, _lent_bytes
    if size < BLOCK:
        size = BLOCK
    _lent_count -= 1
    _lent_bytes -= size
    if size == BLOCK and _kept_count < _KEEP:
        _kept[_kept_count] = block
        _kept_count += 1
    else:
        free(block)


@cython.cfunc
@cython.exceptval(check=False)
def count(change: cython.Py_ssize_t) -> cython.void:
    """Add bytes of Python objects that connections hold beside their buffers (or take them off)."""
    global _beside_bytes
    _beside_bytes += change


def lent() -> int:
    """How many buffers connections hold now; none when all input is parsed and all output sent."""
    return _lent_count


@cython.ccall
@cython.exceptval(check=False)
def allocated() -> cython.Py_ssize_t:
    """Bytes of all buffers in use, and of the objects counted beside them: the part of used memory
    they are. What is kept for reuse is free, as what an allocator keeps: no key has to go for it.
    """
    return _lent_bytes + _beside_bytes

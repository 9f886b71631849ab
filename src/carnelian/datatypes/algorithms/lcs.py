"""The longest common subsequence of two byte strings, for LCS."""

import cython
from cython.cimports.carnelian.datatypes.algorithms.lcs import octets
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import uint32_t
from cython.cimports.libc.stdlib import free, malloc


def table_size(a: bytes, b: bytes) -> int:
    """Bytes of memory that :func:`compare` takes for its table: four for each pair of prefixes."""
    return (len(a) + 1) * (len(b) + 1) * 4


def compare(a: bytes, b: bytes) -> tuple[bytes, list[tuple[int, int, int]]]:
    """The subsequence, and the runs it is made of, from the last to the first.

    A run is ``(start in a, start in b, length)``. Where several subsequences are longest, the one
    is taken that a walk back from both ends finds when it prefers to step back in ``b``.

    Raises:
        MemoryError: the table of O(N*M) entries cannot be had. Time is O(N*M), too.
    """
    rows: cython.Py_ssize_t = len(a) + 1
    columns: cython.Py_ssize_t = len(b) + 1
    table: cython.pointer[uint32_t] = cython.cast(
        cython.pointer[uint32_t],
        malloc(cython.cast(cython.size_t, rows) * columns * cython.sizeof(uint32_t)),
    )
    if table is cython.NULL:
        raise MemoryError
    text_a: octets = cython.cast(octets, PyBytes_AS_STRING(a))
    text_b: octets = cython.cast(octets, PyBytes_AS_STRING(b))
    try:
        with cython.nogil:
            _fill(table, text_a, rows, text_b, columns)
        return _walk(table, text_a, rows, text_b, columns)
    finally:
        free(table)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fill(
    table: cython.pointer[uint32_t],
    a: octets,
    rows: cython.Py_ssize_t,
    b: octets,
    columns: cython.Py_ssize_t,
) -> cython.void:
    """Entry (i, j) becomes the length that the first i and the first j bytes have in common."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    above: cython.pointer[uint32_t]
    row: cython.pointer[uint32_t] = table
    for j in range(columns):
        row[j] = 0
    for i in range(1, rows):
        above = row
        row = table + i * columns
        row[0] = 0
        for j in range(1, columns):
            if a[i - 1] == b[j - 1]:
                row[j] = above[j - 1] + 1
            else:
                row[j] = above[j] if above[j] > row[j - 1] else row[j - 1]


@cython.cfunc
def _walk(
    table: cython.pointer[uint32_t],
    a: octets,
    rows: cython.Py_ssize_t,
    b: octets,
    columns: cython.Py_ssize_t,
) -> tuple:
    """Follow the table back from both ends."""
    i: cython.Py_ssize_t = rows - 1
    j: cython.Py_ssize_t = columns - 1
    left: cython.Py_ssize_t = table[rows * columns - 1]
    run: cython.Py_ssize_t = 0
    subsequence: bytes = PyBytes_FromStringAndSize(cython.NULL, left)
    out: cython.p_char = PyBytes_AS_STRING(subsequence)
    runs: list = []
    while i > 0 and j > 0:
        if a[i - 1] == b[j - 1]:
            i -= 1
            j -= 1
            left -= 1
            out[left] = cython.cast(cython.char, a[i])
            run += 1
            continue
        if run:
            runs.append((i, j, run))
            run = 0
        if table[(i - 1) * columns + j] > table[i * columns + j - 1]:
            i -= 1
        else:
            j -= 1
    if run:
        runs.append((i, j, run))
    return subsequence, runs

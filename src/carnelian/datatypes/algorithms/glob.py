"""Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET understand them.

``*`` any run of bytes, ``?`` one byte, ``[abc]`` ``[^a-z]`` one byte of a class, ``\\x`` the byte
x. The corner cases are those of Redis, since clients can see them: a class left open ends with
the pattern, a range may be given backwards, and the empty text matches the empty pattern only.

Only the last ``*`` met can need to take a longer run: whatever an earlier one could reach by
growing, the last one reaches too. So the work is O(len(pattern) * len(text)) and needs no stack.
"""

import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

# Redis gives up on a pattern that needs more runs than this.
MAX_RUNS = cython.declare(cython.int, 1000)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def lower(c: cython.char) -> cython.char:
    """The lower case of an ASCII letter, any other byte as it is."""
    return c + 32 if 65 <= c <= 90 else c


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def same(a: cython.char, b: cython.char, nocase: cython.bint) -> cython.bint:
    """Whether two bytes are equal, letters perhaps regardless of case."""
    if nocase:
        return lower(a) == lower(b)
    return a == b


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def in_range(
    first: cython.char, last: cython.char, c: cython.char, nocase: cython.bint
) -> cython.bint:
    """Whether a byte lies in a range of a class, which may be given in either order."""
    low: cython.char = first if first <= last else last
    high: cython.char = last if first <= last else first
    if nocase:
        return lower(low) <= lower(c) <= lower(high)
    return low <= c <= high


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def class_end(
    pattern: cython.p_const_char, at: cython.Py_ssize_t, size: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """The position after the class whose first byte, past ``[`` and ``^``, is at ``at``."""
    while at < size:
        if pattern[at] == b"\\" and at + 1 < size:
            at += 2
        elif pattern[at] == b"]":
            return at + 1
        elif at + 2 < size and pattern[at + 1] == b"-":
            at += 3
        else:
            at += 1
    return size


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def in_class(
    pattern: cython.p_const_char,
    at: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    c: cython.char,
    nocase: cython.bint,
) -> cython.bint:
    """Whether a byte belongs to the class whose first byte, past ``[``, is at ``at``."""
    negated: cython.bint = at < size and pattern[at] == b"^"
    if negated:
        at += 1
    found: cython.bint = False
    while at < size:
        if pattern[at] == b"\\" and at + 1 < size:
            # An escaped byte is compared as it is, whatever nocase says.
            found |= pattern[at + 1] == c
            at += 2
        elif pattern[at] == b"]":
            break
        elif at + 2 < size and pattern[at + 1] == b"-":
            found |= in_range(pattern[at], pattern[at + 2], c, nocase)
            at += 3
        else:
            found |= same(pattern[at], c, nocase)
            at += 1
    return found != negated


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def element(
    pattern: cython.p_const_char,
    at: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    c: cython.char,
    nocase: cython.bint,
) -> cython.Py_ssize_t:
    """The length of the pattern element at ``at`` if it stands for the byte, 0 if it does not."""
    kind: cython.char = pattern[at]
    if kind == b"?":
        return 1
    if kind == b"[":
        if not in_class(pattern, at + 1, size, c, nocase):
            return 0
        first: cython.Py_ssize_t = at + 1
        if first < size and pattern[first] == b"^":
            first += 1
        return class_end(pattern, first, size) - at
    if kind == b"\\" and at + 1 < size:
        return 2 if same(pattern[at + 1], c, nocase) else 0
    return 1 if same(kind, c, nocase) else 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def match_chars(
    pattern: cython.p_const_char,
    pattern_size: cython.Py_ssize_t,
    text: cython.p_const_char,
    text_size: cython.Py_ssize_t,
    nocase: cython.bint,
) -> cython.bint:
    """Whether the whole text matches the pattern; for callers that hold raw bytes."""
    p: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t = 0
    # Where the last run met begins in the pattern (past its star) and, so far, ends in the text.
    run_pattern: cython.Py_ssize_t = -1
    run_text: cython.Py_ssize_t = 0
    runs: cython.int = 0
    step: cython.Py_ssize_t
    if text_size == 0:
        return pattern_size == 0
    while t < text_size:
        if p < pattern_size and pattern[p] == b"*":
            while p < pattern_size and pattern[p] == b"*":
                p += 1
            if p == pattern_size:
                return True
            runs += 1
            if runs > MAX_RUNS:
                return False
            run_pattern = p
            run_text = t
            continue
        step = element(pattern, p, pattern_size, text[t], nocase) if p < pattern_size else 0
        if step > 0:
            p += step
            t += 1
        elif run_pattern >= 0:
            run_text += 1
            p = run_pattern
            t = run_text
        else:
            return False
    while p < pattern_size and pattern[p] == b"*":
        p += 1
    return p == pattern_size


@cython.ccall
def matches(pattern: bytes, text: bytes, nocase: cython.bint = False) -> cython.bint:
    """Whether the whole of ``text`` matches the glob ``pattern``.

    ``nocase`` ignores the case of ASCII letters. Never raises: every pattern means something.
    """
    return match_chars(
        PyBytes_AS_STRING(pattern),
        PyBytes_GET_SIZE(pattern),
        PyBytes_AS_STRING(text),
        PyBytes_GET_SIZE(text),
        nocase,
    )

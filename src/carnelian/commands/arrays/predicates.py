"""What ARGREP looks for: predicates, of which one or all have to hold."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.commands.arrays.libc import memmem
from cython.cimports.carnelian.datatypes.algorithms.glob import match_chars
from cython.cimports.carnelian.datatypes.base.memory import allocate, release
from cython.cimports.carnelian.datatypes.patterns.regex import Regex
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcmp

from carnelian.datatypes.patterns.regex_syntax import BackReference, RegexError
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import SYNTAX_ERROR, Error

EXACT = cython.declare(cython.int, 0)
PART = cython.declare(cython.int, 1)
GLOB = cython.declare(cython.int, 2)
EXPRESSION = cython.declare(cython.int, 3)
_KINDS: dict[bytes, int] = {b"EXACT": 0, b"MATCH": 1, b"GLOB": 2, b"RE": 3}

MOST_PREDICATES = 250
LONGEST_EXPRESSION = 2048


@cython.final
@cython.cclass
class Predicate:
    """One of them; ``nocase`` is for ASCII letters."""

    def __init__(self, kind: cython.int, pattern: bytes, nocase: cython.bint):
        self.kind = kind
        self.nocase = nocase
        self.pattern = pattern.lower() if nocase and kind <= PART else pattern
        self.regex: Regex | None = _regex(pattern, nocase) if kind == EXPRESSION else None

    def holds(
        self, text: cython.p_const_char, length: cython.Py_ssize_t, lowered: cython.p_const_char
    ) -> cython.bint:
        """Whether it does for a text, of which ``lowered`` is the form in lower case."""
        pattern: cython.p_const_char = PyBytes_AS_STRING(self.pattern)
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(self.pattern)
        if self.regex is not None:
            return self.regex.matches(text, length)
        if self.kind == GLOB:
            return match_chars(pattern, size, text, length, self.nocase)
        if self.kind == EXACT:
            return size == length and memcmp(lowered, pattern, size) == 0
        return size == 0 or (
            size <= length and memmem(lowered, length, pattern, size) is not cython.NULL
        )


def _regex(pattern: bytes, nocase: bool) -> Regex:
    """An expression; raises Error."""
    if not pattern:
        raise Error("ERR regular expression is empty")
    try:
        return Regex(pattern, nocase)
    except BackReference:
        raise Error("ERR regular expression backreferences are not supported") from None
    except RegexError as error:
        raise Error(f"ERR invalid regular expression: {error}") from None


@cython.final
@cython.cclass
class Plan:
    """Predicates, and what else was asked for: ``limit`` is None if all are wanted."""

    def __cinit__(self):
        self.lowered = cython.NULL
        self.room = 0

    def __init__(self, args: list, start: cython.Py_ssize_t):
        wanted: list = []
        i: cython.Py_ssize_t = start
        nocase: cython.bint = False
        self.all = self.lowers = self.with_values = False
        self.limit = None
        while i < len(args):
            word: bytes = args[i].upper()
            takes = word == b"LIMIT" or word in _KINDS
            if takes and i + 1 == len(args):
                raise SYNTAX_ERROR
            if word in _KINDS:
                wanted.append(_checked(_KINDS[word], args[i + 1], len(wanted)))
            elif word == b"LIMIT":
                self.limit = limit_of(args[i + 1])
            elif word == b"WITHVALUES":
                self.with_values = True
            elif word == b"NOCASE":
                nocase = True
            elif word == b"AND" or word == b"OR":
                self.all = word == b"AND"
            else:
                raise SYNTAX_ERROR
            i += 2 if takes else 1
        if not wanted:
            raise SYNTAX_ERROR
        for kind, _ in wanted:
            self.lowers |= nocase and kind <= PART
        self.predicates = [Predicate(kind, pattern, nocase) for kind, pattern in wanted]

    def __dealloc__(self):
        if self.lowered is not cython.NULL:
            release(self.lowered)

    def selects(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.bint:
        """Whether a text is looked for."""
        lowered: cython.p_const_char = self.lower(text, length) if self.lowers else text
        predicate: Predicate
        for predicate in self.predicates:
            if predicate.holds(text, length, lowered) != self.all:
                return not self.all
        return self.all

    def lower(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.p_const_char:
        """A text in lower case, good until the next one."""
        i: cython.Py_ssize_t
        byte: cython.char
        if length > self.room or self.lowered is cython.NULL:
            if self.lowered is not cython.NULL:
                release(self.lowered)
                self.lowered = cython.NULL
            self.room = max(2 * length, 256)
            self.lowered = cython.cast(cython.p_char, allocate(self.room))
        for i in range(length):
            byte = text[i]
            self.lowered[i] = byte + 32 if 65 <= byte <= 90 else byte
        return self.lowered


def _checked(kind: int, pattern: bytes, before: int) -> tuple[int, bytes]:
    """A predicate as it was given, if there may be another one."""
    if before == MOST_PREDICATES:
        raise Error(f"ERR too many predicates, maximum is {MOST_PREDICATES}")
    if kind == EXPRESSION and len(pattern) > LONGEST_EXPRESSION:
        raise Error(f"ERR regular expression is too long, maximum is {LONGEST_EXPRESSION} bytes")
    return kind, pattern


def limit_of(text: bytes) -> int:
    """How many elements are wanted at most."""
    limit = parse_int(text)
    if limit <= 0:
        raise Error("ERR LIMIT must be positive")
    return limit

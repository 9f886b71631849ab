"""Whether a text has a match of a regular expression, in time proportional to its length.

All places at which a program may be are followed at once. What that set of places becomes with a
byte is kept, so that a text costs one look-up for each byte once the sets that occur are known.
Expressions that ask for the edges of words are followed without that.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.memory import allocate, allocate_zeroed, release
from cython.cimports.carnelian.datatypes.patterns.regex import (
    MOST_STATES,
    UNKNOWN,
    Around,
    State,
    Step,
)
from cython.cimports.carnelian.datatypes.patterns.regex_syntax import (
    ASK,
    BEGIN,
    END,
    FORK,
    MATCH,
    READ,
    WORD_BEGIN,
    WORD_EDGE,
    WORD_END,
)
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import int32_t, uint8_t
from cython.cimports.libc.string import memcpy, memset

from carnelian.datatypes.patterns import regex_syntax

MOST_MARK = cython.declare(int32_t, 2_000_000_000)


@cython.final
@cython.cclass
class Regex:
    """An extended regular expression over bytes.

    Raises:
        RegexError: it is none; see :mod:`carnelian.datatypes.patterns.regex_syntax`.
    """

    def __cinit__(self):
        self.steps = cython.NULL
        self.sets = cython.NULL
        self.marks = self.stack = self.found = self.carried = cython.NULL
        self.states = cython.NULL
        self.count = 0
        self.mark = 0
        self.asks_words = False
        self.known = {}

    def __init__(self, pattern: bytes, nocase: bool = False):
        program, sets = regex_syntax.compile_regex(pattern, nocase)
        self.lay_out(program, sets)

    def __dealloc__(self):
        self.forget()
        if self.states is not cython.NULL:
            release(self.states)
        if self.steps is not cython.NULL:
            release(self.steps)
        if self.sets is not cython.NULL:
            release(self.sets)
        if self.marks is not cython.NULL:
            release(self.marks)

    def lay_out(self, program: list, sets: list) -> cython.int:
        """Bring a program into its form."""
        i: cython.Py_ssize_t
        byte: cython.int
        room: cython.size_t
        self.length = len(program)
        self.steps = cython.cast(cython.pointer[Step], allocate(self.length * cython.sizeof(Step)))
        for i in range(self.length):
            kind, first, second = program[i]
            self.steps[i].kind = kind
            self.steps[i].first = first + i if kind == FORK else first
            self.steps[i].second = second + i if kind == FORK else second
            self.asks_words = self.asks_words or (kind == ASK and first >= WORD_EDGE)
        self.sets = cython.cast(cython.pointer[uint8_t], allocate_zeroed(max(len(sets), 1) * 256))
        for i in range(len(sets)):
            for byte in sets[i]:
                self.sets[i * 256 + byte] = 1
        # Four rows of numbers; a fork puts two places on the stack.
        room = cython.cast(cython.size_t, self.length) + 1
        self.marks = cython.cast(cython.pointer[int32_t], allocate_zeroed(room * 5 * 4))
        self.stack = self.marks + room
        self.found = self.stack + 2 * room
        self.carried = self.found + room
        return 0

    def search(self, text: bytes) -> cython.bint:
        """Whether there is a match anywhere in a text. O(bytes), or O(bytes x program) at worst."""
        return self.matches(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    def matches(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.bint:
        """The same for a text in memory."""
        octets: cython.pointer[cython.const[uint8_t]] = cython.cast(
            cython.pointer[cython.const[uint8_t]], text
        )
        return self.run(octets, length) if self.asks_words else self.run_states(octets, length)

    # -- Places ----------------------------------------------------------------------------------

    def reach(
        self,
        place: int32_t,
        count: cython.p_Py_ssize_t,
        around: cython.pointer[cython.const[Around]],
    ) -> cython.bint:
        """Add all places of ``found`` that are reached without reading; returns whether it matches.

        Those that ask for the end are added as well where the end may come ``later``.
        """
        depth: cython.Py_ssize_t = 1
        matched: cython.bint = False
        step: cython.pointer[Step]
        self.stack[0] = place
        while depth:
            depth -= 1
            place = self.stack[depth]
            if self.marks[place] == self.mark:
                continue
            self.marks[place] = self.mark
            step = self.steps + place
            if step.kind == MATCH:
                matched = True
            elif step.kind == READ:
                self.found[count[0]] = place
                count[0] += 1
            elif step.kind == FORK:
                self.stack[depth] = step.second
                self.stack[depth + 1] = step.first
                depth += 2
            elif holds(step.first, around):
                self.stack[depth] = place + 1
                depth += 1
            elif step.first == END and around.later:
                self.found[count[0]] = place
                count[0] += 1
        return matched

    # -- Step by step ----------------------------------------------------------------------------

    def run(
        self, text: cython.pointer[cython.const[uint8_t]], length: cython.Py_ssize_t
    ) -> cython.bint:
        """Follow the program, looking at what is around each byte."""
        around = cython.declare(Around)
        carried: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        i: cython.Py_ssize_t
        k: cython.Py_ssize_t
        matched: cython.bint
        around.later = False
        around.word_behind = False
        for i in range(length + 1):
            around.begin = i == 0
            around.end = i == length
            around.word_before = i > 0 and is_word(text[i - 1])
            around.word_behind = i < length and is_word(text[i])
            count = 0
            next_mark(self)
            matched = self.reach(0, cython.address(count), cython.address(around))
            for k in range(carried):
                if self.reach(self.carried[k], cython.address(count), cython.address(around)):
                    matched = True
            if matched:
                return True
            if i == length:
                break
            carried = 0
            for k in range(count):
                if self.sets[self.steps[self.found[k]].first * 256 + text[i]]:
                    self.carried[carried] = self.found[k] + 1
                    carried += 1
        return False

    # -- By states -------------------------------------------------------------------------------

    def run_states(
        self, text: cython.pointer[cython.const[uint8_t]], length: cython.Py_ssize_t
    ) -> cython.bint:
        """Go from state to state."""
        state: int32_t
        following: int32_t
        i: cython.Py_ssize_t
        if self.states is cython.NULL:
            self.states = cython.cast(
                cython.pointer[State], allocate(MOST_STATES * cython.sizeof(State))
            )
        state = self.begin()
        for i in range(length):
            if self.states[state].matches:
                return True
            following = self.states[state].next[text[i]]
            state = following if following != UNKNOWN else self.follow(state, text[i])
        return self.states[state].matches or self.states[state].matches_at_end

    def begin(self) -> int32_t:
        """The state before the first byte, which is the first one."""
        around = cython.declare(Around)
        count: cython.Py_ssize_t = 0
        matched: cython.bint
        if self.count:
            return 0
        memset(cython.address(around), 0, cython.sizeof(around))
        around.begin = around.later = True
        next_mark(self)
        matched = self.reach(0, cython.address(count), cython.address(around))
        return self.state_of(count, matched, True)

    def follow(self, state: int32_t, byte: uint8_t) -> int32_t:
        """What a state becomes with a byte; all are forgotten if there are too many."""
        around = cython.declare(Around)
        count: cython.Py_ssize_t = 0
        carried: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        place: int32_t
        matched: cython.bint
        following: int32_t
        for k in range(self.states[state].count):
            place = self.states[state].places[k]
            if self.steps[place].kind == READ and self.sets[self.steps[place].first * 256 + byte]:
                self.carried[carried] = place + 1
                carried += 1
        memset(cython.address(around), 0, cython.sizeof(around))
        around.later = True
        next_mark(self)
        matched = self.reach(0, cython.address(count), cython.address(around))
        for k in range(carried):
            if self.reach(self.carried[k], cython.address(count), cython.address(around)):
                matched = True
        if self.count == MOST_STATES:
            memcpy(self.carried, self.found, count * 4)
            self.forget()
            self.begin()
            memcpy(self.found, self.carried, count * 4)
            return self.state_of(count, matched, False)
        following = self.state_of(count, matched, False)
        self.states[state].next[byte] = following
        return following

    def state_of(
        self, count: cython.Py_ssize_t, matches: cython.bint, begin: cython.bint
    ) -> int32_t:
        """The number of the state of the places that were found, which is made if there is none."""
        around = cython.declare(Around)
        state: cython.pointer[State]
        size: cython.Py_ssize_t = count * 4
        ends: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        key: tuple = (
            PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.found), size), matches, begin
        )  # fmt: skip
        number: object = self.known.get(key)
        if number is not None:
            return cython.cast(int32_t, number)
        state = self.states + self.count
        state.places = cython.cast(cython.pointer[int32_t], allocate(max(size, 4)))
        memcpy(state.places, self.found, size)
        state.count = count
        state.matches = matches
        state.matches_at_end = False
        memset(state.next, 0xFF, cython.sizeof(state.next))
        self.known[key] = self.count
        self.count += 1
        # Those that ask for the end, if it comes now.
        memset(cython.address(around), 0, cython.sizeof(around))
        around.begin = begin
        around.end = True
        next_mark(self)
        for k in range(state.count):
            if self.steps[state.places[k]].kind == ASK and self.reach(
                state.places[k], cython.address(ends), cython.address(around)
            ):
                state.matches_at_end = True
        return cython.cast(int32_t, self.count - 1)

    def forget(self) -> cython.void:
        """Give all states up."""
        while self.count > 0:
            self.count -= 1
            release(self.states[self.count].places)
        self.known = {}


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def next_mark(regex: Regex) -> cython.void:
    """Let no place have been reached."""
    if regex.mark == MOST_MARK:
        memset(regex.marks, 0, (regex.length + 1) * 4)
        regex.mark = 0
    regex.mark += 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_word(byte: uint8_t) -> cython.bint:
    """Whether words are made of that."""
    return 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57 or byte == 95


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def holds(question: int32_t, around: cython.pointer[cython.const[Around]]) -> cython.bint:
    """Whether that is where we are."""
    if question == BEGIN:
        return around.begin
    if question == END:
        return around.end
    if question == WORD_BEGIN:
        return not around.word_before and around.word_behind
    if question == WORD_END:
        return around.word_before and not around.word_behind
    return (around.word_before != around.word_behind) == (question == WORD_EDGE)

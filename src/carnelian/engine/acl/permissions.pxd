from carnelian.engine.catalogue.key_positions cimport KeyPositions
from carnelian.engine.catalogue.registry cimport Command
from cpython.object cimport PyObject

cdef enum:  # why a command is refused; where selectors differ, the highest counts
    ALLOWED = 0
    BY_COMMAND = 1
    BY_KEY = 2
    BY_CHANNEL = 4

cdef enum:  # forms of patterns
    LITERAL = 0
    PREFIX = 1
    GLOB = 2

cdef struct Pattern:
    const char *text
    Py_ssize_t size
    int form
    int opens

# Why, and the word that it is about.
cdef struct Objection:
    int reason
    Py_ssize_t position

cdef bint fits(Pattern *pattern, const char *text, Py_ssize_t size) noexcept


cdef class Selector:
    cdef readonly object grant
    cdef readonly bint unlimited
    cdef bint future
    cdef bint all_keys
    cdef bint all_channels
    cdef bint exactly
    cdef bytes allowed
    cdef Py_ssize_t known
    cdef dict first_arguments
    cdef tuple texts
    cdef Pattern *patterns
    cdef int keys
    cdef int channels

    cdef bint lets(self, Command command, list args) noexcept
    cdef bint has_bit(self, int number) noexcept
    cdef bint runs(self, Command command, list args) except -1
    cdef bint opens(self, PyObject *key, int access) noexcept
    cdef bint hears(self, bytes channel, bint as_pattern)
    cdef int ask(self, Command command, list args, KeyPositions found, Objection *objection) except -1
    cdef int ask_about_keys(
        self, Command command, list args, KeyPositions found, Objection *objection) except -1
    cdef int ask_about_channels(
        self, Command command, list args, Objection *objection) except -1


cdef class User:
    cdef readonly bytes name
    cdef readonly object account
    cdef readonly list selectors
    cdef readonly bint unlimited
    cdef Selector root

    cdef bint lets(self, Command command, list args) noexcept
    cpdef become(self, account, list selectors)
    cdef int ask(self, Command command, list args, KeyPositions found, Objection *objection) except -1

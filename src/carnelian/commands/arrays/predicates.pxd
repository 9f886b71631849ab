from carnelian.datatypes.patterns.regex cimport Regex


cdef class Predicate:
    cdef int kind
    cdef bytes pattern  # in lower case if case does not count
    cdef bint nocase
    cdef Regex regex

    cdef bint holds(self, const char *text, Py_ssize_t length, const char *lowered) except -1


cdef class Plan:
    cdef list predicates
    cdef bint all
    # Whether some compare with a text in lower case.
    cdef bint lowers
    cdef readonly bint with_values
    cdef readonly object limit
    cdef char *lowered
    cdef Py_ssize_t room

    cdef bint selects(self, const char *text, Py_ssize_t length) except -1
    cdef const char *lower(self, const char *text, Py_ssize_t length) except NULL

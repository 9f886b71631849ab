from carnelian.scripting.borrowed cimport PyObject
from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

# What is to be done under protection, and what came of it.
cdef struct Task:
    const char *expression
    size_t expression_size
    const char *statement
    size_t statement_size
    PyObject *words
    bint failed
    int reference    # of what was called, or of the value


cdef class Inspection:
    cdef State L
    # Of `redis.call` as scripts that are debugged have it.
    cdef int call_reference

    cdef list variables(self, int level, Py_ssize_t size)

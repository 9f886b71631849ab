"""Declarations that Cython does not bring along."""

from cpython.object cimport PyObject


cdef extern from "Python.h":
    char* PyOS_double_to_string(double value, char code, int precision, int flags, int* kind) except NULL
    int _PyBytes_Resize(PyObject** string, Py_ssize_t size) except -1

cdef extern from "stdlib.h" nogil:
    long double strtold(const char* text, char** stop)

cdef extern from "math.h" nogil:
    bint isinf(long double value)
    bint isnan(long double value)

cdef extern from "sys/uio.h" nogil:
    cdef struct iovec:
        void* iov_base
        size_t iov_len

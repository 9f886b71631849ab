"""Declarations that Cython does not bring along."""

from cpython.object cimport PyObject

cdef extern from "Python.h":
    # With owned references for what they take and give: no counting back and forth.
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* text, Py_ssize_t size) except NULL
    PyObject* get_item "PyList_GET_ITEM"(list items, Py_ssize_t at)
    void set_item "PyList_SET_ITEM"(list items, Py_ssize_t at, PyObject* value)
    int _PyBytes_Resize(PyObject** string, Py_ssize_t size) except -1

cdef extern from *:
    """
    static inline PyObject *carnelian_owned(PyObject *value) { return value; }
    """
    # Takes over the reference that the caller has. NULL stands for what is raised now.
    object owned "carnelian_owned"(PyObject* value)

cdef extern from "stdlib.h" nogil:
    long double strtold(const char* text, char** stop)

cdef extern from "math.h" nogil:
    bint isinf(long double value)
    bint isnan(long double value)

cdef extern from "sys/uio.h" nogil:
    cdef struct iovec:
        void* iov_base
        size_t iov_len

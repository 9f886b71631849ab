from carnelian.engine.ground.stats cimport Stats
from carnelian.resp.replies cimport Error
from cpython.object cimport PyObject

cdef extern from "Python.h":
    PyObject *PyObject_Vectorcall(
        PyObject *function, PyObject **arguments, size_t count, PyObject *names
    ) noexcept
    PyObject *PyErr_Occurred() noexcept
    PyObject *type_of "(PyObject *)Py_TYPE"(PyObject *value) noexcept
    bint PyType_IsSubtype(PyObject *kind, PyObject *base) noexcept
    int PyException_SetTraceback(object error, object frames) except -1
    PyObject *context_of "PyException_GetContext"(object error)  # owned, NULL if there is none

cdef object WRONG_TYPE

cdef Error caught_error()
cdef count_failure(Stats stats, Error error)

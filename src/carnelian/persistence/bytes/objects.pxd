from cpython.object cimport PyObject, PyTypeObject

ctypedef PyObject *ObjectPointer
ctypedef PyTypeObject *ClassPointer

cdef extern from "Python.h":
    # The class of an object, without a reference to either.
    PyTypeObject *class_of "Py_TYPE"(PyObject *value) noexcept nogil

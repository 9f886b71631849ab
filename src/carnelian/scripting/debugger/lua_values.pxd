from carnelian.scripting.lua cimport State

cdef bytes describe(State L, Py_ssize_t size)

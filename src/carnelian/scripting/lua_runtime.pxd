from carnelian.scripting.api.script_host cimport ScriptHost
from carnelian.scripting.context cimport Context

# What lies at the bottom of the main stack, for good.
cdef enum:
    HANDLER = 1
    RUN = 2


cdef class Runtime:
    cdef Context context
    cdef readonly ScriptHost host

    cdef int compile(self, bytes source, const char *name, const char *failure) except? -1
    cdef int forget(self, int function) except? -1
    cdef object run(self, int function, list keys, list arguments, bytes name)
    cdef object load(self, int function)
    cdef object enter(self, int function, list keys, list arguments, bytes name, bint loading)
    cdef int leave(self) except? -1
    cdef object failed(self)
    cpdef Py_ssize_t memory(self) except? -1
    cpdef collect(self)

from carnelian.engine.engine cimport Engine
from carnelian.scripting.api.script_host cimport ScriptHost


cdef class LongRuns:
    cdef ScriptHost host
    cdef Engine engine
    cdef readonly bint busy
    cdef public bint for_functions
    cdef public bytes name
    cdef public object serve

    cpdef look(self)
    cdef end(self)

from carnelian.scripting.api.script_host cimport ScriptHost
from carnelian.scripting.lua_runtime cimport Runtime


cdef class Function:
    cdef readonly bytes name
    cdef readonly int reference
    cdef readonly object description
    cdef readonly int flags


cdef class Library:
    cdef readonly bytes name
    cdef readonly bytes code
    cdef readonly dict functions


cdef class FunctionLibraries:
    cdef ScriptHost host
    cdef readonly Runtime runtime
    cdef readonly dict libraries
    cdef dict by_name
    cdef list texts

    cdef Function find(self, bytes name)
    cdef Library compile(self, bytes code)
    cdef drop(self, Library library)
    cdef put(self, Library library)

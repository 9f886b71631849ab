from carnelian.scripting.api.script_host cimport ScriptHost
from carnelian.scripting.lua_runtime cimport Runtime


cdef class Script:
    cdef readonly bytes source
    cdef readonly bytes sha
    cdef readonly int function
    cdef readonly int flags
    cdef readonly bint evictable


cdef class EvalScripts:
    cdef ScriptHost host
    cdef readonly Runtime runtime
    cdef dict by_source
    cdef dict by_sha
    cdef dict recent
    cdef Script newest
    cdef readonly long long memory
    cdef readonly long long evicted

    cdef Script of_source(self, bytes source)
    cdef Script of_sha(self, bytes sha)
    cdef use(self, Script script)
    cdef Script add(self, bytes source, bint evictable)

from carnelian.engine.engine cimport Engine
from carnelian.engine.session cimport Session
from carnelian.scripting.api.script_host cimport ScriptHost
from carnelian.scripting.eval_scripts cimport EvalScripts, Script
from carnelian.scripting.function_libraries cimport Function, FunctionLibraries
from carnelian.scripting.long_runs cimport LongRuns
from carnelian.scripting.lua_runtime cimport Runtime


cdef class Scripting:
    cdef readonly Engine engine
    cdef readonly ScriptHost host
    cdef readonly LongRuns long_runs
    cdef EvalScripts eval_scripts
    cdef FunctionLibraries function_libraries
    cdef readonly list running
    cdef public dict debugged
    cdef public object debug_carrier

    cpdef EvalScripts scripts(self)
    cpdef FunctionLibraries libraries(self, Session session)
    cdef run_script(self, Session session, Script script, list keys, list args, bint read_only)
    cdef run_function(self, Session session, Function function, list keys, list args, bint read_only)
    cdef call(self, Runtime runtime, int reference, bytes name, int flags, Session session, list keys, list args, bint read_only)


cpdef list keys_of(list args)
cpdef Scripting scripting_of(Engine engine)

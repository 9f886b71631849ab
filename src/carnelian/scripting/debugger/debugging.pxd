from carnelian.scripting.api.script_host cimport ScriptHost
from carnelian.scripting.context cimport Context
from carnelian.scripting.debugger.script_inspection cimport Inspection
from carnelian.scripting.lua cimport State


cdef class Debugging:
    cdef ScriptHost host
    cdef Context *context
    cdef Inspection inspection
    cdef object debugger
    cdef long long since_ns
    # Commands that had run before the one that runs.
    cdef long long commands

    cdef bint reach(self, State L, int line, bint counted, bint own) noexcept
    cdef void begin_command(self, State L) noexcept
    cdef void end_command(self, bint failed) noexcept
    cdef show_error(self, bytes message)
    cdef void refuse(self, State L) noexcept
    cdef void show_values(self, State L) noexcept
    cdef void stop_soon(self) noexcept

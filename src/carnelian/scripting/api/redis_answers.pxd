from carnelian.scripting.lua cimport State

cdef int redis_status_reply(State L) noexcept
cdef int redis_error_reply(State L) noexcept
cdef int redis_sha1hex(State L) noexcept
cdef int redis_log(State L) noexcept
cdef int redis_setresp(State L) noexcept
cdef int redis_set_repl(State L) noexcept
cdef int redis_replicate_commands(State L) noexcept
cdef int redis_acl_check_cmd(State L) noexcept
cdef int redis_breakpoint(State L) noexcept
cdef int redis_debug(State L) noexcept

from carnelian.engine.engine cimport Engine
from carnelian.engine.session cimport Session
from carnelian.engine.ground.stats cimport Stats
from carnelian.net.loop cimport Hooks, Loop
from carnelian.net.transport cimport Owner, Transport
from carnelian.resp.output cimport OutputBuffer
from carnelian.resp.parser cimport Parser

cdef object Lazy


cdef class Hub(Hooks):
    cdef readonly Engine engine
    cdef readonly Loop loop
    cdef readonly Stats stats
    cdef long long deadline_ms
    cdef long long woke_ns
    cdef long long commands_before
    cdef readonly list members
    cdef list pending
    cdef list closing
    cdef list resumed
    cdef public Py_ssize_t max_bulk
    cdef public Py_ssize_t max_query
    cdef public object work
    cdef public object on_secured
    cdef Connection running
    cdef public object log

    cpdef flush(self)
    cdef commit(self)
    cdef close_marked(self)
    cdef proceed(self)


cdef class End(Owner):
    cdef Connection connection

    cpdef readable(self)
    cpdef writable(self)
    cpdef give_up(self, fault)
    cpdef secured(self)


cdef class Connection(Session):
    cdef readonly Hub hub
    cdef readonly Transport transport
    cdef readonly Parser parser
    cdef readonly OutputBuffer output
    cdef readonly list args
    cdef list kept
    cdef readonly long long input_total
    cdef readonly long long output_total
    cdef bytes peer_address
    cdef bytes socket_address
    cdef readonly Py_ssize_t position
    cdef readonly int state
    cdef public int reply_size
    cdef public int reply_peak
    cdef public long long reply_peak_reset_ms

    cpdef close(self, after_replies=*)
    cdef readable(self)
    cdef nothing_read(self, Py_ssize_t count)
    cdef run_commands(self)
    cdef rest(self)
    cdef int run_complete(self) except -1
    cdef replace_reply(self, fault)
    cdef write_parts(self, lazy)
    cdef finish_silently(self, value)
    cdef refuse_reply(self, value)
    cdef refuse_input(self, error)
    cdef check_query(self)
    cdef put_behind_reply(self, message)
    cdef write_kept(self)
    cdef queue(self)
    cdef flush(self)
    cdef fail_sending(self)
    cdef give_up(self, fault)
    cpdef finish(self)
    cpdef Py_ssize_t output_memory(self)
    cpdef bint over_output_limit(self)
    cdef check_output(self)
    cpdef Py_ssize_t input_memory(self)
    cpdef Py_ssize_t memory(self) except? -1

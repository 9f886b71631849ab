from carnelian.engine.shared.effects cimport Listener
from carnelian.keyspace.clock cimport Clock
from carnelian.resp.command_buffer cimport CommandBuffer
from carnelian.persistence.aof.syncing cimport Syncer
from libc.stdint cimport int64_t


cdef class AppendLog(Listener):
    cdef readonly CommandBuffer buffer
    cdef readonly Clock clock
    cdef object engine
    cdef Syncer syncer
    cdef readonly int fd
    cdef public int policy
    cdef public bint accepting
    cdef public bint stamping
    cdef public bint unsynced_on_rewrite
    cdef public bint rewriting
    cdef public bint shared
    cdef readonly bint broken
    cdef public int64_t size
    cdef public int64_t total_size
    cdef public int64_t last_sync_s
    cdef public int64_t sleep_us
    cdef public int64_t delayed
    cdef public bint failed
    cdef public int failure
    cdef int sync_failure    # what is known of the syncer's
    cdef public int waiters
    cdef public object on_commit
    cdef public object on_outcome
    cdef public object on_waiting
    cdef public int64_t interval_ms
    cdef int64_t gathered_ms
    cdef readonly int64_t offset
    cdef int64_t synced_offset
    cdef int64_t synced_size
    cdef int64_t postponed_s
    cdef int64_t stamp_s
    cdef int64_t complained_s
    cdef object syncing_lock

    cpdef flush(self, bint force=*)
    cdef int stamp(self) except -1
    cdef bint gathers(self) except -1
    cdef bint postpone(self) except -1
    cdef bint write_out(self, bint syncing) except -1
    cdef Py_ssize_t write_some(self) noexcept nogil
    cdef note_failure(self, Py_ssize_t written)
    cdef note_outcome(self, bint failed)
    cdef sync(self, bint syncing, bint force)
    cdef sync_now(self)
    cdef bint force_out(self) except -1
    cdef note_sync_failure(self)
    cpdef await_sync(self)
    cdef note(self, str event, int64_t started)

from cpython.pythread cimport PyThread_type_lock
from libc.stdint cimport int64_t

cdef struct Job:
    Job *next
    int kind         # SYNC, CLOSE or DROP
    int fd
    int64_t offset   # what was appended up to here is in the file


cdef class Syncer:
    cdef PyThread_type_lock mutex  # of all below that is not the thread's alone
    cdef PyThread_type_lock bell   # held, but for a moment when the thread is to wake up
    cdef Job *first
    cdef Job *last
    cdef bint running   # whether there is a thread
    cdef bint asleep    # whether it waits for the bell
    cdef bint ending
    cdef int64_t asked  # jobs until now
    cdef int64_t done
    cdef object log
    cdef public object on_outcome
    cdef public bint busy
    cdef public int pending
    cdef public int failure
    cdef readonly int64_t synced_offset

    cpdef sync(self, int fd, int64_t offset)
    cdef int add(self, int kind, int fd, int64_t offset) except -1
    cdef begin(self)
    cdef work(self)
    cdef bint take(self, Job *job) noexcept nogil
    cdef void perform(self, Job *job) noexcept nogil
    cdef void finish(self, Job *job) noexcept nogil
    cdef int force(self, int fd) noexcept nogil

cdef void _work_for(void *asker) noexcept with gil

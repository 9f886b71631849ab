from carnelian.resp.command_buffer cimport CommandBuffer


# Whom a command is for (Effects.wanted): the append-only file, replicas, or both.
cdef enum:
    FOR_LOG = 1
    FOR_REPLICAS = 2
    FOR_ALL = 3


cdef class Listener:
    cdef int target

    cdef receive(self, const char *text, Py_ssize_t length)
    cpdef commit(self)


cdef class Effects:
    cdef list _listeners
    cdef list _functions
    cdef CommandBuffer buffer
    cdef int selected
    cdef list _pending
    cdef readonly bint listening
    cdef public int wanted
    cdef public long long position

    cpdef add(self, int db_index, list args, int targets=*)
    cpdef flush(self, bint apart=*)
    cpdef commit(self)
    cdef hand_on(self, int db_index, list args, int targets)
    cdef tell(self, int targets)

from carnelian.resp.command_buffer cimport CommandBuffer


cdef class Listener:
    cdef receive(self, const char *text, Py_ssize_t length)
    cpdef commit(self)


cdef class Effects:
    cdef list _listeners
    cdef list _functions
    cdef CommandBuffer buffer
    cdef int selected
    cdef list _pending
    cdef readonly bint listening

    cpdef add(self, int db_index, list args)
    cpdef flush(self, bint apart=*)
    cpdef commit(self)
    cdef hand_on(self, int db_index, list args)

cdef class Listener:
    cpdef receive(self, int db_index, list args)
    cpdef commit(self)


cdef class Effects:
    cdef list _listeners
    cdef list _pending
    cdef readonly bint listening

    cpdef add(self, int db_index, list args)
    cpdef flush(self, bint apart=*)
    cpdef commit(self)
    cdef hand_on(self, int db_index, list args)

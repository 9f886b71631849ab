cdef class Effects:
    cdef list _listeners
    cdef list _pending
    cdef readonly bint listening

    cpdef add(self, int db_index, list args)
    cpdef flush(self)

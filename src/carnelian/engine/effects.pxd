cdef class Effects:
    cdef list _listeners
    cdef list _pending
    cdef readonly bint listening

    cpdef add(self, db_index, args)
    cpdef flush(self)

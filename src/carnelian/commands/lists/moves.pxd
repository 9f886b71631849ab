from carnelian.engine.session cimport Session

cdef object NULL_ARRAY

cdef int side(bytes word) except -1
cdef object move(Session session, bytes source, bytes destination, bint from_head, bint to_head)

cdef class Takings:  # the operands of LMPOP and BLMPOP
    cdef list keys
    cdef bint at_head
    cdef Py_ssize_t count

cdef Takings takings(list args, Py_ssize_t at)
cdef object take(Session session, list keys, bint at_head, Py_ssize_t count)

from carnelian.datatypes.packs.listpack cimport Bytes, Pack

cdef Pack from_full(Bytes data, Py_ssize_t length) except? NULL
cdef int slim(Pack *pack) except -1
cdef Pack duplicate_full(Bytes pack) except NULL
cdef int widen(Pack *pack) except -1
cdef void write_full(Bytes pack, Pack to) noexcept nogil
cdef bytes full_bytes(Bytes pack)

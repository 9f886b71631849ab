from carnelian.datatypes.packs.listpack cimport Pack
from libc.stdint cimport uint8_t

ctypedef const uint8_t *Bytes

cdef Pack from_ziplist(Bytes data, Py_ssize_t length) except? NULL
cdef Pack from_zipmap(Bytes data, Py_ssize_t length) except? NULL

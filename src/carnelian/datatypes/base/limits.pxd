from libc.stdint cimport int64_t


cdef class Limits:
    cdef public int list_max_listpack_size
    cdef public int list_compress_depth
    cdef public int64_t hash_max_listpack_entries
    cdef public int64_t hash_max_listpack_value
    cdef public int64_t set_max_intset_entries
    cdef public int64_t set_max_listpack_entries
    cdef public int64_t set_max_listpack_value
    cdef public int64_t zset_max_listpack_entries
    cdef public int64_t zset_max_listpack_value
    cdef public int64_t stream_node_max_bytes
    cdef public int64_t stream_node_max_entries
    cdef public int64_t stream_idmp_duration
    cdef public int64_t stream_idmp_maxsize
    cdef public int64_t hll_sparse_max_bytes
    cdef public int64_t array_slice_size
    cdef public int64_t array_sparse_kmax
    cdef public int64_t array_sparse_kmin

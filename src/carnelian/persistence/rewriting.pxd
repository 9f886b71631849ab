from carnelian.datatypes.entry cimport Entry
from carnelian.datatypes.hash cimport Hash
from carnelian.datatypes.list cimport List
from carnelian.datatypes.sorted_set cimport SortedSet
from carnelian.keyspace.database cimport Database
from carnelian.resp.command_buffer cimport CommandBuffer
from libc.stdint cimport int64_t


cdef class Rewriter:
    cdef CommandBuffer buffer
    cdef int fd
    cdef object spool
    cdef bint syncing
    cdef int64_t written
    cdef int64_t synced
    cdef readonly int64_t keys
    cdef public int64_t delay_us
    cdef public object progress

    cdef int write_database(self, Database db) except -1
    cdef int write_select(self, int index) except -1
    cdef int write_member(self, bytes key, object kind, Entry *member) except -1
    cdef int write_text(self, bytes key, bytes text) except -1
    cdef int write_key(self, Entry *entry) except -1
    cdef int write_string(self, Entry *entry) except -1
    cdef write_value(self, bytes key, object value)
    cdef write_list(self, bytes key, List value)
    cdef write_hash(self, bytes key, Hash value)
    cdef write_sorted_set(self, bytes key, SortedSet value)
    cdef write_stream(self, bytes key, object value)
    cdef write_idempotency(self, bytes key, object known)
    cdef write_released(self, bytes key, object group, dict deliveries)
    cdef write_some_released(self, bytes key, bytes name, list ids, int64_t count)
    cdef write_group(self, bytes key, object group)
    cdef write_some(self, bytes verb, bytes key, list words, Py_ssize_t most)
    cdef int flush(self, Py_ssize_t least) except -1

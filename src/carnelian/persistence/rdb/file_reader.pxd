from carnelian.datatypes.tables.entry cimport Content
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.keyspace cimport Keyspace
from carnelian.persistence.bytes.byte_source cimport Source
from libc.stdint cimport int64_t


cdef class Reader:
    cdef Source source
    cdef Keyspace keyspace
    cdef Database db
    cdef int64_t number      # of the database
    cdef dict seen
    cdef public bint thorough
    cdef public bint keep_overdue
    cdef public bint replacing
    cdef public bint checking
    cdef public int64_t interval
    cdef public int64_t delay_us
    cdef public bint discarding
    cdef readonly bint sum_checked
    cdef readonly int stage
    cdef readonly int type   # of the value that is read or was read last, -1 between keys
    cdef readonly int64_t keys_expiring
    cdef public object on_select
    cdef public object progress
    cdef public object on_aux
    cdef public object on_expired
    cdef public object warn
    cdef readonly int version
    cdef readonly int64_t keys_loaded
    cdef readonly int64_t keys_expired
    cdef readonly int64_t empty_skipped
    cdef readonly list functions
    cdef int64_t next_report
    cdef bint at_sum
    cdef int64_t try_at      # bytes to be there before an unfinished item is tried again
    cdef int64_t now
    cdef int64_t expiry      # of the next key, -1 for none, as the two below
    cdef int64_t idle
    cdef int frequency
    cdef char *key
    cdef Py_ssize_t key_length
    cdef Py_ssize_t key_room

    cdef int plan_retry(self, Py_ssize_t mark) except -1
    cdef bint advance_one(self) except -1
    cdef int read_header(self) except -1
    cdef bint read_opcode(self, int opcode) except -1
    cdef int read_key(self, int type) except -1
    cdef int discard(self) except -1
    cdef int refuse_duplicate(self) except -1
    cdef int read_name(self) except -1
    cdef int add(self, Content *content) except -1
    cdef int select(self) except -1
    cdef int resize(self) except -1
    cdef int read_aux(self) except -1
    cdef int read_function(self, bint early) except -1
    cdef int skip_module(self) except -1
    cdef int check_sum(self) except -1
    cdef int report(self) except -1

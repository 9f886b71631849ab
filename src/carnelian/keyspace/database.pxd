from carnelian.datatypes.tables.entry cimport Entry
from carnelian.keyspace.string_store cimport Strings
from carnelian.resp.arguments cimport Cut
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef struct Reaped:  # what one look for keys past their time met
    Py_ssize_t sampled
    Py_ssize_t expired
    Py_ssize_t living
    int64_t ttl_sum


cdef class Database(Strings):
    # Reading
    cpdef lookup(self, bytes key)
    cpdef bytes string(self, bytes key)
    cpdef collection(self, bytes key, type cls)
    cpdef bint exists(self, bytes key) except -1
    cpdef int64_t read_expiry(self, bytes key) except? -3
    cpdef bytes type_name(self, bytes key)
    # Looking without counting or touching
    cpdef peek(self, bytes key)
    cpdef bint has(self, bytes key) except -1
    cpdef bint holds(self, bytes key) except -1
    cpdef bint is_overdue(self, bytes key) except -1
    cpdef int64_t expiry(self, bytes key) except? -3
    cpdef bytes encoding(self, bytes key)
    cpdef idle_seconds(self, bytes key)
    cpdef frequency(self, bytes key)
    cpdef memory_usage(self, bytes key)
    # Looking in order to change
    cpdef value_to_change(self, bytes key)
    cpdef bytes string_to_change(self, bytes key)
    cpdef collection_to_change(self, bytes key, type cls)
    cpdef keep(self, bytes key)
    cpdef bint touch(self, bytes key) except -1
    cdef void prefetch(self, const Cut *commands, int count) noexcept
    # Keys
    cpdef bint add(self, bytes key, value, int64_t expiry=*) except -1
    cpdef bint replace(self, bytes key, value, bint keep_ttl=*, int64_t expiry=*) except -1
    cpdef bint delete(self, bytes key) except -1
    cpdef bint unlink(self, bytes key) except -1
    cpdef bint evict(self, bytes key, bint lazy=*) except -1
    cpdef bint set_expiry(self, bytes key, int64_t ms) except -1
    cpdef bint persist(self, bytes key) except -1
    cpdef bint rename(self, bytes key, bytes new_key) except -1
    cpdef bint move(self, bytes key, Database to) except -1
    cpdef bint copy(self, bytes key, Database to, bytes new_key, bint replace=*) except -1
    cpdef bint set_idle(self, bytes key, int64_t seconds) except -1
    cpdef bint set_frequency(self, bytes key, int frequency) except -1
    cpdef changed(self, bytes key, int kind, bytes event, Py_ssize_t count=*)
    cpdef bint shrank(
        self, bytes key, Py_ssize_t left, int kind, bytes event, Py_ssize_t count=*
    ) except -1
    cpdef bint drop_if_empty(self, bytes key, Py_ssize_t left) except -1
    # Whole
    cpdef Py_ssize_t size(self)
    cpdef bytes random_key(self)
    cpdef scan(
        self, uint64_t cursor, Py_ssize_t count=*, bytes type_name=*, bytes pattern=*
    )
    cpdef bint rehash(self, Py_ssize_t buckets) except -1
    cdef int reap(
        self, Py_ssize_t wanted, Py_ssize_t most_buckets, int64_t now, Reaped *reaped
    ) except -1

    cdef int count_size(self, dict found, bytes key, bint bytes_too) except -1
    cdef bint transfer(self, bytes key, Database to, bytes new_key) except -1
    cdef bint remove(self, bytes key, bint lazy) except -1
    cdef bint set_access(self, bytes key, uint32_t access) except -1
    cdef int reap_key(self, bytes key, int64_t now) except -1
    cdef tuple scan_part(
        self, uint64_t cursor, Py_ssize_t count, bytes type_name, list overdue
    )

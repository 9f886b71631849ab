from carnelian.datatypes.tables.entry cimport Content, Entry
from carnelian.datatypes.base.limits cimport Limits
from carnelian.datatypes.packs.listpack cimport Pack
from carnelian.datatypes.base.sink cimport Sink
from carnelian.datatypes.tables.table cimport Found, Table
from carnelian.datatypes.base.value cimport Value
from libc.stdint cimport int64_t, uint64_t

cdef enum:  # what of the fields is wanted
    FIELDS = 1
    VALUES = 2


cdef class Times:
    cdef int64_t soonest  # no field expires earlier
    cdef int64_t now      # fields that expire earlier are not seen
    cdef int64_t lowest   # the soonest of what a sweep has met so far
    cdef uint64_t cursor  # where the sweep goes on


# Either the listpack or the table is there.
cdef class Hash(Value):
    cdef Pack pack
    cdef Table table
    cdef Times times

    cpdef Py_ssize_t size(self) noexcept
    cpdef bint set(self, Limits limits, bytes field, bytes value, bint keep_time=*) except -1
    cpdef bint remove(self, bytes field) except -1
    cpdef bytes get(self, bytes field)
    cpdef bint contains(self, bytes field) except -1
    cpdef Py_ssize_t length_of(self, bytes field) except -1
    cpdef list collect(self, int wanted)
    cpdef list random(self, int wanted)
    cpdef list sample(self, Py_ssize_t count, int wanted)
    cpdef scan(self, uint64_t cursor, Py_ssize_t count, int wanted)
    cpdef int64_t expiry(self, bytes field) except? -3
    cpdef bint set_expiry(self, bytes field, int64_t ms) except -1
    cpdef list expire(self, int64_t now, Py_ssize_t buckets)
    cpdef look(self, int64_t now)
    cpdef bint free_some(self) except -1

    cdef bint hides_some(self) noexcept
    cdef bint is_late(self, int64_t ms) noexcept
    cdef int64_t time_at(self, Py_ssize_t at) noexcept
    cdef Py_ssize_t locate(self, bytes field) noexcept
    cdef uint64_t *slot_of(self, bytes field) except? NULL
    cdef bint is_seen(self, const Entry *entry) noexcept
    cdef bint fits_pack(self, Limits limits, bytes field, bytes value) noexcept
    cdef bint set_in_pack(self, Limits limits, bytes field, bytes value, bint keep_time) except -1
    cdef bint set_in_table(self, bytes field, bytes value, bint keep_time) except -1
    cdef int add_to_pack(self, bytes field, bytes value, int64_t ms) except -1
    cdef int add_to_table(self, bytes field, bytes value, int64_t ms) except -1
    cdef int overwrite(self, uint64_t *slot, const Content *content, int64_t ms) except -1
    cdef int set_time_in_pack(self, Py_ssize_t at, int64_t ms) except -1
    cdef int pour(self, int wanted, Sink sink) except -1
    cdef int pour_pack(self, int wanted, Sink sink) except -1
    cdef int pour_found(self, Found *found, int wanted, Sink sink) except -1
    cdef list expire_in_pack(self, int64_t now)
    cdef list expire_in_table(self, int64_t now, Py_ssize_t buckets)
    cdef list take_late(self, Found *found, int64_t now)
    cdef int prepare_times(self) except -1
    cdef int to_table(self) except -1

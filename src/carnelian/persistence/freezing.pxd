from carnelian.datatypes.entry cimport Entry
from carnelian.datatypes.table cimport Found, Keeper, Table
from carnelian.keyspace.keyspace cimport Keyspace
from libc.stdint cimport uint64_t


cdef class Output:
    cdef readonly Py_ssize_t keys

    cdef int put_key(self, int index, Entry *entry) except -1
    cdef int open_value(self, int index, Entry *entry, FrozenValue value) except -1
    cdef int put_member(self, FrozenValue value, Entry *member) except -1
    cdef int close_value(self, FrozenValue value, FrozenValue following) except -1


cdef class Frozen(Keeper):
    cdef Freezer freezer
    cdef readonly Table table
    cdef uint64_t cursor
    cdef readonly int index

    cdef int finish(self, bint complete) except -1


cdef class FrozenDatabase(Frozen):
    pass


cdef class FrozenValue(Frozen):
    cdef object kind
    cdef object record  # what the output keeps with it
    cdef bint timed
    cdef long long soonest


cdef class Freezer:
    cdef Keyspace keyspace
    cdef Output output
    cdef list databases
    cdef list values
    cdef Found found
    cdef long long deadline
    cdef Py_ssize_t big
    cdef readonly bint over

    cdef int freeze(self, int index, Entry *entry) except -1
    cdef bint walk(self, Frozen frozen) except -1
    cdef bint late(self)

from carnelian.commands.common.many cimport Many
from carnelian.datatypes.arrays.array cimport Array
from carnelian.engine.session cimport Session
from carnelian.keyspace.database cimport Database
from libc.stdint cimport uint64_t

cdef uint64_t MOST_PLACES


cdef class Places(Many):
    cdef Array array
    cdef uint64_t start
    cdef uint64_t end

    cdef list some(self, uint64_t start, uint64_t end)

cdef places_of(Session session, Array array, uint64_t start, uint64_t end)
cdef array_to_change(Database db, Session session, bytes key)

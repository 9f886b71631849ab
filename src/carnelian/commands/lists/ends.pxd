from carnelian.datatypes.collections.list cimport List
from carnelian.engine.session cimport Session
from carnelian.keyspace.database cimport Database

cdef object NULL_ARRAY

cdef int popped(Database db, bytes key, List values, bint at_head, Py_ssize_t count) except -1
cdef list pop_several(
    Session session, Database db, bytes key, List values, bint at_head, Py_ssize_t count
)

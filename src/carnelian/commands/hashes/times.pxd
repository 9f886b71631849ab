from carnelian.datatypes.collections.hash cimport Hash
from carnelian.engine.session cimport Session

cdef long long moment_of(Session session, bytes text, int unit, str name) except? -1
cdef list fields_from(list args, Py_ssize_t at, str message)
cdef tell(Session session, bytes key, Hash value, long long moment, list updated, list deleted)

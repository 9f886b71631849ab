from carnelian.engine.session cimport Session
from carnelian.resp.rows cimport Rows

cdef Rows rows_for(Session session, char kind, Py_ssize_t elements)

from carnelian.engine.session cimport Session

cdef add(Session session, list args, int conditions)

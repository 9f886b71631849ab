from carnelian.engine.session cimport Session


cpdef debug(Session session, list args, bint read_only)

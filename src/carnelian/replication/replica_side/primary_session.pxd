from carnelian.engine.engine cimport Engine
from carnelian.engine.session cimport Session
from carnelian.engine.catalogue.registry cimport Command
from carnelian.resp.parser cimport Parser


cdef class PrimarySession(Session):
    cdef readonly object link
    cdef readonly Parser parser
    cdef readonly long long came       # bytes of the stream that came on this connection
    cdef readonly long long applied    # of them, what commands that have run were made of
    cdef long long passed              # of them, what was passed on
    cdef object parts                  # what came and was not passed on yet

    cpdef bint apply(self, bytes data) except -1
    cdef int run_one(self, Engine engine, list args) except -1
    cdef int pass_on(self) except -1
    cpdef send(self, value)
    cpdef close(self, after_replies=*)

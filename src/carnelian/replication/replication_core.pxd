from carnelian.engine.engine cimport Engine
from carnelian.replication.history cimport History
from carnelian.replication.change_stream cimport Stream


cdef class Replication:
    cdef readonly Engine engine
    cdef readonly History history
    cdef readonly Stream stream
    cdef public object following
    cdef public object replica_side
    cdef public object primary
    cdef public object loop
    cdef public object restored_db


cpdef Replication replication_of(Engine engine)

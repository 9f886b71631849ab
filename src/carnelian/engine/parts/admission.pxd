from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.shared.core cimport Core
from carnelian.engine.catalogue.registry cimport Command
from cpython.object cimport PyObject

cdef object NO_REPLY, QUEUED

cdef enum:  # gates beside those of a session
    EVERYWHERE = 1073741824
    GUARDED = 536870912

cdef struct Asked:
    int gate
    PyObject *check


cdef class Check:
    cdef readonly int stage
    cdef readonly int gate
    cdef readonly object function

    cpdef judge(self, Client session, Command command, list args)


cdef class Order:
    cdef list checks
    cdef Asked *asked
    cdef int count


cdef class Admission:
    cdef Core core
    cdef object watches
    cdef Order order
    cdef Order rights
    cdef Order state
    cdef Order begun
    cdef Order places

    cpdef judge(self, Client session, Command command, list args)
    cpdef inner_objection(self, Client session, Command command, list args)
    cdef rights_objection(self, Client session, Command command, list args)
    cdef state_objection(self, Client session, Command command, list args, bint begun)
    cdef place_objection(self, Client session, Command command, list args)
    cpdef refuse_malformed(self, Client session, Command command, list args)
    cpdef reject(self, Client session, Command command, error)
    cdef arrange(self, list checks)
    cdef Order only(self, stages)


cdef long long judged_flags(Client session, Command command, list args) except -1

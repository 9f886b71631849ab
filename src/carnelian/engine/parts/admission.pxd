from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.shared.core cimport Core
from carnelian.engine.catalogue.registry cimport Command
from cpython.object cimport PyObject

cdef object NO_REPLY, QUEUED

cdef enum:  # gates beside those of a session
    EVERYWHERE = 1073741824
    GUARDED = 536870912

cdef enum:  # what the gate of a session may have, a bit beside it, and how many rows that makes
    SESSION_GATES = 127
    GUARDED_ROW = 128
    ROWS = 256

cdef struct Asked:
    int gate
    PyObject *check


cdef class Check:
    cdef readonly int stage
    cdef readonly int gate
    cdef readonly object function

    cdef bint admits(self, Client session, Command command, list args) noexcept
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
    cdef Order again

    cpdef judge(self, Client session, Command command, list args)
    cpdef inner_objection(self, Client session, Command command, list args)
    cdef rights_objection(self, Client session, Command command, list args)
    cdef state_objection(self, Client session, Command command, list args, bint begun)
    cdef place_objection(self, Client session, Command command, list args)
    cdef waiter_objection(self, Client session, Command command, list args)
    cpdef refuse_malformed(self, Client session, Command command, list args)
    cpdef reject(self, Client session, Command command, error)
    cdef arrange(self, list checks)
    cdef Order only(self, stages)


cdef long long judged_flags(Client session, Command command, list args) except -1


# Who is asked about a command; no check is where that ends.
cdef inline const Asked *first_asked(
    const Asked *asked, int count, int gate, bint is_protected
) noexcept nogil:
    if gate == 0 and not is_protected:
        return asked
    return asked + (gate & SESSION_GATES | (GUARDED_ROW if is_protected else 0)) * count


# Whether a glance at each check is enough to see that a command may run.
cdef inline bint admits(
    Admission admission, Client session, Command command, list args, bint is_protected
) noexcept:
    cdef const Asked *place = first_asked(
        admission.order.asked, admission.order.count, session.gate, is_protected
    )
    while place.check != NULL:
        if not (<Check> place.check).admits(session, command, args):
            return False
        place += 1
    return True

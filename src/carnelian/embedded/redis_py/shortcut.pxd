from carnelian.embedded.local_engine cimport LocalSession
from carnelian.embedded.mailbox cimport Mailbox
from carnelian.embedded.redis_py.shapes cimport Shaper


cdef class Line:
    cdef readonly LocalSession session
    cdef readonly Shaper shaper
    cdef readonly list early
    cdef object encode
    cdef str encoding
    cdef str errors
    cdef dict names
    cdef object call_soon
    cdef long long busy_since_ns

    cdef bint idle(self) except -1
    cdef bint overdue(self) except -1
    cdef list pack(self, tuple args)
    cdef list name(self, word)
    cdef ask(self, list words)


cdef class Shortcut:
    cdef object base
    cdef object base_execute
    cdef tuple client_methods
    cdef object pool
    cdef tuple pool_methods
    cdef object connection
    cdef tuple connection_methods
    cdef object callbacks
    cdef object dispatcher
    cdef object released
    cdef object listener
    cdef object recorder
    cdef str collector
    cdef object providers
    cdef frozenset unusual
    cdef object response_error
    cdef object connection_error
    cdef readonly bint overdue

    cdef bint fits(self, client, pool, tuple args, dict options) except -1
    cdef bint untouched(self, thing, kind, tuple methods) except -1
    cdef bint unobserved(self) except -1
    cdef bint ready(self, pool, connection) except -1
    cdef take(self, client, pool)
    cdef give_back(self, client, pool, connection)
    cdef ask(self, client, connection, tuple args)
    cdef answer(self, client, reply, name, dict options)

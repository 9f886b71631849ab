from carnelian.datatypes.tables.id_sets cimport IdSets
from carnelian.engine.catalogue.key_positions cimport KeyPositions
from carnelian.engine.catalogue.registry cimport Command
from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.shared.core cimport Core


cdef class Tracker:
    cdef public long long redirect
    cdef public bint bcast
    cdef public bint optin
    cdef public bint optout
    cdef public bint noloop
    cdef public bint caching
    cdef public bint broken
    cdef readonly dict prefixes


cdef class Broadcast:
    cdef dict clients
    cdef dict keys


cdef class Tracking:
    cdef Core core
    cdef IdSets keys
    cdef KeyPositions found
    cdef set known
    cdef readonly dict trackers
    cdef readonly dict prefixes
    cdef tuple lengths
    cdef dict changed_prefixes
    cdef Client current
    cdef list pending
    cdef public Py_ssize_t most_keys
    cdef Py_ssize_t rounds
    cdef public object on_interest

    cdef called(self, Command command, list args)
    cdef end_caching(self, Client session, Command command)
    cdef limit_keys(self)
    cpdef changed(self, bytes key)
    cpdef gone(self, bytes key)
    cpdef flushed(self)
    cpdef broadcast(self)

    cdef remember(self, Client session, Command command, list args)
    cdef tell_pending(self, Client session)
    cdef tell_readers(self, bytes key)
    cdef tell(self, Client session, list keys)
    cdef receiver_of(self, Client session)
    cdef message_to(self, Client receiver, Client session, list keys)
    cdef of_broken_redirect(self, Client session)
    cdef note_broadcast(self, bytes key, Client by)

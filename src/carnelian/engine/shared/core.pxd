from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.shared.effects cimport Effects
from carnelian.engine.catalogue.registry cimport Command, Registry
from carnelian.engine.ground.stats cimport Stats
from carnelian.keyspace.clock cimport Clock
from carnelian.keyspace.keyspace cimport Keyspace

cdef class Core:
    cdef readonly object config
    cdef readonly Clock clock
    cdef readonly Keyspace keyspace
    cdef readonly Registry registry
    cdef readonly object sessions
    cdef readonly Stats stats
    cdef readonly object latency
    cdef readonly Effects effects
    cdef public object log
    cdef readonly str run_id
    cdef readonly long long started_ms
    cdef public int gate
    cdef public int depth
    cdef public bint monitored
    cdef public bint tracked
    cdef public bint keys_ready
    cdef public bint timed
    cdef public bint latency_tracking
    cdef public long long slow_ns
    cdef public long long latency_ns
    cdef public list interrupts

    cpdef execute(self, Client client, list args)
    cpdef call(self, Client client, Command command, list args)
    cpdef parts_written(self, Client client, list args)
    cpdef defer(self, interrupt)

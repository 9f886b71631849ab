from carnelian.engine.parts.admission cimport Admission
from carnelian.engine.parts.client_limits cimport ClientEviction, OutputLimits
from carnelian.engine.shared.effects cimport Effects
from carnelian.engine.parts.memory_limit cimport MemoryLimit
from carnelian.engine.parts.tracking cimport Tracking
from carnelian.engine.catalogue.registry cimport Command, Registry
from carnelian.engine.shared.core cimport Core
from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.ground.stats cimport Stats
from carnelian.keyspace.clock cimport Clock
from carnelian.keyspace.removal.expire_cycle cimport ExpireCycle
from carnelian.keyspace.keyspace cimport Keyspace

cdef object Lazy, NO_REPLY


cdef class Engine(Core):
    cdef readonly ExpireCycle expire_cycle
    cdef readonly object slowlog
    cdef readonly object pubsub
    cdef readonly object watches
    cdef readonly object monitors
    cdef readonly object blocking
    cdef readonly object pause
    cdef readonly object changes
    cdef readonly Tracking tracking
    cdef readonly Admission admission
    cdef readonly object users
    cdef readonly MemoryLimit memory_limit
    cdef readonly OutputLimits output_limits
    cdef readonly ClientEviction client_eviction
    cdef readonly object info
    cdef readonly object modules
    cdef readonly object nested
    cdef public object persistence
    cdef public object append_only
    cdef public object scripting
    cdef public object on_shutdown
    cdef readonly list on_cron
    cdef readonly dict facts
    cdef readonly dict debug_commands
    cdef public object replication
    cdef public long long startup_memory
    cdef public long long peak_memory
    cdef readonly long long peak_memory_time
    cdef readonly list gatherers
    cdef public object cluster
    cdef readonly object compatibility
    cdef public bint cron_paused
    cdef readonly long long cron_ticks
    cdef long long parts_since

    cpdef execute_next(self, Client session, list args)
    cpdef before_sleep(self)
    cdef refused(self, Client session, Command command, reply)
    cdef reply_to_raised(self, Client session, Command command, long long dirty)
    cdef note_call(self, Client session, Command command, list args, long long elapsed)
    cdef propagate(self, Client session, list args, int db_index, bint changed)

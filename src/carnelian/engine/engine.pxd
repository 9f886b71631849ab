from carnelian.engine.client_limits cimport ClientEviction, OutputLimits
from carnelian.engine.effects cimport Effects
from carnelian.engine.memory_limit cimport MemoryLimit
from carnelian.engine.registry cimport Command, Registry
from carnelian.engine.session cimport Session
from carnelian.engine.stats cimport Stats
from carnelian.keyspace.clock cimport Clock
from carnelian.keyspace.expiry cimport ExpireCycle
from carnelian.keyspace.keyspace cimport Keyspace

cdef object Lazy


cdef class Engine:
    cdef readonly object config
    cdef readonly Clock clock
    cdef readonly Keyspace keyspace
    cdef readonly ExpireCycle expire_cycle
    cdef readonly Registry registry
    cdef readonly object sessions
    cdef readonly Stats stats
    cdef readonly object slowlog
    cdef readonly object latency
    cdef readonly object pubsub
    cdef readonly object watches
    cdef readonly Effects effects
    cdef readonly object monitors
    cdef readonly object blocking
    cdef readonly object pause
    cdef readonly object changes
    cdef readonly object admission
    cdef readonly MemoryLimit memory_limit
    cdef readonly OutputLimits output_limits
    cdef readonly ClientEviction client_eviction
    cdef readonly object info
    cdef readonly object modules
    cdef readonly object nested
    cdef public object persistence
    cdef public object append_only
    cdef public object log
    cdef public object on_shutdown
    cdef readonly list on_cron
    cdef readonly dict facts
    cdef readonly dict debug_commands
    cdef readonly str run_id
    cdef readonly str replication_id
    cdef public long long startup_memory
    cdef public long long peak_memory
    cdef readonly long long peak_memory_time
    cdef public object hotkeys
    cdef readonly long long started_ms
    cdef public bint cron_paused
    cdef readonly long long cron_ticks
    cdef public int gate
    cdef public int depth
    cdef public bint monitored
    cdef public bint keys_ready
    cdef public bint timed
    cdef public bint latency_tracking
    cdef public long long slow_ns
    cdef public long long latency_ns
    cdef long long parts_since
    cdef public list interrupts

    cpdef execute(self, Session session, list args)
    cpdef execute_next(self, Session session, list args)
    cpdef call(self, Session session, Command command, list args)
    cpdef before_sleep(self)
    cdef note_call(self, Session session, Command command, list args, long long elapsed)
    cpdef parts_written(self, Session session, list args)
    cpdef defer(self, interrupt)
    cdef propagate(self, Session session, list args, int db_index, bint changed)

from carnelian.datatypes.base.limits cimport Limits
from carnelian.keyspace.clock cimport Clock
from carnelian.keyspace.trash cimport Trash
# For the functions that know databases: errors pass them without a trace.
from carnelian.resp cimport replies as _replies
from libc.stdint cimport int64_t, uint32_t

cdef enum:  # what becomes of a key found to be past its time (State.overdue)
    DELETE = 0
    HIDE = 1
    IGNORE = 2


cdef class Stats:
    cdef public int64_t hits
    cdef public int64_t misses
    cdef public int64_t expired
    cdef public int64_t expired_active
    cdef public int64_t expired_fields
    cdef public int64_t expired_fields_active
    cdef public int64_t evicted
    cdef public double expired_stale_perc
    cdef public int64_t expired_time_cap_reached
    cdef public int64_t expire_cycle_us


cdef class State:
    cdef readonly Clock clock
    cdef readonly Stats stats
    cdef readonly Trash trash
    cdef readonly Limits limits
    cdef public int64_t dirty
    cdef public object observer
    cdef public object notifier
    cdef public object on_added
    cdef public object on_expired
    cdef public object on_fields_expired
    cdef public object field_notifier
    cdef readonly int overdue
    cdef readonly int spared
    cdef public bint active_expire
    cdef public bint touching
    cdef public bint lfu
    cdef public bint lrm
    cdef public int lfu_log_factor
    cdef public int lfu_decay_time
    cdef public bint lazy_expire
    cdef public bint lazy_server_del
    cdef public bint lazy_user_del
    cdef public int64_t max_string
    cdef readonly int64_t table_limit
    cdef readonly bint by_slot
    cdef public bytes concealed_slots

    cpdef spare_overdue(self, int reason)
    cpdef cease_sparing(self, int reason)
    cdef int combine_reasons(self) noexcept
    cdef uint32_t new_access(self) noexcept
    cdef uint32_t next_access(self, uint32_t access) noexcept
    cdef int frequency(self, uint32_t access) noexcept
    cdef int64_t idle_ms(self, uint32_t access) noexcept
    cdef uint32_t access_with_idle(self, int64_t idle_seconds) noexcept
    cdef uint32_t access_with_frequency(self, int frequency) noexcept
    cpdef notify(self, db, int kind, bytes event, bytes key)

from carnelian.engine.catalogue.registry cimport Command
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.keyspace cimport Keyspace
# For the functions that know sessions: errors pass them without a trace.
from carnelian.resp cimport replies as _replies
from carnelian.resp.output cimport Feed


cdef class Client:
    cdef public Keyspace keyspace
    cdef public Database db
    cdef readonly long long id
    cdef public int gate
    cdef public int flags
    cdef public int protocol
    cdef public int reply_mode
    cdef public bint takes_rows
    cdef public long long created_ms
    cdef public long long active_ms
    cdef public bytes name
    cdef public bytes lib_name
    cdef public bytes lib_ver
    cdef public bytes user
    cdef public object rights
    cdef public object transaction
    cdef public object executing
    cdef public object watch
    cdef public object blocked
    cdef public list rewritten
    cdef public Command command
    cdef public dict channels
    cdef public dict patterns
    cdef public dict shard_channels
    cdef public object tracking
    cdef public dict fieldsets
    cdef public long long soft_since_ms
    cdef public Py_ssize_t memory_counted
    cdef public long long write_position
    cdef public long long commands
    cdef public object replica
    cdef public Feed feed

    cpdef send(self, value)
    cpdef send_first(self, list messages, bint before_reply)
    cpdef close(self, after_replies=*)
    cpdef resume(self)
    cpdef begin_feed(self, Feed feed)
    cpdef pull(self)
    cpdef send_raw(self, bytes data)
    cpdef Py_ssize_t memory(self) except? -1
    cpdef int output_class(self)
    cpdef evict(self)
    cdef advance_reply_mode(self)
    cpdef rewrite(self, list args)

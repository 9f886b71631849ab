from carnelian.datatypes.collections.hash cimport Hash
from carnelian.engine.session cimport Session
from carnelian.keyspace.database cimport Database

cdef Hash to_read(Session session, bytes key)
cdef Hash to_change(Session session, bytes key)
cdef bint fields_noted(Database db) noexcept
cdef tell_fields(Database db, bytes key, bytes event, list fields)

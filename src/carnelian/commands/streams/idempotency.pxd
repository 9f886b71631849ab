from carnelian.commands.streams.stream_operands cimport Trimming
from carnelian.datatypes.streams.producers cimport Idempotency
from carnelian.datatypes.streams.stream cimport Stream
from carnelian.datatypes.streams.ids cimport Id
from carnelian.engine.session cimport Session

cdef object OK

cdef Idempotency memory_of(Session session, bytes key, Stream values)
cdef bytes name_of(list args, Py_ssize_t place)
cdef bint is_known(Session session, Stream values, Trimming found, Id *id) except -1
cdef int remember(Session session, bytes key, Stream values, Trimming found, const Id *id) except -1

from carnelian.datatypes.entry cimport Content
from carnelian.datatypes.limits cimport Limits
from carnelian.persistence.source cimport Source

cdef int read_value(
    Source source, int type, Limits limits, bint thorough, Content *content
) except -1

from carnelian.datatypes.packs.listpack cimport Bytes, Pack
from carnelian.persistence.bytes.byte_sink cimport Sink
from carnelian.persistence.bytes.byte_source cimport Source

cdef int put_pack(Sink sink, Bytes pack) except -1
cdef Pack read_pack(Source source, str what, int step, bint thorough) except NULL
cdef Pack read_slim_pack(Source source, str what, int step, bint thorough) except NULL
cdef Pack read_ziplist(Source source, str what, int step) except NULL
cdef bint repeats(Pack pack, int step) except -1

from libc.stdint cimport uint64_t

cdef enum:
    ID_TEXT = 41  # the longest text of an id


# Names an entry of a stream: the time in ms, and a number among those of that time.
cdef struct Id:
    uint64_t ms
    uint64_t seq


ctypedef Id *IdPointer
ctypedef const Id *ConstId

cdef bint parse_number(const char *text, Py_ssize_t length, uint64_t *number) noexcept nogil
cdef bint parse_id(
    const char *text, Py_ssize_t length, uint64_t missing, Id *id, bint *any_seq
) noexcept nogil
cdef bytes format_id(const Id *id)
cdef bint step_up(Id *id) noexcept nogil
cdef bint step_down(Id *id) noexcept nogil
cdef Id id_of(object pair) except *

cdef inline int compare(const Id *one, const Id *other) noexcept nogil:
    if one.ms != other.ms:
        return 1 if one.ms > other.ms else -1
    if one.seq != other.seq:
        return 1 if one.seq > other.seq else -1
    return 0

cdef inline bint is_zero(const Id *id) noexcept nogil:
    return id.ms == 0 and id.seq == 0

cdef inline tuple as_pair(const Id *id):
    return (id.ms, id.seq)

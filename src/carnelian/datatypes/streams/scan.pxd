from carnelian.datatypes.streams.by_id cimport Place, Tree
from carnelian.datatypes.streams.ids cimport Id
from carnelian.datatypes.streams.node cimport Entry, Head, Node


cdef class Scan:
    cdef const Tree *nodes
    cdef Place place
    cdef Node *node
    cdef Head head
    cdef Entry entry
    cdef Py_ssize_t at   # of the entry to come (forward), or of the one read last (backward)
    cdef bint passed     # `at` is known to be behind the entry read last
    cdef bint back
    cdef bint with_deleted
    cdef Id start
    cdef Id end
    cdef list names      # fields of the node, once they are needed

    cdef open(self, const Tree *nodes, const Id *start, const Id *end, bint back)
    cdef bint next(self) except -1
    cdef bint enter(self) except -1
    cdef list content(self)
    cdef list item(self)
    cdef list names_of_node(self)

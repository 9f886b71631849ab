from libc.stdint cimport uint32_t, uint64_t

# A leaf, followed by its numbers in order, or a branch, followed by 16 pointers.
cdef struct Node:
    uint32_t count  # numbers in the leaf, or in all leaves below the branch
    uint32_t room   # for numbers, in a leaf; 0 in a branch


cdef class SlotIndex:
    cdef Node **slots
    cdef Py_ssize_t bytes  # of all nodes
    cdef int drained       # slots that drain() has emptied

    cdef int add(self, int slot, uint32_t number) except -1
    cdef int discard(self, int slot, uint32_t number) except -1
    cdef Py_ssize_t count(self, int slot) noexcept nogil
    cdef uint64_t collect(
        self, int slot, uint64_t first, Py_ssize_t wanted, uint32_t *numbers, Py_ssize_t *count
    ) noexcept nogil
    cdef bint drain(self, Py_ssize_t nodes) noexcept nogil
    cpdef Py_ssize_t memory(self)

    cdef Node *open_leaf(self, Py_ssize_t count) except NULL
    cdef void close(self, Node *node) noexcept nogil
    cdef int put(self, Node **place, uint32_t number) except -1
    cdef int refit(self, Node **place, Py_ssize_t count) except -1
    cdef int split(self, Node **place, int shift) except -1
    cdef int shrink(self, Node **place) noexcept
    cdef int merge(self, Node **place) noexcept
    cdef void gather(self, Node *node, Node *leaf) noexcept nogil
    cdef void close_one(self, Node **place) noexcept nogil

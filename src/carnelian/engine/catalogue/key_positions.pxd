cdef enum:  # how far the keys of a key spec go on
    UNKNOWN = 0
    RANGE = 1
    COUNT = 2

# A key spec without objects.
cdef struct Place:
    int access
    bint searched
    int begin
    int extent
    int last
    int step
    int limit
    int count_at
    int first_at

cdef struct FoundKey:
    Py_ssize_t position
    int access

cdef prepare(Place *place, spec)


cdef class KeyPositions:
    cdef FoundKey *keys
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t room
    cdef resize(self, Py_ssize_t room)
    cdef int add(self, Py_ssize_t position, int access) except -1
    cdef int clear(self) except -1


cdef class KeyFinder:
    cdef readonly bint any
    cdef bint varying
    cdef int single
    cdef int size
    cdef Place *places
    cdef list words
    cdef object get_keys

    cdef Py_ssize_t locate(self, list args, KeyPositions found, bint exactly) except -1
    cdef bint follow(self, list args, KeyPositions found) except -1
    cdef bint follow_one(self, int number, list args, KeyPositions found) except -1
    cdef ask(self, list args, KeyPositions found)
    cpdef list find(self, list args, bint exactly=*)

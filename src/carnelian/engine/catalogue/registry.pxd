from carnelian.engine.catalogue.key_positions cimport KeyFinder
from carnelian.engine.ground.stats cimport Histogram

cdef enum:
    RECENT = 64  # names that are known by where they are; a power of two


cdef class Command:
    cdef readonly object declaration
    cdef readonly bytes name
    cdef readonly int number
    cdef int words
    cdef readonly object handler
    cdef readonly object flags_of
    cdef readonly long long flags
    cdef readonly tuple categories
    cdef readonly dict subcommands
    cdef KeyFinder finder
    cdef public long long calls
    cdef public long long microseconds
    cdef public long long rejected_calls
    cdef public long long failed_calls
    cdef readonly long long slow_calls
    cdef readonly long long slow_ns
    cdef readonly long long slowest_ns
    cdef readonly Histogram histogram

    cpdef KeyFinder key_finder(self)
    cpdef int record(self, long long nanoseconds, bint tracking) except -1

# Whether the arity allows this number of words, for commands that were looked up.
cdef inline bint accepts(Command command, Py_ssize_t count) noexcept:
    return count == command.words if command.words > 0 else count >= -command.words


cdef class Registry:
    cdef dict by_spelling
    cdef list recent_names
    cdef list recent
    cdef readonly dict top
    cdef dict numbers
    cdef readonly int numbered

    cdef forget_spellings(self)
    cdef Command by_name(self, name)
    cdef Command meet(self, name, size_t place)
    cpdef Command lookup(self, list args)

from carnelian.datatypes.arrays.slice_index cimport Index, Seat
from carnelian.datatypes.arrays.array_slices cimport Rules, Slice
from carnelian.datatypes.base.limits cimport Limits
from carnelian.datatypes.base.value cimport Value
from carnelian.datatypes.tables.table cimport Keeper
from libc.stdint cimport uint16_t, uint64_t

cdef extern from *:
    """
    #define CARNELIAN_UNSET 0xFFFFFFFFFFFFFFFFULL
    #define CARNELIAN_HIGHEST 0xFFFFFFFFFFFFFFFEULL
    """
    const uint64_t UNSET "CARNELIAN_UNSET"      # as a cursor: nothing was appended yet
    const uint64_t HIGHEST "CARNELIAN_HIGHEST"  # index

cdef struct Kept:  # a slice, as Keeper.keep_block has it
    uint64_t base  # the index of its offset 0
    Slice *slice



cdef class Array(Value):
    cdef Index index
    cdef readonly uint64_t count
    cdef readonly uint64_t length   # the highest index and one
    cdef public uint64_t cursor     # the index that was appended to last, or UNSET
    cdef Py_ssize_t texts           # bytes that elements hold outside of slices
    cdef int shift                  # bits of an offset
    cdef uint16_t version           # slices of another one are still to be handed out
    cdef Keeper keeper
    cdef Seat *near                 # the seat that was asked for last, or NULL

    cpdef bytes get(self, uint64_t index)
    cpdef bint set(self, Limits limits, uint64_t index, bytes text) except -1
    cpdef Py_ssize_t set_run(
        self, Limits limits, uint64_t index, list texts, Py_ssize_t start
    ) except -1
    cpdef bint remove(self, Limits limits, uint64_t index) except -1
    cpdef uint64_t remove_range(self, Limits limits, uint64_t low, uint64_t high) except? 0
    cpdef int become(self, Array other) except -1
    cpdef bint free_some(self) except -1
    cpdef dict figures(self)
    cpdef list items(self, uint64_t start, uint64_t end, Py_ssize_t most)

    cdef uint64_t word(self, uint64_t index) noexcept nogil
    cdef bint set_word(self, Limits limits, uint64_t index, uint64_t word) except -1
    cdef int begin_version(self, Keeper keeper) except -1
    cdef int end_version(self) except -1

    cdef Rules rules(self, Limits limits) noexcept
    cdef Seat *seat(self, uint64_t number) noexcept nogil
    cdef Seat *own_seat(self, uint64_t number, Limits limits, uint64_t index) except NULL
    cdef int keep(self, Seat *seat) except -1
    cdef bint put_word(self, Seat *seat, Rules *rules, uint64_t index, uint64_t word) except -1
    cdef int put_text(self, Seat *seat, Rules *rules, uint64_t index, bytes text) except -1
    cdef int close(self, uint64_t number) except -1
    cdef int forsake(self, uint64_t number) except -1
    cdef int find_length(self) noexcept
    cdef bint drain(self, Py_ssize_t slices) noexcept

from carnelian.commands.common.many cimport Many
from carnelian.datatypes.arrays.array cimport Array
from libc.stdint cimport int64_t, uint64_t

cdef enum:
    SUM = 0
    LEAST = 1
    MOST = 2
    AND = 3
    OR = 4
    XOR = 5
    EQUAL = 6
    USED = 7


cdef class Pairs(Many):
    cdef Array array
    cdef uint64_t start
    cdef uint64_t end
    cdef uint64_t limit

cdef struct Sums:
    int operation
    int64_t count
    int64_t bits
    long double number
    bint any

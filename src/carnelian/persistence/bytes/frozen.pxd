from carnelian.datatypes.tables.entry cimport Entry
from carnelian.datatypes.tables.table cimport Found, Keeper, Table
from carnelian.keyspace.keyspace cimport Keyspace
from carnelian.persistence.bytes.command_file cimport CommandFile
from carnelian.persistence.bytes.byte_sink cimport Sink
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    LONG_STRING = 65536  # bytes from which a string is not compressed between commands
    BUCKETS = 16         # whose entries are collected at a time

cdef struct Text:       # a member of a set
    const char *text
    Py_ssize_t length

cdef struct Block:      # of a list or a stream, as Keeper.keep_block has it
    const void *data
    Py_ssize_t size
    Py_ssize_t stream
    bint plain


cdef class Output:
    cdef readonly Py_ssize_t keys
    cdef bint takes_parts

    cdef int put_key(self, int index, Entry *entry) except -1
    cdef int open_value(self, int index, Entry *entry, Frozen value) except -1
    cdef int put_part(self, Frozen value, const void *part) except -1
    cdef int put_string(self, Frozen value, bytes text) except -1
    cdef int close_value(self, Frozen value, Frozen following) except -1


cdef class Freezing:
    cdef Keyspace keyspace
    cdef Output output
    cdef Found found
    cdef long long deadline
    cdef Py_ssize_t big
    cdef Py_ssize_t long
    cdef readonly bint over
    cdef object fault  # the exception that came up, or None

    cdef bint late(self)


cdef class Frozen(Keeper):
    cdef Freezing freezer
    cdef readonly int index
    cdef object record  # for the output to keep something in
    cdef object rest    # and something that comes later
    cdef Py_ssize_t count

    cdef bint walk(self) except -1
    cdef int finish(self, bint complete) except -1

    cdef int type_of(self, int version) except -1
    cdef int put_head(self, Sink record) except -1
    cdef int put_part(self, Sink record, bint compressing, const void *part) except -1
    cdef int put_tail(self, Sink record) except -1
    cdef int rewrite_part(self, CommandFile commands, bytes key, const void *part) except -1


cdef class FrozenTable(Frozen):
    cdef Table table
    cdef uint64_t cursor


cdef class FrozenMembers(FrozenTable):
    pass


cdef class FrozenBlocks(Frozen):
    cdef Py_ssize_t taken  # the last number that was handed out
    cdef dict copies

    cdef int read(self, Py_ssize_t number, Block *block) except -1

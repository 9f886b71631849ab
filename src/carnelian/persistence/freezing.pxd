from carnelian.datatypes.entry cimport Entry
from carnelian.datatypes.members cimport Members
from carnelian.datatypes.nodes cimport NodePointer
from carnelian.datatypes.quicklist cimport Quicklist
from carnelian.datatypes.stream cimport Stream
from carnelian.datatypes.stream_id cimport Id
from carnelian.datatypes.table cimport Found, Keeper, Table
from carnelian.keyspace.keyspace cimport Keyspace
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    LONG_STRING = 65536  # bytes from which a string is not compressed between commands

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
    cdef int put_member(self, FrozenMembers value, Entry *member) except -1
    cdef int put_text(self, Frozen value, const char *text, Py_ssize_t length) except -1
    cdef int put_block(self, FrozenBlocks value, const Block *block) except -1
    cdef int put_string(self, FrozenString value, bytes text) except -1
    cdef int close_value(self, Frozen value, Frozen following) except -1


cdef class Frozen(Keeper):
    cdef Freezer freezer
    cdef readonly int index
    cdef object kind    # of a value: its class
    cdef object record  # for the output to keep something in
    cdef object rest    # and something that comes later
    cdef Py_ssize_t count
    cdef bint timed
    cdef long long soonest

    cdef bint walk(self) except -1
    cdef int finish(self, bint complete) except -1


cdef class FrozenTable(Frozen):
    cdef Table table
    cdef uint64_t cursor


cdef class FrozenDatabase(FrozenTable):
    pass


cdef class FrozenMembers(FrozenTable):
    pass


cdef class FrozenSet(Frozen):
    cdef Members members
    cdef uint64_t cursor


cdef class FrozenString(Frozen):
    cdef bytes text


cdef class FrozenBlocks(Frozen):
    cdef Py_ssize_t taken  # the last number that was handed out
    cdef dict copies

    cdef int read(self, Py_ssize_t number, Block *block) except -1


cdef class FrozenList(FrozenBlocks):
    cdef NodePointer *nodes
    cdef Quicklist chain


cdef class FrozenStream(FrozenBlocks):
    cdef Id *ids
    cdef Stream stream

    cdef const Id *first_id(self, Py_ssize_t number) noexcept


cdef class Freezer:
    cdef Keyspace keyspace
    cdef Output output
    cdef list databases
    cdef list values
    cdef Found found
    cdef long long deadline
    cdef Py_ssize_t big
    cdef Py_ssize_t long
    cdef readonly bint over
    cdef object fault  # the exception that came up, or None

    cdef int freeze(self, int index, Entry *entry) except -1
    cdef int add(self, int index, Entry *entry, Frozen value) except -1
    cdef int freeze_table(self, int index, Entry *entry, object value, Table table) except -1
    cdef int freeze_set(self, int index, Entry *entry, Members members) except -1
    cdef int freeze_blocks(self, int index, Entry *entry, object value) except -1
    cdef int end_first(self, Frozen frozen) except -1
    cdef bint late(self)

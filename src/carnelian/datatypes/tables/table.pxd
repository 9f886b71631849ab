from carnelian.datatypes.tables.entry cimport VERSION_SHIFT, Entry
from libc.stdint cimport uint32_t, uint64_t

cdef extern from "Python.h":
    ctypedef struct PyHash_FuncDef:
        Py_hash_t (*hash "hash")(const void *text, Py_ssize_t length) noexcept nogil

    const PyHash_FuncDef *PyHash_GetFuncDef()

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void *line) noexcept nogil

cdef enum:
    SLOTS = 7  # in a bucket


# One cache line. A slot is an entry's address with 16 bits of its hash above it, or zero; the
# slots of a chain are filled from the front, without holes.
cdef struct Bucket:
    uint64_t slots[7]
    Bucket *next

cdef struct Array:
    Bucket *buckets
    void *start         # of the allocation around the buckets
    size_t size         # of that allocation if it is a mapping, else 0
    size_t discarded    # bytes of the mapping given back already
    uint64_t mask       # number of buckets - 1
    int bits            # log2 of the number of buckets
    int shift           # of the hash, for the 16 bits that a slot keeps
    int longest         # most buckets that a chain has had
    Py_ssize_t overflow_buckets

cdef struct Found:  # entries collected from a table; valid until the table changes
    Entry **items
    Py_ssize_t count
    Py_ssize_t room

cdef inline Entry *entry_at(const uint64_t *slot) noexcept nogil:
    return <Entry *>(slot[0] & 0xFFFFFFFFFFFFULL)

cdef inline void set_entry(uint64_t *slot, Entry *entry) noexcept nogil:
    slot[0] = (slot[0] & 0xFFFF000000000000ULL) | <uint64_t>entry

cdef uint64_t next_cursor(uint64_t cursor, uint64_t mask) noexcept nogil
cdef uint64_t hash_text(const char *text, Py_ssize_t length) noexcept nogil
cdef void forget(Found *found) noexcept nogil


# Is handed what is about to change: entries of tables, see Table.begin_version, buckets of members,
# see Members.begin_version, and the numbered blocks of long lists and streams.
cdef class Keeper:
    cdef int keep(self, Table table, Entry *entry) except -1
    cdef int keep_bucket(self, uint64_t bucket) except -1
    cdef int keep_block(
        self, uint32_t number, const void *data, Py_ssize_t size, Py_ssize_t stream, bint plain
    ) except -1


cdef class Table:
    cdef Array main
    cdef Array target
    cdef readonly Py_ssize_t used
    cdef Py_ssize_t position   # first bucket of main not yet moved to target, or -1
    cdef Py_ssize_t drained    # buckets emptied by drain()
    cdef bint owner
    cdef public bint steady    # start no resize unless it cannot wait
    cdef Py_ssize_t limit      # of all data, above which nothing grows unless overfull; 0 is none
    cdef uint32_t version      # of the entries that are new, changed, or were kept
    cdef uint32_t unfinished   # versions begun since one came to its end
    cdef uint64_t renewed_to
    cdef Keeper keeper         # None but between the begin and the end of a version

    cdef uint64_t *find(self, uint64_t hash, const char *key, Py_ssize_t length) noexcept nogil
    cdef uint64_t *find_entry(self, uint64_t hash, const Entry *entry) noexcept nogil
    cdef void prefetch(self, uint64_t hash) noexcept nogil
    cdef void prefetch_entry(self, uint64_t hash) noexcept nogil
    cdef int collect_alike(self, uint32_t low, Found *found) except -1
    cdef int insert(self, uint64_t hash, Entry *entry) except -1
    cdef int remove(self, uint64_t hash, uint64_t *slot) except -1
    cdef int step(self, Py_ssize_t buckets) except -1
    cdef int reserve(self, Py_ssize_t entries) except -1
    cdef Entry *random(self) noexcept nogil
    cdef int some(self, Py_ssize_t wanted, Found *found) except -1
    cdef int every(self, Found *found) except -1
    cdef uint64_t scan(self, uint64_t cursor, Found *found) except? 1
    cdef bint drain(self, Py_ssize_t buckets) except -1
    cdef int begin_version(self, Keeper keeper) except -1
    cdef int end_version(self, bint complete) except -1
    cdef bint short_of_versions(self) noexcept nogil
    cdef int renew_versions(self, Py_ssize_t buckets) except -1
    cdef int put_in_place(self, uint64_t *slot, Entry *entry) except -1
    cdef int drain_bucket(self, Array *array, uint64_t index) except -1
    cdef Py_ssize_t buckets(self) noexcept nogil
    cdef bint rehashing(self) noexcept nogil
    cpdef Py_ssize_t memory(self)

    cdef bint may_grow(self) noexcept
    cdef int resize(self, int bits) except -1
    cdef int finish(self) except -1
    cdef int move(self, Py_ssize_t index) except -1
    cdef Array *home(self, uint64_t hash) noexcept nogil
    cdef Bucket *bucket_at(self, uint64_t number) noexcept nogil
    cdef uint64_t first_used(self, uint64_t number) noexcept nogil
    cdef Entry *next_entry(self, uint64_t number) noexcept nogil
    cdef int collect_at(self, Array *array, uint64_t cursor, Found *found) except -1

cdef inline uint32_t version_of(const Entry *entry) noexcept nogil:
    return entry.access >> VERSION_SHIFT

cdef inline void set_version(Entry *entry, uint32_t version) noexcept nogil:
    entry.access = (entry.access & ((1 << VERSION_SHIFT) - 1)) | version << VERSION_SHIFT


# To be called before an entry changes.
cdef inline int keep(Table table, Entry *entry) except -1:
    if version_of(entry) != table.version and table.keeper is not None:
        return table.keeper.keep(table, entry)
    return 0

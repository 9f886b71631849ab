from carnelian.datatypes.tables.member_blocks cimport LongText
from carnelian.datatypes.tables.table cimport Keeper
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef class Members:
    cdef uint64_t **segments      # of buckets
    cdef Py_ssize_t segment_room  # pointers that there is room for
    cdef Py_ssize_t room          # buckets that there is room for
    cdef Py_ssize_t buckets       # in use: as many as low_mask + 1, and those that were split off
    cdef uint64_t low_mask
    cdef Py_ssize_t split         # buckets, from the first on, that were split
    cdef int bits                 # of low_mask
    cdef readonly Py_ssize_t used
    cdef Py_ssize_t held          # bytes
    cdef Py_ssize_t longest       # most members that a bucket has had
    cdef Py_ssize_t drained       # buckets emptied by drain()
    cdef uint32_t version         # of the blocks that are new, changed, or were kept
    cdef uint32_t unfinished      # versions begun since one came to its end
    cdef Keeper keeper            # None but between the begin and the end of a version

    cdef bint contains(self, uint64_t hash, const char *text, Py_ssize_t length) noexcept nogil
    cdef bint add(self, uint64_t hash, const char *text, Py_ssize_t length) except -1
    cdef bint remove(self, uint64_t hash, const char *text, Py_ssize_t length) except -1
    cdef bytes random(self)
    cdef bytes pop(self)
    cdef uint64_t scan(self, uint64_t cursor, uint64_t **bucket) noexcept nogil
    cdef int reserve(self, Py_ssize_t members) except -1
    cdef Members copy(self)
    cdef bint drain(self, Py_ssize_t buckets) noexcept
    cdef int begin_version(self, Keeper keeper) except -1
    cdef int end_version(self, bint complete) except -1
    cdef int keep(self, uint64_t *bucket) except -1
    cpdef Py_ssize_t memory(self) noexcept

    cdef Py_ssize_t number_of(self, uint64_t hash) noexcept nogil
    cdef int depth_of(self, Py_ssize_t number) noexcept nogil
    cdef uint64_t *bucket_at(self, Py_ssize_t number) noexcept nogil
    cdef uint64_t *draw(self, Py_ssize_t *index) noexcept nogil
    cdef void *take(self, Py_ssize_t size) except NULL
    cdef void give(self, void *cell, Py_ssize_t size) noexcept
    cdef int append(
        self, uint64_t *bucket, uint16_t mark, const char *text, Py_ssize_t length
    ) except -1
    cdef int append_short(
        self, uint64_t *bucket, uint16_t mark, const char *text, Py_ssize_t width
    ) except -1
    cdef int take_out(self, uint64_t *bucket, Py_ssize_t index) except -1
    cdef int copy_bucket(self, uint64_t source, uint64_t *bucket) except -1
    cdef void free_bucket(self, uint64_t *bucket) noexcept
    cdef void free_long(self, LongText *long) noexcept
    cdef int grow(self) except -1
    cdef int shrink(self) except -1
    cdef int distribute(self, uint64_t *low, uint64_t *high) except -1
    cdef bint join(self, Py_ssize_t low_number, Py_ssize_t high_number, int depth) except -1
    cdef uint8_t *open_block(
        self, Py_ssize_t count, Py_ssize_t texts, uint32_t version
    ) except? NULL
    cdef uint8_t *take_block(self, Py_ssize_t size, uint32_t version) except NULL
    cdef void give_block(self, uint8_t *block, Py_ssize_t size) noexcept
    cdef int make_room(self, Py_ssize_t buckets) except -1
    cdef int make_segment_room(self) except -1
    cdef int give_up_room(self) except -1

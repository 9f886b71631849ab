from carnelian.datatypes.base.bytes_object cimport PyBytesObject
from carnelian.datatypes.tables.entry cimport Content, Entry
from carnelian.datatypes.tables.slot_index cimport SlotIndex
from carnelian.datatypes.tables.table cimport Found, Table, hash_text
from carnelian.keyspace.state cimport State
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t

# As hash() has it, with less ado; kept in the object as well.
cdef inline uint64_t hash_of(bytes key) noexcept:
    cdef PyBytesObject *kept = <PyBytesObject *><PyObject *>key
    if kept.ob_shash == -1:
        kept.ob_shash = <Py_hash_t>hash_text(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
    return <uint64_t>kept.ob_shash


cdef class Store:
    cdef readonly int index
    cdef readonly State keyspace
    cdef Table table
    cdef Table expiring
    cdef SlotIndex slots
    cdef public int64_t avg_ttl
    cdef uint64_t expire_cursor
    cdef readonly object timed_hashes
    cdef dict newer_forms
    cdef Py_ssize_t newer_forms_limit

    cdef int renew(self) except -1
    cdef uint64_t *seek(self, bytes key, uint64_t hash) except? NULL
    cdef Entry *find(self, bytes key) except? NULL
    cdef Entry *held(self, bytes key) except? NULL
    cdef Entry *read(self, bytes key, bint touch) except? NULL
    cdef Entry *write(self, bytes key) except? NULL
    cdef bint met_overdue(self, bytes key, uint64_t hash, uint64_t *slot) except -1
    cdef int expire(self, bytes key, uint64_t hash, uint64_t *slot) except -1
    cdef void touch_entry(self, Entry *entry) noexcept
    cdef int missed(self, bytes key) except -1
    cpdef bytes former(self, bytes key)
    cpdef replaced(self, bytes key, bytes before)

    cdef int put(self, bytes key, Content *content, bint keep_ttl, int64_t expiry) except -1
    cdef Entry *create(
        self, bytes key, uint64_t hash, const Content *content, int64_t expiry
    ) except NULL
    cdef Entry *overwrite(
        self, uint64_t hash, uint64_t *slot, const Content *content, int64_t expiry
    ) except NULL
    cdef bint load(
        self,
        const char *key,
        Py_ssize_t length,
        Content *content,
        int64_t expiry,
        uint32_t access,
        bint replacing,
    ) except -1
    cpdef note(self, bytes key)
    cdef int note_entry(self, Entry *entry) except -1
    cdef int note_newer_form(self, bytes key) except -1
    cdef object newer_value(self, bytes key)
    cpdef list values_of_newer_forms(self)
    cdef int added(self, bytes key) except -1
    cdef int replace_block(self, uint64_t hash, uint64_t *slot, Entry *fresh) except -1
    cdef int index_expiry(self, uint64_t hash, Entry *entry) except -1
    cdef int unindex_expiry(self, uint64_t hash, Entry *entry) except -1
    cdef int attach(self, uint64_t hash, Entry *entry) except -1
    cdef int insert_by_slot(self, uint64_t hash, Entry *entry) except -1
    cdef int detach(self, uint64_t hash, uint64_t *slot) except -1
    cdef int erase(self, uint64_t hash, uint64_t *slot, bint lazy) except -1
    cdef int retire(self, int kind, int64_t word, bint lazy) except -1
    cdef bint set_entry_expiry(self, bytes key, int64_t expiry) except -1
    cdef bint hidden(self, const Entry *entry) noexcept
    cdef bint concealed(self, const Entry *entry) noexcept
    cdef list shown(self, Found *found, bytes type_name, list overdue)

cdef bytes type_of(Entry *entry)

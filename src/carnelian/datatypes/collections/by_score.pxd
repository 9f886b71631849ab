from carnelian.datatypes.tables.entry cimport Entry

cdef enum:
    LEAF_ITEMS = 62   # a full node of either kind takes a kilobyte
    INNER_ITEMS = 31

cdef struct Item:
    double score
    const Entry *entry

cdef struct Leaf:
    Leaf *next
    Leaf *previous
    int count
    int room
    Item items[62]

cdef struct Inner:
    int count
    Item firsts[31]         # the first item under each child
    Py_ssize_t sizes[31]    # items under each child
    void *children[31]

cdef struct Tree:
    void *root          # a leaf if height is 0; NULL if the tree is empty
    Leaf *first
    Leaf *last
    Py_ssize_t count    # items
    Py_ssize_t memory   # bytes of all nodes
    Py_ssize_t entries  # bytes of the entries: kept by who owns them
    int height          # levels of inner nodes


# A place between items: behind all those with a lower score, of these and those with the same score
# behind all with a lower text; items that are equal to the bound are before it if `through`.
cdef struct Bound:
    double score
    const char *text
    Py_ssize_t length
    bint by_score
    bint by_text
    bint through

cdef struct Cursor:
    const Leaf *leaf    # NULL outside
    int index


# The way from the root to a place between items; 24 levels are more than memory can need.
cdef struct Path:
    Inner *inners[24]
    int places[24]
    Leaf *leaf
    int index           # items of the leaf before the place
    Py_ssize_t rank     # items of the tree before it


ctypedef Leaf *LeafPointer
ctypedef Inner *InnerPointer
ctypedef Tree *TreePointer
ctypedef Path *PathPointer
ctypedef const Entry *EntryPointer
ctypedef const Item *Items
ctypedef const Bound *BoundPointer

cdef inline const Item *item_at(const Cursor *cursor) noexcept nogil:
    return &cursor.leaf.items[cursor.index]

cdef int compare_text(
    const char *text, Py_ssize_t length, const char *other, Py_ssize_t other_length
) noexcept nogil

cdef void open_tree(Tree *tree) noexcept nogil
cdef bint close_some(Tree *tree, Py_ssize_t leaves) noexcept nogil
cdef bint is_sound(Tree *tree) noexcept nogil

cdef int insert(Tree *tree, double score, const Entry *entry) except -1
cdef int erase(Tree *tree, double score, const Entry *entry) except -1
cdef int move(Tree *tree, double score, const Entry *entry, double new_score) except -1

cdef Py_ssize_t rank_of(Tree *tree, double score, const Entry *entry) noexcept nogil
cdef Py_ssize_t count_before(Tree *tree, const Bound *bound) noexcept nogil
cdef void seek(Tree *tree, Py_ssize_t rank, Cursor *cursor) noexcept nogil
cdef bint step(Cursor *cursor, bint forward) noexcept nogil

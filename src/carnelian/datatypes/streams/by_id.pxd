from carnelian.datatypes.streams.ids cimport Id
from libc.stdint cimport int32_t

cdef enum:
    LEAF_BYTES = 1024  # of a full leaf, and of an inner node
    CHILDREN = 42
    LEVELS = 24        # more than memory can need

cdef struct Leaf:      # items of the same size follow it; each begins with its id
    Leaf *next
    Leaf *previous
    int32_t count
    int32_t room

cdef struct Inner:
    Py_ssize_t count
    Id firsts[42]      # no id under a child is lower; the one of the first child is not looked at
    void *children[42]

cdef struct Tree:
    void *root         # a leaf if height is 0; NULL if the tree is empty
    Leaf *first
    Leaf *last
    Py_ssize_t count   # items
    Py_ssize_t memory  # bytes of all nodes
    int height         # levels of inner nodes
    int size           # bytes of an item, a multiple of 8
    int room           # items in a full leaf

cdef struct Place:     # of an item; good until the tree changes
    Leaf *leaf         # NULL outside
    int index


# The way from the root to a place: inner nodes, and the child taken in each.
cdef struct Path:
    Inner *inners[24]
    int places[24]
    Leaf *leaf
    int index


ctypedef Leaf *LeafPointer
ctypedef Inner *InnerPointer
ctypedef Tree *TreePointer
ctypedef Path *PathPointer

cdef Tree empty_tree(int size) noexcept nogil
cdef bint close_some(Tree *tree, Py_ssize_t leaves) noexcept nogil
cdef bint is_sound(Tree *tree) noexcept nogil

cdef void *insert(Tree *tree, const Id *id) except NULL
cdef bint erase(Tree *tree, const Id *id) noexcept nogil

cdef void *find(const Tree *tree, const Id *id) noexcept nogil
cdef void seek(const Tree *tree, const Id *id, Place *place) noexcept nogil
cdef void seek_back(const Tree *tree, const Id *id, Place *place) noexcept nogil
cdef bint step(Place *place) noexcept nogil
cdef bint step_back(Place *place) noexcept nogil

cdef inline void *item_of(const Tree *tree, Leaf *leaf, Py_ssize_t index) noexcept nogil:
    return <char *>leaf + sizeof(Leaf) + index * tree.size

cdef inline void *item_at(const Tree *tree, const Place *place) noexcept nogil:
    return item_of(tree, place.leaf, place.index)

cdef inline void *last_item(const Tree *tree) noexcept nogil:
    if tree.last is NULL:
        return NULL
    return item_of(tree, tree.last, tree.last.count - 1)

cdef inline void *first_item(const Tree *tree) noexcept nogil:
    if tree.first is NULL:
        return NULL
    return item_of(tree, tree.first, 0)

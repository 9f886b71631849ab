"""Items in the order of their scores, and of their members where scores are equal: a B+ tree.

An item is a score and a pointer to the entry of a table, whose key is the member; no member is
held twice. Items stand in leaves, which are linked in both directions; the inner nodes above know
the first item and the number of items under each child, so that a rank is found, and an item by
its rank, in O(log n), as is every change. Most comparisons look at scores only, which stand side
by side in a node; an entry is read where two scores are equal.

Nodes have a fixed size (only a root that is a leaf starts smaller), split when they are full and
are merged with a neighbour when both are less than three quarters full together. A node that
overflows at its end is split there, so that items added in order leave full nodes behind.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.slabs import cell_size, give, take
from cython.cimports.carnelian.datatypes.collections.by_score import (
    INNER_ITEMS,
    LEAF_ITEMS,
    Bound,
    BoundPointer,
    Cursor,
    EntryPointer,
    Inner,
    InnerPointer,
    Item,
    Items,
    Leaf,
    LeafPointer,
    Path,
    PathPointer,
    Tree,
    TreePointer,
)
from cython.cimports.carnelian.datatypes.tables.entry import Entry, key_length, key_of
from cython.cimports.libc.string import memcmp, memcpy, memmove, memset

# Items of a root that is a new leaf; it doubles until it is as large as any other.
FIRST_ROOM = cython.declare(cython.int, 4)
# A node with fewer items looks for a neighbour to merge with, and this many may come together.
LEAST_IN_LEAF = cython.declare(cython.int, LEAF_ITEMS // 3)
MERGED_LEAF = cython.declare(cython.int, LEAF_ITEMS * 3 // 4)
LEAST_IN_INNER = cython.declare(cython.int, INNER_ITEMS // 3)
MERGED_INNER = cython.declare(cython.int, INNER_ITEMS * 3 // 4)


# -- Comparing -----------------------------------------------------------------------------------


def compare_text(
    text: cython.p_const_char,
    length: cython.Py_ssize_t,
    other: cython.p_const_char,
    other_length: cython.Py_ssize_t,
) -> cython.int:
    """Below, equal to or above zero: byte by byte, then the shorter one first."""
    order: cython.int = memcmp(text, other, min(length, other_length))
    if order:
        return order
    return (length > other_length) - (length < other_length)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_before(item: Items, bound: BoundPointer) -> cython.bint:
    """Whether an item is before the bound."""
    if bound.by_score:
        if item.score != bound.score:
            return item.score < bound.score
        if not bound.by_text:
            return bound.through
    order: cython.int = compare_text(
        key_of(item.entry), key_length(item.entry), bound.text, bound.length
    )
    return order < 0 or (order == 0 and bound.through)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def position(items: Items, count: cython.int, bound: BoundPointer) -> cython.int:
    """How many of these items are before the bound."""
    low: cython.int = 0
    high: cython.int = count
    middle: cython.int
    while low < high:
        middle = (low + high) >> 1
        if is_before(cython.address(items[middle]), bound):
            low = middle + 1
        else:
            high = middle
    return low


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def bound_at(
    bound: cython.pointer[Bound], score: cython.double, entry: EntryPointer, through: cython.bint
) -> cython.void:
    """The bound right before an item, or right behind it."""
    bound.score = score
    bound.text = key_of(entry)
    bound.length = key_length(entry)
    bound.by_score = True
    bound.by_text = True
    bound.through = through


# -- Nodes ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def leaf_size(room: cython.int) -> cython.size_t:
    return cython.sizeof(Leaf) - (LEAF_ITEMS - room) * cython.sizeof(Item)


@cython.cfunc
@cython.exceptval(check=True)
def new_leaf(tree: TreePointer, room: cython.int) -> LeafPointer:
    leaf: LeafPointer = cython.cast(LeafPointer, take(leaf_size(room)))
    tree.memory += cell_size(leaf_size(room))
    leaf.next = cython.NULL
    leaf.previous = cython.NULL
    leaf.count = 0
    leaf.room = room
    return leaf


@cython.cfunc
@cython.exceptval(check=True)
def new_inner(tree: TreePointer) -> InnerPointer:
    inner: InnerPointer = cython.cast(InnerPointer, take(cython.sizeof(Inner)))
    tree.memory += cell_size(cython.sizeof(Inner))
    inner.count = 0
    return inner


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def free_leaf(tree: TreePointer, leaf: LeafPointer) -> cython.void:
    """Take a leaf out of the chain and give it back."""
    if leaf.previous is not cython.NULL:
        leaf.previous.next = leaf.next
    else:
        tree.first = leaf.next
    if leaf.next is not cython.NULL:
        leaf.next.previous = leaf.previous
    else:
        tree.last = leaf.previous
    tree.memory -= cell_size(leaf_size(leaf.room))
    give(leaf, leaf_size(leaf.room))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def free_inner(tree: TreePointer, inner: InnerPointer) -> cython.void:
    tree.memory -= cell_size(cython.sizeof(Inner))
    give(inner, cython.sizeof(Inner))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def free_inners(tree: TreePointer, inner: InnerPointer, height: cython.int) -> cython.void:
    """Give back an inner node and those under it; the leaves are gone already."""
    i: cython.int
    if height > 1:
        for i in range(inner.count):
            free_inners(tree, cython.cast(InnerPointer, inner.children[i]), height - 1)
    free_inner(tree, inner)


def open_tree(tree: cython.pointer[Tree]) -> cython.void:
    """Make it an empty tree."""
    memset(tree, 0, cython.sizeof(Tree))


def close_some(tree: cython.pointer[Tree], leaves: cython.Py_ssize_t) -> cython.bint:
    """Take a tree apart that nobody uses any more, up to that many leaves at once.

    The entries may be gone already. Returns whether the tree is empty.
    """
    while tree.first is not cython.NULL:
        if leaves == 0:
            return False
        free_leaf(tree, tree.first)
        leaves -= 1
    if tree.height:
        free_inners(tree, cython.cast(InnerPointer, tree.root), tree.height)
    tree.root = cython.NULL
    tree.height = 0
    tree.count = 0
    return True


# -- Finding -------------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def find(tree: TreePointer, bound: BoundPointer, path: PathPointer) -> cython.void:
    """The way to a bound in a tree that is not empty: ``path.index`` items of the leaf, and
    ``path.rank`` of all, are before it.
    """
    node: cython.p_void = tree.root
    inner: InnerPointer
    level: cython.int
    place: cython.int
    i: cython.int
    rank: cython.Py_ssize_t = 0
    for level in range(tree.height):
        inner = cython.cast(InnerPointer, node)
        place = max(position(inner.firsts, inner.count, bound) - 1, 0)
        for i in range(place):
            rank += inner.sizes[i]
        path.inners[level] = inner
        path.places[level] = place
        node = inner.children[place]
    path.leaf = cython.cast(LeafPointer, node)
    path.index = position(path.leaf.items, path.leaf.count, bound)
    path.rank = rank + path.index


def count_before(
    tree: cython.pointer[Tree], bound: cython.pointer[cython.const[Bound]]
) -> cython.Py_ssize_t:
    """How many items are before a bound. O(log n)."""
    path = cython.declare(Path)
    if tree.root is cython.NULL:
        return 0
    find(tree, bound, cython.address(path))
    return path.rank


def rank_of(
    tree: cython.pointer[Tree], score: cython.double, entry: cython.pointer[cython.const[Entry]]
) -> cython.Py_ssize_t:
    """How many items are before this one. O(log n)."""
    bound = cython.declare(Bound)
    bound_at(cython.address(bound), score, entry, False)
    return count_before(tree, cython.address(bound))


def seek(
    tree: cython.pointer[Tree], rank: cython.Py_ssize_t, cursor: cython.pointer[Cursor]
) -> cython.void:
    """Go to the item of that rank; outside if there is none. O(log n), O(1) near both ends."""
    cursor.leaf = cython.NULL
    cursor.index = 0
    if rank < 0 or rank >= tree.count:
        return
    if rank < tree.first.count:
        cursor.leaf = tree.first
        cursor.index = cython.cast(cython.int, rank)
        return
    if rank >= tree.count - tree.last.count:
        cursor.leaf = tree.last
        cursor.index = cython.cast(cython.int, rank - (tree.count - tree.last.count))
        return
    node: cython.p_void = tree.root
    inner: InnerPointer
    place: cython.int
    _level: cython.int
    for _level in range(tree.height):
        inner = cython.cast(InnerPointer, node)
        place = 0
        while rank >= inner.sizes[place]:
            rank -= inner.sizes[place]
            place += 1
        node = inner.children[place]
    cursor.leaf = cython.cast(LeafPointer, node)
    cursor.index = cython.cast(cython.int, rank)


def step(cursor: cython.pointer[Cursor], forward: cython.bint) -> cython.bint:
    """Go to the next or the previous item; returns whether there is one."""
    if forward:
        cursor.index += 1
        if cursor.index == cursor.leaf.count:
            cursor.leaf = cursor.leaf.next
            cursor.index = 0
    else:
        cursor.index -= 1
        if cursor.index < 0:
            cursor.leaf = cursor.leaf.previous
            if cursor.leaf is not cython.NULL:
                cursor.index = cursor.leaf.count - 1
    return cursor.leaf is not cython.NULL


# -- Inserting -----------------------------------------------------------------------------------


def insert(
    tree: cython.pointer[Tree], score: cython.double, entry: cython.pointer[cython.const[Entry]]
) -> cython.int:
    """Add an item; the member must not be in the tree. O(log n); raises MemoryError."""
    bound = cython.declare(Bound)
    node: cython.p_void
    inner: InnerPointer
    level: cython.int
    bound_at(cython.address(bound), score, entry, False)
    make_room_at_root(tree, cython.address(bound))
    node = tree.root
    for level in range(tree.height, 0, -1):
        inner = cython.cast(InnerPointer, node)
        node = inner.children[enter(tree, inner, level, cython.address(bound), entry)]
    put(cython.cast(LeafPointer, node), cython.address(bound), entry)
    tree.count += 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put(leaf: LeafPointer, bound: BoundPointer, entry: EntryPointer) -> cython.void:
    """Insert an item into a leaf that has room for it."""
    at: cython.int = position(leaf.items, leaf.count, bound)
    memmove(
        cython.address(leaf.items[at + 1]),
        cython.address(leaf.items[at]),
        (leaf.count - at) * cython.sizeof(Item),
    )
    leaf.items[at].score = bound.score
    leaf.items[at].entry = entry
    leaf.count += 1


@cython.cfunc
@cython.exceptval(-1)
def enter(
    tree: TreePointer,
    inner: InnerPointer,
    level: cython.int,
    bound: BoundPointer,
    entry: EntryPointer,
) -> cython.int:
    """Choose the child that an item is inserted under, and count it; the child has room then."""
    place: cython.int = position(inner.firsts, inner.count, bound) - 1
    if is_full(inner.children[max(place, 0)], level - 1):
        split(tree, inner, max(place, 0), level - 1, bound)
        place = position(inner.firsts, inner.count, bound) - 1
    if place < 0:
        place = 0
        inner.firsts[0].score = bound.score
        inner.firsts[0].entry = entry
    inner.sizes[place] += 1
    return place


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_full(node: cython.p_void, height: cython.int) -> cython.bint:
    if height:
        return cython.cast(InnerPointer, node).count == INNER_ITEMS
    return cython.cast(LeafPointer, node).count == cython.cast(LeafPointer, node).room


@cython.cfunc
@cython.exceptval(-1)
def make_room_at_root(tree: TreePointer, bound: BoundPointer) -> cython.int:
    """Let the root take one more: make it, enlarge it, or put another one above it."""
    leaf: LeafPointer
    inner: InnerPointer
    if tree.root is cython.NULL:
        leaf = new_leaf(tree, FIRST_ROOM)
        tree.root = tree.first = tree.last = leaf
        return 0
    if not is_full(tree.root, tree.height):
        return 0
    leaf = cython.cast(LeafPointer, tree.root)
    if tree.height == 0 and leaf.room < LEAF_ITEMS:
        return enlarge_root(tree, leaf)
    inner = new_inner(tree)
    inner.children[0] = tree.root
    inner.sizes[0] = tree.count
    inner.firsts[0] = tree.first.items[0]
    inner.count = 1
    tree.root = inner
    tree.height += 1
    return split(tree, inner, 0, tree.height - 1, bound)


@cython.cfunc
@cython.exceptval(-1)
def enlarge_root(tree: TreePointer, leaf: LeafPointer) -> cython.int:
    """Put a leaf of twice the room in place of the only one."""
    fresh: LeafPointer = new_leaf(tree, min(2 * leaf.room, LEAF_ITEMS))
    memcpy(fresh.items, leaf.items, leaf.count * cython.sizeof(Item))
    fresh.count = leaf.count
    free_leaf(tree, leaf)
    tree.root = tree.first = tree.last = fresh
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def cut_at(items: Items, count: cython.int, bound: BoundPointer) -> cython.int:
    """Where to split a full node that an item comes to: in the middle, or at the end it goes to."""
    place: cython.int = position(items, count, bound)
    if place == count:
        return count - 1
    return 1 if place == 0 else count // 2


@cython.cfunc
@cython.exceptval(-1)
def split(
    tree: TreePointer,
    parent: InnerPointer,
    place: cython.int,
    height: cython.int,
    bound: BoundPointer,
) -> cython.int:
    """Split a full child of a node that has room for another one."""
    if height:
        split_inner(tree, parent, place, bound)
    else:
        split_leaf(tree, parent, place, bound)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def split_leaf(
    tree: TreePointer, parent: InnerPointer, place: cython.int, bound: BoundPointer
) -> cython.int:
    leaf: LeafPointer = cython.cast(LeafPointer, parent.children[place])
    fresh: LeafPointer = new_leaf(tree, LEAF_ITEMS)
    cut: cython.int = cut_at(leaf.items, leaf.count, bound)
    fresh.count = leaf.count - cut
    leaf.count = cut
    memcpy(fresh.items, cython.address(leaf.items[cut]), fresh.count * cython.sizeof(Item))
    fresh.previous = leaf
    fresh.next = leaf.next
    leaf.next = fresh
    if fresh.next is not cython.NULL:
        fresh.next.previous = fresh
    else:
        tree.last = fresh
    add_child(parent, place + 1, fresh, cython.address(fresh.items[0]), fresh.count)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def split_inner(
    tree: TreePointer, parent: InnerPointer, place: cython.int, bound: BoundPointer
) -> cython.int:
    inner: InnerPointer = cython.cast(InnerPointer, parent.children[place])
    fresh: InnerPointer = new_inner(tree)
    cut: cython.int = cut_at(inner.firsts, inner.count, bound)
    size: cython.Py_ssize_t = 0
    i: cython.int
    append_children(fresh, inner, cut)
    inner.count = cut
    for i in range(fresh.count):
        size += fresh.sizes[i]
    add_child(parent, place + 1, fresh, cython.address(fresh.firsts[0]), size)
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def append_children(inner: InnerPointer, source: InnerPointer, start: cython.int) -> cython.void:
    """Take over the children of another node from ``start`` on."""
    count: cython.int = source.count - start
    end: cython.int = inner.count
    memcpy(
        cython.address(inner.firsts[end]),
        cython.address(source.firsts[start]),
        count * cython.sizeof(Item),
    )
    memcpy(cython.address(inner.sizes[end]), cython.address(source.sizes[start]), count * 8)
    memcpy(cython.address(inner.children[end]), cython.address(source.children[start]), count * 8)
    inner.count += count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_child(
    parent: InnerPointer,
    place: cython.int,
    child: cython.p_void,
    first: Items,
    size: cython.Py_ssize_t,
) -> cython.void:
    """Add a node with items of the child before it."""
    shift_children(parent, place, place + 1)
    parent.firsts[place] = first[0]
    parent.sizes[place] = size
    parent.children[place] = child
    parent.sizes[place - 1] -= size


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def shift_children(inner: InnerPointer, source: cython.int, to: cython.int) -> cython.void:
    """Move the children from ``source`` on to another place of their node."""
    count: cython.int = inner.count - source
    memmove(
        cython.address(inner.firsts[to]),
        cython.address(inner.firsts[source]),
        count * cython.sizeof(Item),
    )
    memmove(cython.address(inner.sizes[to]), cython.address(inner.sizes[source]), count * 8)
    memmove(cython.address(inner.children[to]), cython.address(inner.children[source]), count * 8)
    inner.count += to - source


# -- Removing ------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def find_item(
    tree: TreePointer, score: cython.double, entry: EntryPointer, path: PathPointer
) -> cython.int:
    """The way to an item, ``path.index`` being its own; raises KeyError if it is not there."""
    bound = cython.declare(Bound)
    if tree.root is cython.NULL:
        raise KeyError("no such item")
    bound_at(cython.address(bound), score, entry, True)
    find(tree, cython.address(bound), path)
    path.index -= 1
    path.rank -= 1
    if path.index < 0 or path.leaf.items[path.index].entry != entry:
        raise KeyError("no such item")
    return 0


def erase(
    tree: cython.pointer[Tree], score: cython.double, entry: cython.pointer[cython.const[Entry]]
) -> cython.int:
    """Remove the item of that entry, which is not given back. O(log n); raises KeyError."""
    path = cython.declare(Path)
    find_item(tree, score, entry, cython.address(path))
    cut_out(tree, cython.address(path))
    return 0


def move(
    tree: cython.pointer[Tree],
    score: cython.double,
    entry: cython.pointer[cython.const[Entry]],
    new_score: cython.double,
) -> cython.int:
    """Give the item of that entry another score. O(log n), less if it stays where it is."""
    path = cython.declare(Path)
    bound = cython.declare(Bound)
    find_item(tree, score, entry, cython.address(path))
    bound_at(cython.address(bound), new_score, entry, False)
    if stays(cython.address(path), cython.address(bound)):
        path.leaf.items[path.index].score = new_score
        if path.index == 0:
            renew_firsts(tree, cython.address(path), path.leaf.items[0], tree.height - 1)
        return 0
    cut_out(tree, cython.address(path))
    return insert(tree, new_score, entry)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def stays(path: PathPointer, bound: BoundPointer) -> cython.bint:
    """Whether an item that had this bound would still stand between its neighbours."""
    leaf: LeafPointer = path.leaf
    index: cython.int = path.index
    if index > 0:
        if not is_before(cython.address(leaf.items[index - 1]), bound):
            return False
    elif leaf.previous is not cython.NULL and not is_before(
        cython.address(leaf.previous.items[leaf.previous.count - 1]), bound
    ):
        return False
    if index + 1 < leaf.count:
        return not is_before(cython.address(leaf.items[index + 1]), bound)
    return leaf.next is cython.NULL or not is_before(cython.address(leaf.next.items[0]), bound)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def cut_out(tree: TreePointer, path: PathPointer) -> cython.void:
    """Remove the item at the end of the path."""
    leaf: LeafPointer = path.leaf
    level: cython.int
    leaf.count -= 1
    tree.count -= 1
    memmove(
        cython.address(leaf.items[path.index]),
        cython.address(leaf.items[path.index + 1]),
        (leaf.count - path.index) * cython.sizeof(Item),
    )
    for level in range(tree.height):
        path.inners[level].sizes[path.places[level]] -= 1
    level = tree.height - 1
    if leaf.count == 0:
        free_leaf(tree, leaf)
        remove_child(tree, path, level)
    else:
        if path.index == 0:
            renew_firsts(tree, path, leaf.items[0], level)
        if leaf.count < LEAST_IN_LEAF and level >= 0:
            merge_leaf(tree, path, level)
    lower_root(tree)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def renew_firsts(
    tree: TreePointer, path: PathPointer, first: Item, level: cython.int
) -> cython.void:
    """Tell the nodes from that level up what the first item under them is now."""
    while level >= 0:
        path.inners[level].firsts[path.places[level]] = first
        if path.places[level]:
            return
        level -= 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remove_child(tree: TreePointer, path: PathPointer, level: cython.int) -> cython.void:
    """Take out the child that the path goes through at this level; it is gone already."""
    inner: InnerPointer
    if level < 0:
        tree.root = cython.NULL
        return
    inner = path.inners[level]
    if inner.count == 1:
        free_inner(tree, inner)
        remove_child(tree, path, level - 1)
        return
    shift_children(inner, path.places[level] + 1, path.places[level])
    if path.places[level] == 0:
        renew_firsts(tree, path, inner.firsts[0], level - 1)
    if inner.count < LEAST_IN_INNER and level > 0:
        merge_inner(tree, path, level - 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def choose_pair(path: PathPointer, level: cython.int) -> cython.bint:
    """Let the path go through the right one of two neighbours; returns whether there are two."""
    if path.inners[level].count < 2:
        return False
    if path.places[level] == 0:
        path.places[level] = 1
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge_leaf(tree: TreePointer, path: PathPointer, level: cython.int) -> cython.void:
    """Merge the leaf with a neighbour under the same node, if both fit well into one."""
    parent: InnerPointer = path.inners[level]
    left: LeafPointer
    right: LeafPointer
    if not choose_pair(path, level):
        return
    left = cython.cast(LeafPointer, parent.children[path.places[level] - 1])
    right = cython.cast(LeafPointer, parent.children[path.places[level]])
    if left.count + right.count > MERGED_LEAF:
        return
    memcpy(cython.address(left.items[left.count]), right.items, right.count * cython.sizeof(Item))
    left.count += right.count
    free_leaf(tree, right)
    parent.sizes[path.places[level] - 1] += parent.sizes[path.places[level]]
    remove_child(tree, path, level)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge_inner(tree: TreePointer, path: PathPointer, level: cython.int) -> cython.void:
    """As :func:`merge_leaf`, for an inner node."""
    parent: InnerPointer = path.inners[level]
    left: InnerPointer
    right: InnerPointer
    if not choose_pair(path, level):
        return
    left = cython.cast(InnerPointer, parent.children[path.places[level] - 1])
    right = cython.cast(InnerPointer, parent.children[path.places[level]])
    if left.count + right.count > MERGED_INNER:
        return
    append_children(left, right, 0)
    free_inner(tree, right)
    parent.sizes[path.places[level] - 1] += parent.sizes[path.places[level]]
    remove_child(tree, path, level)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def lower_root(tree: TreePointer) -> cython.void:
    """Do without a root that has a single child."""
    root: InnerPointer
    if tree.root is cython.NULL:
        tree.height = 0
    while tree.height:
        root = cython.cast(InnerPointer, tree.root)
        if root.count > 1:
            return
        tree.root = root.children[0]
        free_inner(tree, root)
        tree.height -= 1


# -- Checking ------------------------------------------------------------------------------------


def is_sound(tree: cython.pointer[Tree]) -> cython.bint:
    """Whether the tree is in order and its nodes say the truth; for tests. O(n)."""
    leaf: LeafPointer = tree.first
    previous: Items = cython.NULL
    count: cython.Py_ssize_t = 0
    i: cython.int
    bound = cython.declare(Bound)
    while leaf is not cython.NULL:
        for i in range(leaf.count):
            if previous is not cython.NULL:
                bound_at(cython.address(bound), leaf.items[i].score, leaf.items[i].entry, False)
                if not is_before(previous, cython.address(bound)):
                    return False
            previous = cython.address(leaf.items[i])
        if leaf.count == 0 or (leaf.next is cython.NULL) != (leaf == tree.last):
            return False
        if leaf.next is not cython.NULL and leaf.next.previous != leaf:
            return False
        count += leaf.count
        leaf = leaf.next
    if tree.root is cython.NULL:
        return tree.count == 0 and tree.height == 0 and tree.memory == 0
    return count == tree.count and node_size(tree.root, tree.height) == count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def node_size(node: cython.p_void, height: cython.int) -> cython.Py_ssize_t:
    """Items under a node; below zero if the nodes under it are not as it says."""
    inner: InnerPointer
    total: cython.Py_ssize_t = 0
    i: cython.int
    if height == 0:
        return cython.cast(LeafPointer, node).count
    inner = cython.cast(InnerPointer, node)
    for i in range(inner.count):
        if node_size(inner.children[i], height - 1) != inner.sizes[i]:
            return -1
        if inner.firsts[i].entry != first_under(inner.children[i], height - 1).entry:
            return -1
        if inner.firsts[i].score != first_under(inner.children[i], height - 1).score:
            return -1
        total += inner.sizes[i]
    return total if inner.count else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def first_under(node: cython.p_void, height: cython.int) -> Items:
    while height:
        node = cython.cast(InnerPointer, node).children[0]
        height -= 1
    return cython.cast(LeafPointer, node).items

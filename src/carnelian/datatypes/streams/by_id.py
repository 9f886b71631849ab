"""Items in the order of their ids: a B+ tree, for the nodes of a stream and for what is pending.

An item is as many bytes as the tree says, the first sixteen its id. Items stand side by side in
leaves, which are linked in both directions; inner nodes know a lower bound of each child's ids.
Adding behind the last item is O(1) amortized and leaves full leaves behind; all else is O(log n).

A node that is less than a third full is merged with a neighbour where both together stay below
three quarters. A root that is a leaf starts small and doubles.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.slabs import cell_size, give, take
from cython.cimports.carnelian.datatypes.streams.by_id import (
    CHILDREN,
    LEAF_BYTES,
    Inner,
    InnerPointer,
    Leaf,
    LeafPointer,
    Path,
    PathPointer,
    Place,
    Tree,
    TreePointer,
    item_at,
    item_of,
    last_item,
)
from cython.cimports.carnelian.datatypes.streams.ids import ConstId, Id, as_pair, compare, id_of
from cython.cimports.libc.string import memcpy, memmove, memset

# -- Nodes ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def leaf_size(tree: TreePointer, room: cython.int) -> cython.size_t:
    return cython.sizeof(Leaf) + cython.cast(cython.size_t, room * tree.size)


@cython.cfunc
@cython.exceptval(check=True)
def new_leaf(tree: TreePointer, room: cython.int) -> LeafPointer:
    leaf: LeafPointer = cython.cast(LeafPointer, take(leaf_size(tree, room)))
    tree.memory += cell_size(leaf_size(tree, room))
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
    tree.memory -= cell_size(leaf_size(tree, leaf.room))
    give(leaf, leaf_size(tree, leaf.room))


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
    i: cython.Py_ssize_t
    if height > 1:
        for i in range(inner.count):
            free_inners(tree, cython.cast(InnerPointer, inner.children[i]), height - 1)
    free_inner(tree, inner)


def empty_tree(size: cython.int) -> Tree:
    """An empty tree of items of that many bytes, a multiple of 8."""
    tree = cython.declare(Tree)
    memset(cython.address(tree), 0, cython.sizeof(Tree))
    tree.size = size
    tree.room = cython.cast(cython.int, (LEAF_BYTES - cython.sizeof(Leaf)) // size)
    return tree


def close_some(tree: cython.pointer[Tree], leaves: cython.Py_ssize_t) -> cython.bint:
    """Take a tree apart that nobody uses any more, up to that many leaves; whether it is empty."""
    while tree.first is not cython.NULL:
        if leaves == 0:
            return False
        tree.count -= tree.first.count
        free_leaf(tree, tree.first)
        leaves -= 1
    if tree.height:
        free_inners(tree, cython.cast(InnerPointer, tree.root), tree.height)
    tree.root = cython.NULL
    tree.height = 0
    return True


# -- Finding -------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def id_in(tree: TreePointer, leaf: LeafPointer, index: cython.Py_ssize_t) -> ConstId:
    return cython.cast(ConstId, item_of(tree, leaf, index))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def position(tree: TreePointer, leaf: LeafPointer, id: ConstId) -> cython.int:
    """How many items of the leaf are before the id."""
    low: cython.int = 0
    high: cython.int = leaf.count
    middle: cython.int
    while low < high:
        middle = (low + high) >> 1
        if compare(id_in(tree, leaf, middle), id) < 0:
            low = middle + 1
        else:
            high = middle
    return low


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def child_for(inner: InnerPointer, id: ConstId) -> cython.int:
    """The last child whose bound is not above the id."""
    low: cython.int = 1
    high: cython.int = cython.cast(cython.int, inner.count)
    middle: cython.int
    while low < high:
        middle = (low + high) >> 1
        if compare(cython.address(inner.firsts[middle]), id) <= 0:
            low = middle + 1
        else:
            high = middle
    return low - 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def descend(tree: TreePointer, id: ConstId, path: PathPointer) -> cython.void:
    """The way to the first item of a leaf that is not before the id; the tree is not empty."""
    node: cython.p_void = tree.root
    inner: InnerPointer
    level: cython.int
    for level in range(tree.height):
        inner = cython.cast(InnerPointer, node)
        path.inners[level] = inner
        path.places[level] = child_for(inner, id)
        node = inner.children[path.places[level]]
    path.leaf = cython.cast(LeafPointer, node)
    path.index = position(tree, path.leaf, id)


def find(
    tree: cython.pointer[cython.const[Tree]], id: cython.pointer[cython.const[Id]]
) -> cython.p_void:
    """The item of an id, NULL if there is none. O(log n)."""
    path = cython.declare(Path)
    if tree.root is cython.NULL:
        return cython.NULL
    descend(cython.cast(TreePointer, tree), id, cython.address(path))
    if path.index == path.leaf.count:
        return cython.NULL
    item: cython.p_void = item_of(tree, path.leaf, path.index)
    return item if compare(cython.cast(ConstId, item), id) == 0 else cython.NULL


def seek(
    tree: cython.pointer[cython.const[Tree]],
    id: cython.pointer[cython.const[Id]],
    place: cython.pointer[Place],
) -> cython.void:
    """Go to the first item whose id is not lower; outside if there is none. O(log n)."""
    path = cython.declare(Path)
    place.leaf = cython.NULL
    place.index = 0
    if tree.root is cython.NULL:
        return
    descend(cython.cast(TreePointer, tree), id, cython.address(path))
    place.leaf = path.leaf
    place.index = path.index
    if place.index == place.leaf.count:
        place.leaf = place.leaf.next
        place.index = 0


def seek_back(
    tree: cython.pointer[cython.const[Tree]],
    id: cython.pointer[cython.const[Id]],
    place: cython.pointer[Place],
) -> cython.void:
    """Go to the last item whose id is not higher; outside if there is none. O(log n)."""
    path = cython.declare(Path)
    place.leaf = cython.NULL
    place.index = 0
    if tree.root is cython.NULL:
        return
    descend(cython.cast(TreePointer, tree), id, cython.address(path))
    place.leaf = path.leaf
    place.index = path.index
    if (
        path.index < path.leaf.count
        and compare(id_in(cython.cast(TreePointer, tree), path.leaf, path.index), id) == 0
    ):
        return
    step_back(place)


def step(place: cython.pointer[Place]) -> cython.bint:
    """Go to the next item; returns whether there is one."""
    place.index += 1
    if place.index >= place.leaf.count:
        place.leaf = place.leaf.next
        place.index = 0
    return place.leaf is not cython.NULL


def step_back(place: cython.pointer[Place]) -> cython.bint:
    """Go to the previous item; returns whether there is one."""
    place.index -= 1
    if place.index < 0:
        place.leaf = place.leaf.previous
        if place.leaf is not cython.NULL:
            place.index = place.leaf.count - 1
    return place.leaf is not cython.NULL


# -- Inserting -----------------------------------------------------------------------------------


def insert(tree: cython.pointer[Tree], id: cython.pointer[cython.const[Id]]) -> cython.p_void:
    """Add an item, whose id must not be in the tree; returns it, filled with zeros behind the id.

    O(1) amortized behind the last item, else O(log n). Raises MemoryError.
    """
    path = cython.declare(Path)
    leaf: LeafPointer = tree.last
    if leaf is cython.NULL:
        leaf = new_leaf(tree, 1)
        tree.root = tree.first = tree.last = leaf
    if (
        leaf.count
        and leaf.count < leaf.room
        and compare(cython.cast(ConstId, last_item(tree)), id) < 0
    ):
        return put(tree, leaf, leaf.count, id)
    descend(tree, id, cython.address(path))
    if path.leaf.count == path.leaf.room:
        make_room(tree, cython.address(path), id)
    return put(tree, path.leaf, path.index, id)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put(tree: TreePointer, leaf: LeafPointer, index: cython.int, id: ConstId) -> cython.p_void:
    """Insert an item into a leaf that has room for it."""
    item: cython.p_char = cython.cast(cython.p_char, item_of(tree, leaf, index))
    if index < leaf.count:
        memmove(item + tree.size, item, (leaf.count - index) * tree.size)
    memset(item, 0, tree.size)
    memcpy(item, id, cython.sizeof(Id))
    leaf.count += 1
    tree.count += 1
    return item


@cython.cfunc
@cython.exceptval(-1)
def make_room(tree: TreePointer, path: PathPointer, id: ConstId) -> cython.int:
    """Enlarge a full leaf, or split it; the path then leads to a leaf with room."""
    leaf: LeafPointer = path.leaf
    fresh: LeafPointer
    kept: cython.int = leaf.count // 2
    if leaf.room < tree.room:
        fresh = new_leaf(tree, min(leaf.room * 2, tree.room))
        memcpy(item_of(tree, fresh, 0), item_of(tree, leaf, 0), leaf.count * tree.size)
        fresh.count = leaf.count
        tree.root = fresh
        free_leaf(tree, leaf)
        tree.first = tree.last = fresh
        path.leaf = fresh
        return 0
    fresh = new_leaf(tree, tree.room)
    if leaf.next is cython.NULL and path.index == leaf.count:
        kept = leaf.count
    fresh.count = leaf.count - kept
    memcpy(item_of(tree, fresh, 0), item_of(tree, leaf, kept), fresh.count * tree.size)
    if fresh.count:
        id = id_in(tree, fresh, 0)
    add_child(tree, path, tree.height - 1, id, fresh)
    leaf.count = kept
    fresh.previous = leaf
    fresh.next = leaf.next
    if leaf.next is not cython.NULL:
        leaf.next.previous = fresh
    else:
        tree.last = fresh
    leaf.next = fresh
    if path.index > kept or kept == tree.room:
        path.leaf = fresh
        path.index -= kept
    return 0


@cython.cfunc
@cython.exceptval(-1)
def add_child(
    tree: TreePointer, path: PathPointer, level: cython.int, bound: ConstId, child: cython.p_void
) -> cython.int:
    """Insert a node behind the one that the path takes at a level; a new root above level 0."""
    inner: InnerPointer
    fresh: InnerPointer
    at: cython.Py_ssize_t
    kept: cython.Py_ssize_t
    if level < 0:
        inner = new_inner(tree)
        inner.children[0] = tree.root
        set_child(inner, 1, bound, child)
        inner.count = 2
        tree.root = inner
        tree.height += 1
        return 0
    inner = path.inners[level]
    at = path.places[level] + 1
    if inner.count == CHILDREN:
        fresh = new_inner(tree)
        kept = CHILDREN if at == CHILDREN else CHILDREN // 2
        move_children(inner, kept, fresh, 0, CHILDREN - kept)
        fresh.count = CHILDREN - kept
        if fresh.count:
            add_child(tree, path, level - 1, cython.address(fresh.firsts[0]), fresh)
        else:
            add_child(tree, path, level - 1, bound, fresh)
        inner.count = kept
        if at > kept or kept == CHILDREN:
            inner = fresh
            at -= kept
    move_children(inner, at, inner, at + 1, inner.count - at)
    set_child(inner, at, bound, child)
    inner.count += 1
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def set_child(
    inner: InnerPointer, at: cython.Py_ssize_t, bound: ConstId, child: cython.p_void
) -> cython.void:
    inner.firsts[at].ms = bound.ms
    inner.firsts[at].seq = bound.seq
    inner.children[at] = child


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def move_children(
    source: InnerPointer,
    start: cython.Py_ssize_t,
    target: InnerPointer,
    at: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
) -> cython.void:
    """Move children and their bounds; the counts are for the caller to change."""
    memmove(
        cython.address(target.firsts[at]),
        cython.address(source.firsts[start]),
        count * cython.sizeof(Id),
    )
    memmove(
        cython.address(target.children[at]),
        cython.address(source.children[start]),
        count * cython.sizeof(cython.p_void),
    )


# -- Erasing -------------------------------------------------------------------------------------


def erase(tree: cython.pointer[Tree], id: cython.pointer[cython.const[Id]]) -> cython.bint:
    """Remove the item of an id; returns whether there was one. O(log n)."""
    path = cython.declare(Path)
    leaf: LeafPointer
    item: cython.p_char
    if tree.root is cython.NULL:
        return False
    descend(tree, id, cython.address(path))
    leaf = path.leaf
    if path.index == leaf.count or compare(id_in(tree, leaf, path.index), id) != 0:
        return False
    leaf.count -= 1
    tree.count -= 1
    item = cython.cast(cython.p_char, item_of(tree, leaf, path.index))
    memmove(item, item + tree.size, (leaf.count - path.index) * tree.size)
    if leaf.count == 0:
        free_leaf(tree, leaf)
        if tree.height:
            remove_child(tree, cython.address(path), tree.height - 1)
        else:
            tree.root = cython.NULL
    elif tree.height and leaf.count < tree.room // 3:
        merge_leaf(tree, cython.address(path))
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge_leaf(tree: TreePointer, path: PathPointer) -> cython.void:
    """Unite the leaf with one beside it if both are small."""
    level: cython.int = tree.height - 1
    inner: InnerPointer = path.inners[level]
    at: cython.int = path.places[level]
    if at + 1 < inner.count and pour(tree, path.leaf, inner.children[at + 1]):
        path.places[level] = at + 1
        remove_child(tree, path, level)
    elif at > 0 and pour(tree, cython.cast(LeafPointer, inner.children[at - 1]), path.leaf):
        remove_child(tree, path, level)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def pour(tree: TreePointer, leaf: LeafPointer, other: cython.p_void) -> cython.bint:
    """Move the items of the next leaf behind those of this one, if both are small."""
    follower: LeafPointer = cython.cast(LeafPointer, other)
    if leaf.count + follower.count > tree.room * 3 // 4:
        return False
    memcpy(item_of(tree, leaf, leaf.count), item_of(tree, follower, 0), follower.count * tree.size)
    leaf.count += follower.count
    free_leaf(tree, follower)
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remove_child(tree: TreePointer, path: PathPointer, level: cython.int) -> cython.void:
    """Take the child out that the path takes at a level, and what is empty or alone by that."""
    inner: InnerPointer = path.inners[level]
    at: cython.int = path.places[level]
    inner.count -= 1
    move_children(inner, at + 1, inner, at, inner.count - at)
    if level:
        if inner.count == 0:
            free_inner(tree, inner)
            remove_child(tree, path, level - 1)
        elif inner.count < CHILDREN // 3:
            merge_inner(tree, path, level)
        return
    while tree.height and inner.count == 1:
        tree.root = inner.children[0]
        tree.height -= 1
        free_inner(tree, inner)
        inner = cython.cast(InnerPointer, tree.root)
    if tree.height and inner.count == 0:
        free_inner(tree, inner)
        tree.root = cython.NULL
        tree.height = 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge_inner(tree: TreePointer, path: PathPointer, level: cython.int) -> cython.void:
    """Unite an inner node with one beside it if both are small."""
    parent: InnerPointer = path.inners[level - 1]
    at: cython.int = path.places[level - 1]
    if at + 1 < parent.count and pour_children(tree, parent, at):
        path.places[level - 1] = at + 1
        remove_child(tree, path, level - 1)
    elif at > 0 and pour_children(tree, parent, at - 1):
        remove_child(tree, path, level - 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def pour_children(tree: TreePointer, parent: InnerPointer, at: cython.int) -> cython.bint:
    """Move the children of the node behind ``at`` to this one, if both are small."""
    left: InnerPointer = cython.cast(InnerPointer, parent.children[at])
    right: InnerPointer = cython.cast(InnerPointer, parent.children[at + 1])
    if left.count + right.count > CHILDREN * 3 // 4:
        return False
    move_children(right, 0, left, left.count, right.count)
    set_child(left, left.count, cython.address(parent.firsts[at + 1]), right.children[0])
    left.count += right.count
    free_inner(tree, right)
    return True


# -- For Python ----------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_bounded(
    tree: TreePointer, node: cython.p_void, height: cython.int, low: ConstId, high: ConstId
) -> cython.bint:
    """Whether all ids under a node are in order, not below ``low``, and below ``high`` if any."""
    leaf: LeafPointer = cython.cast(LeafPointer, node)
    inner: InnerPointer = cython.cast(InnerPointer, node)
    i: cython.Py_ssize_t
    start: ConstId
    end: ConstId
    if height == 0:
        for i in range(leaf.count):
            if compare(id_in(tree, leaf, i), low) < 0:
                return False
            low = id_in(tree, leaf, i)
        return leaf.count > 0 and (high is cython.NULL or compare(low, high) < 0)
    for i in range(inner.count):
        start = low
        end = high
        if i:
            start = cython.address(inner.firsts[i])
        if i + 1 < inner.count:
            end = cython.address(inner.firsts[i + 1])
        if not is_bounded(tree, inner.children[i], height - 1, start, end):
            return False
    return inner.count > 0


def is_sound(tree: cython.pointer[Tree]) -> cython.bint:
    """Whether counts, order and bounds are as they have to be. O(n)."""
    zero = cython.declare(Id)
    counted: cython.Py_ssize_t = 0
    leaf: LeafPointer = tree.first
    zero.ms = zero.seq = 0
    while leaf is not cython.NULL:
        counted += leaf.count
        leaf = leaf.next
    if counted != tree.count or (tree.root is cython.NULL) != (counted == 0):
        return False
    if tree.root is cython.NULL:
        return True
    return is_bounded(tree, tree.root, tree.height, cython.address(zero), cython.NULL)


@cython.final
@cython.no_gc
@cython.cclass
class IdSet:
    """A tree as a Python object, for tests: ids, pairs of numbers, each with nothing but a pad.

    Args:
        size: bytes of an item, a multiple of 8 and at least 16.
    """

    tree: Tree

    def __init__(self, size: cython.int = 16):
        self.tree = empty_tree(size)

    def __dealloc__(self):
        close_some(cython.address(self.tree), -1)

    def add(self, pair: tuple) -> bool:
        """Insert an id; returns whether it was missing."""
        id: Id = id_of(pair)
        if find(cython.address(self.tree), cython.address(id)) is not cython.NULL:
            return False
        insert(cython.address(self.tree), cython.address(id))
        return True

    def remove(self, pair: tuple) -> bool:
        """Erase an id; returns whether it was there."""
        id: Id = id_of(pair)
        return erase(cython.address(self.tree), cython.address(id))

    def walk(self, pair: tuple, forward: bool = True) -> list:
        """The ids from one on, or from it back."""
        id: Id = id_of(pair)
        place = cython.declare(Place)
        found: list = []
        if forward:
            seek(cython.address(self.tree), cython.address(id), cython.address(place))
        else:
            seek_back(cython.address(self.tree), cython.address(id), cython.address(place))
        more: cython.bint = place.leaf is not cython.NULL
        while more:
            found.append(
                as_pair(
                    cython.cast(ConstId, item_at(cython.address(self.tree), cython.address(place)))
                )
            )
            more = step(cython.address(place)) if forward else step_back(cython.address(place))
        return found

    def sound(self) -> bool:
        """Whether the tree is as it has to be."""
        return is_sound(cython.address(self.tree))

    def memory(self) -> int:
        """Bytes of its nodes."""
        return self.tree.memory

    def __len__(self) -> int:
        return self.tree.count

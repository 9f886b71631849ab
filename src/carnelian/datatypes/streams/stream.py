"""The stream: entries in the order of their ids, in nodes of some dozens, and consumer groups.

The nodes (:mod:`carnelian.datatypes.streams.node`) are items of a tree by the id of their first
entry, so that adding at the end is O(1) and finding an id O(log n).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.packs.listpack import Bytes, end_of, total_of
from cython.cimports.carnelian.datatypes.streams.by_id import (
    Place,
    close_some,
    empty_tree,
    insert,
    item_at,
    last_item,
    seek,
    step,
)
from cython.cimports.carnelian.datatypes.streams.by_id import erase as erase_item
from cython.cimports.carnelian.datatypes.streams.group import Group
from cython.cimports.carnelian.datatypes.streams.ids import (
    Id,
    as_pair,
    compare,
    id_of,
    is_zero,
    step_up,
)
from cython.cimports.carnelian.datatypes.streams.node import (
    Entry,
    Head,
    Node,
    NodePointer,
    adopt,
    append_entry,
    behind,
    duplicate,
    fit,
    free_node,
    last_id,
    mark_deleted,
    memory_of,
    raise_id,
    read_entry,
    read_head,
    set_counts,
    start_node,
)
from cython.cimports.carnelian.datatypes.streams.producers import Idempotency
from cython.cimports.carnelian.datatypes.streams.scan import Scan
from cython.cimports.carnelian.datatypes.streams.stream import (
    ACKNOWLEDGED_ONLY,
    BY_ID,
    BY_LENGTH,
    DROP_REFERENCES,
    KEEP_REFERENCES,
    NO_TRIMMING,
    Trim,
    TrimPointer,
)
from cython.cimports.carnelian.datatypes.tables.table import Keeper
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memset

if TYPE_CHECKING:
    from carnelian.datatypes.base.digest import Digest

# Bytes of the Python object.
SHELL = cython.declare(cython.Py_ssize_t, 168)
# A listpack has at most so many bytes, and an entry in its fields and values.
LARGEST = cython.declare(cython.Py_ssize_t, 1 << 30)
# Nodes that are freed in one step.
NODES_PER_STEP = cython.declare(cython.Py_ssize_t, 64)
# Nodes start no larger than this.
USUAL = cython.declare(cython.Py_ssize_t, 4096)

ZERO = cython.declare(Id)
HIGHEST = cython.declare(Id)
ZERO.ms = ZERO.seq = 0
HIGHEST.ms = HIGHEST.seq = ~cython.cast(uint64_t, 0)

# A number of entries that is not known.
UNKNOWN = cython.declare(int64_t, -1)


@cython.final
@cython.no_gc
@cython.cclass
class Stream(Value):
    """Entries, each an id with fields and values, and groups of consumers that read them.

    Ids are pairs of numbers for Python, and C structs for compiled callers. Its length is the
    number of entries that are there; ``entries_added`` counts those that ever were.
    """

    type_name = b"stream"

    def __cinit__(self):
        self.nodes = empty_tree(cython.sizeof(Node))
        self.length = 0
        self.entries_added = 0
        self.last = ZERO
        self.first = ZERO
        self.max_deleted = ZERO
        self.named: dict | None = None
        self.idempotency: Idempotency | None = None
        self.keeper: Keeper | None = None
        count_memory(SHELL)

    def __dealloc__(self):
        while self.nodes.first is not cython.NULL:
            free_leaf_of_nodes(self)
        close_some(cython.address(self.nodes), -1)
        count_memory(-SHELL)

    # -- As a value ------------------------------------------------------------------------------

    def encoding(self):
        """Always ``stream``."""
        return b"stream"

    def memory(self):
        """Bytes held. O(nodes and consumers)."""
        place = cython.declare(Place)
        held: cython.Py_ssize_t = SHELL + self.nodes.memory
        group: Group
        seek(cython.address(self.nodes), cython.address(ZERO), cython.address(place))
        while place.leaf is not cython.NULL:
            held += memory_of(node_at(self, cython.address(place)))
            step(cython.address(place))
        if self.named is not None:
            for group in self.named.values():
                held += group.memory()
        if self.idempotency is not None:
            held += self.idempotency.memory()
        return held

    def free_effort(self):
        """The number of nodes, and of leaves of what is pending."""
        effort: cython.Py_ssize_t = self.nodes.count
        group: Group
        if self.named is not None:
            for group in self.named.values():
                effort += 1 + group.size() // 16
        return max(effort, 1)

    def free_some(self) -> cython.bint:
        """Free a part of a stream that nobody uses any more; returns whether more is left."""
        group: Group
        if self.keeper is not None:
            return False
        if self.named is not None:
            for group in self.named.values():
                if group.free_some():
                    return True
            self.named = None
            return True
        freed: cython.Py_ssize_t = 0
        while self.nodes.first is not cython.NULL and freed < NODES_PER_STEP:
            freed += self.nodes.first.count
            free_leaf_of_nodes(self)
        self.length = 0
        return self.nodes.first is not cython.NULL

    def copy(self):
        """Another stream of the same entries and groups."""
        twin: Stream = Stream()
        place = cython.declare(Place)
        node: NodePointer
        fresh: NodePointer
        group: Group
        seek(cython.address(self.nodes), cython.address(ZERO), cython.address(place))
        while place.leaf is not cython.NULL:
            node = node_at(self, cython.address(place))
            fresh = cython.cast(
                NodePointer, insert(cython.address(twin.nodes), cython.address(node.first))
            )
            copy_pack(twin, fresh, node)
            step(cython.address(place))
        twin.length = self.length
        twin.last = self.last
        twin.first = self.first
        twin.max_deleted = self.max_deleted
        twin.entries_added = self.entries_added
        if self.named is not None:
            twin.named = {}
            for group in self.named.values():
                twin.named[group.name] = group.twin()
        if self.idempotency is not None:
            twin.idempotency = self.idempotency.copy()
        return twin

    def digest(self, digest: Digest) -> None:
        """Take all entries in, in their order (DEBUG DIGEST)."""
        for (ms, seq), words in self:
            digest.chain(b"%d.%d" % (ms, seq))
            for word in words:
                digest.chain(word)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[tuple[int, int], list[bytes]]]:
        """Entries as their id and a list of fields and values; they must not change meanwhile."""
        return iter(self.entries())

    def entries(
        self,
        start: tuple = (0, 0),
        end: tuple = ((1 << 64) - 1, (1 << 64) - 1),
        count: cython.Py_ssize_t = -1,
        back: bool = False,
    ) -> list:
        """Up to ``count`` entries from one id to another, both included, from the end if back."""
        low: Id = id_of(start)
        high: Id = id_of(end)
        found: list = []
        scan: Scan = self.scan(cython.address(low), cython.address(high), back)
        while len(found) != count and scan.next():
            found.append((as_pair(cython.address(scan.entry.id)), scan.content()))
        return found

    def scan(
        self,
        start: cython.pointer[cython.const[Id]],
        end: cython.pointer[cython.const[Id]],
        back: cython.bint,
    ) -> Scan:
        """Entries from one id to another, for compiled callers."""
        scan: Scan = Scan()
        scan.open(cython.address(self.nodes), start, end, back)
        return scan

    # -- Ids -------------------------------------------------------------------------------------

    @property
    def last_id(self) -> tuple[int, int]:
        """The highest id that was given out."""
        return as_pair(cython.address(self.last))

    @property
    def first_id(self) -> tuple[int, int]:
        """The id of the first entry, (0, 0) if there is none."""
        return as_pair(cython.address(self.first))

    @property
    def max_deleted_id(self) -> tuple[int, int]:
        """The highest id of an entry that was deleted, other than by trimming."""
        return as_pair(cython.address(self.max_deleted))

    def next_id(self, now_ms: uint64_t, id: cython.pointer[Id]) -> cython.bint:
        """The id of an entry that is added now; returns False if there is none left."""
        if now_ms > self.last.ms:
            id.ms = now_ms
            id.seq = 0
            return True
        id[0] = self.last
        return step_up(id)

    # -- Adding ----------------------------------------------------------------------------------

    def fits(self, words: list, start: cython.Py_ssize_t) -> cython.bint:
        """Whether the words from ``start`` on are not too large to be kept together."""
        size: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        for i in range(start, len(words)):
            size += PyBytes_GET_SIZE(cython.cast(bytes, words[i]))
        return size <= LARGEST

    def append(
        self,
        limits: Limits,
        id: cython.pointer[cython.const[Id]],
        words: list,
        start: cython.Py_ssize_t,
    ) -> cython.int:
        """Add an entry: fields and values are the words from ``start`` on.

        The id must be higher than the last one.
        """
        node: NodePointer = cython.cast(NodePointer, last_item(cython.address(self.nodes)))
        room: cython.Py_ssize_t = 0
        if node is not cython.NULL and is_full(node, limits, words, start):
            room = min(total_of(node.pack) + 64, USUAL)
            fit(node)
            node = cython.NULL
        if node is cython.NULL:
            node = cython.cast(NodePointer, insert(cython.address(self.nodes), id))
            start_node(node, words, start, room)
        else:
            self.keep(node)
        append_entry(node, id, words, start)
        self.length += 1
        self.entries_added += 1
        self.last = id[0]
        if self.length == 1:
            self.first = self.last
        return 0

    def add(self, limits: Limits, id: tuple, words: list) -> None:
        """:meth:`append` for Python; raises ValueError if the id is not higher than the last."""
        fresh: Id = id_of(id)
        if compare(cython.address(fresh), cython.address(self.last)) <= 0:
            raise ValueError("ids have to rise")
        self.append(limits, cython.address(fresh), words, 0)

    # -- Deleting --------------------------------------------------------------------------------

    def has(self, id: cython.pointer[cython.const[Id]]) -> cython.bint:
        """Whether there is an entry of that id. O(log n)."""
        scan: Scan = self.scan(id, id, False)
        return scan.next()

    def erase(self, id: cython.pointer[cython.const[Id]]) -> cython.bint:
        """Delete an entry; returns whether it was there. O(log n).

        ``first`` is for the caller to renew.
        """
        scan: Scan = self.scan(id, id, False)
        if not scan.next():
            return False
        self.length -= 1
        if compare(id, cython.address(self.max_deleted)) > 0:
            self.max_deleted = id[0]
        if scan.head.live == 1:
            self.drop_node(scan.node)
        else:
            self.keep(scan.node)
            mark_deleted(scan.node, cython.address(scan.entry))
            set_counts(scan.node, scan.head.live - 1, scan.head.deleted + 1)
        return True

    def remove(self, id: tuple) -> bool:
        """:meth:`erase` for Python."""
        key: Id = id_of(id)
        gone: bool = self.erase(cython.address(key))
        self.renew_first()
        return gone

    def keep(self, node: cython.pointer[Node]) -> cython.int:
        """Hand a node over that is about to change or to go, if it is still to be."""
        if self.keeper is not None and node.number:
            self.keeper.keep_block(node.number, node.pack, total_of(node.pack), 0, False)
            node.number = 0
        return 0

    def drop_node(self, node: cython.pointer[Node]) -> cython.int:
        """Remove a node; the number of entries is for the caller to change."""
        self.keep(node)
        first: Id = node.first
        free_node(node)
        erase_item(cython.address(self.nodes), cython.address(first))
        return 0

    def renew_first(self) -> cython.int:
        """Find out the id of the first entry."""
        if self.length == 0 or not self.edge(False, cython.address(self.first)):
            self.first = ZERO
        return 0

    def edge(self, with_deleted: cython.bint, id: cython.pointer[Id]) -> cython.bint:
        """The id of the first entry, those marked as deleted included or not."""
        scan: Scan = self.scan(cython.address(ZERO), cython.address(HIGHEST), False)
        scan.with_deleted = with_deleted
        if not scan.next():
            return False
        id[0] = scan.entry.id
        return True

    def last_live(self, id: cython.pointer[Id]) -> cython.bint:
        """The id of the last entry; returns whether there is one."""
        scan: Scan = self.scan(cython.address(ZERO), cython.address(HIGHEST), True)
        if not scan.next():
            return False
        id[0] = scan.entry.id
        return True

    # -- Trimming --------------------------------------------------------------------------------

    def trim(self, how: cython.pointer[Trim]) -> int64_t:
        """Remove entries from the start; returns how many, and tells in ``how`` how far it came.

        O(nodes removed), and O(entries) of nodes whose entries are looked at one by one: of the
        last one if it is to be exact, and of all if it matters who refers to them.
        """
        place = cython.declare(Place)
        head = cython.declare(Head)
        here = cython.declare(Id)
        node: NodePointer
        removed: int64_t = 0
        whole: cython.bint
        if how.by == NO_TRIMMING:
            return 0
        how.reached = how.lowest if how.by == BY_ID else ZERO
        seek(cython.address(self.nodes), cython.address(ZERO), cython.address(place))
        while place.leaf is not cython.NULL:
            if how.by == BY_LENGTH and self.length <= how.length:
                break
            node = node_at(self, cython.address(place))
            here = node.first
            read_head(node.pack, cython.address(head))
            if how.limit and removed + head.live > how.limit:
                if (
                    how.by == BY_ID
                    and compare(cython.address(here), cython.address(how.lowest)) < 0
                ):
                    how.reached = here
                break
            whole = is_beyond(self, node, head.live, how)
            if how.policy == KEEP_REFERENCES and whole:
                self.drop_node(node)
                self.length -= head.live
                removed += head.live
            elif how.policy == KEEP_REFERENCES and how.approximate:
                break
            else:
                removed += self.trim_node(node, how)
                if not whole or not step_up(cython.address(here)):
                    break
            seek(cython.address(self.nodes), cython.address(here), cython.address(place))
        if removed or self.length == 0:
            self.renew_first()
        return removed

    def trim_node(self, node: cython.pointer[Node], how: cython.pointer[Trim]) -> int64_t:
        """Delete the first entries of a node, one by one; returns how many."""
        head = cython.declare(Head)
        entry = cython.declare(Entry)
        removed: int64_t = 0
        self.keep(node)
        read_head(node.pack, cython.address(head))
        at: cython.Py_ssize_t = head.entries
        end: cython.Py_ssize_t = end_of(node.pack)
        while at and at < end:
            if not read_entry(node, cython.address(head), at, cython.address(entry)):
                break
            if how.by == BY_LENGTH and self.length <= how.length:
                break
            if (
                how.by == BY_ID
                and compare(cython.address(entry.id), cython.address(how.lowest)) >= 0
            ):
                break
            at = behind(node.pack, cython.address(entry))
            if entry.deleted:
                continue
            if how.policy == ACKNOWLEDGED_ONLY and self.is_referenced(cython.address(entry.id)):
                continue
            if how.policy == DROP_REFERENCES:
                self.drop_references(cython.address(entry.id))
            mark_deleted(node, cython.address(entry))
            removed += 1
            self.length -= 1
            if how.by == BY_LENGTH:
                how.reached = entry.id
                step_up(cython.address(how.reached))
        if removed == head.live:
            self.drop_node(node)
        elif removed:
            set_counts(node, head.live - removed, head.deleted + removed)
        return removed

    # -- Who refers to entries -------------------------------------------------------------------

    def is_referenced(self, id: cython.pointer[cython.const[Id]]) -> cython.bint:
        """Whether a group has still to read an entry, or to acknowledge it. O(groups)."""
        group: Group
        if self.named is not None:
            for group in self.named.values():
                if compare(id, cython.address(group.last)) > 0:
                    return True
                if group.find(id) is not cython.NULL:
                    return True
        return False

    def drop_references(self, id: cython.pointer[cython.const[Id]]) -> cython.Py_ssize_t:
        """Let an entry be pending nowhere; returns in how many groups it was. O(groups)."""
        group: Group
        dropped: cython.Py_ssize_t = 0
        if self.named is not None:
            for group in self.named.values():
                dropped += group.acknowledge(id)
        return dropped

    # -- Groups ----------------------------------------------------------------------------------

    def group(self, name):
        """The group of a name, None if there is none."""
        return None if self.named is None else self.named.get(name)

    def add_group(self, name, last_id, entries_read: int64_t):
        """Add a group, which has read no more than there was; None if there is one of that name."""
        if self.named is None:
            self.named = {}
        if name in self.named:
            return None
        made: Group = Group(name, last_id, entries_read)
        made.cap(self.entries_added)
        self.named[name] = made
        return made

    def remove_group(self, name):
        """Take a group out and return it; None if there is none."""
        return None if self.named is None else self.named.pop(name, None)

    def groups(self) -> list:
        """All groups by name."""
        if self.named is None:
            return []
        return [self.named[name] for name in sorted(self.named)]

    def has_released(self) -> cython.bint:
        """Whether a group has pending entries that are nobody's. O(groups)."""
        group: Group
        if self.named is not None:
            for group in self.named.values():
                if group.released:
                    return True
        return False

    def has_newer_form(self) -> cython.bint:
        """Whether it knows what streams before Redis 8.6 did not."""
        return self.idempotency is not None or self.has_released()

    # -- How far groups have read ----------------------------------------------------------------

    def has_gap_from(self, id: cython.pointer[cython.const[Id]]) -> cython.bint:
        """Whether an entry from that id on was deleted while earlier ones are there."""
        if self.length == 0 or is_zero(cython.address(self.max_deleted)):
            return False
        if compare(cython.address(self.first), cython.address(self.max_deleted)) > 0:
            return False
        return compare(id, cython.address(self.max_deleted)) <= 0

    def entries_up_to(self, id: cython.pointer[cython.const[Id]]) -> int64_t:
        """How many entries were ever added up to an id; -1 if that is not known."""
        added: int64_t = cython.cast(int64_t, self.entries_added)
        to_last: cython.int = compare(id, cython.address(self.last))
        to_first: cython.int
        if added == 0:
            return 0
        if self.length == 0 and to_last < 1:
            return added
        if not is_zero(id) and compare(id, cython.address(self.max_deleted)) < 0:
            return UNKNOWN
        if to_last == 0:
            return added
        if to_last > 0:
            return UNKNOWN
        if (
            is_zero(cython.address(self.max_deleted))
            or compare(cython.address(self.max_deleted), cython.address(self.first)) < 0
        ):
            to_first = compare(id, cython.address(self.first))
            if to_first < 0:
                return added - self.length
            if to_first == 0:
                return added - self.length + 1
        return UNKNOWN

    def lag(self, group: Group, entries: cython.pointer[int64_t]) -> cython.bint:
        """How many entries a group has not read yet; returns whether that is known."""
        read: int64_t
        added: int64_t = cython.cast(int64_t, self.entries_added)
        entries[0] = 0
        if added == 0 or self.length == 0:
            return True
        if (
            compare(cython.address(group.last), cython.address(self.first)) < 0
            and compare(cython.address(self.max_deleted), cython.address(self.first)) < 0
        ):
            entries[0] = self.length
            return True
        if group.entries_read != UNKNOWN and not self.has_gap_from(cython.address(group.last)):
            entries[0] = added - group.entries_read
            return True
        read = self.entries_up_to(cython.address(group.last))
        if read == UNKNOWN:
            return False
        entries[0] = added - read
        return True

    def advance(self, group: Group, id: cython.pointer[cython.const[Id]]) -> cython.int:
        """Note that a group has read on up to an entry, the next one of those that are there."""
        if (
            group.entries_read != UNKNOWN
            and compare(cython.address(group.last), cython.address(self.first)) >= 0
            and not self.has_gap_from(cython.address(group.last))
        ):
            group.entries_read += 1
            group.cap(self.entries_added)
        elif self.entries_added:
            group.entries_read = self.entries_up_to(id)
        group.last = id[0]
        return 0

    # -- For files -------------------------------------------------------------------------------

    def packs(self) -> Iterator[tuple[int, int, bytes]]:
        """Each node: the id of its first entry in two numbers, and its listpack.

        The stream must not change meanwhile.
        """
        start = (0, 0)
        while True:
            found = self.pack_from(start)
            if found is None:
                return
            yield found
            ms, seq, _ = found
            start = (ms, seq + 1) if seq + 1 < 1 << 64 else (ms + 1, 0)

    def pack_from(self, start: tuple) -> tuple | None:
        """The first node from an id on, as :meth:`packs` has it."""
        low: Id = id_of(start)
        place = cython.declare(Place)
        seek(cython.address(self.nodes), cython.address(low), cython.address(place))
        if place.leaf is cython.NULL:
            return None
        node: NodePointer = node_at(self, cython.address(place))
        data: bytes = PyBytes_FromStringAndSize(
            cython.cast(cython.p_char, node.pack), total_of(node.pack)
        )
        return node.first.ms, node.first.seq, data

    def node_count(self) -> int:
        """Number of nodes."""
        return self.nodes.count

    def add_pack(self, first_id: tuple, data: bytes) -> None:
        """Add a node behind the last one, as :meth:`packs` has it.

        Raises ValueError if the bytes are not those of a node, or the ids do not rise. What is
        known of the whole is to be set by :meth:`restore` in the end.
        """
        first: Id = id_of(first_id)
        node = cython.declare(Node)
        head = cython.declare(Head)
        last: NodePointer = cython.cast(NodePointer, last_item(cython.address(self.nodes)))
        previous = cython.declare(Id)
        if last is not cython.NULL:
            if not last_id(last, cython.address(previous)):
                previous = last.first
            if compare(cython.address(previous), cython.address(first)) >= 0:
                raise ValueError("nodes out of order")
        memset(cython.address(node), 0, cython.sizeof(Node))
        node.first = first
        adopt(
            cython.address(node),
            cython.cast(Bytes, PyBytes_AS_STRING(data)),
            PyBytes_GET_SIZE(data),
        )
        read_head(node.pack, cython.address(head))
        if head.live + head.deleted == 0:
            free_node(cython.address(node))
            raise ValueError("a node without an entry")
        cython.cast(NodePointer, insert(cython.address(self.nodes), cython.address(first)))[0] = (
            node
        )
        self.length += head.live

    def restore(
        self,
        length: int64_t,
        last_id: tuple,
        first_id: tuple | None = None,
        max_deleted_id: tuple = (0, 0),
        entries_added: int = -1,
    ) -> None:
        """Set what is known of the whole after :meth:`add_pack`.

        What old files lack is taken from what is there. ``last_id`` is raised to that of the last
        entry: what would be added after a lower one could not be loaded again.

        Raises ValueError if the length is not that of the nodes.
        """
        if length != self.length:
            raise ValueError("the number of entries is wrong")
        last: NodePointer = cython.cast(NodePointer, last_item(cython.address(self.nodes)))
        self.last = id_of(last_id)
        if last is not cython.NULL:
            raise_id(last, cython.address(self.last))
        self.max_deleted = id_of(max_deleted_id)
        self.entries_added = length if entries_added < 0 else entries_added
        if first_id is None:
            self.renew_first()
        else:
            self.first = id_of(first_id)


# -- Nodes of the tree ---------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def node_at(stream: Stream, place: cython.pointer[Place]) -> NodePointer:
    return cython.cast(NodePointer, item_at(cython.address(stream.nodes), place))


@cython.cfunc
def free_leaf_of_nodes(stream: Stream):
    """Free the nodes of the first leaf and the leaf."""
    place = cython.declare(Place)
    i: cython.int
    place.leaf = stream.nodes.first
    for i in range(place.leaf.count):
        place.index = i
        free_node(node_at(stream, cython.address(place)))
    close_some(cython.address(stream.nodes), 1)


@cython.cfunc
@cython.exceptval(-1)
def copy_pack(stream: Stream, fresh: NodePointer, node: NodePointer) -> cython.int:
    """Give a new node of a stream the listpack of another."""
    try:
        duplicate(fresh, node)
    except MemoryError:
        erase_item(cython.address(stream.nodes), cython.address(fresh.first))
        raise
    return 0


@cython.cfunc
@cython.exceptval(-1)
def is_full(
    node: NodePointer, limits: Limits, words: list, start: cython.Py_ssize_t
) -> cython.bint:
    """Whether an entry of those words has to go into another node."""
    head = cython.declare(Head)
    most: int64_t = limits.stream_node_max_bytes
    size: cython.Py_ssize_t = total_of(node.pack)
    i: cython.Py_ssize_t
    for i in range(start, len(words)):
        size += PyBytes_GET_SIZE(cython.cast(bytes, words[i]))
    if most == 0 or most > LARGEST:
        most = LARGEST
    if size >= most:
        return True
    if limits.stream_node_max_entries == 0:
        return False
    read_head(node.pack, cython.address(head))
    return head.live + head.deleted >= limits.stream_node_max_entries


@cython.cfunc
@cython.exceptval(-1)
def is_beyond(stream: Stream, node: NodePointer, live: int64_t, how: TrimPointer) -> cython.bint:
    """Whether trimming removes all entries of the first node."""
    last = cython.declare(Id)
    if how.by == BY_LENGTH:
        return stream.length - live >= how.length
    return (
        last_id(node, cython.address(last))
        and compare(cython.address(last), cython.address(how.lowest)) < 0
    )

"""Consumer groups of streams: what was delivered to whom and is not acknowledged yet.

A group keeps an item of forty bytes for each pending entry, and its consumer only the id, both in
trees of ids. Names are Python objects; there are few of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.datatypes.base.memory import bytes_object_size
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.streams.by_id import (
    Place,
    close_some,
    empty_tree,
    erase,
    find,
    insert,
    item_at,
    seek,
    step,
)
from cython.cimports.carnelian.datatypes.streams.group import (
    DUE_KEPT,
    Pending,
    PendingPointer,
    rank_of,
    time_of,
)
from cython.cimports.carnelian.datatypes.streams.ids import ConstId, Id, as_pair, id_of, step_up
from cython.cimports.cpython.bytes import PyBytes_GET_SIZE
from cython.cimports.libc.stdint import INT64_MAX, INT64_MIN, int64_t, uint64_t

# Bytes of a Python object, and of its place in a dict.
CONSUMER_SHELL = cython.declare(cython.Py_ssize_t, 112 + 104)
GROUP_SHELL = cython.declare(cython.Py_ssize_t, 184 + 104 + 64)
# Leaves that are freed in one step.
LEAVES_PER_STEP = cython.declare(cython.Py_ssize_t, 256)
# Ids that an iterator takes at once.
CHUNK = cython.declare(cython.Py_ssize_t, 256)

# A consumer that never got anything.
NEVER: int = -1


def owner(pending: cython.pointer[cython.const[Pending]]) -> Consumer | None:
    """The consumer of a pending entry; None if it has none yet, or none any longer."""
    if pending.consumer is cython.NULL:
        return None
    return cython.cast(Consumer, pending.consumer)


@cython.final
@cython.no_gc
@cython.cclass
class Consumer:
    """One reader of a group.

    ``seen_ms`` is when it last asked for something, ``active_ms`` when it last got something,
    -1 if never. Its length is the number of entries that are pending for it.
    """

    def __init__(self, name: bytes, now_ms: int64_t):
        self.name = name
        self.seen_ms = now_ms
        self.active_ms = -1
        self.pending = empty_tree(cython.sizeof(Id))
        count_memory(CONSUMER_SHELL + bytes_object_size(PyBytes_GET_SIZE(name)))

    def __dealloc__(self):
        if self.name is not None:
            close_some(cython.address(self.pending), -1)
            count_memory(-CONSUMER_SHELL - bytes_object_size(PyBytes_GET_SIZE(self.name)))

    def size(self) -> cython.Py_ssize_t:
        """Number of pending entries."""
        return self.pending.count

    def __len__(self) -> int:
        return self.pending.count

    def memory(self) -> cython.Py_ssize_t:
        """Bytes held."""
        return CONSUMER_SHELL + bytes_object_size(PyBytes_GET_SIZE(self.name)) + self.pending.memory

    def ids(self, start: tuple = (0, 0), count: cython.Py_ssize_t = -1) -> list:
        """The ids of pending entries from one on, as pairs."""
        first: Id = id_of(start)
        place = cython.declare(Place)
        found: list = []
        seek(cython.address(self.pending), cython.address(first), cython.address(place))
        while place.leaf is not cython.NULL and count != 0:
            found.append(
                as_pair(
                    cython.cast(
                        ConstId, item_at(cython.address(self.pending), cython.address(place))
                    )
                )
            )
            count -= 1
            step(cython.address(place))
        return found

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The ids of all pending entries in order; they must not change meanwhile."""
        return walk(self)


@cython.final
@cython.no_gc
@cython.cclass
class Group:
    """Readers that share the entries of a stream, each getting others.

    ``last_id`` is the id of the last entry that was delivered, ``entries_read`` the number of
    entries up to it that ever were, -1 if unknown. Its length is the number of pending entries.
    """

    def __init__(self, name: bytes, last_id: tuple, entries_read: int64_t = -1):
        self.name = name
        self.last = id_of(last_id)
        self.entries_read = entries_read
        self.consumers: dict[bytes, Consumer] = {}
        self.pending = empty_tree(cython.sizeof(Pending))
        self.due: list[tuple[int, int, int]] = []
        self.ordered = INT64_MIN
        self.released = self.releases = 0
        count_memory(GROUP_SHELL + bytes_object_size(PyBytes_GET_SIZE(name)))

    def __dealloc__(self):
        if self.name is not None:
            close_some(cython.address(self.pending), -1)
            count_memory(-GROUP_SHELL - bytes_object_size(PyBytes_GET_SIZE(self.name)))

    def size(self) -> cython.Py_ssize_t:
        """Number of pending entries."""
        return self.pending.count

    def __len__(self) -> int:
        return self.pending.count

    @property
    def last_id(self) -> tuple[int, int]:
        """The last one delivered, as a pair."""
        return as_pair(cython.address(self.last))

    def cap(self, most: uint64_t) -> cython.void:
        """Have it have read no more entries than there ever were."""
        if self.entries_read > 0 and most < cython.cast(uint64_t, self.entries_read):
            self.entries_read = cython.cast(int64_t, most)

    def memory(self) -> cython.Py_ssize_t:
        """Bytes held. O(consumers)."""
        held: cython.Py_ssize_t = GROUP_SHELL + self.pending.memory
        consumer: Consumer
        for consumer in self.consumers.values():
            held += consumer.memory()
        return held + bytes_object_size(PyBytes_GET_SIZE(self.name))

    def free_some(self) -> cython.bint:
        """Free a part of a group that nobody uses any more; returns whether more is left."""
        consumer: Consumer
        if not close_some(cython.address(self.pending), LEAVES_PER_STEP):
            return True
        while self.consumers:
            consumer = next(iter(self.consumers.values()))
            if not close_some(cython.address(consumer.pending), LEAVES_PER_STEP):
                return True
            del self.consumers[consumer.name]
        return False

    def twin(self) -> Group:
        """A copy, consumers and all."""
        made: Group = Group(self.name, (0, 0), self.entries_read)
        made.last = self.last
        pending = cython.declare(PendingPointer)
        fresh = cython.declare(PendingPointer)
        place = cython.declare(Place)
        zero = cython.declare(Id)
        consumer: Consumer
        other: Consumer
        zero.ms = zero.seq = 0
        for consumer in self.consumers.values():
            other = made.add_consumer(consumer.name, consumer.seen_ms)
            other.active_ms = consumer.active_ms
        seek(cython.address(self.pending), cython.address(zero), cython.address(place))
        while place.leaf is not cython.NULL:
            pending = cython.cast(
                PendingPointer, item_at(cython.address(self.pending), cython.address(place))
            )
            fresh = made.force(cython.address(pending.id))
            fresh.time = pending.time
            fresh.count = pending.count
            if pending.consumer is not cython.NULL:
                made.assign(fresh, made.consumers[cython.cast(Consumer, pending.consumer).name])
            step(cython.address(place))
        made.releases = self.releases
        return made

    # -- Consumers -------------------------------------------------------------------------------

    def consumer(self, name):
        """The consumer of a name, None if there is none."""
        return self.consumers.get(name)

    def add_consumer(self, name, now_ms: int64_t):
        """Add a consumer unless there is one of that name; returns the one that is there."""
        made: Consumer | None = self.consumers.get(name)
        if made is None:
            made = Consumer(name, now_ms)
            self.consumers[name] = made
        return made

    def remove_consumer(self, name) -> cython.Py_ssize_t:
        """Remove a consumer and what is pending for it; returns how much. Raises KeyError."""
        gone: Consumer | None = self.consumers.get(name)
        place = cython.declare(Place)
        zero = cython.declare(Id)
        if gone is None:
            raise KeyError(name)
        zero.ms = zero.seq = 0
        seek(cython.address(gone.pending), cython.address(zero), cython.address(place))
        while place.leaf is not cython.NULL:
            erase(
                cython.address(self.pending),
                cython.cast(ConstId, item_at(cython.address(gone.pending), cython.address(place))),
            )
            step(cython.address(place))
        del self.consumers[name]
        return gone.pending.count

    def in_order(self) -> list:
        """All consumers by name."""
        return [self.consumers[name] for name in sorted(self.consumers)]

    # -- Pending entries -------------------------------------------------------------------------

    def find(self, id: cython.pointer[cython.const[Id]]) -> cython.pointer[Pending]:
        """What is pending of an id; NULL if nothing is."""
        return cython.cast(PendingPointer, find(cython.address(self.pending), id))

    def deliver(
        self, id: cython.pointer[cython.const[Id]], consumer: Consumer
    ) -> cython.pointer[Pending]:
        """Let an entry be pending for a consumer, whoever it was pending for before."""
        pending: PendingPointer = self.find(id)
        if pending is cython.NULL:
            pending = self.force(id)
        self.assign(pending, consumer)
        return pending

    def force(self, id: cython.pointer[cython.const[Id]]) -> cython.pointer[Pending]:
        """Let an entry be pending, for no consumer yet; it must not be pending."""
        fresh: PendingPointer = cython.cast(
            PendingPointer, insert(cython.address(self.pending), id)
        )
        self.released += 1
        return fresh

    def assign(self, pending: cython.pointer[Pending], consumer: Consumer) -> cython.int:
        """Let a pending entry be that of another consumer."""
        mine: cython.p_void = cython.cast(cython.p_void, consumer)
        if pending.consumer == mine:
            return 0
        if pending.consumer is not cython.NULL:
            erase(
                cython.address(cython.cast(Consumer, pending.consumer).pending),
                cython.address(pending.id),
            )
        else:
            self.released -= 1
        insert(cython.address(consumer.pending), cython.address(pending.id))
        pending.consumer = mine
        return 0

    def acknowledge(self, id: cython.pointer[cython.const[Id]]) -> cython.bint:
        """Let an entry be pending no longer; returns whether it was."""
        pending: PendingPointer = self.find(id)
        if pending is cython.NULL:
            return False
        if pending.consumer is not cython.NULL:
            erase(cython.address(cython.cast(Consumer, pending.consumer).pending), id)
        else:
            self.released -= 1
        return erase(cython.address(self.pending), id)

    def release(self, pending: cython.pointer[Pending]) -> cython.int:
        """Let a pending entry be nobody's, behind those that are already."""
        if pending.consumer is not cython.NULL:
            erase(
                cython.address(cython.cast(Consumer, pending.consumer).pending),
                cython.address(pending.id),
            )
            pending.consumer = cython.NULL
            self.released += 1
        self.releases += 1
        pending.time = self.releases
        return self.forget_order()

    # -- Who waits longest -----------------------------------------------------------------------

    def stamp(self, pending: cython.pointer[Pending], time: int64_t) -> cython.int:
        """Note when a pending entry was delivered."""
        if time < self.ordered:
            self.forget_order()
        pending.time = time
        return 0

    def forget_order(self) -> cython.int:
        """Know no longer what is due."""
        self.due = []
        self.ordered = INT64_MIN
        return 0

    def take_due(self, latest: int64_t, most: int64_t) -> list:
        """The ids, as pairs, of entries without a consumer or delivered not after ``latest``.

        Those that have waited longest come first; at most ``most`` of them, all if it is negative,
        and none only if there are none. The caller is to deliver them, or to call
        :meth:`forget_order`. O(1) for each, amortized, and O(pending entries) once in a thousand.
        """
        found: list = []
        key = cython.declare(Id)
        pending: PendingPointer
        rank: int64_t
        while len(found) != most:
            if not self.due:
                # Those that were found are due until they are delivered.
                if found or self.ordered > latest:
                    break
                self.put_in_order(latest, most)
                if not self.due:
                    break
            rank, ms, seq = self.due[len(self.due) - 1]
            if rank > latest:
                break
            self.due.pop()
            key.ms = ms
            key.seq = seq
            pending = self.find(cython.address(key))
            if pending is not cython.NULL and rank_of(pending) == rank:
                found.append((ms, seq))
        return found

    def put_in_order(self, latest: int64_t, most: int64_t) -> cython.int:
        """Find out which entries are due by ``latest``, and when another one will be."""
        place = cython.declare(Place)
        zero = cython.declare(Id)
        pending: PendingPointer
        rank: int64_t
        following: int64_t = INT64_MAX
        found: list = []
        zero.ms = zero.seq = 0
        seek(cython.address(self.pending), cython.address(zero), cython.address(place))
        while place.leaf is not cython.NULL:
            pending = cython.cast(
                PendingPointer, item_at(cython.address(self.pending), cython.address(place))
            )
            rank = rank_of(pending)
            if rank <= latest:
                found.append((rank, pending.id.ms, pending.id.seq))
            elif rank < following:
                following = rank
            step(cython.address(place))
        found.sort(reverse=True)
        if most >= 0 and len(found) > max(most, DUE_KEPT):
            following = found[len(found) - 1 - max(most, DUE_KEPT)][0]
            del found[: len(found) - max(most, DUE_KEPT)]
        self.due = found
        self.awaited = following != INT64_MAX
        self.ordered = following if self.awaited else latest + 1
        return 0

    def next_due(self) -> int64_t:
        """When what waits longest was delivered, after :meth:`take_due`; the highest if unknown."""
        if self.due:
            return self.due[len(self.due) - 1][0]
        return self.ordered if self.awaited else INT64_MAX

    def released_in_order(self) -> list:
        """The ids of entries without a consumer, as pairs, in the order they were released."""
        place = cython.declare(Place)
        zero = cython.declare(Id)
        pending: PendingPointer
        found: list = []
        zero.ms = zero.seq = 0
        if self.released == 0:
            return found
        seek(cython.address(self.pending), cython.address(zero), cython.address(place))
        while place.leaf is not cython.NULL:
            pending = cython.cast(
                PendingPointer, item_at(cython.address(self.pending), cython.address(place))
            )
            if pending.consumer is cython.NULL:
                found.append((pending.time, pending.id.ms, pending.id.seq))
            step(cython.address(place))
        found.sort()
        return [(ms, seq) for _, ms, seq in found]

    # -- For files -------------------------------------------------------------------------------

    def add_pending(self, id: tuple, time_ms: int64_t, count: int64_t) -> None:
        """Let an entry be pending, for no consumer yet; raises ValueError if it is already."""
        key: Id = id_of(id)
        if self.find(cython.address(key)) is not cython.NULL:
            raise ValueError("pending twice")
        fresh: PendingPointer = self.force(cython.address(key))
        fresh.time = time_ms
        fresh.count = count

    def assign_pending(self, id: tuple, consumer: Consumer) -> None:
        """Say whose a pending entry is; raises ValueError if it is not pending, or someone's."""
        key: Id = id_of(id)
        pending: PendingPointer = self.find(cython.address(key))
        if pending is cython.NULL or pending.consumer is not cython.NULL:
            raise ValueError("not pending without a consumer")
        self.assign(pending, consumer)

    def release_pending(self, id: tuple) -> None:
        """Say that a pending entry is nobody's; raises ValueError if it is not pending, or is."""
        key: Id = id_of(id)
        pending: PendingPointer = self.find(cython.address(key))
        if pending is cython.NULL or pending.consumer is not cython.NULL:
            raise ValueError("not pending without a consumer")
        self.release(pending)

    def without_consumer(self) -> list:
        """The ids of entries that are nobody's, as pairs, in the order they were released."""
        return self.released_in_order()

    def some(self, start: tuple, count: cython.Py_ssize_t) -> list:
        """Up to so many pending entries from an id on: its numbers, delivery time and count."""
        first: Id = id_of(start)
        place = cython.declare(Place)
        pending: PendingPointer
        found: list = []
        seek(cython.address(self.pending), cython.address(first), cython.address(place))
        while place.leaf is not cython.NULL and count != 0:
            pending = cython.cast(
                PendingPointer, item_at(cython.address(self.pending), cython.address(place))
            )
            found.append((pending.id.ms, pending.id.seq, time_of(pending), pending.count))
            count -= 1
            step(cython.address(place))
        return found

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        """All pending entries in order, as :meth:`some`; they must not change meanwhile."""
        return walk(self)


def walk(holder: Group | Consumer) -> Iterator[tuple]:
    """Everything pending of a group or a consumer, taken in pieces."""
    start = (0, 0)
    while True:
        if isinstance(holder, Group):
            found = holder.some(start, CHUNK)
        else:
            found = holder.ids(start, CHUNK)
        yield from found
        if len(found) < CHUNK:
            return
        last: Id = id_of(found[len(found) - 1])
        if not step_up(cython.address(last)):
            return
        start = as_pair(cython.address(last))

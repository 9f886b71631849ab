"""Which entries of a stream were added under which names of their producers.

A producer that does not know whether an entry has arrived sends it again under the same name, and
is told the id that it has. Ids are numbers here: the time, and 64 bits of sequence number. They
rise in the order in which entries are remembered, so that old ones are always the first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import cython
from cython.cimports.carnelian.datatypes.base.memory import bytes_object_size
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.cpython.bytes import PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t

# Bytes of the object, of a producer, and of an entry, without their names.
SHELL = cython.declare(cython.Py_ssize_t, 400)
PRODUCER = cython.declare(cython.Py_ssize_t, 560)
ENTRY = cython.declare(cython.Py_ssize_t, 200)


@cython.final
@cython.cclass
class Idempotency:
    """What one stream remembers.

    ``added`` and ``duplicates`` count entries with a name that ever came, and those that came
    again. Iterating gives producers with their names and ids.

    Args:
        duration_s: seconds for which an entry is remembered.
        most: entries that are remembered of one producer.
    """

    def __init__(self, duration_s: int64_t, most: int64_t):
        self.duration_s = duration_s
        self.most = most
        self.added = self.duplicates = 0
        # The producer that added something last is the last one.
        self.producers: OrderedDict[bytes, OrderedDict[bytes, int]] = OrderedDict()
        self.held = SHELL
        count_memory(SHELL)

    def __dealloc__(self):
        count_memory(-self.held)

    def find(self, producer: bytes, name: bytes, now_ms: int64_t):
        """The id of the entry of that name, None if there is none or it is too old."""
        names = self.producers.get(producer)
        found = None if names is None else names.get(name)
        return None if found is None or self.is_old(found, now_ms) else found

    def is_old(self, id: int, now_ms: int64_t) -> bool:
        """Whether an entry was added too long ago to be remembered."""
        return (id >> 64) + self.duration_s * 1000 <= now_ms

    def record(self, producer: bytes, name: bytes, id) -> cython.int:
        """Remember an entry, in the place of another one of that name."""
        names = self.producers.get(producer)
        if names is None:
            names = OrderedDict()
            self.producers[producer] = names
            self.weigh(PRODUCER + bytes_object_size(PyBytes_GET_SIZE(producer)))
        else:
            self.producers.move_to_end(producer)
        if names.pop(name, None) is None:
            self.weigh(ENTRY + bytes_object_size(PyBytes_GET_SIZE(name)))
        names[name] = id
        while len(names) > self.most:
            self.forget_first(names)
        return 0

    def weigh(self, change: cython.Py_ssize_t) -> None:
        """Count memory."""
        self.held += change
        count_memory(change)

    def forget_first(self, names: OrderedDict[bytes, int]) -> None:
        """Forget the oldest entry of a producer."""
        name: bytes = names.popitem(last=False)[0]
        self.weigh(-ENTRY - bytes_object_size(PyBytes_GET_SIZE(name)))

    def forget_old(self, now_ms: int64_t) -> cython.int:
        """Forget entries that are too old, and producers without any. O(producers, forgotten)."""
        empty: list = []
        for producer, names in self.producers.items():
            while names and self.is_old(next(iter(names.values())), now_ms):
                self.forget_first(names)
            if not names:
                empty.append(producer)
        for producer in empty:
            del self.producers[producer]
            self.weigh(-PRODUCER - bytes_object_size(PyBytes_GET_SIZE(producer)))
        return 0

    def forget_idle(self, now_ms: int64_t) -> None:
        """Forget the producers that have added nothing for long; O(1) for each."""
        while self.producers:
            producer, names = next(iter(self.producers.items()))
            if names and not self.is_old(names[next(reversed(names))], now_ms):
                break
            while names:
                self.forget_first(names)
            del self.producers[producer]
            self.weigh(-PRODUCER - bytes_object_size(PyBytes_GET_SIZE(producer)))

    def clear(self) -> cython.int:
        """Forget all entries; what was counted stays."""
        self.producers.clear()
        self.weigh(SHELL - self.held)
        return 0

    def copy(self) -> Idempotency:
        """Another one that remembers the same."""
        twin: Idempotency = Idempotency(self.duration_s, self.most)
        for producer, name, id in self:
            twin.record(producer, name, id)
        twin.added = self.added
        twin.duplicates = self.duplicates
        return twin

    def memory(self) -> cython.Py_ssize_t:
        """Bytes held, about."""
        return self.held

    def load(self, producer: bytes, name: bytes, id: tuple) -> None:
        """:meth:`record` for files, with the id as a pair."""
        self.record(producer, name, id[0] << 64 | id[1])

    def by_producer(self) -> list:
        """Each producer with a list of its names and ids, the oldest first."""
        return [(producer, list(names.items())) for producer, names in self.producers.items()]

    def sizes(self) -> tuple[int, int]:
        """How many producers there are, and entries of all of them."""
        return len(self.producers), sum(map(len, self.producers.values()))

    def __iter__(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Each entry: its producer, its name, its id."""
        return iter(
            [(producer, name, id) for producer, names in self.by_producer() for name, id in names]
        )

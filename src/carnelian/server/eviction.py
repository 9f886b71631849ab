"""``maxmemory-clients``: those that take the most memory go when all of them take too much."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.server.connection import Connection, Hub

from carnelian.engine.session import FLAG_NO_EVICT
from carnelian.server import client_info
from carnelian.server.connection import BUSY

# Clients are sorted by the doublings of their memory: from 32 KB down to above 4 GB.
_SMALLEST = cython.declare(cython.int, 15)
_LARGEST = cython.declare(cython.int, 33)

_PROTECTED = cython.declare(cython.int, FLAG_NO_EVICT)
_REPLICA = cython.declare(cython.int, 1)
_busy = cython.declare(cython.int, BUSY)


@cython.cclass
class MemoryWatch:
    """Counts the memory of the clients that may be evicted; ``limit`` is in bytes.

    :meth:`update` is called whenever a connection has read or written, so that the sum is right
    before the loop sleeps and :meth:`enforce` decides.
    """

    def __init__(self, hub: Hub, limit: cython.longlong):
        self.hub = hub
        self.limit = limit
        self.total = 0
        self.evicted = 0
        self.buckets: list[dict] = [{} for _ in range(_SMALLEST, _LARGEST + 1)]
        for connection in hub.members:
            self.update(connection)

    @cython.ccall
    def update(self, connection: Connection):
        """Count a connection anew."""
        used: cython.Py_ssize_t = 0
        if not connection.flags & _PROTECTED and connection.output_class() != _REPLICA:
            used = connection.memory()
        before: cython.Py_ssize_t = connection.memory_counted
        if used == before:
            return
        self.total += used - before
        connection.memory_counted = used
        if used == 0 or before == 0 or self.bucket(used) != self.bucket(before):
            if before:
                self.buckets[self.bucket(before)].pop(connection, None)
            if used:
                self.buckets[self.bucket(used)][connection] = None

    @cython.ccall
    def forget(self, connection: Connection):
        """Do not count a connection any longer: it has ended."""
        used: cython.Py_ssize_t = connection.memory_counted
        if used:
            self.buckets[self.bucket(used)].pop(connection, None)
            self.total -= used
            connection.memory_counted = 0

    @cython.ccall
    def enforce(self):
        """End the largest clients until the rest is within the limit."""
        while self.total >= self.limit:
            for bucket in reversed(self.buckets):
                if bucket:
                    break
            else:
                return
            connection: Connection = next(iter(bucket))
            self.hub.log("notice", f"Evicting client: {client_info.line(connection)}")
            self.evicted += 1
            if connection.state & _busy:
                # Its command is about to run: it ends after that, but its memory is free now.
                self.forget(connection)
                connection.output.clear()
                connection.close()
            else:
                connection.finish()

    def dissolve(self) -> None:
        """Forget everybody: there is no limit any longer."""
        connection: Connection
        for connection in self.hub.members:
            connection.memory_counted = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def bucket(self, used: cython.Py_ssize_t) -> cython.int:
        doublings: cython.int = 0
        while used > 0:
            used >>= 1
            doublings += 1
        return min(max(doublings, _SMALLEST), _LARGEST) - _SMALLEST

"""What clients may take: output that they do not read, and memory, each and all together.

Whoever carries sessions counts their bytes, asks :class:`OutputLimits` when there is more for one
of them, and tells :class:`ClientEviction` when they have changed.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.ground.flags import FLAG_NO_EVICT, REPLICA
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.core import Core

from carnelian.engine.config import BufferLimits
from carnelian.engine.shared import clients

# Clients are sorted by the doublings of their memory: from 32 KB down to above 4 GB.
_SMALLEST = cython.declare(cython.int, 15)
_LARGEST = cython.declare(cython.int, 33)


@cython.final
@cython.cclass
class OutputLimits:
    """``client-output-buffer-limit``: bytes, or bytes for some time, by class of client.

    ``lagging`` is for carriers: sessions above the soft limit, to be looked at again.
    ``kept_anyway`` are the bytes of the stream that are kept for replicas, in any case: to end one
    for less would save nothing.
    """

    def __init__(self):
        # By class.
        self.hard = self.soft = self.seconds = [0, 0, 0]
        self.lagging: dict[Client, None] = {}
        self.kept_anyway = 0

    def set(self, limits: BufferLimits) -> None:
        """Heed these from now on; 0 is no limit."""
        kinds = (limits.normal, limits.replica, limits.pubsub)
        self.hard = [kind.hard for kind in kinds]
        self.soft = [kind.soft for kind in kinds]
        self.seconds = [kind.seconds for kind in kinds]

    @cython.cfunc
    @cython.exceptval(check=False)
    def exceeded(
        self, session: Client, unread: cython.Py_ssize_t, now: cython.longlong
    ) -> cython.bint:
        """Whether what is unread is above the hard limit, or has long been above the soft one."""
        kind: cython.int = session.output_class()
        hard: cython.Py_ssize_t = self.hard[kind]
        soft: cython.Py_ssize_t = self.soft[kind]
        if kind == REPLICA and hard < self.kept_anyway and hard:
            hard = self.kept_anyway
        if hard and unread >= hard:
            return True
        if not soft or unread < soft:
            session.soft_since_ms = 0
            return False
        if session.soft_since_ms == 0:
            session.soft_since_ms = now
        # In whole seconds, and longer than the limit says, as Redis counts.
        seconds: cython.longlong = self.seconds[kind]
        return now // 1000 - session.soft_since_ms // 1000 > seconds


@cython.final
@cython.cclass
class ClientEviction:
    """``maxmemory-clients``: those that take the most go when all of them take too much.

    Counts the memory of the sessions that may go, as long as there is a ``limit``; 0 is none.
    :meth:`update` is to be called when a session has changed, so that the sum is right when
    :meth:`enforce` decides.
    """

    def __init__(self, core: Core):
        self.core = core
        self.limit = self.total = self.evicted = 0
        self.buckets: list[dict] = [{} for _ in range(_SMALLEST, _LARGEST + 1)]

    def set(self, limit: cython.longlong) -> None:
        """Allow so many bytes; 0 for any number."""
        session: Client
        before: cython.longlong = self.limit
        self.limit = limit
        for session in self.core.sessions if (limit == 0) != (before == 0) else ():
            if limit:
                self.update(session)
            else:
                self.forget(session)

    @cython.ccall
    def update(self, session: Client):
        """Count a session anew."""
        used: cython.Py_ssize_t = 0
        if not session.flags & FLAG_NO_EVICT and session.output_class() != REPLICA:
            used = session.memory()
        before: cython.Py_ssize_t = session.memory_counted
        if used == before:
            return
        self.total += used - before
        session.memory_counted = used
        if used == 0 or before == 0 or self.bucket(used) != self.bucket(before):
            if before:
                self.buckets[self.bucket(before)].pop(session, None)
            if used:
                self.buckets[self.bucket(used)][session] = None

    @cython.ccall
    def forget(self, session: Client):
        """Do not count a session any longer: it has ended."""
        used: cython.Py_ssize_t = session.memory_counted
        if used:
            self.buckets[self.bucket(used)].pop(session, None)
            self.total -= used
            session.memory_counted = 0

    @cython.ccall
    def enforce(self):
        """End the largest sessions until the rest is within the limit."""
        session: Client
        while self.limit and self.total >= self.limit:
            for bucket in reversed(self.buckets):
                if bucket:
                    break
            else:
                return
            session = next(iter(bucket))
            line = clients.describe(session, self.core.clock.ms).decode("utf-8", "surrogateescape")
            self.core.log("notice", f"Evicting client: {line}")
            self.evicted += 1
            # Its memory is free now, even if it ends a little later.
            self.forget(session)
            session.evict()

    @cython.cfunc
    @cython.exceptval(check=False)
    def bucket(self, used: cython.Py_ssize_t) -> cython.int:
        doublings: cython.int = 0
        while used > 0:
            used >>= 1
            doublings += 1
        return min(max(doublings, _SMALLEST), _LARGEST) - _SMALLEST

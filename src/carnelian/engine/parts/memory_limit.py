"""maxmemory: keys give way, or commands are refused, once the data takes more than it may.

Before each command :meth:`MemoryLimit.relieve` evicts keys until the data fits again. A cycle that
takes too long ends early and goes on between commands. Commands that need memory are refused only
when nothing can be freed.
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.datatypes.base.memory import used
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.ground.flags import FLAG_SCRIPT
from cython.cimports.carnelian.engine.parts.admission import Admission, judged_flags
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.core import Core
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.removal.eviction import Eviction
from cython.cimports.carnelian.resp.blocks import allocated

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.ground.stages import MEMORY
from carnelian.engine.parts.changes import Changes
from carnelian.resp.replies import Error

_DENYOOM = FLAG_BITS["denyoom"]

# Keys evicted between two looks at the clock.
_KEYS_PER_CHECK = cython.declare(cython.int, 16)
# Microseconds of a cycle: growing evenly up to this tenacity, then by 15 % with each step.
_EVEN_TENACITY = 10
_US_PER_STEP = 50
_GROWTH = 1.15
_ENDLESS = 100
_NEVER = 1 << 62


@cython.final
@cython.cclass
class MemoryLimit:
    """Keeps the data of an engine within ``maxmemory``.

    - ``eviction`` chooses the keys;
    - ``uncounted`` are functions that tell bytes that are no data: what waits to be sent to
      replicas or written to a file grows by evictions, and must not lead to further ones;
    - ``holds`` are functions that tell whether nothing may be evicted now (a pause, a replica);
      then nothing is refused either;
    - ``relievers`` are functions that are called before any key goes, and may free something;
    - ``foreign`` are the bytes in this process that belong to other engines, and ``waiting`` those
      that wait in this process for sessions of this engine;
    - ``exhausted``: nothing could be freed before the command that runs now.
    """

    def __init__(self, core: Core, changes: Changes, admission: Admission):
        self.core = core
        self.changes = changes
        self.admission = admission
        self.keyspace = core.keyspace
        self.clock = core.clock
        self.eviction = Eviction(core.keyspace)
        self.limit = self.foreign = self.waiting = 0
        self.lazy = False
        self.exceeded = self.exhausted = self.evicting = False
        self.uncounted: list[Callable[[], int]] = []
        self.holds: list[Callable[[], bool]] = []
        self.relievers: list[Callable[[], None]] = []
        self.reset_statistics()
        self.set_tenacity(_EVEN_TENACITY)

    # -- Configuration ---------------------------------------------------------------------------

    def set(self, limit: cython.Py_ssize_t) -> None:
        """Allow so many bytes; 0 for any number. Evictions begin soon if that is too few."""
        self.limit = limit
        self.keyspace.limit_tables(limit)
        if not limit:
            self.note_outcome(False, False)
        elif self.used() > limit:
            self.core.log(
                "warning",
                f"WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than "
                f"the current memory usage ({self.used()}). This will result in key eviction "
                "and/or the inability to accept new write commands depending on the "
                "maxmemory-policy.",
            )
            self._go_on_later()

    def set_tenacity(self, tenacity: int) -> None:
        """How long a cycle may last, from 0 to 100 (``maxmemory-eviction-tenacity``)."""
        if tenacity <= _EVEN_TENACITY:
            self.time_limit_ns = _US_PER_STEP * 1000 * tenacity
        elif tenacity < _ENDLESS:
            longest = _US_PER_STEP * _EVEN_TENACITY * _GROWTH ** (tenacity - _EVEN_TENACITY)
            self.time_limit_ns = int(longest) * 1000
        else:
            self.time_limit_ns = _NEVER

    # -- What there is ---------------------------------------------------------------------------

    def used(self) -> cython.Py_ssize_t:
        """Bytes in use: data, tables, and the buffers of clients."""
        return used() + allocated() - self.foreign + self.waiting

    def taken(self) -> cython.Py_ssize_t:
        """Bytes that all engines of this process have in data, tables and buffers."""
        return used() + allocated()

    def not_counted(self) -> cython.Py_ssize_t:
        """Those of them that are not held against the limit."""
        return sum([size() for size in self.uncounted])

    def over(self) -> cython.bint:
        """Whether the limit may be exceeded, or was a moment ago: worth calling relieve()."""
        return self.limit != 0 and (self.exceeded or self.used() > self.limit)

    def excess(self) -> cython.Py_ssize_t:
        """Bytes that are too many; 0 or less if there are none."""
        excess: cython.Py_ssize_t = self.used() - self.limit
        if excess > 0 and self.uncounted:
            excess -= self.not_counted()
        return excess

    # -- Evicting --------------------------------------------------------------------------------

    def relieve(self):
        """Evict until the data fits, nothing is left to evict, or the time for it is over."""
        if not self.limit or self.held():
            self.evicting = False
            self.note_outcome(self.exceeded and self.limit > 0, False)
            return
        excess: cython.Py_ssize_t = self.excess()
        if excess > 0 and self.relievers:
            for reliever in self.relievers:
                reliever()
            excess = self.excess()
        if excess <= 0:
            self.evicting = False
            self.note_outcome(False, False)
            return
        started: cython.Py_ssize_t = self.clock.monotonic_ns()
        exhausted: cython.bint = not self.free(excess)
        self._note("eviction-cycle", started)
        if exhausted:
            self.evicting = False
        self.note_outcome(exhausted or self.evicting, exhausted)

    def held(self) -> cython.bint:
        """Whether the data has to stay as it is."""
        return any(hold() for hold in self.holds)

    def free(self, excess: cython.Py_ssize_t) -> cython.bint:
        """Free so many bytes if time allows; False if there is nothing left that may go."""
        end: cython.Py_ssize_t = self.clock.monotonic_ns() + self.time_limit_ns
        # Not compared with the limit again and again: what evictions add to output shall not
        # lead to more of them.
        goal: cython.Py_ssize_t = used() - excess
        keys: cython.int = 0
        while used() > goal:
            # What is on its way out already goes first.
            if not self.keyspace.trash.step() and used() > goal:
                choice: tuple = self.eviction.choose()
                if choice is None:
                    return False
                self.evict(choice[0], choice[1])
                keys += 1
            if keys % _KEYS_PER_CHECK == 0 and self.clock.monotonic_ns() > end:
                if used() > goal:
                    self._go_on_later()
                break
        return True

    def evict(self, db, key: bytes):
        """Let one key go, and tell."""
        database: Database = db
        core: Core = self.core
        watched: cython.bint = core.latency.threshold_ms > 0
        started: cython.Py_ssize_t = self.clock.monotonic_ns() if watched else 0
        database.evict(key, self.lazy)
        if watched:
            self._note("eviction-del", started)
        self.changes.evicted(db, key)
        if core.effects.listening and core.depth == 0:
            # No transaction around it, nor together with what came before.
            core.effects.flush()
            core.effects.add(database.index, [b"UNLINK" if self.lazy else b"DEL", key])
            core.effects.flush()

    def _go_on_later(self) -> None:
        self.evicting = True
        self.core.timed = True

    def _note(self, event: str, started: cython.Py_ssize_t) -> None:
        milliseconds = (self.clock.monotonic_ns() - started) // 1_000_000
        self.core.latency.add(event, milliseconds, self.clock.ms // 1000)

    # -- Refusing --------------------------------------------------------------------------------

    def note_outcome(self, exceeded: cython.bint, exhausted: cython.bint):
        """Note how it went, for the commands that come and for INFO."""
        now: cython.Py_ssize_t
        if exceeded != self.exceeded:
            now = self.clock.monotonic_ns()
            if exceeded:
                self.since_ns = now
            else:
                self.total_ns += now - self.since_ns
            self.exceeded = exceeded
        if exhausted != self.exhausted:
            self.exhausted = exhausted
            self.admission.switch_check(self.check, exhausted, stage=MEMORY)

    def check(self, session: Client, command: Command, args: list) -> Error | None:
        """The error for a command that needs memory where there is none left."""
        if session.flags & FLAG_SCRIPT:
            # Scripts are judged as wholes: one that has written goes on.
            return None
        if self.exhausted and judged_flags(session, command, args) & _DENYOOM:
            return Error("OOM command not allowed when used memory > 'maxmemory'.")
        return None

    # -- Statistics ------------------------------------------------------------------------------

    @property
    def exceeded_ms(self) -> tuple[int, int]:
        """Milliseconds above the limit since the start: in all, and of these without a break."""
        current = self.clock.monotonic_ns() - self.since_ns if self.exceeded else 0
        return (self.total_ns + current) // 1_000_000, current // 1_000_000

    def reset_statistics(self) -> None:
        """Forget how long the limit was exceeded (CONFIG RESETSTAT)."""
        self.total_ns = 0
        self.since_ns = self.clock.monotonic_ns()

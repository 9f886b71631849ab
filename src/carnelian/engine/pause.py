"""CLIENT PAUSE: commands are held back for a while, all of them or those that write.

See https://redis.io/docs/latest/commands/client-pause/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine.flags import FLAG_PRIMARY, FLAG_REPLICA, PAUSED
from carnelian.engine.registry import FLAG_BITS
from carnelian.keyspace.state import DELETE_OVERDUE, HIDE_OVERDUE

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.engine.registry import Command
    from carnelian.engine.session import Session

_REPLICATES = FLAG_BITS["write"] | FLAG_BITS["may_replicate"]
# The millisecond after it still has a place in 64 bits.
_LATEST_MS = 2**63 - 2


class Pause:
    """One pause, extended by further calls; while it lasts no key expires or is evicted."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self.active = False
        self.end_ms = 0
        self.writes_only = False

    def start(self, end_ms: int, *, writes_only: bool) -> None:
        """Pause until this unix time in ms; a running pause only becomes longer and stricter."""
        if self.active:
            writes_only = writes_only and self.writes_only
            end_ms = max(end_ms, self.end_ms)
        self.active = True
        self.end_ms = min(end_ms, _LATEST_MS)
        self.writes_only = writes_only
        self._engine.gate |= PAUSED
        self._engine.timed = True
        self._engine.keyspace.overdue = HIDE_OVERDUE

    def stop(self) -> None:
        """End the pause; what was held back runs before the next command."""
        if not self.active:
            return
        self.active = False
        self._engine.gate &= ~PAUSED
        self._engine.keyspace.overdue = DELETE_OVERDUE
        self._engine.blocking.release_postponed()

    def check(self, now_ms: int) -> None:
        """End the pause if its time is over."""
        if self.active and now_ms > self.end_ms:
            self.stop()

    def holds(self, session: Session, command: Command) -> bool:
        """Whether this command has to wait for the end of the pause."""
        if session.flags & (FLAG_REPLICA | FLAG_PRIMARY):
            return False
        if not self.writes_only:
            return True
        flags = command.flags
        if command.name == b"exec" and session.transaction is not None:
            flags |= session.transaction.flags
        return bool(flags & _REPLICATES)

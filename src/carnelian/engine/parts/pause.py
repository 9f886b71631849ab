"""CLIENT PAUSE: commands are held back for a while, all of them or those that write.

See https://redis.io/docs/latest/commands/client-pause/
"""

from __future__ import annotations

from cython.cimports.carnelian.engine.parts.admission import judged_flags

from carnelian.engine.catalogue.registry import FLAG_BITS, Command
from carnelian.engine.ground.flags import FLAG_PRIMARY, FLAG_REPLICA
from carnelian.engine.ground.stages import PAUSE
from carnelian.engine.parts.admission import Admission
from carnelian.engine.parts.blocking import Blocking
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.core import Core
from carnelian.keyspace.sparing import PAUSED
from carnelian.resp.replies import NO_REPLY

_REPLICATES = FLAG_BITS["write"] | FLAG_BITS["may_replicate"]
# The millisecond after it still has a place in 64 bits.
_LATEST_MS = 2**63 - 2


class Pause:
    """One pause, extended by further calls; while it lasts no key expires or is evicted."""

    def __init__(self, core: Core, blocking: Blocking, admission: Admission):
        self._core = core
        self._blocking = blocking
        self._admission = admission
        self.active = False
        self.end_ms = 0
        self.writes_only = False

    def start(self, end_ms: int, *, writes_only: bool) -> None:
        """Pause until this unix time in ms; a running pause only becomes longer and stricter."""
        if self.active:
            writes_only = writes_only and self.writes_only
            end_ms = max(end_ms, self.end_ms)
        else:
            self._admission.add_check(self._postpone, stage=PAUSE)
        self.active = True
        self.end_ms = min(end_ms, _LATEST_MS)
        self.writes_only = writes_only
        self._core.timed = True
        self._core.keyspace.spare_overdue(PAUSED)

    def stop(self) -> None:
        """End the pause; what was held back runs before the next command."""
        if not self.active:
            return
        self.active = False
        self._admission.remove_check(self._postpone)
        self._core.keyspace.cease_sparing(PAUSED)
        self._blocking.release_postponed()

    def check(self, now_ms: int) -> None:
        """End the pause if its time is over."""
        if self.active and now_ms > self.end_ms:
            self.stop()

    def delays(self, session: Client, command: Command, args: list) -> bool:
        """Whether this command has to wait for the end of the pause."""
        if session.flags & (FLAG_REPLICA | FLAG_PRIMARY):
            return False
        if not self.writes_only:
            return True
        return bool(judged_flags(session, command, args) & _REPLICATES)

    def _postpone(self, session: Client, command: Command, args: list[bytes]) -> object:
        if not self.delays(session, command, args):
            return None
        self._blocking.postpone(session, command, args)
        return NO_REPLY

"""CLIENT PAUSE: commands are held back for a while, all of them or those that write.

See https://redis.io/docs/latest/commands/client-pause/
"""

from __future__ import annotations

from collections.abc import Callable

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
# An end that never comes; the millisecond after it still has a place in 64 bits.
FOR_EVER = 2**63 - 2


class Pause:
    """One pause, extended by further calls; while it lasts no key expires or is evicted.

    It may have several purposes (CLIENT PAUSE, a failover, a shutdown), each with its own end; it
    lasts as long, and is as strict, as the one that asks for most.

    ``on_end``: each is called when nothing is held back any more.
    """

    def __init__(self, core: Core, blocking: Blocking, admission: Admission):
        self._core = core
        self._blocking = blocking
        self._admission = admission
        self.active = False
        self.end_ms = 0
        self.writes_only = False
        self.on_end: list[Callable[[], None]] = []
        # Their ends, and whether only writes wait.
        self._purposes: dict[str, tuple[int, bool]] = {}

    def start(self, end_ms: int, *, writes_only: bool, purpose: str = "client") -> None:
        """Pause until this unix time in ms; for one purpose it only becomes longer and stricter."""
        if purpose in self._purposes:
            before_ms, before = self._purposes[purpose]
            end_ms, writes_only = max(end_ms, before_ms), writes_only and before
        self._purposes[purpose] = (min(end_ms, FOR_EVER), writes_only)
        if not self.active:
            self._admission.add_check(self._postpone, stage=PAUSE)
            self.active = True
            self._core.keyspace.spare_overdue(PAUSED)
        self._sum_up()
        self._core.timed = True

    def _sum_up(self) -> None:
        was_strict = self.active and not self.writes_only
        self.end_ms = max(end_ms for end_ms, _ in self._purposes.values())
        self.writes_only = all(writes_only for _, writes_only in self._purposes.values())
        if was_strict and self.writes_only:
            # Those that only read have no reason to wait any more.
            self._blocking.release_postponed()

    def stop(self, purpose: str = "client") -> None:
        """End the pause for a purpose; if it was the last one, what was held back runs before the
        next command.
        """
        if self._purposes.pop(purpose, None) is None:
            return
        if self._purposes:
            self._sum_up()
            return
        self.active = False
        self._admission.remove_check(self._postpone)
        self._core.keyspace.cease_sparing(PAUSED)
        self._blocking.release_postponed()
        for hook in self.on_end:
            hook()

    def lasts_for(self, purpose: str) -> bool:
        """Whether this is one of its purposes."""
        return purpose in self._purposes

    def lasts_beside(self, purpose: str) -> bool:
        """Whether there is another purpose than this one."""
        return len(self._purposes) > (purpose in self._purposes)

    def next_ms(self) -> int:
        """When it ends for the first of its purposes, while it lasts."""
        return min(end_ms for end_ms, _ in self._purposes.values())

    def check(self, now_ms: int) -> None:
        """End the pause for the purposes whose time is over."""
        for purpose, (end_ms, _) in list(self._purposes.items()):
            if now_ms > end_ms:
                self.stop(purpose)

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

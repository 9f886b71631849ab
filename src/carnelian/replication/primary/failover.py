"""FAILOVER: this node hands its role to one of its replicas, and follows it from then on.

Writes wait until a replica has everything. Then this node asks it to lead, by PSYNC with FAILOVER,
and if it does, what has waited is refused or run by what this node is then.
"""

from __future__ import annotations

from enum import Enum

from carnelian.replication.primary.replicas import Leader, Replica, State
from carnelian.resp.replies import Error

_FOR_EVER = 2**63 - 2


class Phase(Enum):
    """How far a failover has come, as INFO shows it."""

    NONE = "no-failover"
    WAITING = "waiting-for-sync"
    ASKING = "failover-in-progress"


class Failover:
    """The failover of one node, if one is on its way.

    ``phase`` is how far it has come.
    """

    def __init__(self, primary: Leader):
        self._primary = primary
        self._engine = primary.engine
        # In a cluster, a replica takes over by itself, and asks for writes to wait meanwhile.
        self._held_for_cluster = False
        self._reset()

    def _reset(self) -> None:
        self.phase = Phase.NONE
        self._target: tuple[bytes, int] | None = None
        self._end_ms = 0
        self._forced = False
        self._hold()

    def _hold(self) -> None:
        self._primary.replication.stream.held = self.holds_offset

    @property
    def holds_offset(self) -> bool:
        """Whether nothing may be added to the stream: it would never be caught up with."""
        if self._held_for_cluster and self._engine.pause.active:
            return True
        return self.phase is not Phase.NONE and self._end_ms > 0

    def hold_for_cluster(self, wanted: bool) -> None:
        """Add nothing to the stream while writes wait, or do so again."""
        self._held_for_cluster = wanted
        self._hold()

    def _name(self) -> str:
        if self._target is None:
            return "any replica"
        return f"{self._target[0].decode('utf-8', 'replace')}:{self._target[1]}"

    def find(self, host: bytes, port: int) -> Replica | None:
        """The replica at an address."""
        for replica in self._primary.replicas:
            if replica.host.lower() == host.lower() and replica.port == port:
                return replica
        return None

    # -- Its course ------------------------------------------------------------------------------

    def begin(self, target: tuple[bytes, int] | None, timeout_ms: int, forced: bool) -> None:
        """Begin: to a replica, or to the first that has everything if ``target`` is None.

        Args:
            timeout_ms: how long to wait for it; 0 is for ever.
            forced: hand over to it then, though it may lack something.

        Raises Error.
        """
        if target is not None:
            replica = self.find(*target)
            if replica is None:
                raise Error("ERR FAILOVER target HOST and PORT is not a replica.")
            if replica.state is not State.ONLINE:
                raise Error("ERR FAILOVER target replica is not online.")
        self._target = target
        self._engine.log("notice", f"FAILOVER requested to {self._name()}.")
        self._end_ms = self._engine.clock.ms + timeout_ms if timeout_ms else 0
        self._forced = forced
        self.phase = Phase.WAITING
        self._hold()
        self._engine.pause.start(_FOR_EVER, writes_only=True, purpose="failover")

    def abort(self, reason: str) -> None:
        """Give it up, and lead on."""
        if self.phase is Phase.NONE:
            return
        self._engine.log("notice", f"FAILOVER to {self._name()} aborted: {reason}")
        asking = self.phase is Phase.ASKING
        self._reset()
        if asking:
            self._primary.replication.replica_side.lead()
        self._engine.pause.stop("failover")

    def check(self) -> None:
        """See whether it can go on; called with each tick."""
        if self.phase is Phase.WAITING:
            self._look_for_target()
        elif self.phase is Phase.ASKING:
            following = self._primary.replication.following
            if following is None or not following.failover:
                self._reset()
                self._engine.pause.stop("failover")

    def _look_for_target(self) -> None:
        if self._end_ms and self._end_ms <= self._engine.clock.ms:
            if not self._forced:
                self.abort("Replica never caught up before timeout")
                return
            self._engine.log(
                "notice", f"FAILOVER to {self._name()} time out exceeded, failing over."
            )
            self._hand_over()
            return
        end = self._primary.replication.history.offset
        if self._target is None:
            for replica in self._primary.replicas:
                if replica.confirmed == end:
                    self._target = (replica.host, replica.port)
                    break
            else:
                return
        else:
            found = self.find(*self._target)
            if found is None or found.confirmed != end:
                return
        self._engine.log("notice", f"Failover target {self._name()} is synced, failing over.")
        self._hand_over()

    def _hand_over(self) -> None:
        assert self._target is not None
        self.phase = Phase.ASKING
        side = self._primary.replication.replica_side
        side.follow(self._target[0].decode("utf-8", "surrogateescape"), self._target[1])
        side.following.failover = True

    def rejected(self) -> None:
        """The other side does not want to lead."""
        if self.phase is Phase.ASKING:
            self.abort("Failover target rejected psync request")

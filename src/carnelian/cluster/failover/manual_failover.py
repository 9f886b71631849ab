"""A failover that an administrator asks a replica for.

By default the primary pauses its clients and tells how far its stream goes; when the replica has
all of it, it asks the other primaries for their votes, who give them though the primary works.
"""

from __future__ import annotations

from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.bus.bus_messages import PAUSED, BusMessage
from carnelian.cluster.failover.replica_election import ReplicaElection
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.gossip.slot_claims import SlotClaims
from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.member.manual_state import PAUSE
from carnelian.cluster.member.membership import Membership


class ManualFailover:
    """Both sides of it; how far it is stands in ``membership.manual``."""

    def __init__(
        self,
        membership: Membership,
        messenger: Messenger,
        claims: SlotClaims,
        election: ReplicaElection,
    ):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger
        self._claims = claims
        self._election = election
        self._state = membership.manual

    # -- The replica -----------------------------------------------------------------------------

    def begin(self, force: bool, takeover: bool) -> None:
        """Take the place of our primary: in agreement with it; ``force`` with the other primaries;
        ``takeover`` with nobody. Raises ClusterError if that cannot be.
        """
        myself = self._view.myself
        primary = myself.primary
        if myself.is_primary:
            raise ClusterError("You should send CLUSTER FAILOVER to a replica")
        if primary is None:
            raise ClusterError("I'm a replica but my master is unknown to me")
        if not force and not takeover and (primary.has_failed or primary.link is None):
            raise ClusterError("Master is down or failed, please use CLUSTER FAILOVER FORCE")
        log = self._membership.around.log
        self._state.begin(self._view.now)
        self._election.reset()
        if takeover:
            log("notice", "Taking over the master (user request).")
            self._claims.bump_epoch()
            self._election.replace_primary()
        elif force:
            log("notice", "Forced failover user request accepted.")
            self._state.can_start = True
        else:
            log("notice", "Manual failover user request accepted.")
            self._messenger.begin_manual_failover(primary)

    def heed(self, sender: ClusterNode, message: BusMessage) -> None:
        """Our primary may tell how far its stream goes while its clients are paused."""
        state = self._state
        if (
            state
            and message.message_flags & PAUSED
            and self._view.myself.primary is sender
            and state.primary_offset is None
        ):
            state.primary_offset = message.offset
            self._membership.soon_go_on_manually()
            self._membership.around.log(
                "notice",
                f"Received replication offset for paused master manual failover: {message.offset}",
            )

    def advance(self) -> None:
        """Begin with the election when there is nothing of the stream that we do not have."""
        self._membership.must_go_on_manually = False
        state = self._state
        if not state or state.can_start or state.primary_offset is None:
            return
        around = self._membership.around
        # A stream in which nothing was written yet is as long as that of who has no data at all.
        if around.data_age() is not None and state.primary_offset == around.offset():
            state.can_start = True
            around.log(
                "notice", "All master replication stream processed, manual failover can start."
            )
            self._membership.soon_fail_over()

    def check_time(self) -> None:
        """Give up when it has taken too long."""
        if self._state and self._state.end < self._view.now:
            self._membership.around.log("notice", "Manual failover timed out.")
            self._state.reset()

    # -- The primary -----------------------------------------------------------------------------

    def requested(self, link: BusLink, sender: ClusterNode) -> None:
        """A replica wants to take our place: pause our clients, and tell it how far we are."""
        if sender.primary is not self._view.myself:
            return
        self._state.begin(self._view.now)
        self._state.replica = sender
        self._membership.around.pause_writes(PAUSE)
        self._membership.around.log(
            "notice", f"Manual failover requested by replica {sender.id} ({sender.human_name})."
        )
        self._messenger.ping_back(link, sender)

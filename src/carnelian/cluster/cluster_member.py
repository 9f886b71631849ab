"""A node of a cluster without I/O: its parts, its rounds, and what administrators ask of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from carnelian.cluster.failover.bus_receiver import BusReceiver
from carnelian.cluster.failover.manual_failover import ManualFailover
from carnelian.cluster.failover.replica_election import ReplicaElection
from carnelian.cluster.failover.replica_migration import ReplicaMigration
from carnelian.cluster.failover.voting import Voting
from carnelian.cluster.gossip.cluster_health import ClusterHealth
from carnelian.cluster.gossip.handshakes import Handshakes
from carnelian.cluster.gossip.link_keeper import LinkKeeper, close_links
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.gossip.ping_receiver import PingReceiver
from carnelian.cluster.gossip.pinging import Pinging
from carnelian.cluster.gossip.role_changes import RoleChanges
from carnelian.cluster.gossip.slot_claims import SlotClaims
from carnelian.cluster.known import nodes_file
from carnelian.cluster.known.cluster_node import ClusterNode, NodeLink
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.node_flags import MYSELF, PRIMARY
from carnelian.cluster.member.member_surroundings import MemberSettings, Surroundings
from carnelian.cluster.member.membership import Membership
from carnelian.cluster.operating.node_operations import NodeOperations
from carnelian.cluster.operating.slot_operations import SlotOperations
from carnelian.net.protocol import Host, Timer

# Seconds from one round to the next.
ROUND = 0.1
# So many times as long as it took to write the file, it is not written again.
_REST_AFTER_SAVE = 10
# Milliseconds for which the file has notes of slots behind the rest.
_NOTED = 1000


class LinkState(NamedTuple):
    """A link as CLUSTER LINKS shows it."""

    node: ClusterNode
    link: NodeLink


class ClusterMember:
    """A node of a cluster, from :meth:`start` on.

    What administrators may do is a method each; those that end with an error raise ClusterError,
    whose text is Redis's without ``ERR``. What changes is saved, and the state of the cluster found
    out anew, at the end of the event: in a ``host.call_later(0, ...)``.

    Args:
        host: carries the bus and gives time; for a bus with TLS, its connections have it.
        settings: the configuration; see there for what has to be told of.
        around: the process.
        text: what stands in the file of the nodes; None or nothing if there is none. The node is
            a new one then, a primary without slots.

    Raises NodesFileError if the text is damaged.
    """

    def __init__(
        self,
        host: Host,
        settings: MemberSettings,
        around: Surroundings,
        text: bytes | None = None,
    ):
        self.membership = membership = Membership(host, settings, around)
        membership.on_work = self._plan_work
        self._messenger = messenger = Messenger(membership)
        self._health = ClusterHealth(membership)
        handshakes = Handshakes(membership)
        self._roles = roles = RoleChanges(membership)
        self._claims = claims = SlotClaims(membership, messenger, roles)
        self._election = ReplicaElection(membership, messenger, self._health.evaluate)
        self._manual = ManualFailover(membership, messenger, claims, self._election)
        self._migration = ReplicaMigration(membership, roles)
        self._receiver = BusReceiver(
            membership,
            messenger,
            PingReceiver(membership, messenger, handshakes, roles, claims),
            claims,
            self._election,
            Voting(membership, messenger),
            self._manual,
        )
        self._keeper = LinkKeeper(membership, messenger, self._receiver.take)
        self._receiver.introduce = self._keeper.introduce
        self._pinging = Pinging(membership, messenger)
        self._nodes = NodeOperations(membership, handshakes, roles)
        self._slots = SlotOperations(membership, messenger, roles, claims)
        self._timer: Timer | None = None
        self._work: Timer | None = None
        self._saver: Timer | None = None
        # When the file may be written again, in nanoseconds.
        self._save_after = 0
        self._is_new = not text
        self._load(text or b"")

    def _load(self, text: bytes) -> None:
        membership, view = self.membership, self.view
        if text:
            tls = membership.settings.tls_cluster
            nodes_file.load(view, text, tls, lambda line: membership.around.log("notice", line))
            membership.around.log("notice", f"Node configuration loaded, I'm {view.myself.id}")
        else:
            view.myself = view.create(None, MYSELF | PRIMARY)
            membership.around.log("notice", f"No cluster configuration found, I'm {view.myself.id}")

    @property
    def view(self) -> ClusterView:
        """All that is known: nodes, slots, epochs, ``is_ok``, statistics. Listeners of slots go
        into ``view.listeners``.
        """
        return self.membership.view

    @property
    def myself(self) -> ClusterNode:
        """This node."""
        return self.membership.myself

    def drop_messages(self, type: int) -> None:
        """Ignore all messages of a type that come (DEBUG CLUSTERDROPPACKETFILTER); -1 is none."""
        self._receiver.dropped_type = type

    # -- Life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen for others on the bus, save, and begin with ten rounds a second.

        Raises OSError if it cannot be listened.
        """
        self.membership.adopt_settings()
        if self._is_new:
            self.membership.save_or_give_up()
        port = self.membership.own_bus_port()
        self._keeper.listen([(host, port) for host in self.membership.settings.bind_addresses])
        self.membership.listens_at = port
        self._go_on()

    def stop(self) -> None:
        """End all links and rounds."""
        for timer in (self._timer, self._work, self._saver):
            if timer is not None:
                timer.cancel()
        membership = self.membership
        if membership.must_save or membership.must_sync or not membership.is_whole:
            membership.save_or_give_up()
        self._keeper.close()

    def data_loaded(self) -> None:
        """The data has been read from the disk: slots that have keys and no owner become ours,
        those that have another owner are marked as on their way to us.

        Raises ClusterError if there are keys in other databases than 0.
        """
        self._slots.compare_with_keys()

    def settings_changed(self) -> None:
        """Heed what is announced, and whether this node may stand for its primary, anew."""
        self.membership.adopt_settings()

    # -- Nodes -----------------------------------------------------------------------------------

    def node(self, id: str) -> ClusterNode:
        """The node with an ID. Raises UnknownNode (``Unknown node <id>``)."""
        return self._nodes.node(id)

    def meet(self, ip: str, port: int, bus_port: int | None = None) -> None:
        """Get to know who is at an address, and all whom it knows; nothing if that is under way.

        Raises ClusterError if it is no address.
        """
        self._nodes.meet(ip, port, bus_port)

    def forget(self, id: str) -> None:
        """Know a node no more, nor hear of it for a minute; others who understand it do so, too.

        Raises ClusterError for a node that is not known, for this one, and for its primary.
        """
        self._nodes.forget(id)

    def replicate(self, id: str) -> None:
        """Be a replica of a node.

        Raises ClusterError if that is not known, no primary or this one, or if this one is a
        primary with slots or keys.
        """
        self._nodes.replicate(id)

    def reset(self, hard: bool = False) -> None:
        """Forget all nodes and slots and be a primary; a replica loses its keys. ``hard`` is to
        have another ID, and epochs from 0.

        Raises ClusterError if this is a primary with keys.
        """
        self._nodes.reset(hard)
        self._election.reset()

    def failover(self, force: bool = False, takeover: bool = False) -> None:
        """Begin to take the place of the primary, in agreement with it; ``force`` asks the other
        primaries alone, ``takeover`` nobody.

        Raises ClusterError if this is no replica, or the primary is not known or not there.
        """
        self._manual.begin(force, takeover)

    def count_failure_reports(self, id: str) -> int:
        """How many primaries say that a node does not answer them. Raises UnknownNode."""
        return self._messenger.detection.count_reports(self.node(id))

    # -- Slots -----------------------------------------------------------------------------------

    def add_slots(self, slots: Iterable[int]) -> None:
        """Take slots that have no owner, all or none.

        Raises ClusterError if one has an owner or is named twice.
        """
        self._slots.add(slots)

    def del_slots(self, slots: Iterable[int]) -> None:
        """Let slots have no owner, whosever they are, all or none.

        Raises ClusterError if one has no owner or is named twice.
        """
        self._slots.delete(slots)

    def flush_slots(self) -> None:
        """Let all slots of this node have no owner. Raises ClusterError if there are keys."""
        self._slots.flush()

    def set_slot_migrating(self, slot: int, id: str) -> None:
        """A slot of ours is on its way to a node.

        Raises ClusterError for a replica, a slot of others, or a node that is not known or no
        primary.
        """
        self._slots.set_migrating(slot, id)

    def set_slot_importing(self, slot: int, id: str) -> None:
        """A slot of others is on its way from a node. Raises ClusterError alike."""
        self._slots.set_importing(slot, id)

    def set_slot_stable(self, slot: int) -> None:
        """A slot is not on its way. Raises ClusterError for a replica."""
        self._slots.set_stable(slot)

    def set_slot_node(self, slot: int, id: str) -> None:
        """A slot has an owner. Who has imported it gets a new epoch and tells all others.

        Raises ClusterError for a replica, for a node that is not known or no primary, and for a
        slot of ours that still has keys and would go to somebody else.
        """
        self._slots.set_owner(slot, id)

    def claim_slots(self, slots: Iterable[int], promised_ms: int = 0) -> None:
        """Take slots from whoever has them, with a new epoch that nobody was asked for, save that,
        and tell all others at once: the end of a migration that moved them as a whole.

        Args:
            promised_ms: for so many milliseconds their owner has promised to be content with that;
                until it has heard of it, nothing that it says of these slots counts.

        Raises ClusterError for a replica.
        """
        self._slots.claim(slots, promised_ms)

    def promise_slots(self, slots: Iterable[int], id: str) -> None:
        """Let a node take slots of ours with any epoch, until :meth:`withdraw_promise`. Raises
        UnknownNode.
        """
        self._slots.promise(slots, self.node(id))

    def withdraw_promise(self) -> None:
        """The slots were taken, or it is too late for that."""
        self._slots.withdraw_promise()

    # -- Epochs and file -------------------------------------------------------------------------

    def set_config_epoch(self, epoch: int) -> None:
        """Give an epoch to a node that is new.

        Raises ClusterError for one below 0, or if others are known or there is one already.
        """
        self._nodes.set_config_epoch(epoch)

    def bump_epoch(self) -> bool:
        """Take a new epoch unless ours is the greatest; whether that was so."""
        return self._claims.bump_epoch()

    def save_config(self) -> None:
        """Write the file, and wait for the disk. Raises OSError."""
        self.membership.save()

    # -- Bus -------------------------------------------------------------------------------------

    def publish(self, channel: bytes, message: bytes, sharded: bool = False) -> None:
        """Send a message to the subscribers at all other nodes, or at those of our shard."""
        self._messenger.publish(channel, message, sharded)

    def links(self) -> list[LinkState]:
        """The links with nodes that are known, to each before those from it."""
        return [
            LinkState(node, link)
            for node in self.view.nodes.values()
            for link in (node.link, node.inbound_link)
            if link is not None
        ]

    def close_links(self, id: str, outbound: bool = True, inbound: bool = True) -> None:
        """End links with a node (DEBUG CLUSTERLINK KILL). Raises UnknownNode."""
        close_links(self.node(id), outbound, inbound)

    def links_memory(self) -> int:
        """Bytes that all links take. O(nodes)"""
        return sum(state.link.memory for state in self.links())

    # -- Rounds ----------------------------------------------------------------------------------

    def _go_on(self) -> None:
        self._timer = self.membership.host.call_later(ROUND, self._round)

    def _round(self) -> None:
        try:
            self.tend()
        finally:
            self._go_on()

    def tend(self) -> None:
        """What is done ten times a second."""
        membership = self.membership
        membership.adopt_names()
        self._keeper.tend()
        self._pinging.tend()
        self._manual.check_time()
        if self.myself.is_replica:
            self._tend_replica()
        if membership.must_evaluate or not self.view.is_ok:
            self._health.evaluate()
        if membership.must_sync:
            # What was learned since the last round: slots may have changed hands by the hundred.
            membership.save_or_give_up()
        elif membership.noted_ms >= _NOTED:
            membership.save_or_give_up(durably=False)

    def _tend_replica(self) -> None:
        membership, primary = self.membership, self.myself.primary
        if primary is not None and primary.has_address and membership.around.followed() is None:
            membership.follow(primary)
        self._manual.advance()
        self._election.advance()
        self._migration.tend()

    def _plan_work(self) -> None:
        if self._work is None:
            self._work = self.membership.host.call_later(0, self._do_work)

    def _do_work(self) -> None:
        """What was to be done at the end of an event."""
        self._work = None
        membership = self.membership
        if membership.must_go_on_manually:
            self._manual.advance()
            self._election.advance()
        if membership.must_fail_over:
            self._election.advance()
        if membership.must_evaluate:
            self._health.evaluate()
        # What is to outlive a loss of power is written once more with the next round: until then
        # a crash of this process alone loses nothing either.
        if membership.must_save:
            self._save_soon()
        else:
            membership.note_or_give_up()

    def _save_soon(self) -> None:
        """Write the file now, or, where there is one change after the other, as soon as writing
        takes no more than a small share of the time.
        """
        if self._saver is not None:
            return
        clock = self.membership.host.clock
        started = clock.monotonic_ns()
        if started < self._save_after:
            delay = (self._save_after - started) / 1_000_000_000
            self._saver = self.membership.host.call_later(delay, self._save_now)
            return
        self._save_now()

    def _save_now(self) -> None:
        self._saver = None
        if not self.membership.must_save:
            return
        clock = self.membership.host.clock
        started = clock.monotonic_ns()
        self.membership.save_or_give_up(durably=False)
        ended = clock.monotonic_ns()
        self._save_after = ended + _REST_AFTER_SAVE * (ended - started)

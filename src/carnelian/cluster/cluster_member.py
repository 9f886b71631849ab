"""A node of a cluster without I/O: its parts, its rounds, and what administrators ask of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from carnelian.cluster.known.cluster_node import ClusterNode, NodeLink
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.member_surroundings import MemberSettings, Surroundings
from carnelian.cluster.known.membership import Membership
from carnelian.net.protocol import Host


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
        self.membership = Membership(host, settings, around)
        # The number of a type of message that is ignored when it comes (DEBUG
        # CLUSTERDROPPACKETFILTER), or -1.
        self.dropped_type = -1

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

    # -- Life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen for others on the bus, save, and begin with ten rounds a second.

        Raises OSError if it cannot be listened.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End all links and rounds."""
        raise NotImplementedError

    def data_loaded(self) -> None:
        """The data has been read from the disk: slots that have keys and no owner become ours,
        those that have another owner are marked as on their way to us.

        Raises ClusterError if there are keys in other databases than 0.
        """
        raise NotImplementedError

    def settings_changed(self) -> None:
        """Heed what is announced, and whether this node may stand for its primary, anew."""
        raise NotImplementedError

    # -- Nodes -----------------------------------------------------------------------------------

    def node(self, id: str) -> ClusterNode:
        """The node with an ID. Raises UnknownNode (``Unknown node <id>``)."""
        raise NotImplementedError

    def meet(self, ip: str, port: int, bus_port: int | None = None) -> None:
        """Get to know who is at an address, and all whom it knows; nothing if that is under way.

        Raises ClusterError if it is no address.
        """
        raise NotImplementedError

    def forget(self, id: str) -> None:
        """Know a node no more, nor hear of it for a minute; others who understand it do so, too.

        Raises ClusterError for a node that is not known, for this one, and for its primary.
        """
        raise NotImplementedError

    def replicate(self, id: str) -> None:
        """Be a replica of a node.

        Raises ClusterError if that is not known, no primary or this one, or if this one is a
        primary with slots or keys.
        """
        raise NotImplementedError

    def reset(self, hard: bool = False) -> None:
        """Forget all nodes and slots and be a primary; a replica loses its keys. ``hard`` is to
        have another ID, and epochs from 0.

        Raises ClusterError if this is a primary with keys.
        """
        raise NotImplementedError

    def failover(self, force: bool = False, takeover: bool = False) -> None:
        """Begin to take the place of the primary, in agreement with it; ``force`` asks the other
        primaries alone, ``takeover`` nobody.

        Raises ClusterError if this is no replica, or the primary is not known or not there.
        """
        raise NotImplementedError

    def count_failure_reports(self, id: str) -> int:
        """How many primaries say that a node does not answer them. Raises UnknownNode."""
        raise NotImplementedError

    # -- Slots -----------------------------------------------------------------------------------

    def add_slots(self, slots: Iterable[int]) -> None:
        """Take slots that have no owner, all or none.

        Raises ClusterError if one has an owner or is named twice.
        """
        raise NotImplementedError

    def del_slots(self, slots: Iterable[int]) -> None:
        """Let slots have no owner, whosever they are, all or none.

        Raises ClusterError if one has no owner or is named twice.
        """
        raise NotImplementedError

    def flush_slots(self) -> None:
        """Let all slots of this node have no owner. Raises ClusterError if there are keys."""
        raise NotImplementedError

    def set_slot_migrating(self, slot: int, id: str) -> None:
        """A slot of ours is on its way to a node.

        Raises ClusterError for a replica, a slot of others, or a node that is not known or no
        primary.
        """
        raise NotImplementedError

    def set_slot_importing(self, slot: int, id: str) -> None:
        """A slot of others is on its way from a node. Raises ClusterError alike."""
        raise NotImplementedError

    def set_slot_stable(self, slot: int) -> None:
        """A slot is not on its way. Raises ClusterError for a replica."""
        raise NotImplementedError

    def set_slot_node(self, slot: int, id: str) -> None:
        """A slot has an owner. Who has imported it gets a new epoch and tells all others.

        Raises ClusterError for a replica, for a node that is not known or no primary, and for a
        slot of ours that still has keys and would go to somebody else.
        """
        raise NotImplementedError

    def claim_slots(self, slots: Iterable[int]) -> None:
        """Take slots from whoever has them, with a new epoch that nobody was asked for, save that,
        and tell all others at once: the end of a migration that moved them as a whole.

        Raises ClusterError for a replica.
        """
        raise NotImplementedError

    # -- Epochs and file -------------------------------------------------------------------------

    def set_config_epoch(self, epoch: int) -> None:
        """Give an epoch to a node that is new.

        Raises ClusterError for one below 0, or if others are known or there is one already.
        """
        raise NotImplementedError

    def bump_epoch(self) -> bool:
        """Take a new epoch unless ours is the greatest; whether that was so."""
        raise NotImplementedError

    def save_config(self) -> None:
        """Write the file, and wait for the disk. Raises OSError."""
        raise NotImplementedError

    # -- Bus -------------------------------------------------------------------------------------

    def publish(self, channel: bytes, message: bytes, sharded: bool = False) -> None:
        """Send a message to the subscribers at all other nodes, or at those of our shard."""
        raise NotImplementedError

    def links(self) -> list[LinkState]:
        """The links with nodes that are known, to each before those from it."""
        raise NotImplementedError

    def close_links(self, id: str, outbound: bool = True, inbound: bool = True) -> None:
        """End links with a node (DEBUG CLUSTERLINK KILL). Raises UnknownNode."""
        raise NotImplementedError

"""What the parts of a node share: its view, what is around it, and what is to be done soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from carnelian.cluster.known import node_flags
from carnelian.cluster.known.cluster_node import BUS_PORT_DISTANCE, ClusterNode
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.nodes_file import file_text, slot_notes
from carnelian.cluster.member.handovers import Handovers
from carnelian.cluster.member.manual_state import ManualState
from carnelian.cluster.member.member_surroundings import MemberSettings, Surroundings
from carnelian.net.protocol import Host

# So many slots that change at once are noted, rather than written with all the rest.
_FEW_SLOTS = 16
# Messages have room for so much: a node does not know itself by more than others do.
_LONGEST_IP = 45
_FATAL = "Fatal: can't update cluster config file."


class Membership:
    """A node's part in a cluster.

    Things that are to be done once at the end of an event, however often they were asked for, are
    marked by the methods that begin with ``soon_``; who does them is told by ``on_work``.
    """

    def __init__(self, host: Host, settings: MemberSettings, around: Surroundings):
        self.host = host
        self.settings = settings
        self.around = around
        self.view = ClusterView(host.clock, host.random)
        self.manual = ManualState(around.resume_writes)
        self.handovers = Handovers()
        self.on_work: Callable[[], object] = lambda: None
        # The port of the bus, which stays where it is when that of clients moves; 0 before.
        self.listens_at = 0
        self._announced_ip = ""
        # Slots of which the file does not tell yet, and since when it has notes of some, which it
        # has only once it was written whole.
        self._unnoted: dict[int, None] = {}
        self._noted_since = 0
        self._is_written = False
        # What is to be done.
        self.must_save = False
        self.must_sync = False
        self.must_evaluate = False
        self.must_fail_over = False
        self.must_go_on_manually = False

    @property
    def myself(self) -> ClusterNode:
        """This node."""
        return self.view.myself

    @property
    def now(self) -> int:
        """The time of the view, in milliseconds."""
        return self.view.now

    def soon_save(self, durably: bool = False) -> None:
        """Write the file at the end of the event; ``durably`` has it on the disk with the next
        round. What others are to rely on is saved before they hear of it (:meth:`save`).
        """
        self.must_save = True
        self.must_sync = self.must_sync or durably
        self.on_work()

    def soon_note(self, slots: Iterable[int], durably: bool = False) -> None:
        """As :meth:`soon_save`, of slots that have changed alone."""
        chosen = list(slots)
        if len(chosen) > _FEW_SLOTS:
            self.soon_save(durably)
            return
        self._unnoted.update(dict.fromkeys(chosen))
        self.must_sync = self.must_sync or durably
        self.on_work()

    def soon_evaluate(self) -> None:
        """Find out at the end of the event whether all is well."""
        self.must_evaluate = True
        self.on_work()

    def soon_update(self, durably: bool = False) -> None:
        """Write the file and find out whether all is well."""
        self.must_evaluate = True
        self.soon_save(durably)

    def soon_fail_over(self) -> None:
        """Go on with an election at the end of the event."""
        self.must_fail_over = True
        self.on_work()

    def soon_go_on_manually(self) -> None:
        """Go on with a manual failover at the end of the event."""
        self.must_go_on_manually = True
        self.on_work()

    def save(self, durably: bool = True) -> None:
        """Write the file. Raises OSError."""
        self.around.save(file_text(self.view, self.settings.tls_cluster), durably)
        self.must_save = False
        self._unnoted.clear()
        self._noted_since = 0
        self._is_written = True
        if durably:
            self.must_sync = False

    def save_or_give_up(self, durably: bool = True) -> None:
        """Write the file; who cannot must not go on, as others rely on what it has promised."""
        try:
            self.save(durably)
        except OSError:
            self.around.give_up(_FATAL)

    @property
    def is_whole(self) -> bool:
        """Whether the file tells of all slots, and without notes."""
        return not self._unnoted and not self._noted_since

    @property
    def noted_ms(self) -> int:
        """For how long the file has had notes behind the rest, 0 if it has none."""
        return self.now - self._noted_since if self._noted_since else 0

    def note_or_give_up(self) -> None:
        """Write what :meth:`soon_note` has been told of, or all where there is more to be written,
        or the file may end with anything. O(slots)
        """
        if self.must_save or (self._unnoted and not self._is_written):
            self.save_or_give_up(durably=False)
        elif self._unnoted:
            text = slot_notes(self.view, self._unnoted)
            self._unnoted.clear()
            self._noted_since = self._noted_since or self.now
            try:
                self.around.append(text)
            except OSError:
                self.around.give_up(_FATAL)

    # -- What this node tells of itself ----------------------------------------------------------

    def announced_ports(self) -> tuple[int, int, int]:
        """The ports to tell others: without TLS, with TLS, and of the bus."""
        settings = self.settings
        tcp = settings.announce_port or settings.tcp_port
        tls = settings.announce_tls_port or settings.tls_port
        return tcp, tls, settings.announce_bus_port or self.own_bus_port()

    def own_bus_port(self) -> int:
        """Where this node listens for others."""
        settings = self.settings
        port = settings.tls_port if settings.tls_cluster else settings.tcp_port
        return self.listens_at or settings.bus_port or port + BUS_PORT_DISTANCE

    def adopt_settings(self) -> None:
        """Be what the configuration says, from now on."""
        myself, settings = self.myself, self.settings
        before = myself.flags
        myself.flags &= ~node_flags.NO_FAILOVER
        if settings.replica_no_failover:
            myself.flags |= node_flags.NO_FAILOVER
        if myself.flags != before:
            self.soon_update()
        myself.tcp_port, myself.tls_port, myself.bus_port = self.announced_ports()
        if settings.announce_ip != self._announced_ip:
            # Without one, others tell us again where we are.
            self._announced_ip = settings.announce_ip
            myself.ip = settings.announce_ip[:_LONGEST_IP]
        self.adopt_names()

    def adopt_names(self) -> None:
        """Have the names that the configuration says."""
        myself, settings = self.myself, self.settings
        names = settings.announce_hostname, settings.announce_human_nodename
        if (myself.hostname, myself.human_name) != names:
            myself.hostname, myself.human_name = names
            self.soon_save()

    def follow(self, primary: ClusterNode, anew: bool = False) -> None:
        """Replicate from a node; ``anew`` is with none of the data that is here."""
        port = primary.client_port(self.settings.tls_replication)
        self.around.follow(primary.ip, port, anew)

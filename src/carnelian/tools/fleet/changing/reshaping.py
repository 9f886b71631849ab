"""Adding and removing shards and replicas of a fleet that runs, and spreading its slots evenly.

These are commands beside the supervisor: they write into the state file which nodes there are to
be, and the supervisor starts and stops them. Each can be interrupted and begun again.
"""

from __future__ import annotations

from collections.abc import Sequence

from carnelian.tools.fleet.changing.joining import Joining
from carnelian.tools.fleet.changing.node_links import NodeLinks
from carnelian.tools.fleet.changing.slot_work import SlotWork
from carnelian.tools.fleet.planning.replica_plans import plan_replicas, spare_replica
from carnelian.tools.fleet.planning.slot_plans import Transfer, plan_drain, plan_rebalance
from carnelian.tools.fleet.processes.node_process import NodeProcess, program_of
from carnelian.tools.fleet.processes.port_checks import is_taken
from carnelian.tools.fleet.processes.stop_requests import StopRequests
from carnelian.tools.fleet.screen.fleet_table import counted
from carnelian.tools.fleet.screen.live_display import LiveDisplay
from carnelian.tools.fleet.wanted.fleet_directory import FleetDirectory
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import (
    JOINING,
    LEAVING,
    MEMBER,
    PRIMARY,
    REPLICA,
    NodeEntry,
    free_port,
)
from carnelian.tools.fleet.wire.cluster_seen import SeenCluster, SeenNode
from carnelian.tools.fleet.wire.node_client import NodeUnreachableError, RefusedError

_STOP_PATIENCE = 60.0


class Reshaping:
    """Changes the fleet of a directory; made and used with the lock of changes held.

    All methods raise FleetError, StopRequestedError and NodeUnreachableError.
    """

    def __init__(self, directory: FleetDirectory, display: LiveDisplay, stop: StopRequests):
        self._directory = directory
        self._display = display
        self._stop = stop
        self._state = directory.load()
        self._links = NodeLinks(self._state)
        self._joining = Joining(self._links, stop)
        self._work = SlotWork(self._links, display, stop)
        if directory.supervisor() is None:
            raise FleetError(f"nobody supervises {directory}: {directory.command()} does")
        if not self._state.formed:
            raise FleetError("the fleet is still being started: wait until it is there")

    def _save(self) -> None:
        self._directory.save(self._state)

    # -- Adding ------------------------------------------------------------------------------------

    def add_shard(self, replicas: int | None) -> None:
        """Start a primary with its replicas, and give it its share of the slots.

        ``replicas`` is as many as other shards were made with if it is None.
        """
        self._refuse_while_leaving()
        new = self._interrupted(PRIMARY)
        if not new:
            wanted = self._state.replicas if replicas is None else replicas
            primary = self._make(PRIMARY, None)
            new = [primary, *(self._make(REPLICA, primary.port) for _ in range(wanted))]
            self._save()
        self._join(new)
        self._work.carry_out(_rebalanced)
        self._settle(new)
        self._state.shards += 1
        self._save()
        self._joining.await_agreement()
        self._display.say(f"the fleet has {counted(self._state.shards, 'shard')} now")

    def add_replicas(self, count: int, of: str | None) -> None:
        """Start replicas of the shard that ``of`` stands in, or where there are fewest.

        ``of`` is a port or an ID.
        """
        self._refuse_while_leaving()
        new = self._interrupted(REPLICA)
        if not new:
            cluster = self._links.observe()
            names = [f"new {number}" for number in range(count)]
            chosen = plan_replicas(self._replica_counts(cluster, of), names)
            new = [self._make(REPLICA, cluster.nodes[chosen[name]].port) for name in names]
            self._save()
        self._join(new)
        self._settle(new)
        self._save()
        for entry in new:
            self._display.say(f"{entry.port} is a replica of {entry.primary} now")

    def _replica_counts(self, cluster: SeenCluster, of: str | None) -> dict[str, int]:
        """How many replicas the fleet's primaries have; of all, or of the one that is named."""
        if of is None:
            primaries = [node for node in self._own_primaries(cluster) if node.slots]
        else:
            primaries = [self._shard(cluster, of)[0]]
        return {node.id: len(cluster.replicas_of(node.id)) for node in primaries}

    def _interrupted(self, role: str) -> list[NodeEntry]:
        """Nodes that an interrupted command was adding, a shard or replicas of others."""
        joining = self._state.in_phase(JOINING)
        shards = {entry.port for entry in joining if entry.role == PRIMARY}
        of_shards = [e for e in joining if e.port in shards or e.primary in shards]
        others = [entry for entry in joining if entry not in of_shards]
        found = of_shards if role == PRIMARY else others
        if found:
            ports = ", ".join(str(entry.port) for entry in found)
            self._display.say(f"going on with {ports}, which an interrupted command was adding")
        return found

    def _make(self, role: str, primary: int | None) -> NodeEntry:
        """A new node with its directory, which the supervisor will start."""
        passed: set[int] = set()
        while is_taken(self._state.bind, port := free_port(self._state, passed)):
            passed.add(port)
        entry = NodeEntry(port, role, primary, JOINING)
        self._state.nodes.append(entry)
        self._directory.make_node(self._state, port)
        return entry

    def _join(self, new: Sequence[NodeEntry]) -> None:
        ports = ", ".join(str(entry.port) for entry in new)
        self._display.say(f"starting {ports}")
        try:
            self._joining.join(new)
        except FleetError as error:
            tails = [line for entry in new for line in self._process(entry.port).log_tail(3)]
            raise FleetError("\n  ".join([str(error), *tails])) from None
        self._save()

    def _settle(self, new: Sequence[NodeEntry]) -> None:
        for entry in new:
            entry.phase = MEMBER

    # -- Slots -------------------------------------------------------------------------------------

    def rebalance(self) -> None:
        """Give all primaries equally many slots."""
        self._refuse_while_leaving()
        if not self._work.carry_out(_rebalanced):
            self._display.say("the slots are spread evenly already")
        self._joining.await_agreement()

    def _refuse_while_leaving(self) -> None:
        leaving = self._state.in_phase(LEAVING)
        if leaving:
            name = "remove-shard" if leaving[0].role == PRIMARY else "remove-replica"
            raise FleetError(
                f"{leaving[0].port} is being removed, which was interrupted: finish it with "
                + self._directory.command(f"{name} {leaving[0].port}")
            )

    # -- Removing ----------------------------------------------------------------------------------

    def remove_shard(self, word: str) -> None:
        """Move all slots of a shard to the others, then take its nodes out and stop them.

        ``word`` is a port or an ID of one of its nodes.
        """
        cluster = self._links.observe()
        leaving = self._state.in_phase(LEAVING)
        if leaving:
            self._refuse_unless_leaving(word, cluster, leaving)
        else:
            leaving = self._choose_shard(word, cluster)
        ports = {entry.port for entry in leaving}
        self._keep_from_following(leaving)

        def drained(cluster: SeenCluster) -> list[Transfer]:
            return plan_drain(_owned(cluster), self._ids(cluster, ports))

        self._work.carry_out(drained)
        cluster = self._links.observe()
        for node in cluster.nodes.values():
            if node.port in ports and self._links.is_own(node):
                self._refuse_with_keys(node)
        self._rehome(cluster, ports)
        self._take_out(leaving)
        self._state.shards -= 1
        self._save()
        self._display.say(f"the fleet has {counted(self._state.shards, 'shard')} now")

    def _refuse_unless_leaving(
        self, word: str, cluster: SeenCluster, leaving: Sequence[NodeEntry]
    ) -> None:
        """Another removal has to be finished first."""
        node = self._find(cluster, word)
        port = node.port if node is not None else word
        if str(port) not in {str(entry.port) for entry in leaving}:
            self._refuse_while_leaving()
        self._display.say("going on with a removal that was interrupted")

    def _choose_shard(self, word: str, cluster: SeenCluster) -> list[NodeEntry]:
        """Mark the nodes of a shard as those that leave."""
        primary, replicas = self._shard(cluster, word)
        if len(cluster.primaries()) < 2:
            raise FleetError("this is the only shard: stop ends the fleet")
        leaving = []
        for node in (primary, *replicas):
            entry = self._state.node(node.port)
            if entry is not None and self._links.is_own(node):
                entry.phase, entry.id = LEAVING, node.id
                entry.role = PRIMARY
                leaving.append(entry)
        self._save()
        return leaving

    def _shard(self, cluster: SeenCluster, word: str) -> tuple[SeenNode, list[SeenNode]]:
        """The primary and the replicas of the shard that a node of the fleet stands in."""
        node = self._find(cluster, word)
        primary = cluster.primary_of(node.id) if node is not None else None
        if primary is None or not self._links.is_own(primary):
            ports = ", ".join(str(node.port) for node in self._own_primaries(cluster))
            raise FleetError(f"{word} is no node of this fleet; its primaries are {ports}")
        return primary, cluster.replicas_of(primary.id)

    def _ids(self, cluster: SeenCluster, ports: set[int]) -> set[str]:
        """The fleet's primaries on these ports."""
        return {node.id for node in self._own_primaries(cluster) if node.port in ports}

    def _find(self, cluster: SeenCluster, word: str) -> SeenNode | None:
        """The node of a port or an ID: the fleet's, where others have the same port."""
        own = [n for n in cluster.nodes.values() if str(n.port) == word and self._links.is_own(n)]
        return own[0] if own else cluster.find(word)

    def _own_primaries(self, cluster: SeenCluster) -> list[SeenNode]:
        return [node for node in cluster.primaries() if self._links.is_own(node)]

    def _keep_from_following(self, leaving: Sequence[NodeEntry]) -> None:
        """Have a primary that loses its last slot not become a replica of who got it."""
        for entry in leaving:
            try:
                self._links.at(entry.port).call(
                    "CONFIG", "SET", "cluster-allow-replica-migration", "no"
                )
            except (RefusedError, NodeUnreachableError):
                # It would copy data for nothing then, and leave as well.
                pass

    def _refuse_with_keys(self, node: SeenNode) -> None:
        try:
            keys = self._links.of(node).call("DBSIZE") if node.is_primary else 0
        except (RefusedError, NodeUnreachableError):
            return
        if keys:
            raise FleetError(f"{node.port} still has {counted(keys, 'key')}, but no slots")

    def _rehome(self, cluster: SeenCluster, ports: set[int]) -> None:
        """Give replicas that follow a primary that leaves, and stay themselves, another one."""
        going = self._ids(cluster, ports)
        orphans = [
            node.id
            for id in going
            for node in cluster.replicas_of(id)
            if node.port not in ports or not self._links.is_own(node)
        ]
        counts = {
            node.id: len(cluster.replicas_of(node.id))
            for node in cluster.primaries()
            if node.id not in going
        }
        for replica, primary in plan_replicas(counts, orphans).items():
            self._links.of(cluster.nodes[replica]).call("CLUSTER", "REPLICATE", primary)

    def remove_replica(self, word: str | None) -> None:
        """Take a replica out and stop it: a port or an ID, or one of those who have most."""
        cluster = self._links.observe()
        leaving = self._state.in_phase(LEAVING)
        if leaving:
            self._refuse_unless_leaving(word or str(leaving[0].port), cluster, leaving)
            if leaving[0].role == PRIMARY:
                self._refuse_while_leaving()
        else:
            leaving = [self._choose_replica(word, cluster)]
        self._take_out(leaving)

    def _choose_replica(self, word: str | None, cluster: SeenCluster) -> NodeEntry:
        if word is None:
            own = {
                node.id: [r.id for r in cluster.replicas_of(node.id) if self._links.is_own(r)]
                for node in cluster.primaries()
            }
            spare = spare_replica(own)
            node = cluster.nodes[spare] if spare is not None else None
        else:
            node = self._find(cluster, word)
        entry = self._state.node(node.port) if node is not None else None
        if node is None or entry is None or not self._links.is_own(node):
            raise FleetError("there is no replica" if word is None else f"there is no node {word}")
        if node.is_primary:
            others = ", ".join(str(other.port) for other in cluster.replicas_of(node.id))
            advice = f"; its replicas are {others}" if others else ""
            raise FleetError(f"{node.port} is a primary now{advice}")
        entry.phase, entry.role, entry.id = LEAVING, REPLICA, node.id
        self._save()
        return entry

    def _take_out(self, leaving: Sequence[NodeEntry]) -> None:
        """Have all others forget nodes, which the supervisor then stops."""
        ids = {entry.id for entry in leaving}
        cluster = self._links.observe()
        for node in cluster.nodes.values():
            if node.id in ids or node.id not in cluster.reports:
                continue
            # Those who do not know one have forgotten it already.
            self._links.of(node).pipeline([("CLUSTER", "FORGET", id) for id in ids])
        self._state.nodes = [entry for entry in self._state.nodes if entry not in leaving]
        self._save()
        for entry in leaving:
            self._await_end(entry.port)
        if self._state.nodes:
            self._joining.await_agreement()

    def _await_end(self, port: int) -> None:
        process = self._process(port)
        if not self._stop.wait_for(lambda: not process.locked, _STOP_PATIENCE):
            raise FleetError(f"node {port} has not ended; see its log")
        place = self._directory.put_aside(port)
        self._display.say(f"{port} is stopped, its directory is {place}")

    def _process(self, port: int) -> NodeProcess:
        return NodeProcess(self._directory, port, program_of(self._state.server))


def _owned(cluster: SeenCluster) -> dict[str, set[int]]:
    return {node.id: node.slots for node in cluster.primaries()}


def _rebalanced(cluster: SeenCluster) -> list[Transfer]:
    return plan_rebalance(_owned(cluster))

"""Making a cluster of nodes that know nobody, and taking further ones into it.

Each step looks first at what is done already, so that all of it can be ended and begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from carnelian.tools.fleet.changing.node_links import NodeLinks
from carnelian.tools.fleet.planning.slot_plans import first_layout
from carnelian.tools.fleet.processes.stop_requests import StopRequests
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import PRIMARY, REPLICA, FleetState, NodeEntry
from carnelian.tools.fleet.wire.cluster_seen import SeenCluster, SeenNode, parse_nodes
from carnelian.tools.fleet.wire.node_client import NodeUnreachableError, RefusedError
from carnelian.tools.fleet.wire.node_samples import Sample, fields

# Seconds that nodes may take to start and read their files, and to agree.
START_PATIENCE = 60.0
AGREEMENT_PATIENCE = 60.0


class Joining:
    """Joins nodes of a fleet.

    ``check`` is called while it waits, and raises what makes waiting pointless, such as that a node
    has ended.
    """

    def __init__(
        self,
        links: NodeLinks,
        stop: StopRequests,
        check: Callable[[], None] = lambda: None,
    ):
        self._links = links
        self._stop = stop
        self._check = check

    @property
    def _state(self) -> FleetState:
        return self._links.state

    def form(self) -> None:
        """Make one cluster of all nodes of the state, whose IDs are noted in it.

        Raises FleetError, StopRequestedError and NodeUnreachableError.
        """
        entries = self._state.nodes
        self.await_answers(entries)
        self._note_ids(entries)
        primaries = [entry for entry in entries if entry.role == PRIMARY]
        self._hand_out_slots(primaries)
        # One meets all, and these learn of each other from it.
        self._meet(entries[0], entries)
        self._await_known(entries, entries)
        self._follow(entries)
        self.await_agreement([entry.port for entry in entries])

    def join(self, entries: Sequence[NodeEntry]) -> None:
        """Take further nodes into the cluster: primaries without slots, and replicas.

        Raises FleetError, StopRequestedError and NodeUnreachableError.
        """
        self.await_answers(entries)
        self._note_ids(entries)
        new = {entry.port for entry in entries}
        others = [entry for entry in self._state.nodes if entry.port not in new]
        for witness in self._answering(others):
            self._meet(witness, entries)
        cluster = self._links.observe()
        self._await_known(
            [entry for entry in self._state.nodes if entry.port not in cluster.unreachable], entries
        )
        self._follow(entries)
        self.await_agreement()

    def await_answers(self, entries: Sequence[NodeEntry]) -> None:
        """Wait until nodes have started. Raises FleetError if one takes too long."""
        for entry in entries:
            if not self._wait_for(partial(self._answers, entry.port), START_PATIENCE):
                raise FleetError(f"node {entry.port} has not answered for {START_PATIENCE:g} s")

    def _answers(self, port: int) -> bool:
        try:
            self._links.at(port).call("PING")
        except (NodeUnreachableError, RefusedError) as error:
            if str(error).startswith(("NOAUTH", "WRONGPASS", "NOPERM")):
                raise FleetError(f"node {port}: {error}") from None
            return False
        return True

    def _wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        def look() -> bool:
            self._check()
            return condition()

        return bool(self._stop.wait_for(look, seconds))

    def _note_ids(self, entries: Sequence[NodeEntry]) -> None:
        for entry in entries:
            try:
                entry.id = self._links.at(entry.port).text("CLUSTER", "MYID")
            except RefusedError as error:
                raise FleetError(f"node {entry.port}: {error}") from None

    def _answering(self, entries: Sequence[NodeEntry]) -> list[NodeEntry]:
        found = [entry for entry in entries if self._answers(entry.port)]
        if not found:
            raise FleetError("no node of the fleet answers")
        return found

    def _report(self, entry: NodeEntry) -> list[SeenNode]:
        return parse_nodes(self._links.at(entry.port).text("CLUSTER", "NODES"))

    # -- Slots -------------------------------------------------------------------------------------

    def _hand_out_slots(self, primaries: Sequence[NodeEntry]) -> None:
        """Give each primary an epoch of its own, and its slots as far as nobody has them."""
        layout = first_layout([entry.id for entry in primaries])
        for number, entry in enumerate(primaries, 1):
            report = self._report(entry)
            client = self._links.at(entry.port)
            owned = {slot for node in report for slot in node.slots}
            missing = [slot for slot in layout[entry.id] if slot not in owned]
            if len(report) == 1 and report[0].epoch == 0:
                client.call("CLUSTER", "SET-CONFIG-EPOCH", number)
            if missing:
                client.call("CLUSTER", "ADDSLOTS", *missing)

    # -- Meeting -----------------------------------------------------------------------------------

    def _meet(self, witness: NodeEntry, entries: Sequence[NodeEntry]) -> None:
        """Have a node meet others that it does not know."""
        known = {node.id for node in self._report(witness) if node.known and node.linked}
        client = self._links.at(witness.port)
        for entry in entries:
            if entry.id not in known:
                client.call("CLUSTER", "MEET", self._state.meet_host, entry.port)

    def _await_known(self, asked: Sequence[NodeEntry], wanted: Sequence[NodeEntry]) -> None:
        """Wait until those who are asked know those that are wanted."""
        ids = {entry.id for entry in wanted}

        def all_know() -> bool:
            try:
                reports = [self._report(entry) for entry in asked]
            except NodeUnreachableError:
                return False
            return all(
                ids <= {node.id for node in report if node.known and node.linked}
                for report in reports
            )

        if not self._wait_for(all_know, AGREEMENT_PATIENCE):
            raise FleetError(
                f"the nodes have not met within {AGREEMENT_PATIENCE:g} s; can they reach each "
                f"other at {self._state.meet_host}?"
            )

    def _follow(self, entries: Sequence[NodeEntry]) -> None:
        """Make those nodes replicas that are to be."""
        cluster = self._links.observe()
        for entry in entries:
            if entry.role != REPLICA or entry.primary is None:
                continue
            origin = self._state.node(entry.primary)
            primary = cluster.primary_of(origin.id) if origin is not None else None
            if primary is None:
                raise FleetError(f"the primary {entry.primary} of replica {entry.port} is gone")
            node = cluster.nodes.get(entry.id)
            if node is None or node.is_primary:
                self._replicate(entry, primary)

    def _replicate(self, entry: NodeEntry, primary: SeenNode) -> None:
        """Make a node the replica of another one, as soon as it knows that this is a primary."""
        refusal = ""

        def done() -> bool:
            nonlocal refusal
            try:
                self._links.at(entry.port).call("CLUSTER", "REPLICATE", primary.id)
            except RefusedError as error:
                refusal = str(error)
                return False
            return True

        if not self._wait_for(done, AGREEMENT_PATIENCE):
            raise FleetError(f"{entry.port} cannot follow {primary.port}: {refusal}")

    # -- Agreement ---------------------------------------------------------------------------------

    def await_agreement(self, required: Sequence[int] = ()) -> SeenCluster:
        """Wait until all nodes that answer know the same, and the cluster works for each.

        Those with a ``required`` port have to answer. Replicas have their primaries' data then.
        Raises FleetError if that takes too long.
        """
        seen: SeenCluster | None = None

        def settled() -> bool:
            nonlocal seen
            seen = self._links.observe()
            if any(port in seen.unreachable for port in required) or not seen.agreed():
                return False
            return all(self._settled(node, seen) for node in seen.nodes.values())

        if not self._wait_for(settled, AGREEMENT_PATIENCE) or seen is None:
            raise FleetError(
                f"the nodes have not agreed within {AGREEMENT_PATIENCE:g} s: see "
                "carnelian-fleet status, and the logs of the nodes"
            )
        return seen

    def _settled(self, node: SeenNode, cluster: SeenCluster) -> bool:
        if node.id not in cluster.reports:
            return True
        try:
            client = self._links.of(node)
            info = fields(client.text("INFO", "replication"))
            state = fields(client.text("CLUSTER", "INFO"))
        except (NodeUnreachableError, RefusedError):
            return False
        sample = Sample(info, state, ())
        return sample.ok and (not sample.follows or sample.link_up)

"""The table of nodes as text, from what they have told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from carnelian.tools.fleet.planning.slot_plans import SLOTS
from carnelian.tools.fleet.wire.cluster_seen import SeenNode
from carnelian.tools.fleet.wire.node_samples import Sample

_HEADER = ("port", "role", "shard", "slots", "keys", "memory", "ops/s", "lag", "state")
# Columns that are flush left; numbers are flush right.
_LEFT = {"role", "state"}

# Remarks on nodes that run, although they have told nothing.
_RUNNING = ("no answer", "wrong password", "joining", "leaving")

GOOD, BUSY, BAD = "good", "busy", "bad"
# State words that are neither bad nor settled; whatever else is not "ok" is bad.
_BUSY = ("starting", "joining", "loading", "syncing", "leaving", "moving")


@dataclass
class Row:
    """One line of the table, in words; ``mood`` is how the state is."""

    port: int
    role: str
    shard: str
    slots: str
    keys: str
    memory: str
    ops: str
    lag: str
    state: str

    @property
    def mood(self) -> str:
        """GOOD, BUSY or BAD."""
        if self.state == "ok":
            return GOOD
        return BUSY if self.state.startswith(_BUSY) else BAD

    def cells(self) -> tuple[str, ...]:
        """The words of the columns."""
        return (
            str(self.port),
            self.role,
            self.shard,
            self.slots,
            self.keys,
            self.memory,
            self.ops,
            self.lag,
            self.state,
        )


@dataclass
class FleetView:
    """All that is known of a fleet at one moment.

    ``remarks`` are states of nodes by port that the nodes cannot tell themselves, such as that they
    are down. ``ids`` are those of nodes, as far as they are known, by port.
    """

    ports: Sequence[int]
    samples: Mapping[int, Sample] = field(default_factory=dict)
    remarks: Mapping[int, str] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)

    def witness(self) -> Sample | None:
        """The node that knows most of the cluster: one for which it works, if there is one."""
        able = [sample for sample in self.samples.values() if sample.nodes]
        return max(
            able, key=lambda sample: (sample.ok, sum(n.linked for n in sample.nodes)), default=None
        )

    @property
    def ok(self) -> bool:
        """Whether all nodes answer, the cluster works for each, and no slot lacks a live node."""
        answering = all(port in self.samples and self.samples[port].ok for port in self.ports)
        return answering and not self.lost_slots

    @property
    def serving(self) -> bool:
        """Whether the cluster works for those that answer."""
        witness = self.witness()
        return witness is not None and witness.ok

    @property
    def covered_slots(self) -> set[int]:
        """The slots that belong to a node, alive or not."""
        return set().union(*(node.slots for node in self._owners()))

    @property
    def lost_slots(self) -> int:
        """How many slots belong to nodes none of which is alive."""
        alive = (node.slots for node in self._owners() if self._lives(node))
        return len(self.covered_slots.difference(*alive))

    def _owners(self) -> list[SeenNode]:
        own = [node for port in self.ports if (node := self.node(port)) and node.is_primary]
        return own + [node for node in self.elsewhere() if node.is_primary]

    def _lives(self, node: SeenNode) -> bool:
        """Whether a node is alive: one that runs and is merely slow to answer is."""
        if not self._is_own(node):
            return not node.failing
        if node.port in self.samples:
            return True
        return self.remarks.get(node.port, "") in _RUNNING and not node.failing

    def elsewhere(self) -> list[SeenNode]:
        """Nodes of the cluster that do not belong to the fleet."""
        witness = self.witness()
        nodes = witness.nodes if witness else ()
        return [node for node in nodes if node.known and not self._is_own(node)]

    def _is_own(self, node: SeenNode) -> bool:
        """Whether a node is the fleet's: another machine may have one with the same port."""
        sample = self.samples.get(node.port)
        if sample is not None and sample.myself is not None:
            return sample.myself.id == node.id
        return node.port in self.ports and self.ids.get(node.port) in (None, "", node.id)

    def node(self, port: int) -> SeenNode | None:
        """A node of the fleet in its own eyes, else in those of others."""
        sample = self.samples.get(port)
        if sample is not None and sample.myself is not None:
            return sample.myself
        witness = self.witness()
        nodes = witness.nodes if witness else ()
        return next((node for node in nodes if node.port == port and self._is_own(node)), None)

    def replicas(self) -> set[int]:
        """The ports of the nodes that are replicas now."""
        found = ((port, self.node(port)) for port in self.ports)
        return {port for port, node in found if node is not None and not node.is_primary}

    def rows(self) -> list[Row]:
        """The lines of the table, shard by shard, primaries before their replicas."""
        nodes = {port: self.node(port) for port in self.ports}
        groups: dict[str, list[int]] = {}
        for port, node in nodes.items():
            groups.setdefault(_group(node, port), []).append(port)
        rows = []
        for number, group in enumerate(sorted(groups.values(), key=min), 1):
            group.sort(key=lambda port: (not _leads(nodes[port]), port))
            rows += [self._row(port, nodes[port], str(number)) for port in group]
        return rows

    def _row(self, port: int, node: SeenNode | None, shard: str) -> Row:
        sample = self.samples.get(port)
        leads = _leads(node)
        row = Row(port, "primary" if leads else "replica", shard, "", "", "", "", "", "")
        if node is None:
            row.role, row.shard = "", ""
        elif leads:
            row.slots = str(len(node.slots))
        row.state = self._state(port, node, sample)
        if sample is None or not sample.info:
            return row
        row.keys = grouped(sample.keys)
        row.memory = in_bytes(sample.number("used_memory"))
        row.ops = grouped(sample.number("instantaneous_ops_per_sec"))
        if not leads:
            row.lag = self._lag(node, sample)
        return row

    def _lag(self, node: SeenNode | None, sample: Sample) -> str:
        """How many bytes of changes a replica lacks."""
        primary = next(
            (
                other
                for other in self.samples.values()
                if node and other.myself and other.myself.id == node.primary_id
            ),
            None,
        )
        if primary is None or not sample.link_up:
            return "?"
        return in_bytes(max(0, primary.offset - sample.offset))

    def _state(self, port: int, node: SeenNode | None, sample: Sample | None) -> str:
        if port in self.remarks:
            return self.remarks[port]
        if sample is None:
            return "no answer"
        if sample.loading:
            share = sample.info.get("loading_loaded_perc", "")
            return f"loading {share.partition('.')[0]}%" if share else "loading"
        if sample.refusal:
            return sample.refusal
        if not _leads(node) and not sample.link_up:
            return "syncing" if sample.number("master_sync_in_progress") else "no primary"
        if node is not None and node.open:
            return "moving slots"
        return "ok" if sample.ok else "cluster down"


def _leads(node: SeenNode | None) -> bool:
    return node is not None and node.is_primary


def _group(node: SeenNode | None, port: int) -> str:
    if node is None:
        return f"~{port}"
    return node.id if node.is_primary else node.primary_id


def lines(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """The table as lines, each with the mood of its node ("" for the header)."""
    rows = list(rows)
    table = [_HEADER, *(row.cells() for row in rows)]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(_HEADER))]
    moods = ["", *(row.mood for row in rows)]
    return [(_line(cells, widths), mood) for cells, mood in zip(table, moods, strict=True)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    words = [
        cell.ljust(width) if name in _LEFT else cell.rjust(width)
        for name, cell, width in zip(_HEADER, cells, widths, strict=True)
    ]
    return "  ".join(words).rstrip()


def summary(view: FleetView) -> str:
    """The fleet in one line."""
    if view.witness() is None:
        return "no node answers"
    shards = [node for port in view.ports if (node := view.node(port)) and node.is_primary]
    elsewhere = view.elsewhere()
    lost = view.lost_slots
    works = "works in part" if lost else "works"
    state = "ok" if view.ok else works if view.serving else "does not work"
    parts = [
        f"cluster {state}",
        counted(len(shards), "shard"),
        counted(len(view.replicas()), "replica"),
        f"{counted(lost, 'slot')} without a live node" if lost else _coverage(view),
    ]
    if elsewhere:
        parts.append(f"{counted(len(elsewhere), 'node')} elsewhere")
    return ", ".join(parts)


def _coverage(view: FleetView) -> str:
    covered = len(view.covered_slots)
    return f"{covered} of {SLOTS} slots" if covered != SLOTS else "all slots"


def counted(number: int, word: str) -> str:
    """``1 shard``, ``2 shards``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def grouped(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


def in_bytes(number: int) -> str:
    """A number of bytes in three digits or four: ``1.24M``."""
    if number < 1000:
        return str(number)
    value = float(number)
    for unit in "KMGT":
        value /= 1024
        if value < 1000 or unit == "T":
            break
    return f"{value:.2f}{unit}" if value < 10 else f"{value:.1f}{unit}"

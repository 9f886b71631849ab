"""The cluster as its nodes tell it: CLUSTER NODES, read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MIGRATING, IMPORTING = "migrating", "importing"


@dataclass(frozen=True)
class OpenSlot:
    """A slot that is being moved, as the node ``at`` knows: to another one, or from it."""

    at: str
    slot: int
    kind: str
    other: str


@dataclass
class SeenNode:
    """A node in the eyes of one that was asked; ``open`` is only known of that one itself."""

    id: str
    host: str
    port: int
    flags: frozenset[str]
    primary_id: str
    epoch: int
    linked: bool
    slots: set[int] = field(default_factory=set)
    open: list[OpenSlot] = field(default_factory=list)

    @property
    def is_primary(self) -> bool:
        """Whether it is one, be it reachable or not."""
        return "master" in self.flags

    @property
    def failing(self) -> bool:
        """Whether it does not answer others."""
        return bool(self.flags & {"fail", "fail?"})

    @property
    def known(self) -> bool:
        """Whether its ID and address are settled."""
        return not self.flags & {"handshake", "noaddr"}


def parse_nodes(text: str) -> list[SeenNode]:
    """The lines of CLUSTER NODES. Raises ValueError for what is none."""
    return [_parse_line(line) for line in text.splitlines() if line.strip()]


def _parse_line(line: str) -> SeenNode:
    words = line.split()
    if len(words) < 8:
        raise ValueError(f"no line of CLUSTER NODES: {line!r}")
    id, address, flags, primary, _, _, epoch, link = words[:8]
    host, _, port = address.partition("@")[0].rpartition(":")
    node = SeenNode(
        id=id,
        host=host,
        port=int(port),
        flags=frozenset(flags.split(",")),
        primary_id="" if primary == "-" else primary,
        epoch=int(epoch),
        linked=link == "connected",
    )
    for word in words[8:]:
        if word.startswith("["):
            node.open.append(_parse_open(id, word))
        else:
            first, _, last = word.partition("-")
            node.slots.update(range(int(first), int(last or first) + 1))
    return node


def _parse_open(id: str, word: str) -> OpenSlot:
    """``[5461->-ID]`` is on its way to a node, ``[5461-<-ID]`` comes from one."""
    for arrow, kind in (("->-", MIGRATING), ("-<-", IMPORTING)):
        slot, found, other = word.strip("[]").partition(arrow)
        if found:
            return OpenSlot(id, int(slot), kind, other)
    raise ValueError(f"no slot that is being moved: {word!r}")


class SeenCluster:
    """All that several nodes have told, put together.

    Args:
        reports: what each node that was asked has told of all.
        unreachable: ports of those that have not answered.
    """

    def __init__(self, reports: Iterable[list[SeenNode]], unreachable: Iterable[int] = ()):
        self.reports = {
            next(node.id for node in report if "myself" in node.flags): report for report in reports
        }
        self.unreachable = sorted(unreachable)
        self.nodes: dict[str, SeenNode] = {}
        for report in self.reports.values():
            for node in report:
                if node.known:
                    self._take_in(node)
        self._settle_owners()

    def _take_in(self, node: SeenNode) -> None:
        """What a node says of itself counts more than what others say of it."""
        present = self.nodes.get(node.id)
        if present is None or "myself" in node.flags:
            flags = node.flags - {"myself"}
            if present is not None:
                flags |= present.flags & {"fail", "fail?"}
                node.host = node.host or present.host
            self.nodes[node.id] = SeenNode(
                node.id,
                node.host or (present.host if present else ""),
                node.port,
                flags,
                node.primary_id,
                node.epoch,
                node.linked,
                set(node.slots),
                list(node.open),
            )
        elif not present.host:
            present.host = node.host

    def _settle_owners(self) -> None:
        """A slot that two claim belongs to the one with the later epoch, as nodes will agree."""
        owners: dict[int, SeenNode] = {}
        for node in sorted(self.primaries(), key=lambda node: node.epoch):
            for slot in node.slots:
                if slot in owners:
                    owners[slot].slots.discard(slot)
                owners[slot] = node
        self.owners = owners

    def primaries(self) -> list[SeenNode]:
        """All primaries, with slots or without, by port."""
        found = [node for node in self.nodes.values() if node.is_primary]
        return sorted(found, key=lambda node: (node.port, node.id))

    def replicas_of(self, id: str) -> list[SeenNode]:
        """The replicas of a primary, by port."""
        found = [
            node for node in self.nodes.values() if not node.is_primary and node.primary_id == id
        ]
        return sorted(found, key=lambda node: (node.port, node.id))

    def primary_of(self, id: str) -> SeenNode | None:
        """The primary of the shard that a node stands in, which may be itself."""
        node = self.nodes.get(id)
        if node is None or node.is_primary:
            return node
        return self.nodes.get(node.primary_id)

    def find(self, word: str) -> SeenNode | None:
        """The node of a port, or of the beginning of an ID that is only one's."""
        found = [node for node in self.nodes.values() if str(node.port) == word]
        if not found and len(word) >= 4:
            found = [node for node in self.nodes.values() if node.id.startswith(word)]
        return found[0] if len(found) == 1 else None

    def open_slots(self) -> Iterator[OpenSlot]:
        """All slots that are being moved."""
        for node in self.nodes.values():
            yield from node.open

    def agreed(self) -> bool:
        """Whether all that were asked know the same nodes and the same owners."""
        views = {_signature(report) for report in self.reports.values()}
        return len(views) == 1


def _signature(report: list[SeenNode]) -> tuple[object, ...]:
    lines = (
        (node.id, node.known, "master" in node.flags, node.primary_id, frozenset(node.slots))
        for node in report
    )
    return tuple(sorted(lines, key=lambda line: line[0]))

"""Slots that go from one node to another in agreement of these two, whatever their epochs are.

Both may get new epochs in that very moment, for other slots that go the other way: the epoch of
whoever takes a slot can be the smaller one then.
"""

from __future__ import annotations

from typing import NamedTuple

from carnelian.cluster.known.cluster_node import ClusterNode


class _Taken(NamedTuple):
    mask: int
    until: int


class Handovers:
    """What this node has promised, and what it has taken. Sets of slots are masks."""

    def __init__(self) -> None:
        self._promised = 0
        self._promised_to: ClusterNode | None = None
        self._taken: dict[ClusterNode, _Taken] = {}

    # -- Given -----------------------------------------------------------------------------------

    def promise(self, mask: int, node: ClusterNode) -> None:
        """A node may take slots of ours, with any epoch, until :meth:`withdraw`."""
        self._promised, self._promised_to = mask, node
        # What was taken from it goes back.
        self.heard(node, ~mask)

    def withdraw(self) -> None:
        """It has taken them, or is too late."""
        self._promised, self._promised_to = 0, None

    def promised_to(self, node: ClusterNode) -> int:
        """Slots that a node may take."""
        return self._promised if node is self._promised_to else 0

    # -- Taken -----------------------------------------------------------------------------------

    def take(self, mask: int, former: ClusterNode, until: int) -> None:
        """We have taken slots from a node, which may not know it yet. What it says of them does
        not count before a time of the view, in milliseconds.
        """
        self._taken[former] = _Taken(self.taken_from(former, 0) | mask, until)

    def taken_from(self, node: ClusterNode, now: int) -> int:
        """Slots that a node may not know to be ours."""
        taken = self._taken.get(node)
        return taken.mask if taken is not None and now < taken.until else 0

    def heard(self, node: ClusterNode, claimed: int) -> None:
        """A node has said what it claims: it knows about the rest."""
        taken = self._taken.pop(node, None)
        if taken is not None and taken.mask & claimed:
            self._taken[node] = taken._replace(mask=taken.mask & claimed)

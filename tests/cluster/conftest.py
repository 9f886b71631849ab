"""Nodes that tests start one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.moving_nodes import MovingNode, Start


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Start]:
    """Starts nodes."""
    nodes: list[MovingNode] = []

    def begin(*lines: str) -> MovingNode:
        nodes.append(MovingNode(tmp_path / f"node{len(nodes)}", *lines))
        return nodes[-1]

    yield begin
    for each in nodes:
        each.stop()

"""Nodes for the tests of this directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.local import LocalClient

from .local_node import LocalNode

MakeNode = Callable[..., LocalNode]


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Make a node with directives: ``make_node(cluster_allow_reads_when_down="yes")``."""
    nodes: list[LocalNode] = []

    def make(**directives: str) -> LocalNode:
        directory = tmp_path / f"node-{len(nodes)}"
        directory.mkdir()
        nodes.append(LocalNode(directory, **directives))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def node(make_node: MakeNode) -> LocalNode:
    """A primary with all slots, next to a node that has none."""
    return make_node()


@pytest.fixture
def client(node: LocalNode) -> LocalClient:
    """A client of that node."""
    return node.client()

"""Pairs and chains of servers of both kinds, whose links are cut while somebody writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .cutting_proxy import CuttingProxy
from .mixed_nodes import OURS, THEIRS, Load, Node, assert_equal, fill, wait_until

CHAIN = (THEIRS, OURS, THEIRS, OURS)


@dataclass(frozen=True)
class Shape:
    """Who leads and who follows, and how copies go from one to the other."""

    primary: str
    replica: str
    diskless: str
    load: str

    def __str__(self) -> str:
        way = {"yes": "to sockets", "no": "by disk"}[self.diskless]
        return f"{self.primary} -> {self.replica}, {way}, loaded {self.load}"


SHAPES = [
    Shape(primary, replica, diskless, load)
    for primary, replica in ((THEIRS, OURS), (OURS, THEIRS), (OURS, OURS))
    for diskless, load in (("yes", "swapdb"), ("no", "disabled"), ("yes", "disabled"))
]


@dataclass
class Figures:
    """What has happened."""

    cuts: int = 0
    full: int = 0
    partial: int = 0
    commands: int = 0
    keys: int = 0
    seconds: float = field(default_factory=time.monotonic)

    def count(self, nodes: Sequence[Node], proxies: Sequence[CuttingProxy], load: Load) -> None:
        """Take the sums at the end."""
        self.cuts = sum(proxy.cuts for proxy in proxies)
        self.full = sum(node.counted("sync_full") for node in nodes)
        self.partial = sum(node.counted("sync_partial_ok") for node in nodes)
        self.commands = load.commands
        self.keys = nodes[0].count_keys()
        self.seconds = time.monotonic() - self.seconds

    def __str__(self) -> str:
        return (
            f"{self.keys} keys, {self.commands} commands, {self.cuts} cuts, {self.full} full and "
            f"{self.partial} partial synchronizations, {self.seconds:.0f} s: equal"
        )


def run_pair(directory: Path, shape: Shape, keys: int, cuts: int, seed: int) -> Figures:
    """A replica gets a copy over a link that is cut, then the stream over one that is cut again and
    again, and then another copy; somebody writes all the time. Both have the same in the end.
    """
    figures = Figures()
    directory.mkdir(parents=True)
    primary = Node(
        directory / "primary",
        shape.primary,
        repl_diskless_sync=shape.diskless,
        repl_backlog_size="32mb",
    )
    replica = Node(directory / "replica", shape.replica, repl_diskless_load=shape.load)
    proxy = CuttingProxy(primary.port, seed)
    try:
        fill(primary, keys, seed)
        with Load(primary, seed) as load:
            cut_copies = max(cuts // 15, 1)
            proxy.cut_every(keys * 15)
            replica.follow(proxy.port)
            wait_until("copies cut", lambda: load.goes_on() and proxy.cuts >= cut_copies)
            proxy.cut_every(0)
            wait_until("a copy", lambda: replica.connected)
            proxy.cut_every(60_000)
            wait_until("links cut", lambda: load.goes_on() and proxy.cuts >= cuts, 900)
            proxy.cut_every(0)
            wait_until("a link", lambda: replica.connected)
            before = primary.counted("sync_full")
            lose_backlog(primary)
            wait_until("another copy", lambda: primary.counted("sync_full") > before)
            wait_until("a link", lambda: replica.connected)
        assert_equal([primary, replica])
        figures.count([primary, replica], [proxy], load)
        return figures
    finally:
        proxy.close()
        for node in (replica, primary):
            node.stop()


def run_chain(directory: Path, kinds: Sequence[str], keys: int, cuts: int, seed: int) -> Figures:
    """Each node follows the one before it, over links that are cut; all have the same in the end.

    ``cuts`` are those of each link.
    """
    figures = Figures()
    directory.mkdir(parents=True)
    nodes = [
        Node(directory / f"node-{number}", kind, repl_backlog_size="32mb")
        for number, kind in enumerate(kinds)
    ]
    proxies = [CuttingProxy(node.port, seed + number) for number, node in enumerate(nodes[:-1])]
    try:
        fill(nodes[0], keys, seed)
        with Load(nodes[0], seed) as load:
            for node, proxy in zip(nodes[1:], proxies, strict=True):
                node.follow(proxy.port)
            wait_until("links", lambda: all(node.connected for node in nodes[1:]))
            for proxy in proxies:
                proxy.cut_every(60_000)
            wait_until("cuts", lambda: load.goes_on() and _stop_cutting(proxies, cuts), 900)
            wait_until("links again", lambda: all(node.connected for node in nodes[1:]))
        assert_equal(nodes)
        figures.count(nodes, proxies, load)
        return figures
    finally:
        for proxy in proxies:
            proxy.close()
        for node in nodes:
            node.stop()


def _stop_cutting(proxies: Sequence[CuttingProxy], cuts: int) -> bool:
    """Leave the links alone that were cut so often; returns whether all were."""
    for proxy in proxies:
        if proxy.cuts >= cuts:
            proxy.cut_every(0)
    return all(proxy.cuts >= cuts for proxy in proxies)


def lose_backlog(primary: Node) -> None:
    """Have its replicas ask for what is not there any more."""
    before = primary("CONFIG", "GET", "repl-backlog-size")[1]
    primary("CONFIG", "SET", "repl-backlog-size", 16384)
    primary("MULTI")
    primary("CLIENT", "KILL", "TYPE", "replica")
    for number in range(10):
        primary("SET", f"filler {number}", "x" * 16384)
    primary("EXEC")
    primary("CONFIG", "SET", "repl-backlog-size", before)

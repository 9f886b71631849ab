"""The state file: what a fleet is to be, and which nodes it has.

Whoever holds the lock of changes writes it, as a whole; the supervisor reads it when it changes.
Which node is a primary just now is the cluster's business and stands in no file of ours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from carnelian.engine.ground.whole_files import replace_file
from carnelian.tools.fleet.wanted.fleet_error import FleetError

PRIMARY, REPLICA = "primary", "replica"
# What becomes of a node: it is to join, it belongs to the fleet, it is to go.
JOINING, MEMBER, LEAVING = "joining", "member", "leaving"

# Added to a port for the one of the cluster bus.
BUS_OFFSET = 10000
HIGHEST_PORT = 65535 - BUS_OFFSET

_FORMAT = 1
_ANYWHERE = ("0.0.0.0", "*", "::", "-::*", "-::")
_LOOPBACK = "127.0.0.1"


@dataclass
class NodeEntry:
    """A node: its ``port``, what it was made as, and for which primary's port (None: its own)."""

    port: int
    role: str = PRIMARY
    primary: int | None = None
    phase: str = MEMBER
    id: str = ""


@dataclass
class FleetState:
    """What is wanted.

    ``port`` is the first one, ``replicas`` the number for each shard, ``server`` the program of
    the nodes ("" for carnelian-server), ``directives`` are lines of their configuration.
    ``formed`` is False until all nodes have joined for the first time.
    """

    port: int
    shards: int
    replicas: int
    bind: list[str] = field(default_factory=lambda: [_LOOPBACK])
    announce_ip: str = ""
    server: str = ""
    directives: list[str] = field(default_factory=list)
    formed: bool = False
    nodes: list[NodeEntry] = field(default_factory=list)

    @classmethod
    def load(cls, path: str) -> FleetState:
        """Read a file. Raises FleetError if it is none of ours."""
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            return cls._of(content)
        except OSError as error:
            raise FleetError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FleetError(f"{path} is damaged or no state of a fleet: {error}") from None

    @classmethod
    def _of(cls, content: dict[str, Any]) -> FleetState:
        if content.pop("format") != _FORMAT:
            raise ValueError("it has another format")
        nodes = [NodeEntry(**entry) for entry in content.pop("nodes")]
        return cls(nodes=nodes, **content)

    def save(self, path: str) -> None:
        """Put it in the place of the file. Raises OSError, and then nothing has changed."""
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)
        replace_file(path, text.encode() + b"\n")

    def lay_out(self) -> None:
        """Make the entries of a new fleet: primaries first, then one replica of each, and so on."""
        ports = range(self.port, self.port + self.shards)
        self.nodes = [NodeEntry(port, phase=JOINING) for port in ports]
        for turn in range(1, self.replicas + 1):
            for primary in ports:
                port = primary + turn * self.shards
                self.nodes.append(NodeEntry(port, REPLICA, primary, JOINING))

    def node(self, port: int) -> NodeEntry | None:
        """The node of a port."""
        return next((entry for entry in self.nodes if entry.port == port), None)

    def in_phase(self, phase: str) -> list[NodeEntry]:
        """The nodes that are joining, members, or leaving."""
        return [entry for entry in self.nodes if entry.phase == phase]

    @property
    def talk_host(self) -> str:
        """Where this machine reaches the nodes."""
        address = self.bind[0]
        return _LOOPBACK if address in _ANYWHERE else address.removeprefix("-")

    @property
    def meet_host(self) -> str:
        """Where nodes and clients reach a node."""
        return self.announce_ip or self.talk_host

    def check(self) -> None:
        """Raises FleetError for what no fleet can be."""
        if self.shards < 1:
            raise FleetError("a fleet has one shard at least")
        if self.replicas < 0:
            raise FleetError("--replicas is 0 or more")
        last = self.port + self.shards * (1 + self.replicas) - 1
        if self.port < 1 or last > HIGHEST_PORT:
            raise FleetError(
                f"ports {self.port} to {last} are wanted, but the highest that a node can have is "
                f"{HIGHEST_PORT}: its bus has the port {BUS_OFFSET} above"
            )
        if any(address in _ANYWHERE for address in self.bind) and not self.announce_ip:
            raise FleetError(
                f"--bind {' '.join(self.bind)} needs --announce-ip ADDRESS, the one that clients "
                "of other machines are told"
            )


def free_port(state: FleetState, taken: Iterable[int]) -> int:
    """The lowest port from the fleet's first on that no node has and that is not taken.

    Raises FleetError if there is none.
    """
    used = {entry.port for entry in state.nodes} | set(taken)
    for port in range(state.port, HIGHEST_PORT + 1):
        if port not in used:
            return port
    raise FleetError(f"there is no free port from {state.port} on")


def changed(path: str, before: float) -> float:
    """When the file was written, if that was not ``before``; else 0.0."""
    try:
        written = os.stat(path).st_mtime_ns / 1e9
    except OSError:
        return 0.0
    return written if written != before else 0.0

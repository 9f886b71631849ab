"""What nodes say of themselves, asked all at once so that one that is silent delays nobody."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.fleet.wire.cluster_seen import SeenNode, parse_nodes
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError

_QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("INFO",),
    ("CLUSTER", "INFO"),
    ("CLUSTER", "NODES"),
)


@dataclass(frozen=True)
class Sample:
    """The answers of one node at one moment; ``refusal`` is the error if it gave none."""

    info: Mapping[str, str]
    cluster: Mapping[str, str]
    nodes: tuple[SeenNode, ...]
    refusal: str = ""

    @property
    def ok(self) -> bool:
        """Whether the cluster works, for this node."""
        return self.cluster.get("cluster_state") == "ok"

    @property
    def loading(self) -> bool:
        """Whether it reads its files."""
        return self.number("loading") == 1 or self.refusal.startswith("LOADING")

    @property
    def myself(self) -> SeenNode | None:
        """The node itself, in its own eyes."""
        return next((node for node in self.nodes if "myself" in node.flags), None)

    @property
    def keys(self) -> int:
        """Keys of all databases."""
        found = 0
        for name, value in self.info.items():
            if name.startswith("db") and name[2:].isdigit():
                found += int(value.partition("keys=")[2].partition(",")[0] or 0)
        return found

    @property
    def offset(self) -> int:
        """How far it is in the stream of changes, its own or its primary's."""
        return self.number("slave_repl_offset" if self.follows else "master_repl_offset")

    @property
    def follows(self) -> bool:
        """Whether it is a replica."""
        return self.info.get("role") == "slave"

    @property
    def link_up(self) -> bool:
        """Whether it is a replica that has its primary's data and gets its changes."""
        return self.follows and self.info.get("master_link_status") == "up"

    def number(self, name: str) -> int:
        """A number of INFO, 0 if it is not there."""
        value = self.info.get(name, "")
        return int(value) if value.lstrip("-").isdigit() else 0


def take_samples(
    clients: Mapping[int, NodeClient], patience: float
) -> tuple[dict[int, Sample], dict[int, str]]:
    """Ask all at once; returns the answers, and in words why others gave none, both by port.

    ``patience`` is how many seconds may pass in all.
    """
    failures: dict[int, str] = {}
    asked = []
    for port, client in clients.items():
        try:
            client.send(_QUESTIONS)
            asked.append(port)
        except NodeUnreachableError as error:
            failures[port] = _in_words(error)
    samples = {}
    deadline = time.monotonic() + patience
    for port in asked:
        try:
            # Who answers at all has answered by now; the others share what is left.
            replies = clients[port].receive(len(_QUESTIONS), max(deadline, time.monotonic() + 0.01))
            samples[port] = _sample(replies)
        except (NodeUnreachableError, ValueError) as error:
            failures[port] = _in_words(error)
    return samples, failures


def _in_words(error: Exception) -> str:
    refused = any(word in str(error) for word in ("WRONGPASS", "NOAUTH"))
    return "wrong password" if refused else "no answer"


def _sample(replies: list[Any]) -> Sample:
    refusal = next((reply.decode() for reply in replies if isinstance(reply, Refusal)), "")
    texts = ["" if isinstance(reply, Refusal) else reply.decode() for reply in replies]
    return Sample(fields(texts[0]), fields(texts[1]), tuple(parse_nodes(texts[2])), refusal)


def fields(text: str) -> dict[str, str]:
    """The lines ``name:value`` of INFO and CLUSTER INFO."""
    found = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not name.startswith("#"):
            found[name] = value.strip()
    return found

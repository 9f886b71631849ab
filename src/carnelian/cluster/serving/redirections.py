"""What clients are told whose keys are not to be had here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.resp.replies import Error, Redirection

if TYPE_CHECKING:
    from carnelian.cluster.known.cluster_node import ClusterNode
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.config import Config
    from carnelian.engine.shared.client_state import Client

# What becomes of a command, as in slot_check.pxd.
SERVED, MOVED, ASK, CROSS_SLOT, UNSTABLE, DOWN, READ_ONLY, UNSERVED = range(8)

_TEXTS = {
    CROSS_SLOT: "CROSSSLOT Keys in request don't hash to the same slot",
    UNSTABLE: "TRYAGAIN Multiple keys request during rehashing of slot",
    DOWN: "CLUSTERDOWN The cluster is down",
    READ_ONLY: "CLUSTERDOWN The cluster is down and only accepts read commands",
    UNSERVED: "CLUSTERDOWN Hash slot not served",
}
_SCRIPT_TEXTS = {
    READ_ONLY: b"Script attempted to execute a write command while the cluster is down and "
    b"readonly",
    DOWN: b"Script attempted to execute a command while the cluster is down",
    CROSS_SLOT: b"Command '%s' in script attempted to access keys that don't hash to the same slot",
    UNSTABLE: b"Unable to execute command '%s' in script because undeclared keys were accessed "
    b"during rehashing of the slot",
    UNSERVED: b"Script attempted to access a slot not served",
}
_ELSEWHERE_IN_SCRIPT = b"Script attempted to access a non local key in a cluster node"
_SECOND_SLOT = "ERR Script attempted to access keys that do not hash to the same slot"
_NESTED_TEXTS = {
    READ_ONLY: b"Can not execute a write command '%s' while the cluster is down and readonly",
    DOWN: b"Can not execute a command '%s' while the cluster is down",
}
_ELSEWHERE_IN_COMMAND = b"Attempted to access a non local key in a cluster node"


class Refusals:
    """Makes the errors for commands that are not served here.

    Args:
        config: says how nodes are named to clients.
    """

    def __init__(self, config: Config):
        self._config = config

    def of_client(
        self, session: Client, outcome: int, slot: int, node: ClusterNode | None
    ) -> Redirection:
        """The error for a client."""
        if outcome not in (MOVED, ASK):
            return Redirection(_TEXTS[outcome])
        assert node is not None
        word = "ASK" if outcome == ASK else "MOVED"
        port = node.client_port(self.sees_tls(session))
        return Redirection(f"{word} {slot} {self.endpoint(node)}:{port}")

    def of_script(self, command: Command, outcome: int) -> Error:
        """The error for a command of a script, which can ask no other node."""
        return _told(_SCRIPT_TEXTS.get(outcome, _ELSEWHERE_IN_SCRIPT), command)

    def of_second_slot(self) -> Error:
        """The error for a script that has taken keys of another slot before."""
        return Error(_SECOND_SLOT)

    def of_nested(self, command: Command, outcome: int) -> Error:
        """The error for a command within a command in Python."""
        return _told(_NESTED_TEXTS.get(outcome, _ELSEWHERE_IN_COMMAND), command)

    # -- How nodes are named -----------------------------------------------------------------------

    def sees_tls(self, session: Client) -> bool:
        """Whether a client is told of ports for TLS: it uses it itself."""
        return session.is_encrypted()

    def endpoint(self, node: ClusterNode) -> str:
        """What a node is called in redirections and in CLUSTER SHARDS; "" for the one that the
        client is connected to.
        """
        preferred = self._config["cluster-preferred-endpoint-type"]
        if preferred == "hostname":
            return node.hostname or "?"
        return node.ip if preferred == "ip" else ""


def _told(text: bytes, command: Command) -> Error:
    shown = text % command.name if b"%s" in text else text
    return Error(b"ERR " + shown)

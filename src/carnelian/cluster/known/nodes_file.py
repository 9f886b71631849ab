"""The file in which a node keeps what it knows, in the form of Redis (``nodes.conf``).

A line for each node as CLUSTER NODES has it, and one of variables::

    <id> <ip>:<port>@<bus port>,<host name>,<name>=<value>... <flags> <primary> <ping> <pong> ...
    vars currentEpoch 6 lastVoteEpoch 0

What stands behind the host name is of Redis 7.2 and newer; files without it are read as well.

Slots that change their owners one after the other are noted behind that, until the file is written
anew: as variables, of which Redis skips those that it does not know::

    vars slot <slot>,<owner or ->,<as an open slot in a line, or ->
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from carnelian.cluster.known import node_flags
from carnelian.cluster.known.cluster_errors import NodesFileError
from carnelian.cluster.known.cluster_node import BUS_PORT_DISTANCE, ClusterNode, is_node_id
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.node_lines import open_slot_word, saved_text
from carnelian.cluster.known.slot_bitmap import SLOTS
from carnelian.resp.quoting import split_arguments

_CORRUPT = "Unrecoverable error: corrupted cluster config file."
_NOTE = b"vars slot "
# Words of a line before its slots.
_LEAST_WORDS = 8


class _Damage(Exception):
    """Something in the file cannot be so."""


def file_text(view: ClusterView, tls_cluster: bool) -> bytes:
    """What is to stand in the file. O(n) in nodes and slots

    Args:
        tls_cluster: whether nodes are found at their ports for TLS.
    """
    variables = f"currentEpoch {view.current_epoch} lastVoteEpoch {view.last_vote_epoch}"
    text = f"{saved_text(view, tls_cluster)}vars {variables}\n"
    return text.encode(errors="surrogateescape")


def slot_notes(view: ClusterView, slots: Iterable[int]) -> bytes:
    """What is to stand behind the rest about slots that have changed. O(slots)"""
    notes = []
    for slot in slots:
        owner = view.owners[slot]
        id = owner.id if owner is not None else "-"
        notes.append(
            b"%b%d,%b\n" % (_NOTE, slot, f"{id},{open_slot_word(view, slot) or '-'}".encode())
        )
    return b"".join(notes)


def load(
    view: ClusterView,
    text: bytes,
    tls_cluster: bool,
    warn: Callable[[str], object] = lambda text: None,
) -> None:
    """Fill an empty view with what stands in a file.

    Args:
        warn: told of what is not understood and does no harm.

    Raises NodesFileError if the file is damaged; the view is of no use then.
    """
    loader = _Loader(view, tls_cluster, warn)
    try:
        for line in _whole_lines(text):
            loader.take(line)
        if loader.myself is None:
            raise _Damage
    except (_Damage, ValueError):
        raise NodesFileError(_CORRUPT) from None
    view.myself = loader.myself
    for node in view.nodes.values():
        view.set_shard(node, node.leader.shard_id)
    view.current_epoch = view.max_epoch()


def _whole_lines(text: bytes) -> list[bytes]:
    """The lines, without a last note of which a loss of power has left a part, or only its size."""
    lines = text.rstrip(b"\0").split(b"\n")
    if _NOTE.startswith(lines[-1]) or lines[-1].startswith(_NOTE):
        lines.pop()
    return lines


class _Loader:
    """Reads line after line into a view. ValueError is damage, too."""

    def __init__(self, view: ClusterView, tls_cluster: bool, warn: Callable[[str], object]):
        self.myself: ClusterNode | None = None
        self._view = view
        self._tls_cluster = tls_cluster
        self._warn = warn

    def take(self, line: bytes) -> None:
        """Read a line."""
        words = split_arguments(line)
        if words is None:
            raise _Damage
        texts = [word.decode(errors="surrogateescape") for word in words]
        if not texts:
            return
        if texts[0].lower() == "vars":
            self._take_variables(texts[1:])
        elif len(texts) < _LEAST_WORDS:
            raise _Damage
        else:
            self._take_node(texts)

    def _take_variables(self, words: list[str]) -> None:
        if len(words) % 2:
            raise _Damage
        for name, value in zip(words[::2], words[1::2], strict=True):
            if name.lower() == "currentepoch":
                self._view.current_epoch = _natural(value)
            elif name.lower() == "lastvoteepoch":
                self._view.last_vote_epoch = _natural(value)
            elif name == "slot":
                self._take_note(value)
            else:
                self._warn(f"Skipping unknown cluster config variable '{name}'")

    def _take_note(self, value: str) -> None:
        number, owner, opened = value.split(",")
        view, slot = self._view, _slot(number)
        view.give([slot], None if owner == "-" else self._node(owner))
        view.migrating_to.pop(slot, None)
        view.importing_from.pop(slot, None)
        if opened != "-":
            self._take_open_slot(opened)

    def _take_node(self, words: list[str]) -> None:
        view = self._view
        node = self._node(words[0])
        self._take_address(node, words[1])
        self._take_flags(node, words[2])
        if words[3] != "-":
            primary = self._node(words[3])
            if primary is node:
                raise _Damage
            node.primary = primary
            primary.add_replica(node)
        if _natural(words[4]):
            node.ping_sent = view.now
        if _natural(words[5]):
            node.pong_received = view.now
        # That of a replica is its primary's.
        node.config_epoch = 0 if node.is_replica and node.primary else _natural(words[6])
        slots: list[int] = []
        for word in words[_LEAST_WORDS:]:
            if word.startswith("["):
                self._take_open_slot(word)
            else:
                slots += _slots(word)
        view.give([slot for slot in slots if view.owners[slot] is None], node)

    def _node(self, id: str) -> ClusterNode:
        """The node with an ID, which may be told of later."""
        if not is_node_id(id):
            raise _Damage
        return self._view.find(id) or self._view.create(id)

    def _take_address(self, node: ClusterNode, word: str) -> None:
        address, *more = word.split(",")
        node.hostname = more[0] if more else ""
        ip, colon, ports = address.rpartition(":")
        if not colon:
            raise _Damage
        node.ip = ip
        port, _, bus_port = ports.partition("@")
        if self._tls_cluster:
            node.tls_port = _port(port)
        else:
            node.tcp_port = _port(port)
        node.bus_port = _port(bus_port) if bus_port else _port(port) + BUS_PORT_DISTANCE
        for field in more[1:]:
            self._take_field(node, field)

    def _take_field(self, node: ClusterNode, field: str) -> None:
        name, equals, value = field.partition("=")
        if not equals or "=" in value:
            raise _Damage
        if name == "shard-id":
            if not is_node_id(value):
                raise _Damage
            self._view.set_shard(node, value)
        elif name == "nodename":
            node.human_name = value
        elif name == "tcp-port":
            node.tcp_port = _port(value)
        elif name == "tls-port":
            node.tls_port = _port(value)
        else:
            self._warn(f"Skipping unknown cluster config field '{name}'")

    def _take_flags(self, node: ClusterNode, word: str) -> None:
        for name in word.lower().split(","):
            flag = node_flags.FLAGS_BY_WORD.get(name)
            if flag is None:
                raise _Damage
            node.flags |= flag
        if node.has_failed:
            node.fail_time = self._view.now
        if node.is_myself:
            if self.myself not in (None, node):
                raise _Damage
            self.myself = node

    def _take_open_slot(self, word: str) -> None:
        """``[slot->-node]`` for one that is on its way from us, ``[slot-<-node]`` for one to us."""
        slot, _, rest = word[1:].partition("-")
        if rest[:1] not in "<>" or rest[1:2] != "-" or not rest.endswith("]"):
            raise _Damage
        other = self._node(rest[2:-1])
        open_slots = self._view.migrating_to if rest[0] == ">" else self._view.importing_from
        open_slots[_slot(slot)] = other


def _natural(word: str) -> int:
    number = int(word)
    if number < 0:
        raise _Damage
    return number


def _port(word: str) -> int:
    port = _natural(word)
    if port > 65535:
        raise _Damage
    return port


def _slot(word: str) -> int:
    slot = _natural(word)
    if slot >= SLOTS:
        raise _Damage
    return slot


def _slots(word: str) -> range:
    first, dash, last = word.partition("-")
    return range(_slot(first), _slot(last if dash else first) + 1)

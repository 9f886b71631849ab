"""Connections of the bus: messages in any pieces, and what waits to be sent."""

from __future__ import annotations

from random import Random

import pytest

from carnelian.cluster.bus.bus_codec import encode
from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.bus.bus_messages import BusMessage, Gossip, Publication
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_node import ClusterNode

A = b"a" * 40
PING = encode(BusMessage(types.PING, A, body=Gossip()))
BIG = encode(BusMessage(types.PUBLISH, A, body=Publication(b"c", b"m" * 100_000)))


class Owner:
    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.end = ""
        self.is_ready = False
        self.closes_after = 10**9

    def ready(self, link: BusLink) -> None:
        self.is_ready = True
        link.send(b"first")

    def received(self, link: BusLink, data: bytes) -> None:
        self.messages.append(data)
        if len(self.messages) >= self.closes_after:
            link.close()

    def ended(self, link: BusLink, reason: str) -> None:
        self.end = reason


class FakeWire:
    peer = address = ("10.0.0.1", 1)

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_aborted = False

    @property
    def unsent(self) -> int:
        return sum(map(len, self.sent))

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        raise AssertionError("what was not sent is not waited for")

    def abort(self) -> None:
        self.is_aborted = True


@pytest.fixture
def node() -> ClusterNode:
    return ClusterNode("a" * 40, 1, 0)


def link_to(node: ClusterNode | None) -> tuple[BusLink, Owner, FakeWire]:
    owner, wire = Owner(), FakeWire()
    link = BusLink(owner, node, 5)
    if node is not None:
        node.link = link
    return link, owner, wire


@pytest.mark.parametrize("seed", range(10))
def test_messages_in_any_pieces(seed: int) -> None:
    random = Random(seed)
    link, owner, wire = link_to(None)
    link.connected(wire)
    messages = [random.choice([PING, BIG]) for _ in range(20)]
    data = b"".join(messages)
    while data:
        count = random.choice([1, 7, 8, 9, 2256, 16384, 300_000])
        link.receive(data[:count])
        data = data[count:]
    assert owner.messages == messages
    assert link.memory < 5000 + link.unsent


def test_what_is_no_message_ends_it(node: ClusterNode) -> None:
    link, owner, wire = link_to(node)
    link.connected(wire)
    link.receive(PING + b"nothing")
    assert (owner.messages, owner.end) == ([PING], "")
    link.receive(b"!")
    assert owner.end == "Bad message length or signature received from Cluster bus."
    assert wire.is_aborted and link.is_over and node.link is None
    link.send(PING)
    assert wire.sent == [b"first"]


def test_after_its_end_nothing_is_heard(node: ClusterNode) -> None:
    link, owner, wire = link_to(node)
    owner.closes_after = 2
    link.connected(wire)
    link.receive(PING * 5)
    assert len(owner.messages) == 2
    assert wire.is_aborted and not owner.end and node.link is None
    link.lost("closed")
    assert not owner.end


def test_what_is_sent_before_it_stands_is_sent_then(node: ClusterNode) -> None:
    link, _, wire = link_to(node)
    assert not link.is_connected and not link.is_inbound
    link.send(b"one")
    link.send(b"two")
    assert (link.unsent, link.is_writing) == (6, True)
    link.connected(wire)
    assert wire.sent == [b"first", b"one", b"two"]
    assert link.is_connected and link.unsent == 11


def test_a_connection_that_stands_too_late(node: ClusterNode) -> None:
    link, owner, wire = link_to(node)
    link.close()
    assert node.link is None
    link.connected(wire)
    assert wire.is_aborted and not owner.is_ready


def test_a_connection_that_does_not_come_about(node: ClusterNode) -> None:
    link, owner, _ = link_to(node)
    link.lost("refused")
    assert owner.end == "refused" and node.link is None


def test_a_newer_connection_is_not_forgotten_with_an_old_one(node: ClusterNode) -> None:
    old, _, _ = link_to(node)
    new, _, _ = link_to(node)
    old.lost("closed")
    assert node.link is new

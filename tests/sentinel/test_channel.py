"""What a channel does with replies."""

from __future__ import annotations

import pytest

from carnelian.resp.writer import encode
from carnelian.sentinel.links.channel import Channel
from carnelian.sentinel.links.instance_link import InstanceLink


def never(what: object) -> None:
    raise AssertionError("nobody was to hear of this")


class FakeWire:
    """Keeps what is sent."""

    peer = ("10.0.0.1", 6379)
    address = ("10.0.0.9", 50000)

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        self.sent += data

    def pause(self, paused: bool) -> None:
        raise AssertionError("a Sentinel always reads")

    def close(self) -> None:
        self.closed = True


class TestChannel:
    def test_commands_wait_for_the_connection(self) -> None:
        channel, wire = Channel(0, print), FakeWire()
        replies: list[object] = []
        channel.call([b"A"], None, replies.append)
        assert channel.pending == 1
        assert channel.host is None
        channel.connected(wire)
        channel.call([b"B"], None, replies.append)
        assert wire.sent == encode([b"A"]) + encode([b"B"])
        assert channel.host == "10.0.0.9"
        channel.receive(b":1\r\n:2\r\n")
        assert replies == [1, 2]
        assert channel.pending == 0

    def test_nobody_hears_of_a_closed_one(self) -> None:
        lost: list[Channel] = []
        channel, wire = Channel(0, lost.append), FakeWire()
        channel.call([b"A"], None, never)
        channel.close()
        channel.connected(wire)
        assert wire.closed
        channel.receive(b":1\r\n")
        channel.lost("reset")
        channel.call([b"B"])
        assert not lost
        assert not wire.sent

    @pytest.mark.parametrize("data", [b"nonsense\r\n", b"-ERR max number of clients reached\r\n"])
    def test_it_ends_when_it_makes_no_sense(self, data: bytes) -> None:
        lost: list[Channel] = []
        channel, wire = Channel(0, lost.append), FakeWire()
        channel.connected(wire)
        channel.receive(data)
        assert lost == [channel]
        assert wire.closed

    def test_pushes(self) -> None:
        heard: list[object] = []
        channel = Channel(0, never, heard.append)
        channel.connected(FakeWire())
        channel.receive(b"*1\r\n:1\r\n")
        assert heard == [[1]]

    def test_replies_of_who_has_gone_are_ignored(self) -> None:
        channel = Channel(0, print)
        channel.connected(FakeWire())
        here, gone = object(), object()
        replies: list[object] = []
        channel.call([b"A"], gone, never)
        channel.call([b"B"], here, replies.append)
        channel.disown(gone)
        channel.receive(b":1\r\n:2\r\n")
        assert replies == [2]


class TestLink:
    def test_the_last_owner_closes_it(self) -> None:
        link = InstanceLink(5)
        one, other = object(), object()
        link.share(one)
        link.share(other)
        link.commands = channel = Channel(5, link.forget)
        channel.connected(wire := FakeWire())
        link.disconnected = False
        link.release(one)
        assert not wire.closed
        link.release(other)
        assert wire.closed
        assert link.disconnected
        assert link.commands is None

    def test_a_lost_connection_is_forgotten(self) -> None:
        link = InstanceLink(5)
        link.commands = Channel(5, link.forget)
        link.messages = Channel(5, link.forget)
        link.disconnected = False
        link.messages.lost("reset")
        assert link.messages is None
        assert link.commands is not None
        assert link.disconnected

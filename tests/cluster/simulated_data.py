"""What stands for the engine in a simulated cluster: writes that are numbered, and replication.

A node's data is a set of numbers of writes by slot, and on its disk at once: what is asked here is
not whether files outlive a crash. A replica takes all of it when it connects, and then each write
as it comes, so that it may be behind as far as any replica may.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from carnelian.net.protocol import Wire
from carnelian.net.simulated import Node

DATA_PORT = 6379
# Seconds between two signs of life of a primary.
HEARTBEAT = 1.0
# Seconds without one after which a replica connects anew (repl-timeout).
PATIENCE = 10.0


class DataServer:
    """The data of a node, whom it follows, and who follows it."""

    def __init__(self, node: Node, may_lead: Callable[[], bool]):
        self.node = node
        # Whether replicas are served: a node that follows another has no stream of its own here.
        self.may_lead = may_lead
        self.writes: dict[int, list[int]] = node.disk.setdefault("writes", {})
        self.followers: dict[Feed, None] = {}
        self.address: tuple[str, int] | None = None
        self.link: Follower | None = None
        self.last_heard: int | None = None
        node.listen((node.name, DATA_PORT), lambda: Feed(self))
        node.call_later(HEARTBEAT, self._beat)

    @property
    def offset(self) -> int:
        return self.node.disk.setdefault("offset", 0)

    @property
    def now(self) -> int:
        """Milliseconds."""
        return self.node.network.now // 1000

    # -- Writes ----------------------------------------------------------------------------------

    def write(self, slot: int, number: int) -> None:
        self._keep(slot, number)
        self._send({"slot": slot, "number": number, "offset": self.offset})

    def _keep(self, slot: int, number: int) -> None:
        self.writes.setdefault(slot, []).append(number)
        self.node.disk["offset"] = self.offset + 1

    def count(self, slot: int) -> int:
        return len(self.writes.get(slot, ()))

    def drop(self, slot: int) -> list[int]:
        """Delete a slot, here and at replicas."""
        numbers = self.writes.pop(slot, [])
        if numbers:
            self.node.disk["offset"] = self.offset + 1
            self._send({"drop": slot, "offset": self.offset})
        return numbers

    def take(self, slot: int, numbers: list[int]) -> None:
        """A slot has come with its writes."""
        for number in numbers:
            self.write(slot, number)

    def flush(self) -> None:
        self.writes.clear()

    def _send(self, what: dict) -> None:
        for feed in self.followers:
            feed.send(what)

    def _beat(self) -> None:
        self.node.call_later(HEARTBEAT, self._beat)
        if self.address is None:
            self._send({"offset": self.offset})
        elif self.link is None:
            self._connect()
        elif self.now - self.link.heard > PATIENCE * 1000:
            self.link.close()
            self._connect()

    # -- Following -------------------------------------------------------------------------------

    def follow(self, address: tuple[str, int]) -> None:
        if self.address == address:
            return
        self.lead()
        self.address = address
        for feed in list(self.followers):
            feed.close()
        self.followers.clear()
        self.last_heard = None
        self._connect()

    def lead(self) -> None:
        self.address = None
        if self.link is not None:
            self.link.close()
            self.link = None

    def _connect(self) -> None:
        assert self.address is not None
        self.link = Follower(self)
        self.node.connect(self.address, self.link)

    def age(self) -> int | None:
        return None if self.last_heard is None else self.now - self.last_heard

    def heard(self, link: Follower, what: dict) -> None:
        if link is not self.link:
            return
        self.last_heard = self.now
        if "all" in what:
            self.writes.clear()
            self.writes.update({int(slot): numbers for slot, numbers in what["all"].items()})
        elif "number" in what:
            self.writes.setdefault(what["slot"], []).append(what["number"])
        elif "drop" in what:
            self.writes.pop(what["drop"], None)
        self.node.disk["offset"] = what["offset"]


class Lines:
    """A connection of lines of JSON."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self.rest = b""

    def connected(self, wire: Wire) -> None:
        self.wire = wire

    def receive(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.take(json.loads(line))

    def take(self, what: dict) -> None:
        raise NotImplementedError

    def send(self, what: dict) -> None:
        if self.wire is not None:
            self.wire.send(json.dumps(what).encode() + b"\n")

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()
        self.ended()

    def lost(self, reason: str) -> None:
        self.ended()

    def ended(self) -> None:
        raise NotImplementedError


class Feed(Lines):
    """A replica at a primary."""

    def __init__(self, server: DataServer):
        super().__init__()
        self.server = server

    def connected(self, wire: Wire) -> None:
        super().connected(wire)
        server = self.server
        if server.address is not None or not server.may_lead():
            self.close()
            return
        server.followers[self] = None
        self.send({"all": server.writes, "offset": server.offset})

    def take(self, what: dict) -> None:
        """Replicas say nothing."""

    def ended(self) -> None:
        self.server.followers.pop(self, None)


class Follower(Lines):
    """The connection of a replica to its primary."""

    def __init__(self, server: DataServer):
        super().__init__()
        self.server = server
        self.heard = server.now

    def take(self, what: dict) -> None:
        self.heard = self.server.now
        self.server.heard(self, what)

    def ended(self) -> None:
        if self.server.link is self:
            self.server.link = None

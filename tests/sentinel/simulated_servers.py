"""Servers with data that exist only in a simulated network: as much of Redis as a Sentinel sees."""

from __future__ import annotations

from carnelian.net.protocol import Address, Wire
from carnelian.net.simulated import Node
from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import MORE
from carnelian.resp.writer import encode

PORT = 6379
# Seconds between two signs of life of a primary to its replicas, and those without any after which
# a replica gives its link up.
BEAT = 1.0
PATIENCE = 4.0
HELLO = b"__sentinel__:hello"


class Served:
    """A client of a server: commands in, replies out."""

    def __init__(self, server: object):
        self.server = server
        self.wire: Wire | None = None
        self._reader = ReplyReader()

    def connected(self, wire: Wire) -> None:
        self.wire = wire

    def receive(self, data: bytes) -> None:
        self._reader.feed(data)
        while (words := self._reader.take()) is not MORE:
            assert isinstance(words, list)
            self.send(self.execute(words))

    def send(self, reply: bytes) -> None:
        if self.wire is not None:
            self.wire.send(reply)

    def execute(self, words: list[bytes]) -> bytes:
        raise NotImplementedError

    def lost(self, reason: str) -> None:
        self.wire = None


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


class DataServer:
    """A primary, or a replica of another such server. What it follows outlives a crash.

    ``failing`` are names of commands that get an error.
    """

    def __init__(self, node: Node):
        self.node = node
        self.run_id = f"{node.random.getrandbits(160):040x}"
        self.offset = 0
        self.listeners: dict[DataClient, None] = {}
        self.replicas: dict[DataClient, str] = {}
        self.link: ReplicationLink | None = None
        self.failing: set[bytes] = set()
        self.priority = node.disk.get("priority", 100)
        node.listen((node.name, PORT), lambda: DataClient(self))
        node.call_later(0, self.beat)

    @property
    def follows(self) -> Address | None:
        """The primary it follows."""
        return self.node.disk.get("follows")

    @property
    def is_linked(self) -> bool:
        """Whether it hears its primary."""
        return self.link is not None and self.link.is_up

    def follow(self, address: Address | None) -> None:
        self.node.disk["follows"] = address
        if self.link is not None:
            self.link.close()
            self.link = None

    def beat(self) -> None:
        self.node.call_later(BEAT, self.beat)
        if self.follows is None:
            self.offset += 1
        elif self.link is None or self.link.is_over(self.now):
            if self.link is not None:
                self.link.close()
            self.link = ReplicationLink(self)
            self.node.connect(self.follows, self.link)
        for replica in list(self.replicas):
            replica.send(encode([b"OFFSET", b"%d" % self.offset]))

    @property
    def now(self) -> float:
        return self.node.network.now / 1e6

    def info(self) -> bytes:
        lines = [f"run_id:{self.run_id}"]
        if self.follows is None:
            lines.append("role:master")
        else:
            down = int(self.now - self.node.disk.get("linked", self.now))
            lines += [
                "role:slave",
                f"master_host:{self.follows[0]}",
                f"master_port:{self.follows[1]}",
                f"master_link_status:{'up' if self.is_linked else 'down'}",
                f"slave_repl_offset:{self.offset}",
                f"slave_priority:{self.priority}",
                "replica_announced:1",
            ]
            if not self.is_linked:
                lines.append(f"master_link_down_since_seconds:{down}")
        for number, name in enumerate(self.replicas.values()):
            lines.append(f"slave{number}:ip={name},port={PORT},state=online,offset=1,lag=0")
        return "\r\n".join(lines).encode() + b"\r\n"


class DataClient(Served):
    """A client of a data server: a Sentinel, or a replica."""

    server: DataServer

    def __init__(self, server: DataServer):
        super().__init__(server)
        self.queued: list[list[bytes]] | None = None

    def execute(self, words: list[bytes]) -> bytes:
        name = words[0].upper()
        if name in self.server.failing:
            return b"-ERR failing\r\n"
        if name == b"EXEC":
            queued, self.queued = self.queued or [], None
            return b"*%d\r\n" % len(queued) + b"".join(map(self.run, queued))
        if self.queued is not None:
            self.queued.append(words)
            return b"+QUEUED\r\n"
        if name == b"MULTI":
            self.queued = []
            return b"+OK\r\n"
        return self.run(words)

    def run(self, words: list[bytes]) -> bytes:
        server, name = self.server, words[0].upper()
        if name == b"PING":
            return b"+PONG\r\n"
        if name == b"INFO":
            return bulk(server.info())
        if name == b"SUBSCRIBE":
            server.listeners[self] = None
            return b"*3\r\n" + bulk(b"subscribe") + bulk(words[1]) + b":1\r\n"
        if name == b"PUBLISH":
            for listener in list(server.listeners):
                listener.send(encode([b"message", words[1], words[2]]))
            return b":%d\r\n" % len(server.listeners)
        if name == b"SLAVEOF":
            self.slaveof(words[1:])
        if name == b"REPLICATE":
            server.replicas[self] = words[1].decode()
            return encode([b"OFFSET", b"%d" % server.offset])
        return b"+OK\r\n"

    def slaveof(self, words: list[bytes]) -> None:
        none = words[0].upper() == b"NO"
        self.server.follow(None if none else (words[0].decode(), int(words[1])))

    def lost(self, reason: str) -> None:
        super().lost(reason)
        self.server.listeners.pop(self, None)
        self.server.replicas.pop(self, None)


class ReplicationLink:
    """The link of a replica to its primary."""

    def __init__(self, server: DataServer):
        self.server = server
        self.wire: Wire | None = None
        self.is_up = False
        self.lost_it = False
        self.last = server.now
        self._reader = ReplyReader()

    def is_over(self, now: float) -> bool:
        return self.lost_it or now - self.last > PATIENCE

    def connected(self, wire: Wire) -> None:
        self.wire = wire
        wire.send(encode([b"REPLICATE", self.server.node.name.encode()]))

    def receive(self, data: bytes) -> None:
        self._reader.feed(data)
        while (words := self._reader.take()) is not MORE:
            assert isinstance(words, list)
            self.server.offset = int(words[1])
            self.is_up = True
            self.last = self.server.node.disk["linked"] = self.server.now

    def lost(self, reason: str) -> None:
        self.is_up = False
        self.lost_it = True

    def close(self) -> None:
        self.is_up = False
        if self.wire is not None:
            self.wire.close()

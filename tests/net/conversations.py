"""Small protocols without I/O, which run on real sockets as they do in a simulation."""

from __future__ import annotations

from carnelian.net.protocol import Address, Host, Wire


class Recorder:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self.received = b""
        self.pieces = 0
        self.reason: str | None = None

    def connected(self, wire: Wire) -> None:
        self.wire = wire

    def receive(self, data: bytes) -> None:
        assert self.wire is not None
        self.received += data
        self.pieces += 1

    def lost(self, reason: str) -> None:
        assert self.reason is None
        self.reason = reason


class Echo(Recorder):
    """Sends back what it receives, and ends after a full stop."""

    def receive(self, data: bytes) -> None:
        super().receive(data)
        assert self.wire is not None
        self.wire.send(data)
        if data.endswith(b"."):
            self.wire.close()


class Caller(Recorder):
    """Says something once it is connected."""

    def __init__(self, words: bytes):
        super().__init__()
        self.words = words

    def connected(self, wire: Wire) -> None:
        super().connected(wire)
        wire.send(self.words)


class Gossip:
    """A node that tells the others a number again and again; all agree on the highest."""

    PORT = 7000

    def __init__(self, host: Host, name: str, others: list[Address]):
        self.host = host
        self.others = others
        self.number = 0
        self.heard: dict[str, int] = {}
        self.ear = host.listen((name, self.PORT), lambda: Listening(self))
        self.tick()

    def tick(self) -> None:
        if self.others:
            other = self.host.random.choice(self.others)
            self.host.connect(other, Caller(b"%d\n" % self.number), timeout=0.5)
        self.host.call_later(self.host.random.uniform(0.05, 0.15), self.tick)


class Listening(Recorder):
    """Hears one number."""

    def __init__(self, node: Gossip):
        super().__init__()
        self.node = node

    def receive(self, data: bytes) -> None:
        super().receive(data)
        if self.received.endswith(b"\n"):
            self.node.number = max(self.node.number, int(self.received))
            assert self.wire is not None
            self.wire.close()

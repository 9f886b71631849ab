"""Nodes of primaries and replicas in a simulated network: whole engines, without sockets."""

from __future__ import annotations

from random import Random

from carnelian.engine import data_digest
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.engine.session import Session
from carnelian.net.protocol import Wire
from carnelian.net.simulated import Network, Node
from carnelian.replication.primary.primary_side import primary_of
from carnelian.replication.replica_side.roles import replica_side_of
from carnelian.resp.output import Feed, OutputBuffer
from carnelian.resp.parser import Parser
from carnelian.resp.replies import NO_REPLY, OK
from carnelian.resp.writer import encode
from support.local import LocalClient

PORT = 6379
TICK = 0.1


class Line(Session):
    """A client on a simulated connection: a Conversation and a Session."""

    def __init__(self, server: Server):
        super().__init__(server.engine)
        self.server = server
        self.wire: Wire | None = None
        self.parser = Parser()

    def connected(self, wire: Wire) -> None:
        self.wire = wire
        self.engine.sessions.add(self)

    def receive(self, data: bytes) -> None:
        self.parser.feed(data)
        while (args := self.parser.next()) is not None:
            reply = self.engine.execute(self, list(args))
            if reply is not NO_REPLY and not self.replica_attached():
                self.send_raw(encode(reply, self.protocol))
        self.server.settle()

    def replica_attached(self) -> bool:
        return self.feed is not None

    def lost(self, reason: str) -> None:
        self.wire = None
        self.engine.sessions.remove(self)

    # -- As a session -----------------------------------------------------------------------------

    def send(self, value: object) -> None:
        if not self.replica_attached():
            self.send_raw(encode(value, self.protocol))

    def send_raw(self, data: bytes) -> None:
        if self.wire is not None:
            self.wire.send(data)

    def begin_feed(self, feed: Feed) -> None:
        self.feed = feed

    def pull(self) -> None:
        output = OutputBuffer()
        while self.feed is not None and self.wire is not None:
            self.feed.fill(output)
            data = output.take()
            if not data:
                return
            self.wire.send(data)

    def close(self, after_replies: bool = False) -> None:
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.close()
            self.engine.sessions.remove(self)

    def peer(self) -> bytes:
        return b"%s:%d" % (self.wire.peer[0].encode(), self.wire.peer[1]) if self.wire else b""


class Server:
    """One engine on one node. What outlives a crash is whom it follows, not the data."""

    def __init__(self, node: Node, **directives: object):
        config = Config()
        config["save"] = ()
        config["repl-diskless-load"] = node.disk.setdefault("load", "swapdb")
        config["repl-diskless-sync-delay"] = 0
        config["repl-timeout"] = 10
        config["repl-backlog-size"] = 16 * 1024
        config["port"] = PORT
        for name, value in directives.items():
            config[name.replace("_", "-")] = value
        self.node = node
        self.engine = Engine(config, node.clock)
        self.primary = primary_of(self.engine)
        self.side = replica_side_of(self.engine)
        self.side.carrier = node
        self.client = LocalClient(self.engine)
        node.disk["server"] = self
        node.listen((node.name, PORT), lambda: Line(self))
        node.call_later(TICK, self._tick)
        if node.disk.get("primary"):
            self.side.follow(node.disk["primary"], PORT)

    def _tick(self) -> None:
        self.engine.cron(round(1 / TICK))
        self.settle()
        self.node.call_later(TICK, self._tick)

    def settle(self) -> None:
        """What a server does at the end of a turn."""
        self.engine.before_sleep()
        self.engine.effects.commit()

    def call(self, *words: bytes | str | int) -> object:
        """A command of a client on this node."""
        reply = self.client(*words)
        self.settle()
        return reply

    def follow(self, primary: str | None) -> None:
        """Have the node follow another one, or lead."""
        self.node.disk["primary"] = primary
        words = ("NO", "ONE") if primary is None else (primary, PORT)
        assert self.call("REPLICAOF", *words) is OK or primary is not None

    @property
    def offset(self) -> int:
        return self.place[1]

    @property
    def place(self) -> tuple[str, int]:
        """In which history it is, and how far in it."""
        history = self.primary.replication.history
        return history.id, history.offset

    def digest(self) -> bytes:
        return data_digest.of_everything(self.engine)

    def connected(self) -> bool:
        link = self.side.following
        return link is not None and link.connected


class Family:
    """Some nodes in one network, of which one leads.

    Args:
        seed: from which everything follows.
        count: of nodes; n0 leads at first, the others follow it or each other.
    """

    def __init__(self, seed: int, count: int = 3, **directives: object):
        self.chance = Random(f"family {seed}")
        self.network = Network(seed, pieces=4, traced=False)
        self.names = [f"n{number}" for number in range(count)]
        for name in self.names:
            load = self.chance.choice(("swapdb", "flushdb"))
            node = self.network.node(name)
            node.disk["load"] = load
            node._boot = lambda node: Server(node, **directives)
            node._boot(node)
        self.leader = "n0"

    def server(self, name: str) -> Server:
        server: Server = self.network.nodes[name].disk["server"]
        return server

    def running(self) -> list[str]:
        return [name for name in self.names if self.network.nodes[name].is_up]

    def arrange(self, leader: str) -> None:
        """Let one lead, and the others follow it, or one that does."""
        self.leader = leader
        above = [leader]
        self.server(leader).call("CLIENT", "UNPAUSE")
        self.server(leader).follow(None)
        for name in self.chance.sample(self.running(), len(self.running())):
            if name != leader:
                self.server(name).follow(self.chance.choice(above))
                above.append(name)
        # Those that are down follow when they are back.
        for name in self.names:
            if name not in above:
                self.network.nodes[name].disk["primary"] = leader

    def write(self) -> None:
        """A random change at the node that leads, if it runs."""
        if not self.network.nodes[self.leader].is_up:
            return
        chance, server = self.chance, self.server(self.leader)
        key = f"k{chance.randrange(8)}"
        number = chance.randrange(1000)
        change = chance.choice(
            (
                ("SET", key, number),
                ("APPEND", key, "x" * chance.randrange(50)),
                ("DEL", key),
                ("SET", key, "v" * chance.randrange(5000)),
                ("PEXPIRE", key, chance.randrange(1, 5000)),
                ("RPUSH", f"l{key}", number, number + 1),
                ("LPOP", f"l{key}"),
                ("ZADD", f"z{key}", number, f"m{number % 20}"),
                ("XADD", "stream", "MAXLEN", 20, "*", "f", number),
                ("SPOP", f"s{key}"),
                ("SADD", f"s{key}", number, number * 7),
                ("SELECT", chance.randrange(3)),
                ("FLUSHDB",) if chance.random() < 0.05 else ("INCR", "counter"),
            )
        )
        if chance.random() < 0.2:
            server.client("MULTI")
            server.client(*change)
            server.client("INCR", "in transactions")
            server.call("EXEC")
        else:
            server.call(*change)

    def are_equal(self) -> bool:
        """Whether all have come equally far in the same history.

        Who has not noticed that its primary has begun anew may be as far in the one before.
        """
        leader = self.server(self.leader)
        others = [self.server(name) for name in self.names if name != self.leader]
        return all(one.connected() and one.place == leader.place for one in others)

    def quiet(self, seconds: float = 60) -> None:
        """Let time pass until all nodes are equal, and see that they are."""
        step, passed = 0.5, 0.0
        while not self.are_equal():
            self.network.run(step)
            passed += step
            assert passed < seconds, self.describe()
        digests = {name: self.server(name).digest() for name in self.names}
        assert len(set(digests.values())) == 1, self.describe()

    def describe(self) -> str:
        lines = []
        for name in self.names:
            server = self.server(name)
            link = server.side.following
            place = "leads" if link is None else f"follows {link.host} {link.state.value}"
            digest = server.digest().hex()[:8]
            lines.append(
                f"{name} {place} at {server.offset} {digest} {len(server.engine.keyspace)}"
            )
        return "\n".join(lines)

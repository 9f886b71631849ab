"""Sentinels in a simulated network, and a fleet of them with servers to watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from carnelian.engine.config.assigned import ConfigLine
from carnelian.keyspace.clock import ManualClock
from carnelian.net.simulated import Network, Node
from carnelian.resp.quoting import split_arguments
from carnelian.sentinel.known import saved_lines, sentinel_lines
from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.peer_address import PeerAddress
from carnelian.sentinel.known.surroundings import ProcessEnd, ScriptRunner
from carnelian.sentinel.watching.watching_loop import Sentinel

from .simulated_servers import PORT, DataServer, Served, bulk

SENTINEL_PORT = 26379
NAME = "mymaster"

# Milliseconds; the times of a fleet are short, so that much happens in a history.
DOWN_AFTER = 2000
FAILOVER_TIMEOUT = 6000


class Happening(NamedTuple):
    """An event of a Sentinel: when in seconds, where, and what."""

    time: float
    node: str
    kind: str
    text: str


class FakeScripts:
    """Scripts that are remembered rather than run; they end when the test says so."""

    def __init__(self) -> None:
        self.started: dict[int, list[str]] = {}
        self.ends: list[ProcessEnd] = []
        self.killed: list[int] = []
        self.problem: Exception | None = None

    def start(self, words: list[str]) -> int:
        if self.problem is not None:
            raise self.problem
        pid = len(self.started) + 1
        self.started[pid] = words
        return pid

    def end(self, pid: int, status: int = 0, signal: int = 0) -> None:
        self.ends.append(ProcessEnd(pid, status, signal))

    def ended(self) -> list[ProcessEnd]:
        ends, self.ends = self.ends, []
        return ends

    def kill(self, pid: int) -> None:
        self.killed.append(pid)


class SimulatedSentinel:
    """A Sentinel on a node, with what is around it: its file is on the node's disk."""

    def __init__(self, node: Node, happenings: list[Happening], numeric: bool = False):
        self.node = node
        self.happenings = happenings
        self.fake_scripts = FakeScripts()
        self.scripts: ScriptRunner = self.fake_scripts
        self.unknown: set[str] = set()
        self.disk_is_full = False
        self.saves = 0
        self.password: str | None = None
        self.logged: list[tuple[str, str]] = []
        self.sentinel = Sentinel(node, self)
        self.watch = self.sentinel.watch
        self.numeric = numeric
        sentinel_lines.load(self.watch, config_lines(node.disk["file"]))
        node.listen((node.name, SENTINEL_PORT), lambda: SentinelClient(self))
        self.sentinel.start()

    @property
    def primary(self) -> Primary:
        return self.watch.primaries[NAME]

    @property
    def votes(self) -> list[tuple[str, str]]:
        """Pairs of epoch and candidate, in their order."""
        texts = [each.text for each in self.events("+vote-for-leader")]
        return [(text.split()[1], text.split()[0]) for text in texts]

    def events(self, kind: str) -> list[Happening]:
        name = self.node.name
        return [each for each in self.happenings if each.kind == kind and each.node == name]

    # -- Surroundings ----------------------------------------------------------------------------

    def log(self, level: str, text: str) -> None:
        self.logged.append((level, text))

    def publish(self, channel: str, message: str) -> None:
        happening = Happening(self.node.network.now / 1e6, self.node.name, channel, message)
        self.happenings.append(happening)
        if channel == "+elected-leader" and not self.primary.forced:
            self.publish("leads", str(self.primary.failover_epoch))

    def save(self) -> bool:
        self.saves += 1
        if self.disk_is_full:
            return False
        words = saved_lines.WORDS
        lines = [line for word in words for line in saved_lines.lines_of(self.watch, word)]
        self.node.disk["file"] = [line.text for line in lines]
        for primary in self.watch.primaries.values():
            address = primary.current_address
            pair = f"{primary.config_epoch} {address.host}:{address.port}"
            self.publish("saved", pair)
        return True

    def crash(self) -> None:
        self.node.network.crash(self.node.name)

    def resolve(self, host: str, numeric: bool) -> str | None:
        """Nodes have no addresses but their names."""
        if host in self.unknown or (numeric and self.numeric):
            return None
        return host

    def own_port(self) -> int:
        return SENTINEL_PORT

    def own_password(self) -> str | None:
        return self.password

    def is_executable(self, path: str) -> bool:
        return path.startswith("/")


class SentinelClient(Served):
    """A client of a Sentinel: another one."""

    server: SimulatedSentinel

    def execute(self, words: list[bytes]) -> bytes:
        name = words[0].upper()
        sentinel = self.server.sentinel
        if name == b"PING":
            return b"+PONG\r\n"
        if name == b"PUBLISH":
            sentinel.hello.process(words[2])
            return b":1\r\n"
        if name == b"SENTINEL":
            host, port, epoch, candidate = (word.decode() for word in words[2:])
            address = PeerAddress(host, host, int(port))
            down, leader, when = sentinel.is_down(address, int(epoch), candidate)
            return b"*3\r\n:%d\r\n%b:%d\r\n" % (down, bulk(leader.encode()), when)
        return b"+OK\r\n"


def config_lines(texts: Sequence[bytes]) -> list[ConfigLine]:
    """Lines as they come out of a file."""
    lines = []
    for number, text in enumerate(texts, 1):
        words = split_arguments(text)
        assert words
        lines.append(ConfigLine(number, text.decode(), tuple(words)))
    return lines


class Fleet:
    """Servers ``r0`` (the primary), ``r1``... and Sentinels ``s0``..., all in a network."""

    def __init__(
        self,
        seed: int = 1,
        servers: int = 3,
        sentinels: int = 3,
        quorum: int = 2,
        lines: Sequence[str] = (),
    ):
        self.network = Network(seed, ManualClock(), pieces=2, traced=False)
        self.happenings: list[Happening] = []
        self.first_file = [
            f"sentinel monitor {NAME} r0 {PORT} {quorum}",
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}",
            f"sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT}",
            *lines,
        ]
        self._servers: dict[str, DataServer] = {}
        self._sentinels: dict[str, SimulatedSentinel] = {}
        for number in range(servers):
            self.network.node(f"r{number}", self._boot_server)
        for number in range(sentinels):
            self.network.node(f"s{number}", self._boot_sentinel)

    def _boot_server(self, node: Node) -> None:
        if node.name != "r0":
            node.disk.setdefault("follows", ("r0", PORT))
        self._servers[node.name] = DataServer(node)

    def _boot_sentinel(self, node: Node) -> None:
        node.disk.setdefault("file", [line.encode() for line in self.first_file])
        self._sentinels[node.name] = SimulatedSentinel(node, self.happenings)

    def server(self, name: str) -> DataServer:
        return self._servers[name]

    def sentinel(self, name: str = "s0") -> SimulatedSentinel:
        return self._sentinels[name]

    @property
    def sentinels(self) -> list[SimulatedSentinel]:
        return list(self._sentinels.values())

    def run(self, seconds: float) -> None:
        self.network.run(seconds)

    def events(self, *kinds: str) -> list[Happening]:
        return [each for each in self.happenings if each.kind in kinds]

    def wait_for_meeting(self) -> None:
        """Until all Sentinels know all others and all replicas."""
        servers, sentinels = len(self._servers) - 1, len(self._sentinels) - 1

        def met() -> bool:
            return all(
                len(each.primary.replicas) == servers
                and len(each.primary.sentinels) == sentinels
                and not any(member.link.disconnected for member in each.primary.members())
                and all(replica.info_refresh for replica in each.primary.replicas.values())
                for each in self.sentinels
            )

        self.network.run_until(met)

    def agreed(self) -> str | None:
        """The name of the primary, if everybody takes it for that and all is well."""
        primaries = [name for name, server in self._servers.items() if server.follows is None]
        if len(primaries) != 1:
            return None
        name = primaries[0]
        for server in self._servers.values():
            if server.follows is not None and not self._follows_well(server, name):
                return None
        for each in self.sentinels:
            primary = each.primary
            if primary.current_address.host != name or primary.failing_over or primary.is_down:
                return None
            if any(member.s_down for member in primary.members()):
                return None
        return name

    @staticmethod
    def _follows_well(server: DataServer, name: str) -> bool:
        return server.follows == (name, PORT) and server.is_linked

    def wait_for_agreement(self, seconds: float) -> float:
        """Until all agree; the seconds that it took."""
        return self.network.run_until(lambda: self.agreed() is not None, seconds)

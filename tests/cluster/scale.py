"""How a cluster grows: traffic and work of gossip, and the time that a failover takes, simulated.

``python -m tests.cluster.scale --nodes 100 200``: half of the nodes are primaries, each with one
replica. The network here is a lighter one than that of histories: messages come whole and in order
after some delay, and nothing is ever lost but what was sent to a node that is gone.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import resource
import time
from collections.abc import Callable
from functools import partial
from random import Random
from statistics import median

from carnelian.cluster.cluster_member import ClusterMember
from carnelian.cluster.known.node_flags import FAIL
from carnelian.keyspace.clock import ManualClock
from carnelian.net.protocol import Address, Conversation

from .simulated_cluster import SLOTS, Settings
from .simulated_data import DATA_PORT

# Microseconds that a message takes.
DELAY = 200, 2000
BUS_PORT = DATA_PORT + 10000


class LightTimer:
    """A callback that waits for its time."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], object]):
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None

    def __call__(self) -> None:
        if self.callback is not None:
            self.callback()


class LightNetwork:
    """Events in their order, and a clock that follows them."""

    def __init__(self, seed: int):
        self.clock = ManualClock()
        self.random = Random(seed)
        self.now = 0
        self.hosts: dict[str, LightHost] = {}
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._count = 0

    def after(self, microseconds: int, action: Callable[[], object]) -> None:
        self.at(self.now + microseconds, action)

    def at(self, when: int, action: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, action))

    def delay(self) -> int:
        return DELAY[0] + int(self.random.random() * (DELAY[1] - DELAY[0]))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """So many seconds, or until something is so, which is looked at ten times a second; the
        seconds that have passed.
        """
        begun = self.now
        end = begun + round(seconds * 1e6)
        look = begun
        while self._events and self._events[0][0] <= end:
            when, _, action = heapq.heappop(self._events)
            if when > self.now:
                self.clock.advance_us(when - self.now)
                self.now = when
            action()
            if self.now >= look:
                look = self.now + 100_000
                if until():
                    break
        return (self.now - begun) / 1e6


class LightHost:
    """A Host."""

    def __init__(self, network: LightNetwork, name: str):
        self.network = network
        self.name = name
        self.is_up = True
        self.clock = network.clock
        self.random = Random(name)
        self.accept: Callable[[], Conversation] | None = None
        network.hosts[name] = self

    def call_later(self, seconds: float, callback: Callable[[], object]) -> LightTimer:
        timer = LightTimer(callback)
        self.network.after(round(seconds * 1e6), partial(self._fire, timer))
        return timer

    def _fire(self, timer: LightTimer) -> None:
        if self.is_up:
            timer()

    def listen(self, address: Address, accept: Callable[[], Conversation]) -> LightHost:
        self.accept = accept
        return self

    def close(self) -> None:
        self.accept = None

    def connect(self, address: Address, conversation: Conversation, timeout: float = 5.0) -> None:
        target = self.network.hosts[address[0]]
        self.network.after(self.network.delay(), partial(self._arrive, target, conversation))

    def _arrive(self, target: LightHost, conversation: Conversation) -> None:
        if not target.is_up or target.accept is None:
            # Silence, as of a machine that is gone.
            self.network.after(5_000_000, partial(self._tell_lost, conversation))
            return
        here, there = LightWire(self, target), LightWire(target, self)
        here.other, there.other = there, here
        here.conversation, there.conversation = conversation, target.accept()
        there.conversation.connected(there)
        conversation.connected(here)

    def _tell_lost(self, conversation: Conversation) -> None:
        if self.is_up:
            conversation.lost("timed out")


class LightWire:
    """A MeasuredWire."""

    __slots__ = ("conversation", "host", "is_over", "last", "other", "peer_host")

    unsent = 0
    conversation: Conversation
    other: LightWire

    def __init__(self, host: LightHost, peer: LightHost):
        self.host = host
        self.peer_host = peer
        self.is_over = False
        self.last = 0

    @property
    def peer(self) -> Address:
        return self.peer_host.name, BUS_PORT

    @property
    def address(self) -> Address:
        return self.host.name, BUS_PORT

    def pause(self, paused: bool) -> None:
        raise AssertionError("nodes always hear each other")

    def send(self, data: bytes) -> None:
        network = self.host.network
        self.last = max(self.last, network.now + network.delay())
        network.at(self.last, partial(self.other.take, data))

    def take(self, data: bytes) -> None:
        if self.host.is_up and not self.is_over:
            self.conversation.receive(data)

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.host.network.after(self.host.network.delay(), self.other.lose)

    def lose(self) -> None:
        if not self.is_over and self.host.is_up:
            self.is_over = True
            self.conversation.lost("closed")


class ScaleMember:
    """A node without data. A Surroundings."""

    is_loading = False

    def __init__(self, network: LightNetwork, name: str, timeout: int, text: bytes):
        self.host = LightHost(network, name)
        self.settings = Settings(name)
        self.settings.node_timeout = timeout
        self.address: Address | None = None
        self.won = 0
        self.member = ClusterMember(self.host, self.settings, self, text)

    def log(self, level: str, text: str) -> None:
        if text.startswith("Failover election won"):
            self.won = self.host.network.now

    def save(self, text: bytes, durable: bool) -> None:
        pass

    def append(self, text: bytes) -> None:
        pass

    def give_up(self, text: str) -> None:
        raise AssertionError(text)

    def has_keys(self) -> bool:
        return False

    def has_other_databases(self) -> bool:
        return False

    def count_keys(self, slot: int) -> int:
        return 0

    def slots_lost(self, slots: list[int]) -> None:
        pass

    def flush(self) -> None:
        pass

    def follow(self, host: str, port: int, anew: bool) -> None:
        self.address = host, port

    def lead(self) -> None:
        self.address = None

    def followed(self) -> Address | None:
        return self.address

    def offset(self) -> int:
        return 1

    def data_age(self) -> int | None:
        return 0

    def pause_writes(self, milliseconds: int) -> None:
        pass

    def resume_writes(self) -> None:
        pass

    def deliver(self, channel: bytes, message: bytes, sharded: bool) -> None:
        pass


class BigCluster:
    """So many nodes, which know each other already."""

    def __init__(self, nodes: int, timeout: int):
        self.network = LightNetwork(nodes)
        self.names = [f"10.{n // 62500}.{n // 250 % 250}.{n % 250 + 1}" for n in range(nodes)]
        lines = self._lines()
        self.members = []
        for number, name in enumerate(self.names):
            mine = [*lines]
            mine[number] = (
                mine[number].replace(" master", " myself,master").replace(" slave", " myself,slave")
            )
            text = "\n".join(mine) + f"\nvars currentEpoch {nodes} lastVoteEpoch 0\n"
            self.members.append(ScaleMember(self.network, name, timeout, text.encode()))

    def _lines(self) -> list[str]:
        count = len(self.names)
        primaries = count // 2
        lines = []
        for number, name in enumerate(self.names):
            index = number % primaries
            first, last = index * SLOTS // primaries, (index + 1) * SLOTS // primaries - 1
            role = "master - 0 1" if number < primaries else f"slave {index:040x} 0 1"
            slots = f" {first}-{last}" if number < primaries else ""
            lines.append(
                f"{number:040x} {name}:{DATA_PORT}@{BUS_PORT},,tls-port=0,shard-id={index:040x} "
                f"{role} {index + 1} connected{slots}"
            )
        return lines

    def start(self) -> None:
        """Let them begin, not all at once."""
        for member in self.members:
            wait = self.network.random.randrange(1_000_000)
            self.network.after(wait, member.member.start)

    @property
    def bytes_sent(self) -> int:
        return sum(each.member.view.statistics.bytes_sent for each in self.members)

    @property
    def messages_sent(self) -> int:
        return sum(sum(each.member.view.statistics.sent) for each in self.members)


def measure(nodes: int, timeout: int, seconds: float) -> str:
    """One cluster's figures as a row of a table."""
    begun = time.process_time()
    cluster = BigCluster(nodes, timeout)
    gc.collect()
    gc.freeze()
    network = cluster.network
    cluster.start()
    network.run(timeout / 1000, lambda: all(each.member.view.is_ok for each in cluster.members))
    network.run(timeout / 2000)
    ready = time.process_time() - begun

    sent, messages, begun = cluster.bytes_sent, cluster.messages_sent, time.process_time()
    network.run(seconds)
    work = (time.process_time() - begun) / seconds
    traffic = (cluster.bytes_sent - sent) / seconds / nodes
    rate = (cluster.messages_sent - messages) / seconds / nodes

    victim, heir = cluster.members[0], cluster.members[nodes // 2]
    id = victim.member.myself.id
    rest = cluster.members[1:]
    victim.host.is_up = False
    crashed = network.now
    limit = timeout / 1000 * 6
    found: list[float] = []

    def has_failed() -> bool:
        return any(each.member.view.nodes[id].flags & FAIL for each in rest)

    def is_replaced() -> bool:
        return all(
            each.member.view.owners[0] is not None
            and each.member.view.is_ok
            and each.member.view.owners[0].ip == heir.host.name
            for each in rest
        )

    network.run(limit, has_failed)
    found.append((network.now - crashed) / 1e6)
    network.run(limit, lambda: heir.won > 0)
    found.append((heir.won - crashed) / 1e6)
    network.run(limit, is_replaced)
    found.append((network.now - crashed) / 1e6)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = [each.member.view.size for each in rest]
    assert median(sizes) == nodes // 2
    return (
        f"| {nodes} | {rate:.1f} | {traffic / 1024:.1f} | {work / nodes * 100:.2f} | "
        f"{found[0]:.1f} | {found[1]:.1f} | {found[2]:.1f} | {memory:.0f} | {ready:.0f} |"
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.scale", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 50, 100])
    parser.add_argument("--timeout", type=int, default=15000, help="cluster-node-timeout, ms")
    parser.add_argument("--seconds", type=float, default=10.0, help="of steady life to measure")
    options = parser.parse_args()
    print(
        "| nodes | messages/s of a node | KiB/s of a node | CPU of a node, % | failure found, s | "
        "replica elected, s | known to all, s | MiB of all | CPU s to start |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for nodes in options.nodes:
        print(measure(nodes, options.timeout, options.seconds), flush=True)


if __name__ == "__main__":
    main()

"""Clusters of servers of one kind, for a benchmark: primaries alone, on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.client import Client, batched, encode, send_all
from harness.servers import Server, free_port

SLOTS = 16384
_FORM_SECONDS = 30.0
_OPTIONS = ("--cluster-enabled", "yes", "--cluster-node-timeout", "15000")


class Cluster:
    """Servers that share all slots evenly; ``port`` and ``pids`` are what a generator asks for."""

    def __init__(self, name: str, servers: list[Server], bus_ports: list[int]):
        self.name = name
        self.servers = servers
        self.port = servers[0].port
        self.tls_port = 0
        self._form(bus_ports)

    @property
    def pids(self) -> list[int]:
        return [server.pid for server in self.servers]

    def _form(self, bus_ports: list[int]) -> None:
        """Give out the slots, have all meet, and wait until each of them is content."""
        count = len(self.servers)
        for number, server in enumerate(self.servers):
            slots = range(SLOTS * number // count, SLOTS * (number + 1) // count)
            with server.client() as client:
                client("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                client("CLUSTER", "ADDSLOTS", *slots)
                for other, bus_port in zip(self.servers[:number], bus_ports, strict=False):
                    client("CLUSTER", "MEET", "127.0.0.1", other.port, bus_port)
        deadline = time.monotonic() + _FORM_SECONDS
        while not all(self._content(server) for server in self.servers):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the cluster of {self.name} does not come about")
            time.sleep(0.05)

    def _content(self, server: Server) -> bool:
        with server.client() as client:
            text: str = client("CLUSTER", "INFO").decode()
        fields = dict(line.split(":", 1) for line in text.split())
        return fields["cluster_state"] == "ok" and fields["cluster_size"] == str(len(self.servers))

    def ids(self) -> list[str]:
        """The IDs of the servers."""
        found = []
        for server in self.servers:
            with server.client() as client:
                found.append(client("CLUSTER", "MYID").decode())
        return found

    def keys(self) -> list[int]:
        """How many keys each server has."""
        found = []
        for server in self.servers:
            with server.client() as client:
                found.append(client("DBSIZE"))
        return found

    def fill(self, keys: int, size: int) -> None:
        """Set so many keys, each where it belongs."""
        value = b"x" * size
        names: list[list[bytes]] = [[] for _ in self.servers]
        with self.servers[0].client() as client:
            for batch in batched((b"key:%012d" % n for n in range(keys)), 1000):
                for name, slot in zip(batch, _slots(client, batch), strict=True):
                    names[slot * len(self.servers) // SLOTS].append(name)
        for server, own in zip(self.servers, names, strict=True):
            send_all(server.port, (encode("SET", name, value) for name in own), 500)


def _slots(client: Client, names: list[bytes]) -> list[int]:
    client.socket.sendall(b"".join(encode("CLUSTER", "KEYSLOT", name) for name in names))
    return [client.read() for _ in names]


@contextmanager
def running(
    name: str, command: list[str], shards: int, pinned: bool, *options: str
) -> Iterator[Cluster]:
    """A cluster that ends with the block; its servers are pinned to CPUs of their own, or not."""
    with ExitStack() as stack:
        bus_ports = [free_port() for _ in range(shards)]
        servers = [
            stack.enter_context(
                Server(
                    name,
                    command,
                    *_OPTIONS,
                    *("--cluster-port", str(port)),
                    *options,
                    cpu=number if pinned else None,
                )
            )
            for number, port in enumerate(bus_ports)
        ]
        yield Cluster(name, servers, bus_ports)


@contextmanager
def single(name: str, command: list[str], clustered: bool, cpu: int | None) -> Iterator[Server]:
    """One server that has all slots, or is none of a cluster."""
    options = (*_OPTIONS, "--cluster-port", str(free_port())) if clustered else ()
    with Server(name, command, *options, cpu=cpu) as server:
        if clustered:
            with server.client() as client:
                client("CLUSTER", "ADDSLOTS", *range(SLOTS))
            _await_state(server)
        yield server


def _await_state(server: Server) -> None:
    deadline = time.monotonic() + _FORM_SECONDS
    with server.client() as client:
        while b"cluster_state:ok" not in client("CLUSTER", "INFO"):
            if time.monotonic() > deadline:
                raise TimeoutError("a node with all slots does not serve them")
            time.sleep(0.05)

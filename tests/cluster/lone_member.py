"""A node of a cluster on real sockets, without an engine."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.cluster.cluster_member import ClusterMember
from carnelian.keyspace.clock import Clock
from carnelian.net.loop import Loop
from carnelian.net.protocol import Address
from carnelian.net.runtime import LoopHost
from support.waiting import free_port

HERE = "127.0.0.1"


class LoneSettings:
    """The defaults, with a short timeout, on free ports."""

    def __init__(self, node_timeout: int = 2000):
        self.node_timeout = node_timeout
        self.replica_validity_factor = 10
        self.migration_barrier = 1
        self.allow_replica_migration = True
        self.replica_no_failover = False
        self.require_full_coverage = True
        self.link_sendbuf_limit = 0
        self.repl_ping_period = 10
        self.bind_addresses = [HERE]
        self.tcp_port = free_port()
        self.tls_port = 0
        self.bus_port = free_port()
        self.tls_cluster = False
        self.tls_replication = False
        self.announce_ip = ""
        self.announce_port = 0
        self.announce_tls_port = 0
        self.announce_bus_port = 0
        self.announce_hostname = ""
        self.announce_human_nodename = ""


class LoneMember:
    """A node whose data is only an offset. A Surroundings."""

    is_loading = False

    def __init__(self, text: bytes | None = None, settings: LoneSettings | None = None):
        self.loop = Loop()
        self.faults: list[Exception] = []
        self.settings = settings or LoneSettings()
        self.logged: list[str] = []
        self.delivered: list[tuple[bytes, bytes, bool]] = []
        self.text = b""
        self.stream = 1
        self.address: Address | None = None
        self.paused = False
        host = LoopHost(self.loop, Clock(), self.faults.append)
        self.member = ClusterMember(host, self.settings, self, text)
        self.member.start()

    def close(self) -> None:
        self.member.stop()
        self.loop.close()

    @property
    def id(self) -> str:
        return self.member.myself.id

    def wait_for(self, condition: Callable[[], object], seconds: float = 15) -> None:
        """Let the node live until something is so; fails if it does not become so."""
        happened = []

        def look() -> None:
            if condition():
                happened.append(True)
                self.loop.stop()
            else:
                self.loop.call_later(0.05, look)

        self.loop.call_later(0, look)
        end = self.loop.call_later(seconds, self.loop.stop)
        self.loop.run()
        end.cancel()
        assert not self.faults, self.faults
        assert happened, "what was waited for did not happen"

    # -- Surroundings ----------------------------------------------------------------------------

    def log(self, level: str, text: str) -> None:
        self.logged.append(text)

    def save(self, text: bytes, durable: bool) -> None:
        self.text = text

    def append(self, text: bytes) -> None:
        self.text += text

    def give_up(self, text: str) -> None:
        raise AssertionError(text)

    def has_keys(self) -> bool:
        return False

    def has_other_databases(self) -> bool:
        return False

    def count_keys(self, slot: int) -> int:
        return 0

    def slots_lost(self, slots: list[int]) -> None:
        raise AssertionError("there were no keys")

    def flush(self) -> None:
        pass

    def follow(self, host: str, port: int, anew: bool) -> None:
        self.address = host, port

    def lead(self) -> None:
        self.address = None

    def followed(self) -> Address | None:
        return self.address

    def offset(self) -> int:
        return self.stream

    def data_age(self) -> int | None:
        return 0 if self.address else None

    def pause_writes(self, milliseconds: int) -> None:
        self.paused = True

    def resume_writes(self) -> None:
        self.paused = False

    def deliver(self, channel: bytes, message: bytes, sharded: bool) -> None:
        self.delivered.append((channel, message, sharded))

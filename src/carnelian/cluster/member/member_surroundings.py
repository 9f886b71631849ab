"""What a node of a cluster asks of the process around it: a file, keys, replication, clients."""

from __future__ import annotations

from typing import Protocol

from carnelian.net.protocol import Address


class MemberSettings(Protocol):
    """The configuration, read whenever it is needed: what changes counts at once, except that
    :meth:`ClusterMember.settings_changed` has to be told of announced names and addresses, and of
    ``replica_no_failover``.
    """

    # Milliseconds of silence after which a node is taken for dead.
    node_timeout: int
    replica_validity_factor: int
    migration_barrier: int
    allow_replica_migration: bool
    replica_no_failover: bool
    require_full_coverage: bool
    # Unsent bytes at which a link is cut; 0 is no limit.
    link_sendbuf_limit: int
    # Seconds between two pings of a primary to its replicas (repl-ping-replica-period).
    repl_ping_period: int
    # What is listened on; 0 is nothing, for bus_port it is the port of clients and 10,000 more.
    bind_addresses: list[str]
    tcp_port: int
    tls_port: int
    bus_port: int
    # Whether the bus is encrypted, and whether replicas are to use TLS.
    tls_cluster: bool
    tls_replication: bool
    # What others are told; "" and 0 are what is so by itself.
    announce_ip: str
    announce_port: int
    announce_tls_port: int
    announce_bus_port: int
    announce_hostname: str
    announce_human_nodename: str


class Surroundings(Protocol):
    """The process around a node."""

    # -- The process -----------------------------------------------------------------------------

    @property
    def is_loading(self) -> bool:
        """Whether the data is still being read from the disk: nobody is let in on the bus then."""

    def log(self, level: str, text: str) -> None:
        """Write a line of log; levels are ``debug``, ``verbose``, ``notice``, ``warning``."""

    def save(self, text: bytes, durable: bool) -> None:
        """Replace the file of the nodes, wholly or not at all; ``durable`` is on the disk when this
        returns. Raises OSError.
        """

    def append(self, text: bytes) -> None:
        """Add to the file of the nodes, without waiting for the disk. Raises OSError."""

    def give_up(self, text: str) -> None:
        """End the process at once for a reason that is fatal, which is logged."""

    # -- Keys ------------------------------------------------------------------------------------

    def has_keys(self) -> bool:
        """Whether there is any key in database 0."""

    def has_other_databases(self) -> bool:
        """Whether there is any key in other databases."""

    def count_keys(self, slot: int) -> int:
        """How many keys a slot has."""

    def slots_lost(self, slots: list[int]) -> None:
        """Slots have another owner and this node is still a primary: delete their keys. Only slots
        with keys are told of.
        """

    def flush(self) -> None:
        """Delete all keys."""

    # -- Replication -----------------------------------------------------------------------------

    def follow(self, host: str, port: int, anew: bool) -> None:
        """Replicate from a primary from now on (again if it is the same one already); ``anew`` if
        the data here has nothing to do with its own.
        """

    def lead(self) -> None:
        """Follow nobody any more."""

    def followed(self) -> Address | None:
        """Who is followed, be there a connection or not."""

    def offset(self) -> int:
        """Bytes of the stream of replication: written if nobody is followed, else processed."""

    def data_age(self) -> int | None:
        """Milliseconds since the primary was last heard, or since the connection to it was lost;
        None if there has been none.
        """

    # -- Clients ---------------------------------------------------------------------------------

    def pause_writes(self, milliseconds: int) -> None:
        """Let writes of clients wait for so long, and let nothing expire."""

    def resume_writes(self) -> None:
        """Let them go on."""

    def deliver(self, channel: bytes, message: bytes, sharded: bool) -> None:
        """Give a message of another node to the subscribers here."""

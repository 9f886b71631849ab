"""The configuration of a server, as a node of a cluster reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carnelian.engine.config import Config

# Directives that the node has to be told of when they change.
TOLD = (
    "cluster-announce-ip",
    "cluster-announce-port",
    "cluster-announce-tls-port",
    "cluster-announce-bus-port",
    "cluster-announce-hostname",
    "cluster-announce-human-nodename",
    "cluster-replica-no-failover",
    "port",
    "tls-port",
)


class Setting:
    """The value of a directive at the moment; a text that is not set is empty."""

    def __init__(self, name: str):
        self._name = name

    def __get__(self, settings: ConfigSettings, kind: type | None = None) -> Any:
        value = settings.config[self._name]
        return "" if value is None else value


class ConfigSettings:
    """Reads directives whenever they are asked for; see
    :class:`carnelian.cluster.member.member_surroundings.MemberSettings`.
    """

    node_timeout = Setting("cluster-node-timeout")
    replica_validity_factor = Setting("cluster-replica-validity-factor")
    migration_barrier = Setting("cluster-migration-barrier")
    allow_replica_migration = Setting("cluster-allow-replica-migration")
    replica_no_failover = Setting("cluster-replica-no-failover")
    require_full_coverage = Setting("cluster-require-full-coverage")
    link_sendbuf_limit = Setting("cluster-link-sendbuf-limit")
    repl_ping_period = Setting("repl-ping-replica-period")
    bind_addresses = Setting("bind")
    tcp_port = Setting("port")
    tls_port = Setting("tls-port")
    bus_port = Setting("cluster-port")
    tls_cluster = Setting("tls-cluster")
    tls_replication = Setting("tls-replication")
    announce_ip = Setting("cluster-announce-ip")
    announce_port = Setting("cluster-announce-port")
    announce_tls_port = Setting("cluster-announce-tls-port")
    announce_bus_port = Setting("cluster-announce-bus-port")
    announce_hostname = Setting("cluster-announce-hostname")
    announce_human_nodename = Setting("cluster-announce-human-nodename")

    def __init__(self, config: Config):
        self.config = config

"""The configuration of a server, as a node of a cluster reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


class ConfigSettings:
    """Reads directives whenever they are asked for; see
    :class:`carnelian.cluster.known.member_surroundings.MemberSettings`.
    """

    def __init__(self, config: Config):
        self._config = config

    @property
    def node_timeout(self) -> int:
        return self._config["cluster-node-timeout"]

    @property
    def replica_validity_factor(self) -> int:
        return self._config["cluster-replica-validity-factor"]

    @property
    def migration_barrier(self) -> int:
        return self._config["cluster-migration-barrier"]

    @property
    def allow_replica_migration(self) -> bool:
        return self._config["cluster-allow-replica-migration"]

    @property
    def replica_no_failover(self) -> bool:
        return self._config["cluster-replica-no-failover"]

    @property
    def require_full_coverage(self) -> bool:
        return self._config["cluster-require-full-coverage"]

    @property
    def link_sendbuf_limit(self) -> int:
        return self._config["cluster-link-sendbuf-limit"]

    @property
    def repl_ping_period(self) -> int:
        return self._config["repl-ping-replica-period"]

    @property
    def bind_addresses(self) -> list[str]:
        return list(self._config["bind"])

    @property
    def tcp_port(self) -> int:
        return self._config["port"]

    @property
    def tls_port(self) -> int:
        return self._config["tls-port"]

    @property
    def bus_port(self) -> int:
        return self._config["cluster-port"]

    @property
    def tls_cluster(self) -> bool:
        return self._config["tls-cluster"]

    @property
    def tls_replication(self) -> bool:
        return self._config["tls-replication"]

    @property
    def announce_ip(self) -> str:
        return self._config["cluster-announce-ip"] or ""

    @property
    def announce_port(self) -> int:
        return self._config["cluster-announce-port"]

    @property
    def announce_tls_port(self) -> int:
        return self._config["cluster-announce-tls-port"]

    @property
    def announce_bus_port(self) -> int:
        return self._config["cluster-announce-bus-port"]

    @property
    def announce_hostname(self) -> str:
        return self._config["cluster-announce-hostname"] or ""

    @property
    def announce_human_nodename(self) -> str:
        return self._config["cluster-announce-human-nodename"] or ""

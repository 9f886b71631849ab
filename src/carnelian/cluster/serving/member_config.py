"""The configuration of a server, as a node of a cluster reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from carnelian.engine.config import ConfigError

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


class BusProtection:
    """``cluster-bus-port-protected-mode``: whether a bus without TLS is refused, or told of.

    Nothing but the certificates of TLS keeps a stranger who reaches the port out of the cluster.
    """

    def __init__(self, config: Config, log: Callable[[str, str], object]):
        self._config = config
        self._log = log
        self._encrypted = config["tls-cluster"]
        config.on_change("tls-cluster", self._encryption_changed)
        config.on_change("cluster-bus-port-protected-mode", self._mode_changed)

    def warn(self) -> None:
        """Tell that the bus is open, if it is."""
        if not self._config["tls-cluster"]:
            self._log(
                "warning",
                "WARNING: the cluster bus port is not authenticated, as 'tls-cluster' is off: "
                "whoever reaches it can join the cluster. Let only trusted hosts reach it; "
                "'cluster-bus-port-protected-mode yes' refuses to run like this.",
            )

    @property
    def _is_refused(self) -> bool:
        config = self._config
        return config["cluster-bus-port-protected-mode"] and not config["tls-cluster"]

    def _encryption_changed(self, wanted: bool) -> None:
        if self._is_refused:
            raise ConfigError(
                "can't disable tls-cluster while cluster-bus-port-protected-mode is enabled, as "
                "that would leave the cluster bus port unauthenticated; disable "
                "cluster-bus-port-protected-mode first, or in the same CONFIG SET call"
            )
        # A change that was refused is undone by being told of once more.
        if wanted != self._encrypted:
            self._encrypted = wanted
            self.warn()

    def _mode_changed(self, wanted: bool) -> None:
        if self._is_refused:
            raise ConfigError(
                "can't enable cluster-bus-port-protected-mode while tls-cluster is disabled, as "
                "that leaves the cluster bus port unauthenticated; enable tls-cluster first, or "
                "in the same CONFIG SET call"
            )

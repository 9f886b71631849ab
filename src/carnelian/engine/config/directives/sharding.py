"""Redis Cluster."""

from carnelian.engine.config import checks
from carnelian.engine.config.directive import Boolean, Choice, Integer, Memory, Text, Topic
from carnelian.engine.config.quantities import INT_MAX, LONG_MAX, ULONG_MAX

TOPIC = Topic(
    "Cluster",
    (
        Boolean("cluster-enabled", False, "immutable", summary="Be a node of a cluster."),
        Text(
            "cluster-config-file",
            "nodes.conf",
            "immutable",
            summary="File that the node keeps its state in.",
        ),
        Integer(
            "cluster-node-timeout",
            15000,
            0,
            LONG_MAX,
            summary="Milliseconds of silence after which a node is taken for dead.",
        ),
        Integer(
            "cluster-port",
            0,
            0,
            65535,
            "immutable",
            summary="Port of the cluster bus; 0 is port plus 10000.",
        ),
        Integer(
            "cluster-replica-validity-factor",
            10,
            0,
            INT_MAX,
            alias="cluster-slave-validity-factor",
            summary="Timeouts without its primary after which a replica does not stand for it.",
        ),
        Integer(
            "cluster-migration-barrier",
            1,
            0,
            INT_MAX,
            summary="Replicas a primary keeps when one moves to another primary.",
        ),
        Boolean(
            "cluster-allow-replica-migration",
            True,
            summary="Let replicas move to primaries that have none.",
        ),
        Boolean(
            "cluster-bus-port-protected-mode",
            False,
            summary="Be no node whose bus is open to whoever reaches its port: need `tls-cluster`.",
        ),
        Boolean(
            "cluster-replica-no-failover",
            False,
            alias="cluster-slave-no-failover",
            summary="Never stand for the primary.",
        ),
        Boolean(
            "cluster-require-full-coverage",
            True,
            summary="Refuse commands while any slot has no node.",
        ),
        Boolean(
            "cluster-allow-reads-when-down",
            False,
            summary="Answer reads while the cluster is down.",
        ),
        Boolean(
            "cluster-allow-pubsubshard-when-down",
            True,
            summary="Serve sharded channels while the cluster is down.",
        ),
        Memory(
            "cluster-link-sendbuf-limit",
            0,
            0,
            ULONG_MAX,
            summary="Unsent bytes at which a link between nodes is cut; 0 is no limit.",
        ),
        Text(
            "cluster-announce-ip",
            None,
            check=checks.node_address,
            summary="Address to give to other nodes.",
        ),
        Integer(
            "cluster-announce-port",
            0,
            0,
            65535,
            summary="Port to give to other nodes; 0 is the one listened on.",
        ),
        Integer(
            "cluster-announce-tls-port",
            0,
            0,
            65535,
            summary="TLS port to give to other nodes; 0 is the one listened on.",
        ),
        Integer(
            "cluster-announce-bus-port",
            0,
            0,
            65535,
            summary="Port of the bus to give to other nodes; 0 is the one listened on.",
        ),
        Text(
            "cluster-announce-hostname",
            None,
            check=checks.host_name,
            summary="Host name to give to other nodes and to clients.",
        ),
        Text(
            "cluster-announce-human-nodename",
            None,
            check=checks.node_name,
            summary="Name of the node in logs.",
        ),
        Choice(
            "cluster-preferred-endpoint-type",
            "ip",
            "ip hostname unknown-endpoint",
            summary="What redirections and CLUSTER SLOTS point to.",
        ),
        Integer(
            "cluster-compatibility-sample-ratio",
            0,
            0,
            100,
            summary="Of a hundred commands, how many are looked at for what a cluster would refuse "
            "(cluster_incompatible_ops of INFO).",
        ),
        Boolean(
            "cluster-slot-stats-enabled",
            False,
            summary="Sum up time, traffic and memory of each slot (CLUSTER SLOT-STATS).",
        ),
        Memory(
            "cluster-slot-migration-handoff-max-lag-bytes",
            1024 * 1024,
            0,
            LONG_MAX,
            summary="Bytes of lag at which writes are paused for slots to change hands.",
        ),
        Integer(
            "cluster-slot-migration-write-pause-timeout",
            10000,
            0,
            LONG_MAX,
            summary="Milliseconds that writes are paused at most when slots change hands.",
        ),
        Integer(
            "cluster-slot-migration-sync-buffer-drain-timeout",
            60000,
            0,
            LONG_MAX,
            "hidden",
            summary="Milliseconds in which a node that takes slots has to come close.",
        ),
        Integer(
            "cluster-slot-migration-max-archived-tasks",
            32,
            1,
            INT_MAX,
            "hidden",
            summary="How many tasks of moving slots are shown after they have ended.",
        ),
    ),
)

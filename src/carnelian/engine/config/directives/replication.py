"""Primaries and replicas."""

from carnelian.engine.config.directive import (
    Boolean,
    Choice,
    Integer,
    Memory,
    Secret,
    Text,
    Topic,
)
from carnelian.engine.config.quantities import INT_MAX, LONG_MAX, MB
from carnelian.engine.config.special import Backlog, ReplicaOf

REPLICA = Topic(
    "Replica",
    (
        ReplicaOf(
            "replicaof",
            None,
            "immutable",
            alias="slaveof",
            summary="Primary to follow.",
        ),
        Text("masteruser", None, "sensitive", summary="User to log in as at the primary."),
        Secret("masterauth", None, "sensitive", summary="Password at the primary."),
        Boolean(
            "replica-serve-stale-data",
            True,
            alias="slave-serve-stale-data",
            summary="Answer while not connected to the primary.",
        ),
        Boolean(
            "replica-read-only",
            True,
            "debug",
            alias="slave-read-only",
            summary="Refuse writes of clients.",
        ),
        Boolean(
            "replica-ignore-maxmemory",
            True,
            alias="slave-ignore-maxmemory",
            summary="Leave eviction to the primary.",
        ),
        Boolean(
            "replica-ignore-disk-write-errors",
            False,
            summary="Go on when writes to disk fail.",
        ),
        Boolean(
            "replica-lazy-flush",
            False,
            alias="slave-lazy-flush",
            summary="Free the old data in the background when a full copy arrives.",
        ),
        Integer(
            "replica-priority",
            100,
            0,
            INT_MAX,
            alias="slave-priority",
            summary="Order in which replicas are promoted, lowest first; 0: never.",
        ),
        Boolean("replica-announced", True, summary="Be shown to those who look for replicas."),
        Text(
            "replica-announce-ip",
            None,
            alias="slave-announce-ip",
            summary="Address to give to the primary.",
        ),
        Integer(
            "replica-announce-port",
            0,
            0,
            65535,
            alias="slave-announce-port",
            summary="Port to give to the primary; 0 is the one listened on.",
        ),
        Choice(
            "repl-diskless-load",
            "disabled",
            "disabled on-empty-db swapdb flushdb",
            "debug deny-loading",
            summary="Load a full copy from the socket rather than from a file.",
        ),
        Memory(
            "replica-full-sync-buffer-limit",
            0,
            0,
            LONG_MAX,
            awaits="-",
            summary="Bytes of the stream held during a full copy; here the primary holds them.",
        ),
        Boolean(
            "repl-rdb-channel",
            False,
            "hidden",
            awaits="-",
            summary="A connection of its own for full copies; here there is one for all.",
        ),
        Choice(
            "propagation-error-behavior",
            "ignore",
            "ignore panic panic-on-replicas",
            summary="What to do when a command of the primary or the log fails.",
        ),
    ),
)

PRIMARY = Topic(
    "Primary",
    (
        Boolean(
            "repl-diskless-sync",
            True,
            "debug",
            summary="Send a full copy without writing it to disk first.",
        ),
        Integer(
            "repl-diskless-sync-delay",
            5,
            0,
            INT_MAX,
            summary="Seconds to wait for more replicas to send it to.",
        ),
        Integer(
            "repl-diskless-sync-max-replicas",
            0,
            0,
            INT_MAX,
            summary="Replicas that end the wait; 0: only time does.",
        ),
        Integer(
            "repl-ping-replica-period",
            10,
            1,
            INT_MAX,
            alias="repl-ping-slave-period",
            summary="Seconds between two pings to replicas.",
        ),
        Integer(
            "repl-timeout",
            60,
            1,
            INT_MAX,
            summary="Seconds of silence after which the other side is taken for dead.",
        ),
        Boolean(
            "repl-disable-tcp-nodelay",
            False,
            summary="Send fewer, bigger packets, later.",
        ),
        Backlog(
            "repl-backlog-size",
            MB,
            1,
            LONG_MAX,
            summary="Bytes of the stream kept for replicas that come back.",
        ),
        Integer(
            "repl-backlog-ttl",
            3600,
            0,
            LONG_MAX,
            summary="Seconds they are kept without any replica; 0: for ever.",
        ),
        Integer(
            "min-replicas-to-write",
            0,
            0,
            INT_MAX,
            alias="min-slaves-to-write",
            summary="Replicas without which writes are refused.",
        ),
        Integer(
            "min-replicas-max-lag",
            10,
            0,
            INT_MAX,
            alias="min-slaves-max-lag",
            summary="Seconds of silence after which a replica does not count.",
        ),
    ),
)

TOPICS = (REPLICA, PRIMARY)

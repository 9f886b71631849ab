"""Instances as SENTINEL MASTER, REPLICAS and SENTINELS show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from carnelian.sentinel.known.instances import (
    DataInstance,
    Instance,
    PeerSentinel,
    Primary,
    Replica,
    Role,
)
from carnelian.sentinel.known.sentinel_words import to_bytes
from carnelian.sentinel.known.watch import Watch

Fields = Iterator[tuple[str, object]]


def row(watch: Watch, instance: Instance) -> dict[bytes, bytes]:
    """All that is told of an instance."""
    return {name.encode(): to_bytes(value) for name, value in _fields(watch, instance)}


def rows(watch: Watch, instances: Iterable[Instance]) -> list[dict[bytes, bytes]]:
    """All that is told of instances, but of replicas that do not want to be known."""
    return [
        row(watch, instance)
        for instance in instances
        if not isinstance(instance, Replica) or instance.announced
    ]


def _fields(watch: Watch, instance: Instance) -> Fields:
    yield "name", instance.name
    yield "ip", watch.addresses.shown(instance.address)
    yield "port", instance.address.port
    yield "runid", instance.run_id or ""
    yield "flags", ",".join(instance.flags())
    yield from _link(watch, instance)
    if isinstance(instance, DataInstance):
        yield from _data(watch, instance)
    if isinstance(instance, Primary):
        yield from _primary(instance)
    elif isinstance(instance, Replica):
        yield from _replica(instance)
    elif isinstance(instance, PeerSentinel):
        yield "last-hello-message", watch.since(instance.last_hello)
        yield "voted-leader", instance.leader or "?"
        yield "voted-leader-epoch", instance.leader_epoch


def _link(watch: Watch, instance: Instance) -> Fields:
    link = instance.link
    yield "link-pending-commands", link.pending
    yield "link-refcount", len(link.owners)
    if isinstance(instance, Primary) and instance.failing_over:
        yield "failover-state", instance.step.name.lower()
    yield "last-ping-sent", watch.since(link.unanswered_ping) if link.unanswered_ping else 0
    yield "last-ok-ping-reply", watch.since(link.last_available)
    yield "last-ping-reply", watch.since(link.last_pong)
    if instance.s_down:
        yield "s-down-time", watch.since(instance.s_down_since)
    if isinstance(instance, Primary) and instance.o_down:
        yield "o-down-time", watch.since(instance.o_down_since)
    yield "down-after-milliseconds", instance.down_after


def _data(watch: Watch, instance: DataInstance) -> Fields:
    yield "info-refresh", info_age(watch, instance)
    yield "role-reported", "master" if instance.reported_role is Role.PRIMARY else "slave"
    yield "role-reported-time", watch.since(instance.reported_role_since)


def info_age(watch: Watch, instance: DataInstance) -> int:
    """Milliseconds since its INFO came, 0 if none did."""
    return watch.since(instance.info_refresh) if instance.info_refresh else 0


def _primary(primary: Primary) -> Fields:
    yield "config-epoch", primary.config_epoch
    yield "num-slaves", len(primary.replicas)
    yield "num-other-sentinels", len(primary.sentinels)
    yield "quorum", primary.quorum
    yield "failover-timeout", primary.failover_timeout
    yield "parallel-syncs", primary.parallel_syncs
    if primary.notification_script is not None:
        yield "notification-script", primary.notification_script
    if primary.reconfig_script is not None:
        yield "client-reconfig-script", primary.reconfig_script


def _replica(replica: Replica) -> Fields:
    yield "master-link-down-time", replica.link_down_ms
    yield "master-link-status", "ok" if replica.link_is_up else "err"
    yield "master-host", replica.primary_host or "?"
    yield "master-port", replica.primary_port
    yield "slave-priority", replica.priority
    yield "slave-repl-offset", replica.offset
    yield "replica-announced", int(replica.announced)


def info_cache(watch: Watch, primaries: Iterable[Primary]) -> list:
    """Names of primaries, and after each the last INFO of it and of its replicas with their age."""
    reply: list = []
    for primary in primaries:
        instances: list[DataInstance] = [primary, *primary.replicas.values()]
        cached = [[info_age(watch, each), each.info] for each in instances]
        reply += [to_bytes(primary.name), cached]
    return reply

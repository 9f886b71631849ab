"""Where the engine itself follows the configuration; other features have hooks of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from carnelian.datatypes.base import limits
from carnelian.engine.config.quantities import LONG_MAX
from carnelian.engine.ground.slowlog import SlowLog
from carnelian.engine.parts.changes import Changes
from carnelian.engine.parts.client_limits import ClientEviction, OutputLimits
from carnelian.engine.parts.memory_limit import MemoryLimit
from carnelian.engine.parts.tracking import Tracking
from carnelian.engine.shared.core import Core
from carnelian.keyspace import events
from carnelian.keyspace.removal.expire_cycle import ExpireCycle

# More nanoseconds, or bytes, than there will ever be, as C has room for them.
_NEVER = 1 << 62


def follow(
    core: Core,
    slowlog: SlowLog,
    changes: Changes,
    tracking: Tracking,
    expire_cycle: ExpireCycle,
    memory_limit: MemoryLimit,
    output_limits: OutputLimits,
    client_eviction: ClientEviction,
) -> None:
    """Apply the directives that concern the engine, now and whenever they change."""
    rename_commands(core)
    keyspace, eviction = core.keyspace, memory_limit.eviction

    def slow_threshold(microseconds: int) -> None:
        core.slow_ns = min(microseconds * 1000, _NEVER) if microseconds >= 0 else _NEVER

    def latency_threshold(milliseconds: int) -> None:
        core.latency.threshold_ms = milliseconds
        core.latency_ns = min(milliseconds * 1_000_000, _NEVER) if milliseconds else _NEVER

    def eviction_policy(policy: str) -> None:
        keyspace.lfu = policy.endswith("lfu")
        keyspace.lrm = policy.endswith("lrm")
        keyspace.touching = not keyspace.lrm
        eviction.set_policy(policy)

    def memory_bound(size: int) -> None:
        # More than there can be is as good as the most that can be counted.
        memory_limit.set(min(size, LONG_MAX))
        client_memory(core.config["maxmemory-clients"], size)

    def client_memory(limit: int, maxmemory: int | None = None) -> None:
        if limit < 0:
            # A share of all memory.
            limit = (core.config["maxmemory"] if maxmemory is None else maxmemory) * -limit // 100
        client_eviction.set(limit)

    appliers: dict[str, Callable[[Any], None]] = {
        "slowlog-log-slower-than": slow_threshold,
        "slowlog-max-len": slowlog.resize,
        "slowlog-entry-max-argc": _setter(slowlog, "most_words"),
        "slowlog-entry-max-string-len": _setter(slowlog, "most_bytes"),
        "latency-monitor-threshold": latency_threshold,
        "latency-tracking": _setter(core, "latency_tracking"),
        "notify-keyspace-events": lambda letters: changes.notify(events.parse_classes(letters)),
        "active-expire-effort": _setter(expire_cycle, "effort"),
        "lazyfree-lazy-eviction": _setter(memory_limit, "lazy"),
        "lazyfree-lazy-expire": _setter(keyspace, "lazy_expire"),
        "lazyfree-lazy-server-del": _setter(keyspace, "lazy_server_del"),
        "lazyfree-lazy-user-del": _setter(keyspace, "lazy_user_del"),
        "maxmemory-policy": eviction_policy,
        "maxmemory-samples": _setter(eviction, "samples"),
        "maxmemory-eviction-tenacity": memory_limit.set_tenacity,
        "lfu-log-factor": _setter(keyspace, "lfu_log_factor"),
        "lfu-decay-time": _setter(keyspace, "lfu_decay_time"),
        "proto-max-bulk-len": _setter(keyspace, "max_string"),
        "maxmemory": memory_bound,
        "maxmemory-clients": client_memory,
        "client-output-buffer-limit": output_limits.set,
        "tracking-table-max-keys": _setter(tracking, "most_keys"),
    }
    appliers |= {name: _limit(core, name) for name in limits.DIRECTIVES}
    for name, apply in appliers.items():
        apply(core.config[name])
        core.config.on_change(name, apply)


def _setter(owner: object, attribute: str) -> Callable[[Any], None]:
    return lambda value: setattr(owner, attribute, value)


def _limit(core: Core, name: str) -> Callable[[int], None]:
    return lambda value: core.keyspace.limits.set(name, value)


def rename_commands(core: Core) -> None:
    """Give commands the names that the configuration file gives them, or none.

    Raises:
        ConfigFileError: a line names no command, or its new name is taken.
    """
    for line in core.config.renamed_commands:
        try:
            core.registry.rename(line.words[1], line.words[2])
        except KeyError:
            raise line.error("No such command in rename-command") from None
        except ValueError:
            raise line.error("Target command name already exists") from None

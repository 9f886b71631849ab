"""Where the engine itself follows the configuration; other features have hooks of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from carnelian.datatypes import limits
from carnelian.engine.config.numbers import LONG_MAX
from carnelian.keyspace import events

if TYPE_CHECKING:
    from carnelian.engine.config import BufferLimits
    from carnelian.engine.engine import Engine

# More nanoseconds, or bytes, than there will ever be, as C has room for them.
_NEVER = 1 << 62


def follow(engine: Engine) -> None:
    """Apply the directives that concern the engine, now and whenever they change."""
    rename_commands(engine)
    appliers: dict[str, Callable[[Engine, Any], None]] = {
        "slowlog-log-slower-than": _slow_threshold,
        "slowlog-max-len": _slowlog_length,
        "latency-monitor-threshold": _latency_threshold,
        "latency-tracking": _latency_tracking,
        "notify-keyspace-events": _notifications,
        "active-expire-effort": _expire_effort,
        "lazyfree-lazy-eviction": _lazy_eviction,
        "lazyfree-lazy-expire": _lazy_expire,
        "lazyfree-lazy-server-del": _lazy_server_del,
        "lazyfree-lazy-user-del": _lazy_user_del,
        "slowlog-entry-max-argc": _slowlog_words,
        "slowlog-entry-max-string-len": _slowlog_bytes,
        "maxmemory-policy": _eviction_policy,
        "maxmemory-samples": _eviction_samples,
        "maxmemory-eviction-tenacity": _eviction_tenacity,
        "lfu-log-factor": _lfu_log_factor,
        "lfu-decay-time": _lfu_decay_time,
        "proto-max-bulk-len": _longest_string,
        "maxmemory": _memory_limit,
        "maxmemory-clients": _client_memory,
        "client-output-buffer-limit": _output_limits,
    }
    for name, apply in appliers.items():
        apply(engine, engine.config[name])
        engine.config.on_change(name, partial(apply, engine))
    for name in limits.DIRECTIVES:
        engine.keyspace.limits.set(name, engine.config[name])
        engine.config.on_change(name, partial(engine.keyspace.limits.set, name))


def rename_commands(engine: Engine) -> None:
    """Give commands the names that the configuration file gives them, or none.

    Raises:
        ConfigFileError: a line names no command, or its new name is taken.
    """
    for line in engine.config.renamed_commands:
        try:
            engine.registry.rename(line.words[1], line.words[2])
        except KeyError:
            raise line.error("No such command in rename-command") from None
        except ValueError:
            raise line.error("Target command name already exists") from None


def _slow_threshold(engine: Engine, microseconds: int) -> None:
    engine.slow_ns = min(microseconds * 1000, _NEVER) if microseconds >= 0 else _NEVER


def _slowlog_length(engine: Engine, entries: int) -> None:
    engine.slowlog.resize(entries)


def _slowlog_words(engine: Engine, words: int) -> None:
    engine.slowlog.most_words = words


def _slowlog_bytes(engine: Engine, size: int) -> None:
    engine.slowlog.most_bytes = size


def _latency_threshold(engine: Engine, milliseconds: int) -> None:
    engine.latency.threshold_ms = milliseconds
    engine.latency_ns = min(milliseconds * 1_000_000, _NEVER) if milliseconds else _NEVER


def _latency_tracking(engine: Engine, wanted: bool) -> None:
    engine.latency_tracking = wanted


def _notifications(engine: Engine, letters: str) -> None:
    engine.changes.notify(events.parse_classes(letters))


def _expire_effort(engine: Engine, effort: int) -> None:
    engine.expire_cycle.effort = effort


def _lazy_eviction(engine: Engine, wanted: bool) -> None:
    engine.memory_limit.lazy = wanted


def _lazy_expire(engine: Engine, wanted: bool) -> None:
    engine.keyspace.lazy_expire = wanted


def _lazy_user_del(engine: Engine, wanted: bool) -> None:
    engine.keyspace.lazy_user_del = wanted


def _lazy_server_del(engine: Engine, wanted: bool) -> None:
    engine.keyspace.lazy_server_del = wanted


def _eviction_policy(engine: Engine, policy: str) -> None:
    keyspace = engine.keyspace
    keyspace.lfu = policy.endswith("lfu")
    keyspace.lrm = policy.endswith("lrm")
    keyspace.touching = not keyspace.lrm
    engine.memory_limit.eviction.set_policy(policy)


def _eviction_samples(engine: Engine, samples: int) -> None:
    engine.memory_limit.eviction.samples = samples


def _eviction_tenacity(engine: Engine, tenacity: int) -> None:
    engine.memory_limit.set_tenacity(tenacity)


def _lfu_log_factor(engine: Engine, factor: int) -> None:
    engine.keyspace.lfu_log_factor = factor


def _lfu_decay_time(engine: Engine, minutes: int) -> None:
    engine.keyspace.lfu_decay_time = minutes


def _longest_string(engine: Engine, size: int) -> None:
    engine.keyspace.max_string = size


def _memory_limit(engine: Engine, size: int) -> None:
    # More than there can be is as good as the most that can be counted.
    engine.memory_limit.set(min(size, LONG_MAX))
    _client_memory(engine, engine.config["maxmemory-clients"], size)


def _client_memory(engine: Engine, limit: int, maxmemory: int | None = None) -> None:
    if limit < 0:
        # A share of all memory.
        limit = (engine.config["maxmemory"] if maxmemory is None else maxmemory) * -limit // 100
    engine.client_eviction.set(limit)


def _output_limits(engine: Engine, limits: BufferLimits) -> None:
    engine.output_limits.set(limits)

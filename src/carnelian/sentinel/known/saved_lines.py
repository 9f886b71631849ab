"""Writing the ``sentinel`` lines of a configuration file: options, primaries, and all that must not
be forgotten: epochs, votes, replicas, other Sentinels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from carnelian.engine.config.directive import Line
from carnelian.resp.quoting import quote_if_needed
from carnelian.sentinel.known.instances import DEFAULT_PARALLEL_SYNCS, Primary
from carnelian.sentinel.known.periods import DEFAULT_DOWN_AFTER, DEFAULT_FAILOVER_TIMEOUT
from carnelian.sentinel.known.sentinel_words import to_bytes
from carnelian.sentinel.known.watch import Watch

# The words in the order in which they are appended to a file.
WORDS = (
    "myid", "deny-scripts-reconfig", "resolve-hostnames", "announce-hostnames", "monitor",
    "down-after-milliseconds", "failover-timeout", "parallel-syncs", "notification-script",
    "client-reconfig-script", "auth-pass", "auth-user", "master-reboot-down-after-period",
    "config-epoch", "leader-epoch", "known-replica", "known-sentinel", "rename-command",
    "current-epoch", "announce-ip", "announce-port", "sentinel-user", "sentinel-pass",
)  # fmt: skip


def lines_of(watch: Watch, word: str) -> list[Line]:
    """The lines that a file should have for one of WORDS."""
    write = _WRITERS[word]
    return [_line(word, *arguments) for arguments in write(watch)]


def _line(word: str, *arguments: object) -> Line:
    forced = arguments[0] is not _DEFAULT
    words = arguments if forced else arguments[1:]
    return Line(
        b" ".join(
            [b"sentinel", to_bytes(word), *(quote_if_needed(to_bytes(each)) for each in words)]
        ),
        forced,
    )


# Stands before what says no more than the default: such a line stays, but is not added.
_DEFAULT = object()


def _flag(value: bool, default: bool) -> list[tuple]:
    shown = ("no", "yes")[value]
    return [(shown,) if value != default else (_DEFAULT, shown)]


def _number(value: int, default: int, name: str) -> tuple:
    return (name, value) if value != default else (_DEFAULT, name, value)


def _text(value: str | None) -> list[tuple]:
    return [(value,)] if value else []


def _each(one: Callable[[Primary], tuple]) -> Callable[[Watch], list[tuple]]:
    """A line for each primary."""
    return lambda watch: [one(primary) for primary in watch.primaries.values()]


def _where_set(field: str) -> Callable[[Watch], Iterable[tuple]]:
    """A line for each primary that has a text."""
    return lambda watch: [
        (primary.name, getattr(primary, field))
        for primary in watch.primaries.values()
        if getattr(primary, field)
    ]


def _monitors(watch: Watch) -> Iterator[tuple]:
    for primary in watch.primaries.values():
        address = primary.current_address
        yield primary.name, watch.addresses.shown(address), address.port, primary.quorum


def _replicas(watch: Watch) -> Iterator[tuple]:
    for primary in watch.primaries.values():
        current = primary.current_address
        for replica in primary.replicas.values():
            # The one that was promoted is the primary by now, and the old primary its replica.
            promoted = replica.address.same(current)
            address = primary.address if promoted else replica.address
            yield primary.name, watch.addresses.shown(address), address.port


def _sentinels(watch: Watch) -> Iterator[tuple]:
    for primary in watch.primaries.values():
        for other in primary.sentinels.values():
            address = other.address
            yield primary.name, watch.addresses.shown(address), address.port, other.name


def _renamed(watch: Watch) -> Iterator[tuple]:
    for primary in watch.primaries.values():
        for usual, own in primary.renamed.values():
            yield primary.name, usual, own


# What follows a word, for each of its lines.
_WRITERS: dict[str, Callable[[Watch], Iterable[tuple]]] = {
    "myid": lambda watch: [(watch.my_id,)],
    "deny-scripts-reconfig": lambda watch: _flag(watch.options.deny_scripts_reconfig, True),
    "resolve-hostnames": lambda watch: _flag(watch.options.resolve_hostnames, False),
    "announce-hostnames": lambda watch: _flag(watch.options.announce_hostnames, False),
    "monitor": _monitors,
    "down-after-milliseconds": _each(lambda p: _number(p.down_after, DEFAULT_DOWN_AFTER, p.name)),
    "failover-timeout": _each(
        lambda p: _number(p.failover_timeout, DEFAULT_FAILOVER_TIMEOUT, p.name)
    ),
    "parallel-syncs": _each(lambda p: _number(p.parallel_syncs, DEFAULT_PARALLEL_SYNCS, p.name)),
    "notification-script": _where_set("notification_script"),
    "client-reconfig-script": _where_set("reconfig_script"),
    "auth-pass": _where_set("auth_pass"),
    "auth-user": _where_set("auth_user"),
    "master-reboot-down-after-period": _where_set("reboot_down_after"),
    "config-epoch": _each(lambda p: (p.name, p.config_epoch)),
    "leader-epoch": _each(lambda p: (p.name, p.leader_epoch)),
    "known-replica": _replicas,
    "known-sentinel": _sentinels,
    "rename-command": _renamed,
    "current-epoch": lambda watch: [(watch.current_epoch,)],
    "announce-ip": lambda watch: _text(watch.options.announce_ip),
    "announce-port": lambda watch: (
        [(watch.options.announce_port,)] if watch.options.announce_port else []
    ),
    "sentinel-user": lambda watch: _text(watch.options.sentinel_user),
    "sentinel-pass": lambda watch: _text(watch.options.sentinel_pass),
}

"""The times that SENTINEL DEBUG shows and changes."""

from __future__ import annotations

from dataclasses import dataclass, fields

DEFAULT_DOWN_AFTER = 30_000
DEFAULT_FAILOVER_TIMEOUT = 180_000


@dataclass
class Periods:
    """All in milliseconds, in the order in which they are shown.

    ``info``, ``ping``, ``ask`` and ``publish`` are how often instances get a command of that kind,
    ``tilt_trigger`` is a leap of time that cannot be trusted, ``tilt`` how long nothing is done
    after one. ``slave_reconf_timeout`` is how long a replica may take to obey,
    ``min_link_reconnect`` how old a connection is at least that is given up for its silence.
    """

    info: int = 10_000
    ping: int = 1_000
    ask: int = 1_000
    publish: int = 2_000
    default_down_after: int = DEFAULT_DOWN_AFTER
    default_failover_timeout: int = DEFAULT_FAILOVER_TIMEOUT
    tilt_trigger: int = 2_000
    tilt: int = 30_000
    slave_reconf_timeout: int = 10_000
    min_link_reconnect: int = 15_000
    election_timeout: int = 10_000
    script_max_runtime: int = 60_000
    script_retry_delay: int = 30_000


# The field behind each name.
_PERIODS = {"info", "ping", "ask", "publish", "tilt", "min_link_reconnect"}
FIELDS = {
    field.name.replace("_", "-") + ("-period" if field.name in _PERIODS else ""): field.name
    for field in fields(Periods)
}

"""LATENCY: spikes that the monitor has seen, and histograms of every command.

See https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/
"""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.ground.latency import Series
from carnelian.engine.ground.stats import Histogram
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.replies import Error, FlatMap, Verbatim

GROUP = "server"

_GRAPH_COLUMNS = 80
_GRAPH_ROWS = 4

container(
    "LATENCY",
    group="server",
    since="2.8.13",
    help_since="2.8.13",
    summary="Tells where time was lost.",
)


@command(
    "LATENCY HISTORY event",
    "admin noscript loading stale",
    hints=("nondeterministic_output", "request_policy:all_nodes", "response_policy:special"),
)
def history(session: Session, args: list[bytes]) -> list:
    """Lists the spikes of an event, each with its time.

    Since 2.8.13, O(1)
    """
    series = session.engine.latency.events.get(args[2].decode("latin-1"))
    return [] if series is None else [list(sample) for sample in series.samples]


@command(
    "LATENCY LATEST",
    "admin noscript loading stale",
    hints=("nondeterministic_output", "request_policy:all_nodes", "response_policy:special"),
)
def latest(session: Session, args: list[bytes]) -> list:
    """Lists the last and the highest spike of every event.

    Since 2.8.13, O(1)
    """
    return [
        [name.encode(), *series.samples[-1], series.highest]
        for name, series in session.engine.latency.events.items()
    ]


@command(
    "LATENCY RESET [event ...]",
    "admin noscript loading stale",
    hints=("request_policy:all_nodes", "response_policy:agg_sum"),
)
def reset(session: Session, args: list[bytes]) -> int:
    """Forgets the spikes of some events, or of all.

    Since 2.8.13, O(1)
    """
    return session.engine.latency.reset(*(name.decode("latin-1") for name in args[2:]))


@command(
    "LATENCY GRAPH event",
    "admin noscript loading stale",
    hints=("nondeterministic_output", "request_policy:all_nodes", "response_policy:special"),
)
def graph(session: Session, args: list[bytes]) -> Verbatim:
    """Draws the spikes of an event.

    Since 2.8.13, O(1)
    """
    name = args[2].decode("latin-1")
    series = session.engine.latency.events.get(name)
    if series is None:
        raise Error(b"ERR No samples available for event '" + args[2] + b"'")
    return Verbatim(_draw(name, series, session.engine.clock.ms // 1000).encode())


@command(
    "LATENCY DOCTOR",
    "admin noscript loading stale",
    hints=("nondeterministic_output", "request_policy:all_nodes", "response_policy:special"),
)
def doctor(session: Session, args: list[bytes]) -> Verbatim:
    """Explains the spikes in words.

    Since 2.8.13, O(1)
    """
    return Verbatim(_diagnose(session).encode())


@command(
    "LATENCY HISTOGRAM [command ...]",
    "admin noscript loading stale",
    hints=("nondeterministic_output", "request_policy:all_nodes", "response_policy:special"),
)
def histogram(session: Session, args: list[bytes]) -> FlatMap:
    """Shows how long the calls of some commands took, or of all.

    Since 7.0.0, O(N), for N commands that were called
    """
    registry = session.engine.registry
    if len(args) == 2:
        chosen = list(registry.every())
    else:
        chosen = []
        for name in args[2:]:
            found = registry.find(name)
            if found is not None:
                chosen += [found, *found.subcommands.values()]
    reply = FlatMap()
    for each in chosen:
        recorded = each.histogram
        if recorded is not None and recorded.total:
            reply += [each.name, _distribution(recorded)]
    return reply


def _distribution(recorded: Histogram) -> FlatMap:
    rows = FlatMap()
    for bound, calls in recorded.doublings():
        rows += [bound, calls]
    return FlatMap([b"calls", recorded.total, b"histogram_usec", rows])


def _draw(name: str, series: Series, now: int) -> str:
    """Columns of '_', 'o' and '#' by height; under each, read downwards, how long ago it was."""
    samples = list(series.samples)[-_GRAPH_COLUMNS:]
    heights = [milliseconds for _, milliseconds in samples]
    low, high = min(heights), max(heights)
    steps = _GRAPH_ROWS * 3 - 1
    levels = [round((height - low) / max(1, high - low) * steps) for height in heights]
    lines = [
        f"{name} - high {high} ms, low {low} ms (all time high {series.highest} ms)",
        "-" * _GRAPH_COLUMNS,
    ]
    for row in reversed(range(_GRAPH_ROWS)):
        lines.append("".join(_cell(level - row * 3) for level in levels).rstrip())
    labels = [_ago(now - time) for time, _ in samples]
    lines.append("")
    for position in range(max(map(len, labels))):
        lines.append("".join(label[position : position + 1] or " " for label in labels).rstrip())
    return "\n".join(lines) + "\n"


def _cell(above: int) -> str:
    return " " if above < 0 else "_o#"[min(above, 2)] if above < 3 else "|"


def _ago(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{max(0, seconds)}s"


def _diagnose(session: Session) -> str:
    monitor = session.engine.latency
    if not monitor.threshold_ms:
        return (
            "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> "
            "turns it on; then come back after a while.\n"
        )
    if not monitor.events:
        return f"No event has taken {monitor.threshold_ms} ms or more so far: nothing to report.\n"
    lines = [f"Events that took {monitor.threshold_ms} ms or more:", ""]
    for number, (name, series) in enumerate(monitor.events.items(), 1):
        heights = [milliseconds for _, milliseconds in series.samples]
        mean = sum(heights) / len(heights)
        deviation = sum(abs(height - mean) for height in heights) / len(heights)
        span = series.samples[-1][0] - series.samples[0][0]
        period = span / max(1, len(heights) - 1)
        lines.append(
            f"{number}. {name}: {len(heights)} spikes (mean {mean:.0f} ms, mean deviation "
            f"{deviation:.0f} ms, one every {period:.2f} s). Worst of all: {series.highest} ms."
        )
    lines += ["", "What may help:", ""]
    lines += [f"- {_ADVICE[name]}" for name in monitor.events if name in _ADVICE]
    lines.append("- Look for other work on this machine that takes its processor or memory.")
    return "\n".join(lines) + "\n"


_ADVICE = {
    "command": "See SLOWLOG GET for the slow commands, and avoid those that walk over many keys.",
    "fast-command": "Fast commands were slow: the process was probably kept from running.",
    "expire-cycle": "Many keys expire together: spread their times.",
    "expire-del": "Big values expire: set lazyfree-lazy-expire to yes.",
    "eviction-del": "Big values are evicted: set lazyfree-lazy-eviction to yes.",
}

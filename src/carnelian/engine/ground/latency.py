"""The latency monitor: spikes of the events that can stall the engine.

See https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/
"""

from __future__ import annotations

from collections import deque

_SAMPLES = 160


class Series:
    """The last spikes of one event, one a second: (unix seconds, milliseconds)."""

    __slots__ = ("highest", "samples")

    def __init__(self) -> None:
        self.samples: deque[tuple[int, int]] = deque(maxlen=_SAMPLES)
        self.highest = 0

    def add(self, time: int, milliseconds: int) -> None:
        """Note a spike; of several in one second the worst is kept."""
        self.highest = max(self.highest, milliseconds)
        if self.samples and self.samples[-1][0] == time:
            if milliseconds > self.samples[-1][1]:
                self.samples[-1] = (time, milliseconds)
            return
        self.samples.append((time, milliseconds))


class LatencyMonitor:
    """Series by event name; records nothing while the threshold is 0."""

    def __init__(self) -> None:
        self.threshold_ms = 0
        self.events: dict[str, Series] = {}

    def add(self, event: str, milliseconds: int, time: int) -> None:
        """Note that an event took this long, if that is long enough to matter."""
        if self.threshold_ms and milliseconds >= self.threshold_ms:
            self.events.setdefault(event, Series()).add(time, milliseconds)

    def reset(self, *events: str) -> int:
        """Forget the given events, or all; returns how many there were."""
        names = events or tuple(self.events)
        return sum(self.events.pop(name, None) is not None for name in names)

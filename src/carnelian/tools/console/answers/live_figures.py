"""Figures by the second, gathered for as long as somebody looks at them.

One look a second asks for INFO and for the histograms of latencies; what the charts show is made
of the differences between two looks. Several windows of one login share it. When nobody has asked
for a while, nothing is asked of the server any more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from itertools import pairwise
from typing import Any

from carnelian.tools.console.answers.info_text import number, parse_facts, read_info
from carnelian.tools.console.link.link_errors import LinkError, LoginRefusedError, RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply

INTERVAL = 1.0
KEPT = 600
# Seconds without anybody who looks, after which it ends.
PATIENCE = 15.0
# Looks between two at the single commands, of which there may be hundreds.
_COMMANDS_EVERY = 2
_MOST_COMMANDS = 25

SECTIONS = ("server", "clients", "memory", "stats", "replication", "cpu", "keyspace", "persistence")

# The counters that charts show by the second: our name, and that of INFO.
RATES = {
    "commands": "total_commands_processed",
    "hits": "keyspace_hits",
    "misses": "keyspace_misses",
    "in": "total_net_input_bytes",
    "out": "total_net_output_bytes",
    "connections": "total_connections_received",
    "expired": "expired_keys",
    "evicted": "evicted_keys",
    "errors": "total_error_replies",
}
LEVELS = {
    "used": "used_memory",
    "rss": "used_memory_rss",
    "clients": "connected_clients",
    "blocked": "blocked_clients",
}
_PERCENTILES = (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))

Sample = dict[str, Any]
Histograms = dict[str, dict[int, int]]


class LiveFigures:
    """The figures of the last minutes, as one user may see them."""

    def __init__(self, link: RedisLink):
        self._link = link
        self._lock = threading.Lock()
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._info: dict[str, str] = {}
        self._commands: list[dict[str, Any]] = []
        self._error = ""
        self._asked = 0.0
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._looked = threading.Condition(self._lock)

    def since(self, number: int) -> dict[str, Any]:
        """The samples after one of that number, INFO, and the commands that took most of the time.

        Waits for the first look. Raises LinkError with what keeps it from looking.
        """
        with self._looked:
            self._asked = time.monotonic()
            if self._thread is None:
                self._error = ""
                self._thread = threading.Thread(target=self._run, name="figures", daemon=True)
                self._thread.start()
            if not self._info and not self._error:
                self._looked.wait(self._link.timeout)
            if self._error:
                raise LinkError(self._error)
            return {
                "samples": [sample for sample in self._samples if sample["number"] > number],
                "info": self._info,
                "commands": self._commands,
            }

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _run(self) -> None:
        looker = FigureReader(self._link)
        due = time.monotonic()
        while not self._closed.is_set() and self._wanted():
            try:
                sample = looker.look()
                error = ""
            except (LinkError, LoginRefusedError, RefusedError) as fault:
                sample, error = None, str(fault)
                looker = FigureReader(self._link)
            with self._looked:
                self._error = error
                self._info = looker.info or self._info
                self._commands = looker.commands
                if sample is not None:
                    self._samples.append(sample)
                self._looked.notify_all()
            due = max(due + INTERVAL, time.monotonic() + INTERVAL / 4)
            self._closed.wait(due - time.monotonic())
        self._link.close()

    def _wanted(self) -> bool:
        with self._lock:
            if time.monotonic() - self._asked < PATIENCE:
                return True
            self._thread = None
            self._samples.clear()
            self._info = {}
            return False


class FigureReader:
    """Looks at a server again and again, and tells what has happened between two looks."""

    def __init__(self, link: RedisLink):
        self._link = link
        self._before: tuple[float, dict[str, str], Histograms] | None = None
        self._commands_before: tuple[float, dict[str, tuple[float, float]]] | None = None
        self._looks = 0
        self.info: dict[str, str] = {}
        self.commands: list[dict[str, Any]] = []

    def look(self) -> Sample | None:
        """The figures since the last look; None for the first one. Raises as RedisLink does."""
        with_commands = self._looks % _COMMANDS_EVERY == 0
        sections = (*SECTIONS, "commandstats") if with_commands else SECTIONS
        info = read_info(self._link, *sections)
        histograms = read_histograms(self._link.attempt("LATENCY", "HISTOGRAM"))
        now = time.time()
        before, self._before = self._before, (now, info, histograms)
        self._looks += 1
        if with_commands:
            self._compare_commands(now, info)
        self.info = {name: text for name, text in info.items() if not name.startswith("cmdstat_")}
        if before is None or number(info.get("uptime_in_seconds")) < number(
            before[1].get("uptime_in_seconds")
        ):
            # A server that was started anew counts from the beginning.
            return None
        return self._sample(now, info, histograms, before)

    def _sample(
        self,
        now: float,
        info: dict[str, str],
        histograms: Histograms,
        before: tuple[float, dict[str, str], Histograms],
    ) -> Sample:
        passed = max(now - before[0], 1e-3)
        # Numbers go on over restarts of the console, so that pages can ask for what is new.
        sample: Sample = {"number": int(now * 1000), "time": round(now, 3)}
        for name, field in RATES.items():
            grown = number(info.get(field)) - number(before[1].get(field))
            sample[name] = round(max(grown, 0.0) / passed, 2)
        for name, field in LEVELS.items():
            sample[name] = number(info.get(field))
        cpu = _cpu(info) - _cpu(before[1])
        sample["cpu"] = round(max(cpu, 0.0) / passed * 100, 2)
        spread = difference(histograms, before[2])
        for name, share in _PERCENTILES:
            sample[name] = percentile(spread, share)
        return sample

    def _compare_commands(self, now: float, info: dict[str, str]) -> None:
        """Which commands have come since the last look at them, those that took longest first."""
        counted = {}
        for name, text in info.items():
            if name.startswith("cmdstat_"):
                facts = parse_facts(text)
                counted[name[8:]] = (number(facts.get("calls")), number(facts.get("usec")))
        before, self._commands_before = self._commands_before, (now, counted)
        if before is None:
            return
        passed = max(now - before[0], 1e-3)
        rows: list[dict[str, Any]] = []
        for name, (calls, usec) in counted.items():
            calls_before, usec_before = before[1].get(name, (0.0, 0.0))
            if calls > calls_before:
                rows.append(
                    {
                        "name": name.replace("|", " "),
                        "calls": round((calls - calls_before) / passed, 2),
                        "usec": round((usec - usec_before) / (calls - calls_before), 2),
                        "share": round((usec - usec_before) / passed / 1e4, 2),
                    }
                )
        rows.sort(key=lambda row: row["share"], reverse=True)
        self.commands = rows[:_MOST_COMMANDS]


def _cpu(info: dict[str, str]) -> float:
    return number(info.get("used_cpu_sys")) + number(info.get("used_cpu_user"))


def read_histograms(reply: Reply) -> Histograms:
    """LATENCY HISTOGRAM: by command, how many calls took so many microseconds at most."""
    words = reply if isinstance(reply, list) else []
    found: Histograms = {}
    for name, facts in zip(words[::2], words[1::2], strict=False):
        if not isinstance(facts, list) or not isinstance(name, bytes):
            continue
        for label, steps in zip(facts[::2], facts[1::2], strict=False):
            if label == b"histogram_usec" and isinstance(steps, list):
                found[name.decode(errors="replace")] = {
                    bound: count
                    for bound, count in zip(steps[::2], steps[1::2], strict=False)
                    if isinstance(bound, int) and isinstance(count, int)
                }
    return found


def difference(now: Histograms, before: Histograms) -> dict[int, int]:
    """How many calls of all commands between two looks took so many microseconds, by the bound.

    Counts of a histogram are those up to a bound, and bounds that nothing was added at are left
    out.
    """
    spread: dict[int, int] = {}
    for name, counts in now.items():
        earlier = before.get(name, {})
        if earlier and earlier == counts:
            continue
        for bound, count in _steps(counts).items():
            spread[bound] = spread.get(bound, 0) + count
        for bound, count in _steps(earlier).items():
            spread[bound] = spread.get(bound, 0) - count
    return {bound: count for bound, count in sorted(spread.items()) if count > 0}


def _steps(counts: dict[int, int]) -> dict[int, int]:
    """The calls of each bound alone."""
    ordered = [(0, 0), *sorted(counts.items())]
    return {bound: count - below for (_, below), (bound, count) in pairwise(ordered)}


def percentile(spread: dict[int, int], share: float) -> float | None:
    """The microseconds that a share of calls did not exceed, evenly within a bound; None of none.

    A bound of a histogram is twice the one before.
    """
    total = sum(spread.values())
    if not total:
        return None
    wanted = total * share
    passed = 0
    for bound, count in spread.items():
        if passed + count >= wanted:
            low = bound / 2
            return round(low + (bound - low) * (wanted - passed) / count, 2)
        passed += count
    return float(max(spread))

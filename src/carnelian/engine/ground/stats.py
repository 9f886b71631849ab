"""Counters of a running engine: latency histograms, rates, errors, traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cython
from cython.cimports.carnelian.engine.ground.stats import leading_zeros

# A histogram keeps two significant digits from 1 ns to 1 s, as HdrHistogram lays it out:
# 256 linear steps, then 128 more for each doubling. http://hdrhistogram.org
_STEPS = cython.declare(cython.int, 256)
_HALF = cython.declare(cython.int, 128)
_CELLS = cython.declare(cython.int, 3072)
_MOST = cython.declare(cython.longlong, 1_000_000_000)


@cython.cclass
class Histogram:
    """Durations in nanoseconds; recording is O(1) and allocates nothing."""

    counts: cython.p_uint  # one for each cell, in place

    def __init__(self) -> None:
        self.reset()

    @cython.ccall
    def reset(self):
        """Forget all that was recorded."""
        cell: cython.int
        for cell in range(_CELLS):
            self.counts[cell] = 0
        self.total = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def record(self, value: cython.longlong) -> cython.void:
        """Count one duration; what lies outside 1 ns to 1 s counts as the nearer bound."""
        shift: cython.int = 0
        if value < 1:
            value = 1
        elif value > _MOST:
            value = _MOST
        if value >= _STEPS:
            # What is left has eight bits.
            shift = 56 - leading_zeros(value)
        self.counts[shift * _HALF + cython.cast(cython.int, value >> shift)] += 1
        self.total += 1

    def add(self, value: cython.longlong) -> None:
        """:meth:`record` for callers that are not compiled."""
        self.record(value)

    def cells(self) -> Iterator[tuple[int, int]]:
        """The highest duration that each non-empty cell stands for, and its count."""
        cell: cython.int
        shift: cython.int
        sub: cython.longlong
        found = []
        for cell in range(_CELLS):
            if self.counts[cell]:
                shift = 0 if cell < _STEPS else (cell // _HALF) - 1
                sub = cell - shift * _HALF
                found.append((((sub + 1) << shift) - 1, self.counts[cell]))
        return iter(found)

    def percentile(self, percent: float) -> int:
        """The duration in ns that this share of the calls does not exceed; 0 if there are none."""
        wanted = max(1, int(percent / 100 * self.total + 0.5))
        seen = 0
        for value, count in self.cells():
            seen += count
            if seen >= wanted:
                return value
        return 0

    def doublings(self) -> list[tuple[int, int]]:
        """Cumulative counts by upper bound in microseconds, doubling (LATENCY HISTOGRAM)."""
        rows: list[tuple[int, int]] = []
        bound, seen, before = 1024, 0, 0
        for value, count in self.cells():
            while value >= bound:
                if seen > before:
                    rows.append((bound // 1000, seen))
                    before = seen
                bound *= 2
            seen += count
        if seen > before:
            rows.append((bound // 1000, seen))
        return rows


_SAMPLES = 16


class Rate:
    """A rate per second, averaged over the last samples of a growing counter."""

    __slots__ = ("_at_ms", "_last", "_next", "_samples")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._samples = [0.0] * _SAMPLES
        self._next = 0
        self._last = 0
        self._at_ms = 0

    def sample(self, reading: int, now_ms: int) -> None:
        """Note what the counter reads at this moment."""
        elapsed = now_ms - self._at_ms
        if self._at_ms and elapsed > 0:
            self._samples[self._next] = (reading - self._last) * 1000 / elapsed
            self._next = (self._next + 1) % _SAMPLES
        self._last = reading
        self._at_ms = now_ms

    @property
    def per_second(self) -> float:
        """The mean of the samples."""
        return sum(self._samples) / _SAMPLES


# With more kinds of errors than this, none is told any more: a script may invent any number.
_MAX_ERROR_CODES = 128
_TOO_MANY = "ERRORSTATS_DISABLED"


@cython.cclass
class Stats:
    """What INFO's stats section counts, except what the key space counts by itself."""

    def __init__(self) -> None:
        self.ops_rate = Rate()
        self.input_rate = Rate()
        self.output_rate = Rate()
        self.replica_input_rate = Rate()
        self.replica_output_rate = Rate()
        self.turn_rate = Rate()
        self.turn_time_rate = Rate()
        # Called with all the codes when there is one too many.
        self.on_too_many_errors: Callable[[list[str]], None] = lambda codes: None
        self.reset()

    def reset(self) -> None:
        """Back to zero (CONFIG RESETSTAT)."""
        self.commands = 0
        self.connections = 0
        self.rejected_connections = 0
        self.input_bytes = 0
        self.output_bytes = 0
        # From a primary and to replicas, which the two before do not count.
        self.replica_input_bytes = 0
        self.replica_output_bytes = 0
        self.full_syncs = 0
        self.partial_syncs = 0
        self.refused_partial_syncs = 0
        self.reads = 0
        self.writes = 0
        self.error_replies = 0
        self.input_limit_disconnections = 0
        self.output_limit_disconnections = 0
        self.command_ns = 0
        self.turns = 0
        self.turn_ns = 0
        self.longest_turn_ns = 0
        self.cron_ns = 0
        self.log_ns = 0
        self.most_commands = 0
        self.slow_commands = 0
        self.slow_ns = 0
        self.slowest_ns = 0
        self.errors: dict[str, int] = {}
        self.errors_told = True
        for rate in (self.ops_rate, self.input_rate, self.output_rate):
            rate.reset()
        self.replica_input_rate.reset()
        self.replica_output_rate.reset()
        self.turn_rate.reset()
        self.turn_time_rate.reset()

    def sample(self, now_ms: int) -> None:
        """Take one sample of each rate; called ten times a second."""
        self.ops_rate.sample(self.commands, now_ms)
        self.input_rate.sample(self.input_bytes + self.replica_input_bytes, now_ms)
        self.output_rate.sample(self.output_bytes + self.replica_output_bytes, now_ms)
        self.replica_input_rate.sample(self.replica_input_bytes, now_ms)
        self.replica_output_rate.sample(self.replica_output_bytes, now_ms)
        self.turn_rate.sample(self.turns, now_ms)
        self.turn_time_rate.sample(self.turn_ns // 1000, now_ms)

    @property
    def turn_us(self) -> int:
        """Microseconds that a turn of the event loop took lately."""
        turns = self.turn_rate.per_second
        return int(self.turn_time_rate.per_second / turns) if turns else 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def count_turn(self, ns: cython.longlong, commands: cython.longlong) -> cython.void:
        """Count a turn of the event loop that did so many commands."""
        self.turns += 1
        self.turn_ns += ns
        if ns > self.longest_turn_ns:
            self.longest_turn_ns = ns
        if commands > self.most_commands:
            self.most_commands = commands

    def count_slow(self, ns: int) -> None:
        """Count a command that went into the slow log."""
        self.slow_commands += 1
        self.slow_ns += ns
        self.slowest_ns = max(self.slowest_ns, ns)

    def count_error(self, code: str) -> None:
        """Count one error reply by its first word."""
        self.error_replies += 1
        if not self.errors_told:
            return
        if code not in self.errors and len(self.errors) >= _MAX_ERROR_CODES:
            codes = sorted(self.errors)
            self.errors = {_TOO_MANY: 1}
            self.errors_told = False
            self.on_too_many_errors(codes)
            return
        self.errors[code] = self.errors.get(code, 0) + 1

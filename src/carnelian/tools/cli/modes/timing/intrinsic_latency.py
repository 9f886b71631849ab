"""``--intrinsic-latency``: how long this machine keeps a program that only counts from running."""

from __future__ import annotations

import time

from carnelian.tools.cli.cli_options import Options

# Runs between two looks at the end.
_TURN = 200


def run(options: Options) -> int:
    """Measure for ``--intrinsic-latency`` seconds; returns 0."""
    try:
        seconds = float(options.argument)
    except ValueError:
        seconds = 0.0
    end = time.perf_counter_ns() + int(seconds * 1e9)
    worst = runs = total = 0
    try:
        while time.perf_counter_ns() < end:
            longest, took = _turn()
            runs += _TURN
            total += took
            if longest > worst:
                worst = longest
                print(f"Max latency so far: {worst // 1000} microseconds.", flush=True)
    except KeyboardInterrupt:
        # What was measured until now is told.
        pass
    if runs:
        average = total / runs
        print(
            f"\n{runs} total runs (avg latency: {average / 1000:.4f} microseconds / "
            f"{average:.2f} nanoseconds per run)."
        )
        print(f"Worst run took {worst / average:.0f}x longer than the average latency.")
    return 0


def _turn() -> tuple[int, int]:
    """The longest of some runs and the time of all, in nanoseconds."""
    clock = time.perf_counter_ns
    longest = 0
    first = last = clock()
    for _ in range(_TURN):
        now = clock()
        if now - last > longest:
            longest = now - last
        last = now
    return longest, last - first

"""Clocks: what is cached, what is read, and time that is moved by hand."""

from __future__ import annotations

import time

from carnelian.keyspace.clock import Clock, ManualClock


def test_the_system_clock_is_that_of_the_system():
    clock = Clock()
    before = time.time_ns() // 1000
    wall = clock.wall_us()
    assert before <= wall <= time.time_ns() // 1000
    assert abs(clock.wall_ms() - wall // 1000) <= 1000
    before = time.monotonic_ns()
    assert before <= clock.monotonic_ns() <= time.monotonic_ns()


def test_cached_time_moves_only_with_a_tick():
    clock = Clock()
    seen = clock.ms, clock.ns
    while clock.monotonic_ns() < seen[1] + 2_000_000:
        assert (clock.ms, clock.ns) == seen
    assert clock.tick() == clock.ns > seen[1]
    assert clock.ms > seen[0]


def test_a_manual_clock_stands_still():
    clock = ManualClock(5000)
    assert clock.tick() == clock.monotonic_ns() == 0
    assert (clock.ms, clock.wall_ms(), clock.wall_us()) == (5000, 5000, 5_000_000)


def test_a_manual_clock_moves_all_its_hands():
    clock = ManualClock(5000)
    clock.advance(250)
    assert (clock.ms, clock.wall_ms(), clock.ns) == (5250, 5250, 250_000_000)
    clock.advance_us(1500)
    assert (clock.ms, clock.wall_us(), clock.monotonic_ns()) == (5251, 5_251_500, 251_500_000)

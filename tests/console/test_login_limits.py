"""How long somebody has to wait who fails to log in."""

from __future__ import annotations

from carnelian.tools.console.access.login_limits import LONGEST_WAIT, MEMORY, LoginLimits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(limits: LoginLimits, clock: Clock, address: str, times: int) -> list[float]:
    """Fail so many times, as early as it is allowed; the waits before."""
    waits = []
    for _ in range(times):
        wait = limits.begin(address)
        waits.append(wait)
        if wait:
            clock.now += wait
            assert limits.begin(address) == 0.0
    return waits


def test_waits_double_after_the_fifth_failure() -> None:
    clock = Clock()
    waits = fail(LoginLimits(clock), clock, "10.0.0.1", 15)
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_WAIT]


def test_addresses_do_not_wait_for_each_other_unless_they_are_neighbours() -> None:
    clock = Clock()
    limits = LoginLimits(clock)
    fail(limits, clock, "10.0.0.1", 5)
    fail(limits, clock, "2001:db8::1", 5)
    assert limits.begin("10.0.0.1") > 0
    assert limits.begin("::ffff:10.0.0.1") > 0
    assert limits.begin("10.0.0.2") == 0
    assert limits.begin("2001:db8::ffff") > 0
    assert limits.begin("2001:db8:0:1::1") == 0


def test_time_has_failures_forgotten() -> None:
    clock = Clock()
    limits = LoginLimits(clock)
    assert fail(limits, clock, "a", 5) == [0] * 5
    clock.now += MEMORY + 1
    assert fail(limits, clock, "a", 5) == [0] * 5


def test_an_attempt_that_nobody_could_judge_does_not_count() -> None:
    clock = Clock()
    limits = LoginLimits(clock)
    for _ in range(50):
        assert limits.begin("a") == 0
        limits.undone("a")

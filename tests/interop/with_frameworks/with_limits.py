"""limits: all strategies on redis storage, also from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from limits import RateLimitItemPerHour, strategies
from limits.storage import storage_from_string
from settings import part, url

STRATEGIES = {
    "fixed_window": strategies.FixedWindowRateLimiter,
    "moving_window": strategies.MovingWindowRateLimiter,
    "sliding_window": strategies.SlidingWindowCounterRateLimiter,
}


def check() -> None:
    """Fails with an AssertionError, or whatever limits raises."""
    storage = storage_from_string(url(7))
    assert storage.check()
    storage.reset()
    for name, kind in STRATEGIES.items():
        with part(name):
            _check_strategy(storage, kind)
    storage.reset()


def _check_strategy(storage, kind) -> None:
    limiter = kind(storage)
    limit = RateLimitItemPerHour(20)
    with ThreadPoolExecutor(8) as pool:
        hits = [pool.submit(limiter.hit, limit, kind.__name__) for _ in range(50)]
        allowed = [hit.result() for hit in hits]
    assert sum(allowed) == 20, (kind, sum(allowed))
    assert not limiter.test(limit, kind.__name__)
    assert limiter.get_window_stats(limit, kind.__name__).remaining == 0
    assert limiter.hit(limit, "other", cost=20)
    assert not limiter.hit(limit, "other")
    limiter.clear(limit, "other")
    assert limiter.hit(limit, "other")
    limiter.clear(limit, "other")

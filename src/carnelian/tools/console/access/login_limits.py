"""How often somebody may fail to log in."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

# Failures that cost nothing, and the longest wait after those that follow, in seconds.
FREE_FAILURES = 5
LONGEST_WAIT = 300.0
# Seconds after which failures are forgotten, and addresses that are remembered at most.
MEMORY = 900.0
MOST_ADDRESSES = 10_000


class LoginLimits:
    """Counts failed logins by address; each one after the fifth doubles the wait until the next.

    ``clock`` gives seconds. An IPv6 address counts together with its /64 network.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        # By address: failures, when the last one was, and when the next attempt may be.
        self._failures: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def begin(self, address: str) -> float:
        """Take up an attempt, and return 0; or return the seconds to wait before there may be one.

        An attempt counts as failed until :meth:`undone`, so that many at a time do not help.
        """
        key = _network(address)
        now = self._clock()
        with self._lock:
            count, last, free = self._failures.get(key, (0, now, 0.0))
            if now - last > MEMORY:
                count, free = 0, 0.0
            if now < free:
                return free - now
            count += 1
            wait = 0.0 if count < FREE_FAILURES else 2.0 ** min(count - FREE_FAILURES, 16)
            self._failures[key] = (count, now, now + min(wait, LONGEST_WAIT))
            self._failures.move_to_end(key)
            if len(self._failures) > MOST_ADDRESSES:
                self._failures.popitem(last=False)
            return 0.0

    def undone(self, address: str) -> None:
        """The attempt that was begun has not failed, or could not be judged: it counts as none.

        Failures before it are kept: whoever has a password of their own guesses no faster.
        """
        key = _network(address)
        with self._lock:
            count, last, _ = self._failures.get(key, (0, 0.0, 0.0))
            if count > 1:
                self._failures[key] = (count - 1, last, 0.0)
            else:
                self._failures.pop(key, None)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))

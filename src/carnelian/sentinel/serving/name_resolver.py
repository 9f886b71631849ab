"""Addresses of hosts, without a Sentinel standing still while others look them up."""

from __future__ import annotations

import socket
import threading
import time

# Seconds after which an address is looked up again.
_FRESH = 2.0
# The most names to remember.
_MOST_NAMES = 4096


class NameResolver:
    """Looks names up, and remembers them.

    Who asks for a name the first time waits. From then on the answer is what was found last, and if
    that was some time ago, it is looked up again by a thread.
    """

    def __init__(self) -> None:
        self._found: dict[str, str | None] = {}
        self._when: dict[str, float] = {}
        self._asking: set[str] = set()

    def resolve(self, host: str, numeric: bool) -> str | None:
        """The address of a host, None if it has none. ``numeric`` takes addresses alone."""
        address = _look_up(host, socket.AI_NUMERICHOST)
        if address is not None or numeric:
            return address
        if host not in self._found:
            if len(self._found) >= _MOST_NAMES:
                self._found.clear()
            self._ask(host)
        elif time.monotonic() - self._when[host] > _FRESH and host not in self._asking:
            self._asking.add(host)
            name = f"look-up {host}"
            threading.Thread(target=self._ask, args=(host,), name=name, daemon=True).start()
        return self._found.get(host)

    def _ask(self, host: str) -> None:
        try:
            self._when[host] = time.monotonic()
            self._found[host] = _look_up(host, 0)
        finally:
            self._asking.discard(host)


def _look_up(host: str, flags: int) -> str | None:
    if not host or "\0" in host:
        return None
    try:
        found = socket.getaddrinfo(host, None, 0, socket.SOCK_STREAM, 0, flags)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])

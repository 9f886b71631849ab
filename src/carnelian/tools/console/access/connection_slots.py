"""Who has a place among the connections of the console: whoever says nothing makes room."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable


class ConnectionSlot:
    """The place of one connection: it is silent until a whole request has come."""

    def __init__(self, sock: socket.socket, now: float):
        self._sock = sock
        # Since when it has said nothing, None while it is answered.
        self.silent_since: float | None = now

    def hang_up(self) -> None:
        """End the connection, in whichever thread it is waited for."""
        try:
            # Not the method of an encrypted socket, which would have it read on in the clear.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself


class ConnectionSlots:
    """Gives places to connections.

    All taken, the connection that has been silent for the longest time makes room for the next one.
    Of the places some are kept for probes: as many requests of other kinds as there are usual
    places can be answered at a time, and no more.

    Args:
        usual: places for requests of any kind.
        kept: places beyond these.
        clock: gives seconds.
    """

    def __init__(self, usual: int, kept: int, clock: Callable[[], float] = time.monotonic):
        self._usual = usual
        self._most = usual + kept
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[socket.socket, ConnectionSlot] = {}

    def take(self, sock: socket.socket) -> bool:
        """Give a connection a place, somebody silent's if need be; False if all are answered."""
        with self._lock:
            if len(self._slots) >= self._most and not self._drop_silent():
                return False
            self._slots[sock] = ConnectionSlot(sock, self._clock())
            return True

    def leave(self, sock: socket.socket) -> None:
        """A connection has ended."""
        with self._lock:
            self._slots.pop(sock, None)

    def await_request(self, sock: socket.socket) -> None:
        """A connection is silent from now on."""
        slot = self._slots.get(sock)
        if slot is not None:
            slot.silent_since = self._clock()

    def begin_answer(self, sock: socket.socket) -> bool:
        """A whole request has come; returns whether it may be one that is no probe."""
        with self._lock:
            slot = self._slots.get(sock)
            if slot is not None:
                slot.silent_since = None
            answered = sum(slot.silent_since is None for slot in self._slots.values())
            return answered <= self._usual

    def _drop_silent(self) -> bool:
        silent = [
            (slot.silent_since, sock)
            for sock, slot in self._slots.items()
            if slot.silent_since is not None
        ]
        if not silent:
            return False
        _, sock = min(silent, key=lambda pair: pair[0])
        self._slots.pop(sock).hang_up()
        return True

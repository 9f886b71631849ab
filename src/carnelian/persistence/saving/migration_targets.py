"""Connections to the servers that MIGRATE sends keys to, kept for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from errno import ECONNREFUSED
from typing import TYPE_CHECKING

from carnelian.resp.client.reply_values import MORE, ReplyError

if TYPE_CHECKING:
    from socket import socket as Socket

# Makes an encrypted connection of one that stands. Raises OSError.
Secure = Callable[["Socket"], "Socket"]
# Host, port and the words of AUTH.
Place = tuple[str, int, tuple[bytes, ...]]

_KEPT_SECONDS = 10
_MOST_KEPT = 64
_PIECE = 64 * 1024
# Times that differ by no more than this part of them are as good as equal.
_SAME = 0.01


class MigrationError(Exception):
    """The other server cannot be reached, or does not answer in time.

    ``doing`` is ``connecting``, ``writing`` or ``reading``; ``timed_out`` tells which of both.
    """

    def __init__(self, doing: str, fault: OSError | UnicodeError):
        super().__init__(doing)
        self.doing = doing
        self.timed_out = isinstance(fault, TimeoutError)


class Target:
    """A connection to one server. ``timeout`` is in seconds, and for each step of its own: a piece
    that is sent, a line that is heard.
    """

    def __init__(self, host: str, port: int, timeout: float, secure: Secure | None = None):
        import socket  # which hardly any engine needs, as little as what reads answers

        from carnelian.resp.client.reply_reader import ReplyReader

        try:
            self._socket = socket.create_connection((host, port), timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure is not None:
                self._socket = secure(self._socket)
        except (OSError, UnicodeError) as fault:
            refused = isinstance(fault, OSError) and fault.errno == ECONNREFUSED
            raise MigrationError("writing" if refused else "connecting", fault) from None
        self._replies = ReplyReader()
        self.timeout = self._patience = timeout
        # The database that it has selected; -1 if nobody knows.
        self.database = -1
        self.used_at = time.monotonic()

    def send(self, data: bytes) -> None:
        """Send all of it. Raises MigrationError."""
        self.used_at = time.monotonic()
        self._wait_for(self.timeout)
        view = memoryview(data)
        try:
            while view:
                view = view[self._socket.send(view[:_PIECE]) :]
        except OSError as fault:
            raise MigrationError("writing", fault) from None

    def reply(self) -> object:
        """The next reply. Raises MigrationError."""
        until = time.monotonic() + self.timeout
        try:
            while (reply := self._replies.take()) is MORE:
                self._replies.feed(self._more(until))
        except ReplyError:
            raise MigrationError("reading", ConnectionResetError()) from None
        except OSError as fault:
            raise MigrationError("reading", fault) from None
        return reply

    def _wait_for(self, seconds: float) -> None:
        """How long the next step may take; most take less than it is worth to be told anew."""
        if abs(seconds - self._patience) > _SAME * seconds:
            self._patience = seconds
            self._socket.settimeout(seconds)

    def pass_accepted(self) -> int:
        """Leave out the replies that have come already, as far as they are no errors; how many."""
        return self._replies.pass_short()

    def _more(self, until: float) -> bytes:
        """What comes before this time; raises OSError if nothing does."""
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._wait_for(left)
        more = self._socket.recv(_PIECE)
        if not more:
            raise ConnectionResetError
        return more

    def close(self) -> None:
        """End it."""
        self._socket.close()


class Targets:
    """All connections of an engine, by host, port and credentials: what one user has proved over
    there is of no use to another one.
    """

    def __init__(self, secure: Secure | None = None):
        self._secure = secure
        self._targets: dict[Place, Target] = {}

    def __len__(self) -> int:
        return len(self._targets)

    def get(self, place: Place, timeout: float) -> Target:
        """The connection to a server, or a new one. Raises MigrationError."""
        target = self._targets.get(place)
        if target is None:
            if len(self._targets) >= _MOST_KEPT:
                self.drop(next(iter(self._targets)))
            target = self._targets[place] = Target(place[0], place[1], timeout, self._secure)
        target.timeout = timeout
        return target

    def drop(self, place: Place) -> None:
        """End the connection to a server, if there is one."""
        target = self._targets.pop(place, None)
        if target is not None:
            target.close()

    def drop_idle(self) -> None:
        """End those that were not used lately."""
        before = time.monotonic() - _KEPT_SECONDS
        for place, target in list(self._targets.items()):
            if target.used_at < before:
                self.drop(place)

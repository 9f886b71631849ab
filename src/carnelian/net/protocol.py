"""What protocols without I/O are made of, and what they may ask of what carries them.

A protocol is a state machine: it hears of bytes and of time, and answers through its wire and its
host. It opens no socket, reads no clock and draws no random numbers but those of its host, so that
it does the same on real sockets (:mod:`carnelian.net.runtime`) as in a simulation
(:mod:`carnelian.net.simulated`), where every run can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from carnelian.keyspace.clock import Clock

# Host and port.
Address = tuple[str, int]


class Wire(Protocol):
    """A connection, as the protocol at one of its ends sees it."""

    @property
    def peer(self) -> Address:
        """Where the other end is."""

    @property
    def address(self) -> Address:
        """Where this end is. Raises OSError when the connection has ended."""

    def send(self, data: bytes) -> None:
        """Send, after all that was sent before; in vain if the connection has ended."""

    def close(self) -> None:
        """End the connection once what was sent is on its way; the protocol hears nothing more."""


class MeasuredWire(Wire, Protocol):
    """A connection that tells how much waits, as those of all hosts do that carry nodes."""

    @property
    def unsent(self) -> int:
        """Bytes that were sent and that the other end does not take yet."""

    def abort(self) -> None:
        """End the connection at once; what waits is lost, and the protocol hears nothing more."""


class Conversation(Protocol):
    """A protocol at one end of one connection."""

    def connected(self, wire: Wire) -> None:
        """The connection stands. Called first, or never."""

    def receive(self, data: bytes) -> None:
        """The next bytes, in whatever pieces they come."""

    def lost(self, reason: str) -> None:
        """The connection has ended, or has not come about. Called last, and not after close."""


class Timer(Protocol):
    """A callback that waits for its time."""

    def cancel(self) -> None:
        """Do not call it."""


class Ear(Protocol):
    """A place where connections are accepted."""

    def close(self) -> None:
        """Accept none from now on; those that are there stay."""


class Host(Protocol):
    """What carries protocols: the only way that they have to the world."""

    @property
    def clock(self) -> Clock:
        """The only clock they read."""

    @property
    def random(self) -> Random:
        """Their only source of chance."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call once, after so many seconds."""

    def listen(self, address: Address, accept: Callable[[], Conversation]) -> Ear:
        """Have a conversation made for each connection to ``address``. Raises OSError."""

    def connect(self, address: Address, conversation: Conversation, timeout: float = 5.0) -> None:
        """Connect; what becomes of it is told to ``conversation``, never before this returns."""

"""A connection of the bus: messages are cut out of what comes, and what is sent is counted."""

from __future__ import annotations

from typing import Protocol, cast

from carnelian.cluster.bus.bus_codec import message_length
from carnelian.cluster.bus.bus_errors import BusError
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.net.protocol import MeasuredWire, Wire

# Bytes of a message that tell its length.
_PREFIX = 8
# What a link takes beside what it holds, about.
_SHELL = 400


class LinkOwner(Protocol):
    """Who is told what becomes of a link."""

    def ready(self, link: BusLink) -> None:
        """It stands."""

    def received(self, link: BusLink, data: bytes) -> None:
        """A whole message has come."""

    def ended(self, link: BusLink, reason: str) -> None:
        """It has ended, or has not come about; not after ``close``."""


class BusLink:
    """A connection that this node has made to another, or has accepted.

    Args:
        node: to whom it is made; None for one that was accepted, until its node is known.
        now: the time, in milliseconds.
    """

    __slots__ = (
        "_buffer",
        "_owner",
        "_queue",
        "_wanted",
        "_wire",
        "created",
        "is_inbound",
        "is_over",
        "node",
    )

    def __init__(self, owner: LinkOwner, node: ClusterNode | None, now: int):
        self.node = node
        self.is_inbound = node is None
        self.created = now
        self.is_over = False
        self._owner = owner
        self._wire: MeasuredWire | None = None
        # The beginning of a message, and how many bytes are wanted before it is looked at.
        self._buffer = bytearray()
        self._wanted = _PREFIX
        # What is sent before the connection stands.
        self._queue: list[bytes] = []

    @property
    def wire(self) -> Wire:
        """The connection, which has to stand."""
        assert self._wire is not None
        return self._wire

    @property
    def is_connected(self) -> bool:
        """Whether it stands."""
        return self._wire is not None and not self.is_over

    @property
    def is_writing(self) -> bool:
        """Whether something waits to be sent."""
        return self.unsent > 0

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        if self._wire is None:
            return sum([len(message) for message in self._queue])
        return self._wire.unsent

    @property
    def memory(self) -> int:
        """Bytes that it takes."""
        return _SHELL + len(self._buffer) + self.unsent

    def send(self, message: bytes) -> None:
        """Send a whole message; if the connection does not stand yet, once it does."""
        if self.is_over:
            return
        if self._wire is None:
            self._queue.append(message)
        else:
            self._wire.send(message)

    def close(self) -> None:
        """End it; what was not sent is lost, and its node forgets it."""
        if self.is_over:
            return
        self._forget()
        if self._wire is not None:
            self._wire.abort()

    # -- Conversation ----------------------------------------------------------------------------

    def connected(self, wire: Wire) -> None:
        """The connection stands."""
        self._wire = cast(MeasuredWire, wire)
        if self.is_over:
            self._wire.abort()
            return
        self._owner.ready(self)
        queue, self._queue = self._queue, []
        for message in queue:
            self.send(message)

    def receive(self, data: bytes) -> None:
        """Take what has come; what is no message ends the connection."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        try:
            rest = self._take_messages(data)
        except BusError as error:
            self.close()
            self._owner.ended(self, str(error))
            return
        self._buffer += data[rest:]

    def _take_messages(self, data: bytes) -> int:
        """Hand over all that are whole; where the first that is not begins."""
        position = 0
        self._wanted = _PREFIX
        while len(data) - position >= _PREFIX and not self.is_over:
            length = message_length(data[position : position + _PREFIX])
            if len(data) - position < length:
                self._wanted = length
                break
            message = data[position : position + length]
            position += length
            self._owner.received(self, message)
        return position

    def lost(self, reason: str) -> None:
        """The connection has ended, or has not come about."""
        if not self.is_over:
            self._forget()
            self._owner.ended(self, reason)

    def _forget(self) -> None:
        self.is_over = True
        self._queue = []
        node = self.node
        if node is None:
            return
        if node.link is self:
            node.link = None
        elif node.inbound_link is self:
            node.inbound_link = None

"""One connection to an instance."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from carnelian.net.protocol import Wire
from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import MORE, ReplyError
from carnelian.resp.client.request_encoder import encode_request

# What is to be done with a reply.
Taker = Callable[[object], object]


def ignore(reply: object) -> None:
    """For replies that nobody waits for."""


class Channel:
    """A conversation in which commands are sent and replies taken in their order.

    Commands may be sent at once: they wait until the connection stands. Nobody hears of a channel
    any more that was closed.

    Args:
        opened: when it was, in milliseconds.
        on_lost: called with the channel when the connection has ended by itself, or has not come
            about.
        on_push: called with what comes without having been asked for; None ends the connection.
    """

    def __init__(
        self,
        opened: int,
        on_lost: Callable[[Channel], object],
        on_push: Taker | None = None,
    ):
        self.opened = opened
        self._on_lost = on_lost
        self._on_push = on_push
        self._wire: Wire | None = None
        self._unsent: list[bytes] = []
        # Who asked, and what is to be done with the reply.
        self._asked: deque[tuple[object, Taker]] = deque()
        self._reader = ReplyReader()
        self._is_over = False

    @property
    def pending(self) -> int:
        """Commands without a reply yet."""
        return len(self._asked)

    @property
    def host(self) -> str | None:
        """Our own address on this connection, while it stands."""
        try:
            return None if self._wire is None else self._wire.address[0]
        except OSError:
            return None

    def call(self, words: list[bytes], owner: object = None, taker: Taker = ignore) -> None:
        """Send a command for ``owner``, and have ``taker`` called with the reply."""
        if self._is_over:
            return
        self._asked.append((owner, taker))
        data = encode_request(words)
        if self._wire is None:
            self._unsent.append(data)
        else:
            self._wire.send(data)

    def disown(self, owner: object) -> None:
        """Ignore all replies that somebody waits for who is not there any more."""
        self._asked = deque(
            (None, ignore) if asked is owner else (asked, taker) for asked, taker in self._asked
        )

    def close(self) -> None:
        """End the connection; nobody hears of it."""
        wire = self._wire
        self._end()
        if wire is not None:
            wire.close()

    def fail(self) -> None:
        """End the connection as if the other side had: there is no use in it."""
        if not self._is_over:
            self.close()
            self._on_lost(self)

    # -- As a conversation -----------------------------------------------------------------------

    def connected(self, wire: Wire) -> None:
        """Send what has waited."""
        if self._is_over:
            wire.close()
            return
        self._wire = wire
        wire.send(b"".join(self._unsent))
        self._unsent.clear()

    def receive(self, data: bytes) -> None:
        """Hand on the replies that have come."""
        self._reader.feed(data)
        try:
            while not self._is_over and (reply := self._reader.take()) is not MORE:
                self._hand_on(reply)
        except ReplyError:
            self.fail()

    def lost(self, reason: str) -> None:
        """The connection has ended."""
        if not self._is_over:
            self._end()
            self._on_lost(self)

    def _end(self) -> None:
        self._is_over = True
        self._asked.clear()
        # The wire knows its conversation: together they would be a circle.
        self._wire = None

    def _hand_on(self, reply: object) -> None:
        if self._asked:
            self._asked.popleft()[1](reply)
        elif self._on_push is not None:
            self._on_push(reply)
        else:
            self.fail()  # such as that there are too many clients

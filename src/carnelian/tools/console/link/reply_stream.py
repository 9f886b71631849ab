"""Replies as they come from a socket, read one after the other."""

from __future__ import annotations

import socket

from carnelian.resp.client import reply_reader
from carnelian.resp.client.reply_reader import Limits, ReplyReader
from carnelian.resp.client.reply_values import MORE, ReplyError
from carnelian.resp.client.value_forms import PLAIN
from carnelian.tools.console.link.link_errors import LinkError, ReplyTooLargeError

# What one reply may have, so that no command can fill the memory of the console. MONITOR tells a
# whole command in a line, with up to four characters for a byte.
_MOST_BYTES = 64 * 1024 * 1024
LIMITS = Limits(depth=32, line=_MOST_BYTES, size=_MOST_BYTES, items=1_000_000)
_RECEIVE = 64 * 1024

Reply = bytes | int | None | list["Reply"]


class ReplyStream:
    """Reads replies of RESP2 from a blocking socket.

    They are ``bytes``, ``int``, ``None``, lists of these, ``Simple`` and ``Refusal``.
    """

    def __init__(self, sock: socket.socket):
        self._socket = sock
        self._reader = ReplyReader(PLAIN, LIMITS)

    @property
    def buffered(self) -> bool:
        """Whether something has come that was not read yet."""
        return not self._reader.idle

    def read(self) -> Reply:
        """The next reply. Raises LinkError, and OSError as the socket does."""
        try:
            while (reply := self._reader.take()) is MORE:
                data = self._socket.recv(_RECEIVE)
                if not data:
                    raise LinkError("The server has closed the connection.")
                self._reader.feed(data)
        except reply_reader.ReplyTooLargeError as error:
            raise ReplyTooLargeError(f"{error}.") from None
        except ReplyError as error:
            raise LinkError(f"This is no Redis: {error}.") from None
        answer: Reply = reply
        return answer

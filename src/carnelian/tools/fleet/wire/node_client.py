"""A connection to a node: commands out, replies in, one after the other."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any

from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import MORE, Refusal, ReplyError
from carnelian.resp.client.request_encoder import Word, encode_request, encode_requests

_RECEIVE = 64 * 1024


class NodeUnreachableError(Exception):
    """The node cannot be reached, or has not answered in time."""


class RefusedError(Exception):
    """The node has answered with an error; the text is that error."""


class NodeClient:
    """Talks to the node at ``host`` and ``port``; it connects when there is something to say.

    ``password`` is that of the default user ("" for none), ``timeout`` the seconds to connect, and
    to wait for a reply.
    """

    def __init__(self, host: str, port: int, password: str = "", timeout: float = 5.0):
        self.host = host
        self.port = port
        self.password = password
        self.timeout = timeout
        self._socket: socket.socket | None = None
        self._reader = ReplyReader()

    def call(self, *words: Word) -> Any:
        """The reply to a command. Raises RefusedError and NodeUnreachableError."""
        reply = self.pipeline([words])[0]
        if isinstance(reply, Refusal):
            raise RefusedError(reply.decode(errors="replace"))
        return reply

    def text(self, *words: Word) -> str:
        """The reply to a command that answers with a text. Raises as :meth:`call` does."""
        reply = self.call(*words)
        if not isinstance(reply, bytes):
            raise RefusedError(f"{self.port} has answered {words[0]!r} with {reply!r}")
        return reply.decode(errors="replace")

    def pipeline(
        self, commands: Sequence[Sequence[Word]], timeout: float | None = None
    ) -> list[Any]:
        """The replies to commands; errors stand among them as ``Refusal``.

        Raises NodeUnreachableError if not all have come; who knows then what was done.
        """
        if not commands:
            return []
        self.send(commands)
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        return self.receive(len(commands), deadline)

    def send(self, commands: Sequence[Sequence[Word]]) -> None:
        """Send commands, whose replies are fetched by :meth:`receive`."""
        try:
            self._connected().sendall(encode_requests(commands))
        except OSError as error:
            self.close()
            raise self._unreachable(error) from None

    def receive(self, count: int, deadline: float) -> list[Any]:
        """The next replies; ``deadline`` is a moment of ``time.monotonic``."""
        try:
            return [self._receive_one(deadline) for _ in range(count)]
        except (OSError, ReplyError) as error:
            self.close()
            raise self._unreachable(error) from None

    def _receive_one(self, deadline: float) -> Any:
        if self._socket is None:
            raise ConnectionError("there is no connection")
        while (reply := self._reader.take()) is MORE:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer")
            self._socket.settimeout(left)
            data = self._socket.recv(_RECEIVE)
            if not data:
                raise ConnectionError("the connection was closed")
            self._reader.feed(data)
        return reply

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._reader = ReplyReader()
            self._socket = socket.create_connection((self.host, self.port), self.timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.password:
                self._authenticate()
        self._socket.settimeout(self.timeout)
        return self._socket

    def _authenticate(self) -> None:
        assert self._socket is not None
        self._socket.sendall(encode_request(("AUTH", self.password)))
        reply = self._receive_one(time.monotonic() + self.timeout)
        # A node without a password, as one is when it has just been taken away, is as good.
        if isinstance(reply, Refusal) and b"without any password" not in reply:
            raise ConnectionRefusedError(reply.decode(errors="replace"))

    def _unreachable(self, error: Exception) -> NodeUnreachableError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return NodeUnreachableError(f"{self.host}:{self.port}: {reason}")

    def close(self) -> None:
        """Leave; the next command connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

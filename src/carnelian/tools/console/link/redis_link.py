"""A connection of a user to the server, made when it is needed and made again when it is lost."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from carnelian.resp.client.reply_values import Refusal
from carnelian.resp.client.request_encoder import Word, encode_request, encode_requests
from carnelian.tools.console.link.link_errors import LinkError, LoginRefusedError, RefusedError
from carnelian.tools.console.link.reply_stream import Reply, ReplyStream
from carnelian.tools.console.link.server_address import Credentials, ServerAddress

Command = Sequence[Word]

CLIENT_NAME = "carnelian-console"
# Seconds to connect, and to wait for a reply.
TIMEOUT = 10.0

# After the first, what is said counts on what was said before on the same connection; the second
# end that.
_BINDING, _FREEING = (b"MULTI", b"WATCH"), (b"EXEC", b"DISCARD", b"UNWATCH")

# Errors that say that a user has to log in, or is no more.
_LOGIN_ERRORS = (b"NOAUTH", b"WRONGPASS")
# What a server says before it hangs up, whoever it is.
_FULL = b"ERR max number of clients"


class RedisLink:
    """Sends commands of one user and reads their replies, one thread at a time.

    Args:
        address: where the server is.
        credentials: who logs in.
        timeout: seconds to connect, and to wait for a reply.
        manners: say who we are, and leave no marks on keys. What is refused of that stands among
            the errors that the server counts, and in its ACL LOG.
    """

    def __init__(
        self,
        address: ServerAddress,
        credentials: Credentials,
        timeout: float = TIMEOUT,
        manners: bool = True,
    ):
        self.address = address
        self.credentials = credentials
        self.timeout = timeout
        self.manners = manners
        self.database = 0
        self._lock = threading.RLock()
        self._socket: socket.socket | None = None
        self._stream: ReplyStream | None = None
        # Whether the connection had ended before the last command was sent.
        self._lost = False
        # What is queued in a transaction that was typed: the database if it selects one, or None.
        self.queued: list[int | None] = []
        # Whether a transaction, or a watch, hangs on the connection.
        self.bound = False

    @contextmanager
    def held(self, database: int | None = None) -> Iterator[RedisLink]:
        """Have the link to oneself for several calls, in a database.

        Raises RefusedError if there is no such database, and what :meth:`call` raises.
        """
        with self._lock:
            if database is not None and database != self.database:
                self.call("SELECT", database)
                self.database = database
            yield self

    def call(self, *words: Word) -> Reply:
        """The reply to a command. Raises RefusedError, LinkError and LoginRefusedError."""
        reply = self.pipeline([words])[0]
        if isinstance(reply, Refusal):
            raise RefusedError(reply.text)
        return reply

    def attempt(self, *words: Word) -> Reply:
        """The same with None in place of an error reply: for what not every server tells."""
        reply = self.pipeline([words])[0]
        return None if isinstance(reply, Refusal) else reply

    def pipeline(self, commands: Sequence[Command]) -> list[Reply]:
        """The replies to commands; errors stand among them as ``Refusal``.

        A connection that was lost while it was idle is made again once, unless a transaction went
        with it. Raises LinkError and LoginRefusedError, and RefusedError if the database of the
        link cannot be had any more.
        """
        with self._lock:
            fresh = self._stream is None
            try:
                return self._exchange(commands)
            except LinkError:
                bound, self.bound = self.bound, False
                self.close()
                # Only what cannot have been done yet is sent again.
                if fresh or bound or not self._lost:
                    raise
            return self._exchange(commands)

    def _exchange(self, commands: Sequence[Command]) -> list[Reply]:
        self._lost = False
        try:
            kept = self._stream is not None
            stream = self._connected()
            self._lost = kept and self._hung_up()
            if self._lost:
                raise LinkError("The server has closed the connection.")
            self._send(encode_requests(commands))
            before = self.bound
            self._note(commands)
            replies = [stream.read() for _ in commands]
        except OSError as error:
            self.close()
            raise LinkError(_reason(self.address, error)) from None
        except LinkError:
            self.close()
            raise
        for reply in replies:
            if isinstance(reply, Refusal) and reply.startswith(_LOGIN_ERRORS):
                self.close()
                raise LoginRefusedError(reply.text)
        if isinstance(replies[-1], Refusal) and name_of(commands[-1]) in _BINDING:
            self.bound = before
        return replies

    def _note(self, commands: Sequence[Command]) -> None:
        for words in commands:
            name = name_of(words)
            if name in _BINDING:
                self.bound = True
            elif name in _FREEING:
                self.bound = False

    def _send(self, data: bytes) -> None:
        assert self._socket is not None
        self._socket.sendall(data)

    def _hung_up(self) -> bool:
        """Whether the connection has ended while nothing was said on it."""
        assert self._socket is not None
        # Nothing comes by itself: what there is to read is the end.
        return bool(select.select([self._socket], [], [], 0)[0])

    def _connected(self) -> ReplyStream:
        if self._stream is None:
            sock = self.address.connect(self.timeout)
            sock.settimeout(self.timeout)
            self.bound = False
            self._socket = sock
            self._stream = ReplyStream(sock)
            self._introduce(sock, self._stream)
        return self._stream

    def _introduce(self, sock: socket.socket, stream: ReplyStream) -> None:
        """Log in, say who we are, and leave no marks on the keys that are looked at."""
        if self.credentials.password is not None:
            login = ("AUTH", self.credentials.username, self.credentials.password)
            sock.sendall(encode_request(login))
            reply = stream.read()
            if isinstance(reply, Refusal):
                self.close()
                if reply.startswith(_FULL):
                    raise LinkError(reply.text)
                raise LoginRefusedError(reply.text)
        if not self.manners:
            return
        # Older servers do not know the last one, and not everybody may say the others.
        manners: list[Command] = [
            ("CLIENT", "SETNAME", CLIENT_NAME),
            ("CLIENT", "NO-TOUCH", "ON"),
        ]
        if self.database:
            manners.append(("SELECT", self.database))
        sock.sendall(encode_requests(manners))
        replies = [stream.read() for _ in manners]
        if self.database and isinstance(replies[-1], Refusal):
            # It would be another database, and nobody would know.
            self.database = 0
            self.close()
            raise RefusedError(replies[-1].text)

    def stream(self, *words: Word) -> ReplyStream:
        """Begin a command that answers without end, such as MONITOR; the link is good for no other.

        Raises LinkError and LoginRefusedError.
        """
        with self._lock:
            try:
                stream = self._connected()
                self._send(encode_request(words))
            except OSError as error:
                self.close()
                raise LinkError(_reason(self.address, error)) from None
            return stream

    def waits(self, seconds: float) -> bool:
        """Whether there is something to read, now or within so many seconds."""
        if self._stream is None or self._socket is None:
            return False
        pending = getattr(self._socket, "pending", None)
        if self._stream.buffered or (pending is not None and pending()):
            return True
        return bool(select.select([self._socket], [], [], seconds)[0])

    def close(self) -> None:
        """Hang up; the next call connects again."""
        sock, self._socket, self._stream = self._socket, None, None
        if sock is not None:
            sock.close()


def name_of(words: Command) -> bytes:
    """The first word of a command, in capital letters."""
    name = words[0]
    return (name if isinstance(name, bytes) else str(name).encode()).upper()


def _reason(address: ServerAddress, error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"{address.shown} has not answered in time."
    return f"{address.shown} cannot be reached: {error.strerror or error}."

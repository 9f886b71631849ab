"""One conversation with a server or a file, begun anew where it was cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import MORE, Pushed, Refusal, ReplyError
from carnelian.resp.client.request_encoder import encode_request, encode_requests
from carnelian.resp.client.value_forms import TYPED
from carnelian.tools.cli.wire.addresses import Address

if TYPE_CHECKING:
    from carnelian.embedded.local_engine import Engine
    from carnelian.tools.cli.wire.socket_links import Link, SocketLink, TlsOptions

# Redirections that are followed for one command.
_MOST_REDIRECTIONS = 16


class ConnectError(Exception):
    """There is no connection to be had; the text is what to tell."""


class LostError(Exception):
    """The connection has ended; the text says how, as redis-cli does."""


class Login(NamedTuple):
    """As whom to speak."""

    user: str | None = None
    password: str | None = None


class Client:
    """Commands out, replies in.

    Args:
        address: where to.
        login: as whom.
        db: the database to be in.
        protocol: 2, or 3, which is asked for with HELLO; None to leave it.
        wishful: go on in RESP2 without a word where there is no RESP3.
        tls: how to encrypt, None not to.
        timeout: seconds to connect within, None to leave that to the system.
        write: whether a file is opened for changes.
        modules: paths of the modules that are loaded before a file is.
        warn: is told what went wrong without being the end of it.
        on_push: is given messages that come before a reply.
    """

    def __init__(
        self,
        address: Address,
        login: Login = Login(),
        *,
        db: int = 0,
        protocol: int | None = None,
        wishful: bool = False,
        tls: TlsOptions | None = None,
        timeout: float | None = None,
        write: bool = False,
        modules: tuple[str, ...] = (),
        warn: Callable[[str], None] = lambda text: None,
        on_push: Callable[[Pushed], None] | None = None,
    ):
        self.address = address
        self.login = login
        # The database that is wanted, and the one that the server has us in.
        self.wanted_db = db
        self.db = 0
        self.protocol = protocol
        self.wishful = wishful
        self.tls = tls
        self.timeout = timeout
        self.write = write
        self.modules = modules
        self.warn = warn
        self.on_push = on_push
        self.engine: Engine | None = None
        self._link: Link | None = None
        self._parser = ReplyReader(TYPED)

    # -- The connection --------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._link is not None

    @property
    def link(self) -> Link:
        """The connection. Raises ConnectError if there is none and none can be made."""
        self.connect()
        assert self._link is not None
        return self._link

    def connect(self) -> None:
        """Connect, log in, choose protocol and database, if need be. Raises ConnectError."""
        if self._link is not None:
            return
        self._parser = ReplyReader(TYPED)
        self._link = self._make_link()
        self.db = 0
        try:
            self._begin()
        except LostError as error:
            raise ConnectError(f"Error: {error}") from None

    def _make_link(self) -> Link:
        address = self.address
        if address.file is not None:
            return self._open_file(address.file)
        from carnelian.tools.cli.wire import socket_links

        try:
            link: SocketLink
            if address.socket is not None:
                link = socket_links.connect_unix(address.socket, self.timeout)
            else:
                link = socket_links.connect_tcp(address.host, address.port, self.timeout)
            return self._encrypted(link)
        except OSError as error:
            reason = _connect_reason(error)
            raise ConnectError(f"Could not connect to Redis at {address.plain}: {reason}") from None

    def _encrypted(self, link: SocketLink) -> SocketLink:
        if self.tls is None:
            return link
        from carnelian.tools.cli.wire import socket_links

        try:
            return socket_links.encrypted(link, self.tls, self.address.host)
        except socket_links.TlsSetupError as error:
            raise ConnectError(f"Could not negotiate a TLS connection: {error}") from None
        except socket_links.TlsFailedError as error:
            raise ConnectError(
                f"Could not connect to Redis at {self.address.plain}: {error}"
            ) from None

    def _open_file(self, path: str) -> Link:
        from carnelian.tools.cli.wire import file_link

        try:
            if self.engine is None:
                self.engine = file_link.open_file(path, self.write, self.modules)
            return file_link.FileLink(self.engine)
        except OSError as error:
            raise ConnectError(f"Could not open {path}: {error.strerror or error}") from None
        except (file_link.DatabaseError, file_link.Error) as error:
            raise ConnectError(f"Could not open {path}: {error}") from None

    def _begin(self) -> None:
        password = self.login.password
        if password is not None:
            words = ["AUTH", *((self.login.user,) if self.login.user else ()), password]
            reply = self.exchange(words)
            if isinstance(reply, Refusal):
                self.warn(f"AUTH failed: {_text(reply)}")
        if self.protocol is not None and self.protocol != 2:
            reply = self.exchange(("HELLO", str(self.protocol)))
            if isinstance(reply, Refusal) and not self.wishful:
                self.warn(f"HELLO {self.protocol} failed: {_text(reply)}")
        if self.wanted_db != self.db:
            reply = self.exchange(("SELECT", str(self.wanted_db)))
            if isinstance(reply, Refusal):
                self.warn(f"SELECT {self.wanted_db} failed: {_text(reply)}")
            else:
                self.db = self.wanted_db

    def close(self) -> None:
        """Leave; the next command connects again. The engine of a file stays."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def end(self) -> None:
        """Leave for good, and close what was opened. Raises ConnectError if it cannot be saved."""
        self.close()
        if self.engine is not None:
            engine, self.engine = self.engine, None
            from carnelian.tools.cli.wire import file_link

            try:
                engine.close(save=None if self.write else False)
            except file_link.DatabaseError as error:
                raise ConnectError(str(error)) from None

    def beside(self) -> Client:
        """Another conversation with the same other side, which does not disturb this one."""
        client = Client(
            self.address,
            self.login,
            db=self.db,
            tls=self.tls,
            timeout=self.timeout,
            write=self.write,
            modules=self.modules,
        )
        client.engine = self.engine
        return client

    def move(self, host: str, port: int) -> None:
        """Talk to another server from now on."""
        self.close()
        self.address = Address(host, port)

    # -- Commands --------------------------------------------------------------------------------

    def exchange(self, words: Sequence[bytes | str]) -> object:
        """The reply to a command, connecting if need be. Raises ConnectError and LostError."""
        self.send(words)
        return self.receive()

    def call(self, *words: bytes | str) -> object:
        """As :meth:`exchange`, with words one by one."""
        return self.exchange(words)

    def follow(self, words: Sequence[bytes | str], tell: Callable[[str], None]) -> object:
        """As :meth:`exchange`, at the node of a cluster that has the keys.

        ``tell`` is told of each redirection.
        """
        reply = self.exchange(words)
        for _ in range(_MOST_REDIRECTIONS):
            if not isinstance(reply, Refusal) or not reply.startswith((b"MOVED ", b"ASK ")):
                break
            kind, slot, place = reply.decode().split(" ")[:3]
            host, _, port = place.rpartition(":")
            # A node that does not know its own name means the one that was asked.
            self.move(host or self.address.host, int(port))
            tell(f"-> Redirected to slot [{slot}] located at {host}:{port}")
            if kind == "ASK":
                self.exchange(("ASKING",))
            reply = self.exchange(words)
        return reply

    def pipeline(self, commands: Sequence[Sequence[bytes | str]]) -> list[object]:
        """The replies to commands that are sent at once."""
        if not commands:
            return []
        self.send_bytes(encode_requests(commands))
        return [self.receive() for _ in commands]

    def send(self, words: Sequence[bytes | str]) -> None:
        """Send a command, whose reply is fetched by :meth:`receive`."""
        self.send_bytes(encode_request(words))

    def send_bytes(self, data: bytes) -> None:
        """Send what was encoded. Raises ConnectError and LostError."""
        link = self.link
        try:
            link.send(data)
        except OSError as error:
            self.close()
            raise LostError(self._lost_reason(error)) from None

    def receive(self, timeout: float | None = None) -> object:
        """The next reply; messages of RESP3 go to ``on_push`` if there is one.

        Raises:
            TimeoutError: there is none within ``timeout`` seconds.
            LostError: the server has hung up, or speaks something else.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            reply = self._take()
            if reply is MORE:
                self._parser.feed(self._received(deadline))
            elif isinstance(reply, Pushed) and self.on_push is not None:
                self.on_push(reply)
            else:
                return reply

    def _lost_reason(self, error: OSError) -> str:
        if self.tls is not None:
            from carnelian.resp.client.tls_failures import tls_reason

            if (reason := tls_reason(error)) is not None:
                return reason
        return error.strerror or str(error)

    def at_end(self) -> bool:
        """Whether the server has hung up; called when something has come that was not asked for."""
        try:
            self._parser.feed(self._received(time.monotonic()))
        except (LostError, TimeoutError):
            return not self.connected
        return False

    def _take(self) -> object:
        try:
            return self._parser.take()
        except ReplyError as error:
            self.close()
            raise LostError(str(error)) from None

    def _received(self, deadline: float | None) -> bytes:
        left = None if deadline is None else max(deadline - time.monotonic(), 0.000001)
        if self._link is None:
            raise LostError("Server closed the connection")
        try:
            data = self._link.receive(left)
        except TimeoutError:
            if deadline is None:
                self.close()
                raise LostError("Connection timed out") from None
            raise
        except OSError as error:
            self.close()
            raise LostError(self._lost_reason(error)) from None
        if not data:
            self.close()
            raise LostError("Server closed the connection")
        return data


def _connect_reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "Connection timed out"
    return error.strerror or str(error)


def _text(reply: bytes) -> str:
    return reply.decode("utf-8", "replace")

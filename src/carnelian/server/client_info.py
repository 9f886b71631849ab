"""What CLIENT LIST and log lines say of a connection; not on the way of commands."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol, cast

from carnelian.engine.shared.clients import describe
from carnelian.net.poller import WRITABLE
from carnelian.resp.parser import ProtocolError

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.begun import Transaction, Watch
    from carnelian.engine.shared.client_state import Client
    from carnelian.net.transport import Transport
    from carnelian.resp.output import OutputBuffer
    from carnelian.resp.parser import Parser


class Connection(Protocol):
    """What is asked of a connection here; one is a :class:`carnelian.server.connection.Connection`.

    ``output`` is its OutputBuffer, ``parser`` its Parser, ``transport`` its Transport.
    """

    engine: Engine
    output: OutputBuffer
    parser: Parser
    transport: Transport
    args: list[bytes] | None
    transaction: Transaction | None
    watch: Watch | None
    shard_channels: dict[bytes, None] | None
    reply_size: int
    reply_peak: int
    input_total: int
    output_total: int

    @property
    def is_unix(self) -> bool:
        """Whether it came in by a Unix socket."""
        ...

    @property
    def closes_soon(self) -> bool:
        """Whether it ends at the next safe point."""
        ...

    @property
    def closes_after_replies(self) -> bool:
        """Whether it ends once what is pending is sent."""
        ...

    def peer(self) -> bytes:
        """The address of the other side."""
        ...

    def own_address(self) -> bytes:
        """The address of this side."""
        ...

    def memory(self) -> int:
        """All bytes that it takes."""
        ...

    def output_memory(self) -> int:
        """The bytes of what is still to be sent."""
        ...

    def subscription_count(self) -> int:
        """Its channels and patterns."""
        ...


def peer_name(connection: Connection) -> bytes:
    """``ip:port`` of the client, or ``path:0`` for a Unix socket."""
    return _address(connection, socket.socket.getpeername)


def socket_name(connection: Connection) -> bytes:
    """``ip:port`` that the client connected to, or ``path:0``."""
    return _address(connection, socket.socket.getsockname)


def is_local(connection: Connection) -> bool:
    """Whether the client is on this machine, by the loopback interface or a Unix socket."""
    return connection.is_unix or connection.peer().startswith((b"127.0.0.1:", b"[::1]:"))


def fields(connection: Connection) -> dict[str, object]:
    """The fields of CLIENT LIST that concern the socket and its buffers, in no order.

    ``flags`` are the letters of the connection's own state.
    """
    output = connection.output
    parser = connection.parser
    unsent = len(output)
    waiting = max(output.chunk_count - 1, 0) if unsent > connection.reply_size else 0
    return {
        "addr": connection.peer(),
        "laddr": connection.own_address(),
        "fd": connection.transport.fd,
        "flags": _flags(connection),
        "qbuf": parser.buffered,
        "qbuf-free": parser.free,
        "argv-mem": argument_memory(connection),
        "rbs": connection.reply_size,
        "rbp": connection.reply_peak,
        "obl": min(unsent, connection.reply_size),
        "oll": waiting,
        "omem": connection.output_memory(),
        "tot-mem": connection.memory(),
        "tot-net-in": connection.input_total,
        "tot-net-out": connection.output_total,
        "events": b"rw" if connection.transport.wanted & WRITABLE else b"r",
    }


def argument_memory(connection: Connection) -> int:
    """Bytes of the arguments of the command that runs or is being received."""
    if connection.args is not None:
        return sum(map(len, connection.args))
    return connection.parser.argument_bytes


def set_no_delay(connection: Connection, wanted: bool) -> None:
    """Set TCP_NODELAY; a Unix socket has no such thing."""
    if connection.is_unix or connection.transport.fd < 0:
        return
    sock = socket.socket(fileno=connection.transport.fd)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(wanted))
    except OSError:
        pass  # it has ended, as will be seen
    finally:
        sock.detach()


def line(connection: Connection) -> str:
    """The connection's line of CLIENT LIST, for the log."""
    return describe(cast("Client", connection), connection.engine.clock.ms).decode(
        "utf-8", "surrogateescape"
    )


def protocol_error(connection: Connection, error: ProtocolError) -> str:
    """The log line about input that is not the protocol."""
    return (
        f"Protocol error ({error.reason}) from client: {line(connection)}. "
        f"Query buffer during protocol error: {error.excerpt}"
    )


def failure(connection: Connection, fault: Exception) -> str:
    """The log line about a connection that ends by a fault of the server."""
    import traceback

    how = "".join(traceback.format_exception(fault))
    return f"Closing client that cannot be served: {line(connection)}\n{how}"


def query_limit(connection: Connection) -> str:
    """The log line about a request that is larger than allowed."""
    return f"Closing client that reached max query buffer length: {line(connection)}"


def _flags(connection: Connection) -> bytes:
    letters = b"c" if connection.closes_after_replies else b""
    letters += b"A" if connection.closes_soon else b""
    return letters + (b"U" if connection.is_unix else b"")


def _address(connection: Connection, ask) -> bytes:
    if connection.is_unix:
        path = connection.engine.config["unixsocket"] or ""
        return f"{path}:0".encode("utf-8", "surrogateescape")
    if connection.transport.fd < 0:
        # Ended by its own command, SHUTDOWN, which the slow log still writes about.
        return b"?:0"
    sock = socket.socket(fileno=connection.transport.fd)
    try:
        return format_address(*ask(sock)[:2])
    except OSError:
        return b"?:0"
    finally:
        sock.detach()


def format_address(host: str, port: int) -> bytes:
    """An address in Redis's form: ``127.0.0.1:6379``, ``[::1]:6379``."""
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()

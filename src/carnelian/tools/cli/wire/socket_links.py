"""Bytes to a server and from it, over TCP, UNIX sockets and TLS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple, Protocol

from carnelian.resp.client.tls_failures import tls_reason

if TYPE_CHECKING:
    import ssl

_RECEIVE = 64 * 1024


class Link(Protocol):
    """What carries bytes to a server and from it."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""

    def receive(self, timeout: float | None) -> bytes:
        """What has come, b"" at the end.

        ``timeout`` is in seconds, None to wait without an end. Raises TimeoutError and OSError.
        """

    def fileno(self) -> int:
        """A descriptor that is readable when something has come."""

    def close(self) -> None:
        """Leave."""


class TlsOptions(NamedTuple):
    """How to speak TLS: names of files, and whether to go without a check of the server."""

    sni: str | None = None
    ca_file: str | None = None
    ca_directory: str | None = None
    insecure: bool = False
    certificate: str | None = None
    key: str | None = None
    ciphers: str | None = None
    suites: str | None = None


class TlsSetupError(Exception):
    """TLS cannot be spoken as it was asked for; the text says why."""


class TlsFailedError(Exception):
    """The other side cannot be spoken TLS with; the text says why."""


class SocketLink:
    """A socket."""

    def __init__(self, connected: socket.socket):
        self._socket = connected
        self._timeout = connected.gettimeout()

    def send(self, data: bytes) -> None:
        """As :meth:`Link.send`."""
        self.wait_at_most(None)
        self._socket.sendall(data)

    def receive(self, timeout: float | None) -> bytes:
        """As :meth:`Link.receive`."""
        self.wait_at_most(timeout)
        return self._socket.recv(_RECEIVE)

    def wait_at_most(self, timeout: float | None) -> None:
        """How many seconds the socket waits from now on; 0 not at all, None without an end."""
        # To set it asks the system, which takes as long as to read a short reply.
        if timeout != self._timeout:
            self._socket.settimeout(timeout)
            self._timeout = timeout

    @property
    def socket(self) -> socket.socket:
        """The socket itself, for those who read and write at once."""
        return self._socket

    def fileno(self) -> int:
        """As :meth:`Link.fileno`."""
        return self._socket.fileno()

    def close(self) -> None:
        """As :meth:`Link.close`."""
        self._socket.close()


def connect_tcp(host: str, port: int, timeout: float | None = None) -> SocketLink:
    """Connect to a port. ``timeout`` is in seconds. Raises OSError."""
    connected = socket.create_connection((host, port), timeout)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return SocketLink(connected)


def connect_unix(path: str, timeout: float | None = None) -> SocketLink:
    """Connect to a UNIX socket. Raises OSError."""
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(timeout)
        connected.connect(path)
    except OSError:
        connected.close()
        raise
    return SocketLink(connected)


def encrypted(link: SocketLink, options: TlsOptions, host: str) -> SocketLink:
    """The link with TLS over it. Raises TlsSetupError, TlsFailedError and OSError."""
    context = _context(options)
    try:
        return SocketLink(context.wrap_socket(link.socket, server_hostname=options.sni or host))
    except OSError as error:
        link.close()
        if (reason := tls_reason(error)) is not None:
            raise TlsFailedError(f"SSL_connect failed: {reason}") from None
        raise


def _context(options: TlsOptions) -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Whoever it is has a certificate of somebody we trust; names are not asked for, as many have
    # none that a server on a loopback address could be called by.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE if options.insecure else ssl.CERT_REQUIRED
    what = ""
    try:
        if options.ca_file or options.ca_directory:
            what = f"authorities in {options.ca_file or options.ca_directory}"
            context.load_verify_locations(options.ca_file, options.ca_directory)
        elif not options.insecure:
            context.load_default_certs()
        what = "ciphers"
        if options.ciphers:
            context.set_ciphers(options.ciphers)
        if options.suites:
            _choose_suites(context, options.suites)
        what = f"certificate {options.certificate} with key {options.key}"
        if options.certificate or options.key:
            _load_identity(context, options)
    except OSError as error:
        reason = tls_reason(error) or error.strerror or str(error)
        raise TlsSetupError(f"{what}: {reason}") from None
    return context


def _choose_suites(context: ssl.SSLContext, suites: str) -> None:
    choose = getattr(context, "set_ciphersuites", None)
    if choose is None:
        raise TlsSetupError(
            "the ssl module of this Python does not choose cipher suites of TLS 1.3"
        )
    choose(suites)


def _load_identity(context: ssl.SSLContext, options: TlsOptions) -> None:
    if not options.certificate or not options.key:
        raise TlsSetupError("Certificate and private key must be given together")
    context.load_cert_chain(options.certificate, options.key)

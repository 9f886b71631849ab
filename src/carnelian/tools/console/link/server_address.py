"""Where a server is, and who logs in: URLs, Unix sockets, TLS."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

DEFAULT_PORT = 6379


@dataclass(frozen=True)
class Tls:
    """How to encrypt. ``authority`` is a file of trusted certificates ("": those of the system).

    ``certificate`` and ``key`` are files that show who we are; ``check_name`` is whether the
    certificate of the server has to be for the host that we connect to.
    """

    authority: str = ""
    authority_directory: str = ""
    certificate: str = ""
    key: str = ""
    key_password: str = field(default="", repr=False)
    check_name: bool = True


@dataclass(frozen=True)
class Credentials:
    """A user and a password; no password at all is the default user without a login."""

    username: str = "default"
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ServerAddress:
    """A host and a port, or the ``path`` of a Unix socket, with TLS or without."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    path: str = ""
    tls: Tls | None = None

    @property
    def shown(self) -> str:
        """How it is told to people."""
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect(self, timeout: float) -> socket.socket:
        """A connected socket; ``timeout`` is in seconds. Raises OSError (ssl.SSLError is one)."""
        if self.path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(timeout)
            try:
                sock.connect(self.path)
            except OSError:
                sock.close()
                raise
            return sock
        sock = socket.create_connection((self.host, self.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock if self.tls is None else _encrypted(sock, self.host, self.tls)


def _encrypted(sock: socket.socket, host: str, tls: Tls) -> socket.socket:
    import ssl

    try:
        context = ssl.create_default_context(
            cafile=tls.authority or None, capath=tls.authority_directory or None
        )
        context.check_hostname = tls.check_name
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key or None, tls.key_password or None)
        return context.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def parse_url(url: str, tls: Tls | None = None) -> tuple[ServerAddress, Credentials | None]:
    """Where a URL points, and who it logs in as, None if it does not say.

    ``redis://[user:password@]host[:port]``, ``rediss://`` with TLS, ``unix://path``; ``host`` and
    ``host:port`` alone do as well. Raises ValueError, with what is wrong, for anything else.
    """
    if "://" not in url:
        url = f"unix://{url}" if url.startswith("/") else f"redis://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(f"{parts.scheme}:// is none of redis://, rediss://, unix://")
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("unix:// needs the path of a socket")
        return ServerAddress(path=unquote(parts.path)), _credentials(parts.username, parts.password)
    try:
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        raise ValueError("the port is no number from 0 to 65535") from None
    encrypted = (tls or Tls()) if parts.scheme == "rediss" else None
    address = ServerAddress(parts.hostname or "127.0.0.1", port, tls=encrypted)
    return address, _credentials(parts.username, parts.password)


def _credentials(username: str | None, password: str | None) -> Credentials | None:
    if password is None:
        return None
    return Credentials(unquote(username or "") or "default", unquote(password))

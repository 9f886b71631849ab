"""TLS of a server: what its ``tls-`` directives come to.

``ssl`` takes a while to load, and most servers have no use for it: what needs it is imported when
it is first called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from carnelian.net.loop import Loop

if TYPE_CHECKING:
    import socket
    import ssl

    from carnelian.engine.config import Config
    from carnelian.net.tls_context import Identity
    from carnelian.net.tls_transport import TlsTransport
    from carnelian.server.connection import Connection

# Whoever changes one of these has all of them read again, with the files that they name.
DIRECTIVES = (
    "tls-cert-file",
    "tls-key-file",
    "tls-key-file-pass",
    "tls-client-cert-file",
    "tls-client-key-file",
    "tls-client-key-file-pass",
    "tls-dh-params-file",
    "tls-ca-cert-file",
    "tls-ca-cert-dir",
    "tls-auth-clients",
    "tls-protocols",
    "tls-ciphers",
    "tls-ciphersuites",
    "tls-prefer-server-ciphers",
    "tls-session-caching",
)


class Encryption:
    """Makes the transports of encrypted connections. What changes holds for new ones."""

    def __init__(self, config: Config):
        self._config = config
        self._server: ssl.SSLContext | None = None
        # For other servers: those that connect to the bus, and those that we connect to.
        self._peers: ssl.SSLContext | None = None
        self._client: ssl.SSLContext | None = None

    @property
    def ready(self) -> bool:
        """Whether it was configured."""
        return self._server is not None

    def configure(self) -> None:
        """Read directives and files, for clients and for links to other servers.

        Raises TlsError, and nothing has changed then.
        """
        from carnelian.net.peer_names import expect
        from carnelian.net.tls_context import (
            Terms,
            TlsError,
            Trust,
            client_context,
            server_context,
        )

        config = self._config
        trust = Trust(
            config["tls-ca-cert-file"], config["tls-ca-cert-dir"], config["tls-auth-clients"]
        )
        terms = Terms(
            versions=config["tls-protocols"],
            ciphers=config["tls-ciphers"],
            suites=config["tls-ciphersuites"],
            dh_file=config["tls-dh-params-file"],
            server_chooses=config["tls-prefer-server-ciphers"],
            resumable=config["tls-session-caching"],
        )
        own = self._identity("tls")
        if own is None:
            missing = "key" if config["tls-cert-file"] else "cert"
            raise TlsError(f"No tls-{missing}-file configured!")
        is_verifying = trust.clients != "no" or config["tls-cluster"] or config["tls-replication"]
        if is_verifying and not trust.file and not trust.directory:
            raise TlsError(
                "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
                "tls-replication or tls-auth-clients are enabled!"
            )
        server = server_context(own, trust, terms)
        # Nodes are no clients: they show a certificate, whether clients have to or not.
        peers = server_context(own, trust._replace(clients="yes"), terms)
        client = client_context(self._identity("tls-client") or own, trust, terms)
        for context in (peers, client):
            expect(context, self._peer_names)
        self._server, self._peers, self._client = server, peers, client

    def log_in(self, connection: Connection) -> None:
        """Make a client the user that its certificate names, if it names any."""
        if self._config["tls-auth-clients-user"] == "CN":
            name = cast("TlsTransport", connection.transport).common_name()
            if name is not None:
                connection.engine.users.take_in_certified(connection, name)

    def check_pages(self) -> None:
        """Read what the console is served over HTTPS with. Raises TlsError."""
        from carnelian.net.tls_context import Terms, TlsError, Trust, server_context

        own = self._identity("tls")
        if own is None:
            raise TlsError("console-tls needs tls-cert-file and tls-key-file")
        terms = Terms(self._config["tls-protocols"], self._config["tls-ciphers"])
        server_context(own, Trust(clients="no"), terms)

    def accept(self, loop: Loop, fd: int) -> TlsTransport:
        """The transport of a connection that was accepted."""
        from carnelian.net.tls_transport import TlsTransport

        assert self._server is not None
        return TlsTransport(loop, fd, self._server)

    def accept_peer(self, loop: Loop, fd: int) -> TlsTransport:
        """The transport of a connection of the cluster's bus that was accepted."""
        from carnelian.net.tls_transport import TlsTransport

        assert self._peers is not None
        return TlsTransport(loop, fd, self._peers)

    def connect(self, loop: Loop, fd: int) -> TlsTransport:
        """The transport of a connection to another server."""
        from carnelian.net.tls_transport import TlsTransport

        assert self._client is not None
        return TlsTransport(loop, fd, self._client, False)

    def secure(self, plain: socket.socket) -> socket.socket:
        """A connection to another server that has been made, encrypted, for whoever can wait.
        Raises OSError.
        """
        from carnelian.net.peer_names import is_for

        assert self._client is not None
        sock = self._client.wrap_socket(plain)
        names = self._peer_names()
        if names and not is_for(sock.getpeercert() or {}, names):
            sock.close()
            raise ConnectionAbortedError("certificate verify failed: hostname mismatch")
        return sock

    def broad_names(self) -> str:
        """What to say of expected names that stand for a whole domain, "" if there are none."""
        count = sum(name.startswith(".") for name in self._peer_names())
        if not count:
            return ""
        return (
            f"tls-expected-peer-name has {count} {'name' if count == 1 else 'names'} with a dot at "
            "the beginning: all hosts below that domain are accepted, at any depth, and the domain "
            "itself is not."
        )

    def _peer_names(self) -> list[str]:
        return [name for name in (self._config["tls-expected-peer-name"] or "").split(" ") if name]

    def _identity(self, prefix: str) -> Identity | None:
        from carnelian.net.tls_context import Identity

        certificate, key = self._config[f"{prefix}-cert-file"], self._config[f"{prefix}-key-file"]
        if not certificate or not key:
            return None
        return Identity(certificate, key, self._config[f"{prefix}-key-file-pass"])

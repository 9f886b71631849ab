"""A server in the process of the test, behind a real port, started as those of ``socketserver``."""

from __future__ import annotations

import threading
from typing import Any

from carnelian.embedded.redis_py.fake_server import FakeServer, Version


class TcpFakeServer:
    """Listens from the time that it is made, for any client in any language.

    Args:
        server_address: host and port; port 0 for any that is free.
        server_type, server_version: as of :class:`FakeServer`.
        directives: as for :class:`carnelian.Engine`.

    ``server_address`` is where it listens, ``fake_server`` what it serves.
    """

    def __init__(
        self,
        server_address: tuple[str, int] = ("127.0.0.1", 0),
        server_type: str = "redis",
        server_version: Version | None = None,
        **directives: Any,
    ):
        host, port = server_address
        self.fake_server = FakeServer(server_version, server_type, **directives)
        self._service = self.fake_server.serve(host=host, port=port)
        self.server_address: tuple[str, Any] = (host, self._service.port)
        self._shut_down = threading.Event()

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Return when :meth:`shutdown` is called: clients are served by a thread of their own."""
        self._shut_down.wait()

    def shutdown(self) -> None:
        """Hang up on all clients, and listen no longer."""
        self._service.close()
        self._shut_down.set()

    def server_close(self) -> None:
        """End it, with its data."""
        self.shutdown()
        self.fake_server.close()

    def __enter__(self) -> TcpFakeServer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.server_close()

"""The loop of a server as the host of its bus."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.net.listener import ListenError, MakeTransport, open_sockets
from carnelian.net.protocol import Address, Conversation
from carnelian.net.runtime import LoopEar, LoopHost

if TYPE_CHECKING:
    from carnelian.engine.config import Config
    from carnelian.keyspace.clock import Clock
    from carnelian.net.loop import Loop


class BusHost(LoopHost):
    """Listens where the server does, and connects from where it may.

    Args:
        accept: makes the transport of a connection that comes in.
        connect: makes the transport of a connection to another node.
    """

    def __init__(
        self,
        loop: Loop,
        clock: Clock,
        on_fault: Callable[[Exception], None],
        accept: MakeTransport,
        connect: MakeTransport,
        config: Config,
    ):
        super().__init__(loop, clock, on_fault, connect, source=config["bind-source-addr"])
        self._accept_transport = accept
        self._config = config
        config.on_change("bind-source-addr", self._choose_source)

    def _choose_source(self, address: str | None) -> None:
        self.source = address or None

    def listen(self, address: Address, accept: Callable[[], Conversation]) -> Ears:  # type: ignore[override]
        """Have a conversation made for each connection to a port of an address as ``bind`` has
        it. Raises OSError.
        """
        host, port = address
        reasons: list[str] = []
        try:
            sockets = open_sockets(port, [host], self._config["tcp-backlog"], reasons.append)
        except ListenError:
            raise OSError(errno.EADDRINUSE, "; ".join(reasons)) from None
        return Ears([LoopEar(self, sock, accept, self._accept_transport) for sock in sockets])


class Ears:
    """What listens on one address: nothing, where that may be missing and is."""

    def __init__(self, ears: list[LoopEar]):
        self._ears = ears

    def close(self) -> None:
        """Accept none from now on."""
        for ear in self._ears:
            ear.close()

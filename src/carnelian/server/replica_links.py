"""What carries a server's link to its primary, and what its role changes for the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.engine.config import Config
from carnelian.engine.ground.faults import trace_of
from carnelian.net.loop import Loop
from carnelian.net.runtime import LoopHost
from carnelian.net.transport import Transport
from carnelian.replication.replica_side.primary_link import PanicError
from carnelian.replication.replica_side.roles import replica_side_of
from carnelian.server.system.log_file import Log

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.server.encryption import Encryption

# Bytes that are read from the primary at a time; clients are served in between.
_READ_SIZE = 64 * 1024


class ReplicaLinks:
    """Lets the engine of a server follow a primary.

    Args:
        on_role: called with whether the server follows now, when that has changed.
    """

    def __init__(
        self,
        engine: Engine,
        loop: Loop,
        encryption: Encryption,
        log: Log,
        on_role: Callable[[bool], None],
    ):
        self._config: Config = engine.config
        self._encryption = encryption
        self._log = log
        self._host = LoopHost(loop, engine.clock, self._heed_fault, self.transport, _READ_SIZE)
        self._choose_source(self._config["bind-source-addr"])
        self._config.on_change("bind-source-addr", self._choose_source)
        self.side = replica_side_of(engine)
        self.side.carrier = self._host
        self.side.on_role += [self._show_role, on_role]

    def begin(self) -> None:
        """Follow the primary of the configuration, if it names one."""
        primary = self._config["replicaof"]
        if primary is not None:
            self.side.begin(*primary)

    def transport(self, loop: Loop, fd: int) -> Transport:
        """What carries a connection to a port for clients of another node."""
        if self._config["tls-replication"]:
            return self._encryption.connect(loop, fd)
        return Transport(loop, fd)

    def _choose_source(self, address: str | None) -> None:
        self._host.source = address or None

    def _show_role(self, follows: bool) -> None:
        self._log.role = "S" if follows else "M"

    def _heed_fault(self, fault: Exception) -> None:
        """Something has come out of the replica's side: the link ends, and is made anew."""
        if isinstance(fault, PanicError):
            self._log("warning", str(fault))
            raise SystemExit(1)
        self._log("warning", f"The link to the primary has failed: {trace_of(fault)}")

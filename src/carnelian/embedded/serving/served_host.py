"""What those who serve an engine ask of its host."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from carnelian.embedded.mailbox import Mailbox
    from carnelian.engine.engine import Engine


class ServedHost(Protocol):
    """The host of an engine, as far as it is used here; see ``embedded/host``."""

    core: Engine
    storage: Any
    shared: bool
    services: list[Any]

    def open(self, stream: bool, db: int, protocol: int, trusted: bool) -> Mailbox:
        """A new session."""

    def end(self, box: Mailbox) -> None:
        """End a session."""

    def submit(self, box: Mailbox, commands: list[list[bytes]]) -> None:
        """Run commands of a session."""

    def catch_up(self) -> None:
        """Wait for the disk, if it is to have what others have caused."""

    def perform(self, action: Callable[..., object], *arguments: object) -> object:
        """Call a function while no command runs."""

"""What an engine knows of what stands above it and is plugged in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.shared.client_state import Client
    from carnelian.resp.command_buffer import CommandBuffer

# What may be asked about a command before it runs, see carnelian.engine.parts.admission.Check.
Judge = Callable[["Client", "Command", list[bytes]], object]


class Persistence(Protocol):
    """What saves and loads the data set."""

    @property
    def loading(self) -> object | None:
        """What is being loaded, while it is."""
        ...

    @property
    def is_loading(self) -> bool:
        """Whether anything is being loaded, be it that sessions are served meanwhile."""
        ...

    def flushed(self) -> None:
        """All keys of all databases were deleted."""
        ...


class Log(Protocol):
    """The end of a file that changes are written to."""

    @property
    def buffer(self) -> CommandBuffer:
        """What is not in the file yet."""
        ...


class ChangeLog(Protocol):
    """What logs the changes of the data set."""

    @property
    def log(self) -> Log:
        """Where it writes."""
        ...


class Gatherer(Protocol):
    """What is told of every command that has run."""

    def note(
        self, session: Client, command: Command, args: list[bytes], elapsed_ns: int, reply: object
    ) -> None:
        """A command has run, and took so long."""
        ...

"""What a session has begun and not ended: a transaction, watched keys, a wait."""

from __future__ import annotations

from carnelian.engine.catalogue.registry import Command

# The number of a database, and a key in it.
Place = tuple[int, bytes]


class Transaction:
    """The commands between MULTI and EXEC."""

    __slots__ = ("aborted", "flags", "memory", "queue")

    def __init__(self) -> None:
        self.queue: list[tuple[Command, list[bytes]]] = []
        # A command that could not be queued makes EXEC refuse them all.
        self.aborted = False
        self.flags = 0
        self.memory = 0

    def add(self, command: Command, args: list[bytes], flags: int) -> None:
        """Queue a command that is judged by these flags."""
        self.queue.append((command, args))
        self.flags |= flags
        self.memory += sum(map(len, args))


class Watch:
    """The keys that one session watches."""

    __slots__ = ("broken", "places")

    def __init__(self) -> None:
        # Each place with whether the key's time was over already when the watch began: that it
        # is then removed is no change.
        self.places: dict[Place, bool] = {}
        self.broken = False


class Blocked:
    """Why and until when one session waits."""

    __slots__ = (
        "args", "command", "deadline_ms", "places", "postponed", "retry_ms", "spent",
        "timed", "timeout_reply", "type_name",
    )  # fmt: skip

    def __init__(
        self,
        command: Command | None,
        args: list[bytes],
        places: list[Place],
        deadline_ms: int,
        timeout_reply: object,
        type_name: bytes | None = None,
    ):
        self.command = command
        self.args = args
        self.places = places
        self.deadline_ms = deadline_ms
        self.timeout_reply = timeout_reply
        self.type_name = type_name
        # Held back before it ran, rather than waiting for something.
        self.postponed = False
        # When it is to be tried again though no key changes; 0 if it is not.
        self.retry_ms = 0
        # Whether it waits for a time, too.
        self.timed = deadline_ms != 0
        # The nanoseconds that the attempts so far took: they count when the wait is over.
        self.spent = 0

    def tried(self, nanoseconds: int) -> int:
        """Note that one more attempt took so long; how long all of them did."""
        self.spent += nanoseconds
        return self.spent

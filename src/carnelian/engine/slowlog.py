"""The slow log: the last commands that took longer than a threshold."""

from __future__ import annotations

from collections import deque

# What an entry keeps of a long command: so many words, so many bytes of each.
_MAX_ARGS = 32
_MAX_BYTES = 128


class Entry:
    """One slow command: when it ended (unix seconds), how long it took, and who sent it."""

    __slots__ = ("args", "id", "microseconds", "name", "peer", "time")

    def __init__(
        self, id: int, time: int, microseconds: int, args: list[bytes], peer: bytes, name: bytes
    ):
        self.id = id
        self.time = time
        self.microseconds = microseconds
        self.args = args
        self.peer = peer
        self.name = name


class SlowLog:
    """The newest entries first, at most ``limit`` of them; the rest is forgotten."""

    def __init__(self, limit: int = 128) -> None:
        self._entries: deque[Entry] = deque()
        self._next_id = 0
        self._limit = limit

    def add(
        self, args: list[bytes], microseconds: int, time: int, peer: bytes, name: bytes
    ) -> None:
        """Log a command."""
        entry = Entry(self._next_id, time, microseconds, _trim(args), peer, name)
        self._entries.appendleft(entry)
        self._next_id += 1
        self.resize(self._limit)

    def resize(self, limit: int) -> None:
        """Keep at most so many entries from now on."""
        self._limit = limit
        while len(self._entries) > limit:
            self._entries.pop()

    def clear(self) -> None:
        """Forget all entries; ids go on counting."""
        self._entries.clear()

    def newest(self, count: int) -> list[Entry]:
        """The newest entries, all of them if ``count`` is -1."""
        wanted = len(self._entries) if count < 0 else min(count, len(self._entries))
        return [self._entries[position] for position in range(wanted)]

    def __len__(self) -> int:
        return len(self._entries)


def _trim(args: list[bytes]) -> list[bytes]:
    kept = args
    if len(args) > _MAX_ARGS:
        left = len(args) - _MAX_ARGS + 1
        kept = [*args[: _MAX_ARGS - 1], b"... (%d more arguments)" % left]
    return [
        arg
        if len(arg) <= _MAX_BYTES
        else arg[:_MAX_BYTES] + b"... (%d more bytes)" % (len(arg) - _MAX_BYTES)
        for arg in kept
    ]

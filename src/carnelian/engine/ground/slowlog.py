"""The slow log: the last commands that took longer than a threshold."""

from __future__ import annotations

from collections import deque


class Entry:
    """One slow command: when it ended (unix seconds), how long it took, and who sent it.

    ``args`` may have been cut; ``count`` is how many there were.
    """

    __slots__ = ("args", "count", "id", "microseconds", "name", "peer", "time")

    def __init__(
        self,
        id: int,
        time: int,
        microseconds: int,
        args: list[bytes],
        peer: bytes,
        name: bytes,
        count: int,
    ):
        self.id = id
        self.time = time
        self.microseconds = microseconds
        self.args = args
        self.peer = peer
        self.name = name
        self.count = count


class SlowLog:
    """The newest entries first, at most ``limit`` of them; the rest is forgotten.

    An entry keeps ``most_words`` of a long command, and ``most_bytes`` of each.
    """

    def __init__(self, limit: int = 128) -> None:
        self._entries: deque[Entry] = deque()
        self._next_id = 0
        self._limit = limit
        self.most_words = 32
        self.most_bytes = 128

    def add(
        self, args: list[bytes], microseconds: int, time: int, peer: bytes, name: bytes
    ) -> None:
        """Log a command."""
        kept = _trim(args, self.most_words, self.most_bytes)
        entry = Entry(self._next_id, time, microseconds, kept, peer, name, len(args))
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


def _trim(args: list[bytes], most_words: int, most_bytes: int) -> list[bytes]:
    words = args if len(args) <= most_words else args[: most_words - 1]
    kept = [
        word
        if len(word) <= most_bytes
        else word[:most_bytes] + b"... (%d more bytes)" % (len(word) - most_bytes)
        for word in words
    ]
    if len(words) < len(args):
        kept.append(b"... (%d more arguments)" % (len(args) - len(words)))
    return kept

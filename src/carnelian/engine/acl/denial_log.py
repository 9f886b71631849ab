"""What was refused to whom: the entries of ACL LOG, and the counters of INFO."""

from __future__ import annotations

from collections import deque

# Refusals of the same kind so many milliseconds after each other are one entry; only so many of
# the latest entries are looked at for that.
_GROUPED_MS = 60_000
_LOOKED_AT = 10

REASONS = (b"command", b"key", b"channel", b"auth", b"tls-cert")


class Denial:
    """One entry: something that was refused, once or ``count`` times in a row."""

    __slots__ = (
        "client", "context", "count", "created_ms", "number", "object", "reason", "updated_ms",
        "user",
    )  # fmt: skip

    def __init__(
        self,
        reason: bytes,
        context: bytes,
        object: bytes,
        user: bytes,
        client: bytes,
        now_ms: int,
        number: int,
    ):
        self.reason = reason
        self.context = context
        self.object = object
        self.user = user
        self.client = client
        self.created_ms = self.updated_ms = now_ms
        self.number = number
        self.count = 1

    def is_like(self, other: Denial) -> bool:
        """Whether another one, which came later, belongs to this entry."""
        return (
            self.reason == other.reason
            and self.context == other.context
            and self.object == other.object
            and self.user == other.user
            and other.updated_ms - self.updated_ms <= _GROUPED_MS
        )


class DenialLog:
    """The latest refusals, newest first, and how many there were by reason."""

    def __init__(self) -> None:
        self._entries: deque[Denial] = deque()
        self._numbered = 0
        self._most = 0
        self.counts = dict.fromkeys(REASONS, 0)

    def __len__(self) -> int:
        return len(self._entries)

    def resize(self, most: int) -> None:
        """Keep so many entries from now on."""
        self._most = most
        self._trim()

    def _trim(self) -> None:
        while len(self._entries) > self._most:
            self._entries.pop()

    def reset(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def latest(self, count: int) -> list[Denial]:
        """So many entries, newest first."""
        return [self._entries[place] for place in range(min(count, len(self._entries)))]

    def add(
        self, reason: bytes, context: bytes, object: bytes, user: bytes, client: bytes, now_ms: int
    ) -> None:
        """Note a refusal.

        Args:
            reason: one of :data:`REASONS`.
            context: ``toplevel``, ``multi``, ``lua`` or ``module``.
            object: the command, key or channel that it is about.
            client: the line of CLIENT LIST about the session.
        """
        self.counts[reason] += 1
        if self._most <= 0:
            self._trim()
            return
        new = Denial(reason, context, object, user, client, now_ms, self._numbered)
        for place in range(min(_LOOKED_AT, len(self._entries))):
            entry = self._entries[place]
            if entry.is_like(new):
                entry.client = client
                entry.updated_ms = now_ms
                entry.count += 1
                del self._entries[place]
                self._entries.appendleft(entry)
                return
        self._numbered += 1
        self._entries.appendleft(new)
        self._trim()

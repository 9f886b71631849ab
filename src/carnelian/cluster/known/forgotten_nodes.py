"""Nodes that have been forgotten on purpose, and are not taken back for a minute."""

from __future__ import annotations

# Seconds: so long has an administrator to have a node forgotten everywhere.
LIFETIME = 60


class ForgottenNodes:
    """IDs, and until when in milliseconds their nodes stay out. Everything is O(n) in them."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._until)

    def add(self, id: str, now: int, seconds: int = LIFETIME) -> None:
        """Leave a node out for so long."""
        self._drop_past(now)
        self._until[id] = now + seconds * 1000

    def holds(self, id: str, now: int) -> bool:
        """Whether a node is left out."""
        self._drop_past(now)
        return id in self._until

    def remaining(self, now: int) -> list[tuple[str, int]]:
        """Pairs of an ID and the seconds that its node stays out."""
        self._drop_past(now)
        return [(id, (until - now) // 1000) for id, until in self._until.items()]

    def clear(self) -> None:
        """Leave nobody out."""
        self._until.clear()

    def _drop_past(self, now: int) -> None:
        if self._until:
            self._until = {id: until for id, until in self._until.items() if until >= now}

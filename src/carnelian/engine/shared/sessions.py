"""The sessions of an engine: their ids, and what is undone when one ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from carnelian.engine.shared.client_state import Client


class Sessions:
    """All open sessions by id, oldest first."""

    def __init__(self) -> None:
        self._by_id: dict[int, Client] = {}
        self._last_id = 0
        # Each is called with a session that has ended; features forget what they held of it.
        self.on_removed: list[Callable[[Client], None]] = []

    def next_id(self) -> int:
        """An id that no session of this engine had before."""
        self._last_id += 1
        return self._last_id

    def add(self, session: Client) -> None:
        """Make a session known to CLIENT LIST, CLIENT KILL and the like."""
        self._by_id[session.id] = session

    def remove(self, session: Client) -> None:
        """Forget a session that has ended, and everything that features hold of it."""
        if self._by_id.pop(session.id, None) is None:
            return
        for hook in self.on_removed:
            hook(session)

    def get(self, session_id: int) -> Client | None:
        """The session of this id, if it is still open."""
        return self._by_id.get(session_id)

    def __iter__(self) -> Iterator[Client]:
        """A snapshot: sessions may end while the caller walks over them."""
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

"""MULTI, EXEC and WATCH: what a session has queued, and what it hopes stays as it is.

See https://redis.io/docs/latest/develop/interact/transactions/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.engine.registry import Command
    from carnelian.engine.session import Session
    from carnelian.keyspace.database import Database

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

    def add(self, command: Command, args: list[bytes]) -> None:
        """Queue a command."""
        self.queue.append((command, args))
        self.flags |= command.flags
        self.memory += sum(map(len, args))


class Watch:
    """The keys that one session watches."""

    __slots__ = ("broken", "places")

    def __init__(self) -> None:
        # Each place with whether the key's time was over already when the watch began: that it
        # is then removed is no change.
        self.places: dict[Place, bool] = {}
        self.broken = False


class Watches:
    """Who watches which key; nothing else in the engine knows."""

    def __init__(self) -> None:
        self.keys: dict[Place, dict[Session, Watch]] = {}
        # Called when there is a first watched key, or none any longer.
        self.on_interest: Callable[[], None] = _nothing

    def add(self, session: Session, key: bytes) -> None:
        """Watch a key of the session's current database."""
        watch = session.watch
        if watch is None:
            watch = session.watch = Watch()
        place = (session.db.index, key)
        if place in watch.places:
            return
        watch.places[place] = session.db.is_overdue(key)
        first = not self.keys
        self.keys.setdefault(place, {})[session] = watch
        if first:
            self.on_interest()

    def clear(self, session: Session) -> None:
        """Watch nothing any longer."""
        if session.watch is None:
            return
        for place in session.watch.places:
            watchers = self.keys[place]
            del watchers[session]
            if not watchers:
                del self.keys[place]
        session.watch = None
        if not self.keys:
            self.on_interest()

    def touch(self, db: Database, key: bytes) -> None:
        """A key has changed."""
        place = (db.index, key)
        for watch in self.keys.get(place, {}).values():
            if watch.places[place] and not db.holds(key):
                watch.places[place] = False
                continue
            watch.broken = True

    def touch_all(self, db: Database, successor: Database | None = None) -> None:
        """All keys of a database go; with a successor, what that holds takes their place."""
        for (index, key), watchers in self.keys.items():
            if index != db.index:
                continue
            comes = successor is not None and successor.holds(key)
            if not (comes or db.holds(key)):
                continue
            for watch in watchers.values():
                self._replace(watch, (index, key), db, successor if comes else None)

    def _replace(
        self, watch: Watch, place: Place, db: Database, successor: Database | None
    ) -> None:
        """One watched key is replaced by the one of a successor, or goes if that is None.

        A key whose time is over counts as none, so that becoming or ceasing to be one is no change.
        """
        key = place[1]
        if watch.places[place]:
            if successor is None:
                watch.places[place] = False
                return
            if successor.is_overdue(key):
                return
        elif successor is not None and not db.holds(key) and successor.is_overdue(key):
            watch.places[place] = True
            return
        watch.broken = True

    def broken(self, session: Session) -> bool:
        """Whether a watched key has changed, or its time is over since."""
        watch = session.watch
        if watch is None:
            return False
        databases = session.keyspace.databases
        return watch.broken or any(
            not was_expired and databases[index].is_overdue(key)
            for (index, key), was_expired in watch.places.items()
        )


def _nothing() -> None:
    pass

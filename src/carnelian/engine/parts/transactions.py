"""MULTI, EXEC and WATCH: what a session has queued, and what it hopes stays as it is.

See https://redis.io/docs/latest/develop/interact/transactions/
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.engine.shared.begun import Place, Watch
from carnelian.engine.shared.client_state import Client
from carnelian.keyspace.database import Database


class Watches:
    """Who watches which key; nothing else in the engine knows."""

    def __init__(self) -> None:
        self.keys: dict[Place, dict[Client, Watch]] = {}
        # Called when there is a first watched key, or none any longer.
        self.on_interest: Callable[[], None] = _nothing

    def add(self, session: Client, key: bytes) -> None:
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

    def clear(self, session: Client) -> None:
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

    def broken(self, session: Client) -> bool:
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

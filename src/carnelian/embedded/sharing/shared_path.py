"""A path that several processes use: whoever comes first has it open, and serves the others.

When that process ends, the next one that wants something opens the path, and goes on with all that
was written.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from typing import Any

from carnelian.embedded.errors import DatabaseLockedError
from carnelian.embedded.local_engine import Engine

# Seconds to wait for one who has the path, but does not serve it yet or any more: who opens a large
# file, or saves one.
_PATIENCE = 60.0
_POLL = 0.02
# Somebody who has just taken the path may not have told yet where he serves it.
_GRACE = 0.5

_SCHEME = "unix://"

# By real path, as long as somebody uses them.
_paths: weakref.WeakValueDictionary[str, SharedPath] = weakref.WeakValueDictionary()
_paths_lock = threading.Lock()


class SharedPath:
    """A path as this process shares it with others; see :func:`shared_path`."""

    def __init__(self, path: str, directives: dict[str, Any]):
        self.path = path
        self._directives = directives
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._users = 0

    @property
    def engine(self) -> Engine | None:
        """The engine, if it is this process that has it."""
        engine = self._engine
        return None if engine is None or engine.closed else engine

    def reach(self) -> Engine | str:
        """The engine, or the path of the socket where another process serves it.

        Raises:
            DatabaseLockedError: somebody has it open who does not share it, or does not answer.
            carnelian.DatabaseError, OSError, TypeError, ValueError: as for an engine.
        """
        with self._lock:
            if self.engine is not None:
                return self.engine
            deadline = time.monotonic() + _PATIENCE
            grace = time.monotonic() + _GRACE
            while True:
                try:
                    self._engine = Engine(self.path, share=True, **self._directives)
                    return self._engine
                except DatabaseLockedError as error:
                    place = _served(error.address)
                    if place is not None:
                        return place
                    now = time.monotonic()
                    if now > (deadline if _is_shared(error.address) else grace):
                        raise
                time.sleep(_POLL)

    def socket_path(self) -> str:
        """The path of a socket that leads to the data, be it of this process."""
        place = self.reach()
        if isinstance(place, str):
            return place
        path: str = place.host.services[0].unixsocket
        return path

    def use(self) -> SharedUse:
        """Have it open until :meth:`SharedUse.close`, with all others in this process."""
        with self._lock:
            self._users += 1
        return SharedUse(self)

    def left(self) -> None:
        """Somebody has closed it; with the last one, the engine of this process ends.

        Raises carnelian.DatabaseSaveError as an engine does; nobody has closed it then.
        """
        # Whoever comes meanwhile waits: it shall not have an engine that is about to end.
        with self._lock:
            if self._users == 1 and self._engine is not None:
                self._engine.close()
            self._users -= 1

    def orphan(self) -> None:
        """In a child made by fork: the engine is the parent's, who serves it."""
        self._lock = threading.Lock()


class SharedUse:
    """One of those who use a path in this process."""

    def __init__(self, path: SharedPath):
        self._path: SharedPath | None = path

    def close(self) -> None:
        """Use it no longer. Raises carnelian.DatabaseSaveError as an engine does."""
        path = self._path
        if path is None:
            return
        path.left()
        self._path = None


def shared_path(path: str, directives: dict[str, Any]) -> SharedPath:
    """A path that is shared with other processes, and within this one.

    Args:
        path: of the file.
        directives: for the engine, if it is this process that opens it. What is written is on
            disk when it is answered, as far as a process can be killed: ``appendonly`` is True
            unless given.
    """
    real = os.path.realpath(path)
    with _paths_lock:
        shared = _paths.get(real)
        if shared is None:
            shared = SharedPath(real, {"appendonly": True, **directives})
            _paths[real] = shared
        return shared


def _is_shared(address: str | None) -> bool:
    """Whether somebody says that there is a socket, or will be."""
    return address is not None and address.startswith(_SCHEME)


def _served(address: str | None) -> str | None:
    """The path of a socket, if somebody answers there."""
    if address is None or not _is_shared(address):
        return None
    path = address.removeprefix(_SCHEME)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return None
    return path


def _orphan_all() -> None:
    global _paths_lock
    _paths_lock = threading.Lock()
    for shared in list(_paths.values()):
        shared.orphan()


os.register_at_fork(after_in_child=_orphan_all)

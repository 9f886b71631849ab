"""Errors of embedded use that are no replies."""

from __future__ import annotations

import os
from typing import Any

from carnelian.persistence.saving.lock import describe


class EngineClosedError(RuntimeError):
    """The engine is closed, or belongs to the process that this one was forked from."""


class SessionCutError(EngineClosedError):
    """The engine has ended this session, because it or all of them took too much memory."""


class DatabaseError(Exception):
    """The files of an engine cannot be used; ``path`` is what the engine was opened with."""

    def __init__(self, path: str, message: str):
        super().__init__(message)
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made anew of what they show, which is not what these are made of.
        return _restore, (type(self), self.args, self.__dict__)


class DatabaseLockedError(DatabaseError):
    """Another engine has the path open; ``pid`` is its process, None if that is not known, and
    ``address`` the URL at which it serves the data, None if it does not.
    """

    def __init__(self, path: str, pid: int | None, address: str | None = None):
        advice = _advise(pid) if address is None else f"connect to {address}, where it serves it"
        super().__init__(path, f"{path} is in use by {describe(pid)}: {advice}")
        self.pid = pid
        self.address = address


class DatabaseLoadError(DatabaseError):
    """The files are damaged or cannot be read. They have been left as they are."""


class DatabaseSaveError(DatabaseError):
    """The data could not be saved when the engine was to close: it stays open, and keeps them."""


def _restore(kind: type[DatabaseError], args: tuple[Any, ...], state: dict) -> DatabaseError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def _advise(pid: int | None) -> str:
    if pid == os.getpid():
        return "share that engine, or close it first"
    return "processes share a server instead, see docs/several-processes.md"

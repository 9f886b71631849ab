"""Carnelian: Redis as a Python package, embedded, as a server, and as a fleet."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from carnelian.embedded.aio import Redis as AsyncRedis
    from carnelian.embedded.client import Connection, Redis
    from carnelian.embedded.errors import (
        DatabaseError,
        DatabaseLoadError,
        DatabaseLockedError,
        DatabaseSaveError,
        EngineClosedError,
        SessionCutError,
    )
    from carnelian.embedded.local_engine import Engine, LocalSession
    from carnelian.embedded.serving.engine_service import Service
    from carnelian.embedded.testing.frozen_clock import ManualClock
    from carnelian.engine.catalogue.key_positions import KeySpec, after, at, counted
    from carnelian.engine.declaring import command
    from carnelian.engine.extensions.modules import Module
    from carnelian.engine.session import Session
    from carnelian.resp.replies import OK, Error, Status

__version__ = "0.1.0"

# The Redis that clients are told they talk to: its commands, files and messages are the model.
REDIS_VERSION = "7.4.2"

# Where each public name lives. They are imported on first use, so that a program which imports
# carnelian pays for what it uses only.
_HOMES = {
    "AsyncRedis": "carnelian.embedded.aio:Redis",
    "Connection": "carnelian.embedded.client",
    "DatabaseError": "carnelian.embedded.errors",
    "DatabaseLoadError": "carnelian.embedded.errors",
    "DatabaseLockedError": "carnelian.embedded.errors",
    "DatabaseSaveError": "carnelian.embedded.errors",
    "Engine": "carnelian.embedded.local_engine",
    "EngineClosedError": "carnelian.embedded.errors",
    "Error": "carnelian.resp.replies",
    "KeySpec": "carnelian.engine.catalogue.registry",
    "LocalSession": "carnelian.embedded.local_engine",
    "ManualClock": "carnelian.embedded.testing.frozen_clock",
    "Module": "carnelian.engine.extensions.modules",
    "OK": "carnelian.resp.replies",
    "Redis": "carnelian.embedded.client",
    "Service": "carnelian.embedded.serving.engine_service",
    "Session": "carnelian.engine.session",
    "SessionCutError": "carnelian.embedded.errors",
    "Status": "carnelian.resp.replies",
    "after": "carnelian.engine.declaring",
    "at": "carnelian.engine.declaring",
    "command": "carnelian.engine.declaring",
    "counted": "carnelian.engine.declaring",
}

# Parts of the package that are there as attributes without an import of their own.
_ROOMS = {
    "asyncio": "carnelian.asyncio",
    "keyspace": "carnelian.keyspace.events",
    "testing": "carnelian.testing",
}

__all__ = [
    "OK",
    "AsyncRedis",
    "Connection",
    "DatabaseError",
    "DatabaseLoadError",
    "DatabaseLockedError",
    "DatabaseSaveError",
    "Engine",
    "EngineClosedError",
    "Error",
    "KeySpec",
    "LocalSession",
    "ManualClock",
    "Module",
    "Redis",
    "Service",
    "Session",
    "SessionCutError",
    "Status",
    "after",
    "at",
    "command",
    "counted",
]


# Type checkers would take any name for one that there is.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import importlib

        if name in _ROOMS:
            importlib.import_module(_ROOMS[name])
            return globals()[name]
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = home.partition(":")
        found = getattr(importlib.import_module(module), attribute or name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

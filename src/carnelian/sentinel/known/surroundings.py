"""What a Sentinel needs of whoever carries it, besides a host for its connections."""

from __future__ import annotations

from typing import Protocol


class NotStarted(Exception):
    """A script could not be started, and never will be."""


class ProcessEnd:
    """How a script has ended: with a status, or by a signal (0 if it was none)."""

    __slots__ = ("pid", "signal", "status")

    def __init__(self, pid: int, status: int, signal: int):
        self.pid = pid
        self.status = status
        self.signal = signal


class ScriptRunner(Protocol):
    """Runs scripts as processes."""

    def start(self, words: list[str]) -> int:
        """Start one; its process id. Raises NotStarted, or OSError if there can be no process."""

    def ended(self) -> list[ProcessEnd]:
        """Those that have ended since the last call."""

    def kill(self, pid: int) -> None:
        """End one at once."""


class Surroundings(Protocol):
    """The process and the configuration around a Sentinel."""

    # What runs scripts.
    scripts: ScriptRunner

    def log(self, level: str, text: str) -> None:
        """Write a line of log; levels are ``debug``, ``verbose``, ``notice``, ``warning``."""

    def publish(self, channel: str, message: str) -> None:
        """Tell those who listen to a channel."""

    def save(self) -> bool:
        """Bring all that :mod:`carnelian.sentinel.known.sentinel_lines` tells to the disk; false
        if that could not be done.
        """

    def crash(self) -> None:
        """End at once, as a failure that is simulated."""

    def resolve(self, host: str, numeric: bool) -> str | None:
        """The address of a host; None if it has none. ``numeric`` takes addresses alone."""

    def own_port(self) -> int:
        """Where other Sentinels reach this one."""

    def own_password(self) -> str | None:
        """What clients of this Sentinel have to give."""

    def is_executable(self, path: str) -> bool:
        """Whether a path is that of a program."""

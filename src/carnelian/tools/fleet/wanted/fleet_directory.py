"""The directory of a fleet: what stands where, and the locks that keep others out."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from carnelian.persistence.saving.lock import LockedError, PathLock
from carnelian.tools.fleet.wanted.fleet_error import FleetError, NoFleetError
from carnelian.tools.fleet.wanted.fleet_state import FleetState
from carnelian.tools.fleet.wanted.node_directives import conf_text

DEFAULT = "carnelian-fleet"
_STATE = "fleet.json"
# Somebody who only looks whether a lock is held has it for a moment.
_LOCK_PATIENCE = 0.5


class FleetDirectory:
    """A directory with ``fleet.json``, ``fleet.log``, and a directory for each node.

    ``fleet.lock`` is the supervisor's, ``change.lock`` is held by who changes the state.
    """

    def __init__(self, path: str):
        self.path = os.path.abspath(os.path.expanduser(path))

    def __str__(self) -> str:
        """As people give it: relative to where they are, if that is shorter."""
        relative = os.path.relpath(self.path)
        if not relative.startswith(".."):
            relative = os.path.join(".", relative)
        return min(relative, self.path, key=len)

    def command(self, words: str = "") -> str:
        """A command line for this fleet, to be told to people."""
        given = "" if self.path == os.path.abspath(DEFAULT) else f"--dir {self}"
        return " ".join(filter(None, ("carnelian-fleet", words, given)))

    @property
    def state_path(self) -> str:
        """The state file."""
        return os.path.join(self.path, _STATE)

    @property
    def log_path(self) -> str:
        """The log of the supervisor."""
        return os.path.join(self.path, "fleet.log")

    def of_node(self, port: int, *names: str) -> str:
        """The directory of a node, or a file in it."""
        return os.path.join(self.path, str(port), *names)

    @property
    def holds_fleet(self) -> bool:
        """Whether there is a fleet here."""
        return os.path.exists(self.state_path)

    def load(self) -> FleetState:
        """What is wanted. Raises NoFleetError if there is no fleet."""
        if not self.holds_fleet:
            raise NoFleetError(
                f"there is no fleet in {self}: {self.command()} starts one, and --dir DIR names "
                "another directory"
            )
        return FleetState.load(self.state_path)

    def save(self, state: FleetState) -> None:
        """Write what is wanted. Raises FleetError."""
        try:
            state.save(self.state_path)
        except OSError as error:
            raise FleetError(f"{self.state_path}: {error.strerror}") from None

    def make(self) -> None:
        """Make the directory, which holds passwords and data: for its owner alone.

        Raises FleetError if it cannot be made, or holds something else.
        """
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
        except OSError as error:
            raise FleetError(f"{self} cannot be made: {error.strerror}") from None
        try:
            strange = [name for name in os.listdir(self.path) if not name.endswith(".lock")]
        except OSError as error:
            raise FleetError(f"{self}: {error.strerror}") from None
        if strange and not self.holds_fleet:
            raise FleetError(f"{self} holds something that is no fleet: choose another --dir")

    def make_node(self, state: FleetState, port: int) -> None:
        """Make the directory of a node; what a former node has left there is put aside."""
        self.put_aside(port)
        os.mkdir(self.of_node(port), 0o700)
        self.write_conf(state, port)

    def write_conf(self, state: FleetState, port: int) -> None:
        """Write a node's configuration anew."""
        with open(self.of_node(port, "carnelian.conf"), "w", errors="surrogateescape") as file:
            file.write(conf_text(state, port))

    def put_aside(self, port: int) -> str | None:
        """Move a node's directory to those that were removed; returns where to."""
        if not os.path.exists(self.of_node(port)):
            return None
        removed = os.path.join(self.path, "removed")
        os.makedirs(removed, mode=0o700, exist_ok=True)
        number = 1
        while os.path.exists(place := os.path.join(removed, f"{port}.{number}")):
            number += 1
        os.rename(self.of_node(port), place)
        return place

    # -- Locks -------------------------------------------------------------------------------------

    def supervise(self) -> PathLock:
        """The supervisor's lock. Raises FleetError if there is a supervisor already."""
        return self._claim("fleet", "is supervised by process {} already")

    @contextmanager
    def change(self) -> Iterator[None]:
        """Nobody else changes the fleet meanwhile. Raises FleetError if somebody does."""
        lock = self._claim("change", "is being changed by process {}: wait until it is done")
        try:
            yield
        finally:
            lock.release()

    def _claim(self, name: str, refusal: str) -> PathLock:
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                return PathLock(os.path.join(self.path, name))
            except LockedError as error:
                if time.monotonic() > deadline:
                    raise FleetError(f"{self} {refusal.format(error.pid or '?')}") from None
                time.sleep(0.05)
            except OSError as error:
                raise FleetError(f"{self}: {error.strerror}") from None

    def supervisor(self) -> int | None:
        """The process that supervises the fleet, None if none does."""
        return holder(os.path.join(self.path, "fleet.lock"))


def holder(path: str) -> int | None:
    """The process that has a lock file locked: 0 if it has not signed, None if nobody has."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(fd)
    return None

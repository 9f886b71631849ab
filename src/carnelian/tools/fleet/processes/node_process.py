"""The process of a node: started, found again after its supervisor has gone, ended.

A node holds a lock on ``node.lock`` in its directory from its first moment to its last, as it
inherits the open file. So it is known whether a node runs whoever has started it, and none is
started twice. Children of a node hold the lock, too: while one of a killed node still writes a
snapshot, the node is not started, and nothing is written over that is newer.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from carnelian.tools.fleet.wanted.fleet_directory import FleetDirectory, holder
from carnelian.tools.fleet.wanted.fleet_error import FleetError

_TAIL_BYTES = 16 * 1024


class NodeBusyError(Exception):
    """A process of the node's is still there."""


class NodeProcess:
    """The process of the node at ``port``, running or not; ``program`` is how it is started."""

    def __init__(self, directory: FleetDirectory, port: int, program: Sequence[str]):
        self.port = port
        self.program = program
        self.directory = directory.of_node(port)
        self.pid = 0
        self.started = 0.0
        self.ended = 0.0
        self.how_ended = ""
        self._child: subprocess.Popen[bytes] | None = None

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def start(self) -> None:
        """Start it. Raises NodeBusyError, and FleetError if the program cannot be run."""
        fd = os.open(self._path("node.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._run(fd)
        except BlockingIOError:
            raise NodeBusyError(f"a process of node {self.port} is still there") from None
        finally:
            os.close(fd)

    def _run(self, lock: int) -> None:
        with open(self._path("log"), "ab") as log:
            try:
                self._child = subprocess.Popen(
                    [*self.program, "carnelian.conf", "--dir", self.directory],
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[lock],
                    # Ctrl-C is for the supervisor, which ends nodes in their order.
                    start_new_session=True,
                )
            except OSError as error:
                raise FleetError(f"{self.program[0]} cannot be run: {error.strerror}") from None
        self.pid = self._child.pid
        self.started = time.monotonic()
        self.ended = 0.0

    def adopt(self) -> bool:
        """Take over a process that somebody else has started; False if none runs."""
        if not self.locked:
            return False
        pid = self._written_pid()
        if pid is None or not _exists(pid):
            return False
        self.pid = pid
        self.started = time.monotonic()
        self.ended = 0.0
        return True

    @property
    def locked(self) -> bool:
        """Whether the node, or a child that it has left, runs."""
        return holder(self._path("node.lock")) is not None

    def _written_pid(self) -> int | None:
        try:
            with open(self._path("node.pid")) as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def alive(self) -> bool:
        """Whether it runs; notes when and how it has ended."""
        if not self.pid:
            return False
        if self._child is not None:
            status = self._child.poll()
            if status is None:
                return True
            self._end(_in_words(status))
            return False
        if _exists(self.pid) and self.locked:
            return True
        self._end("gone")
        return False

    def _end(self, how: str) -> None:
        self._child = None
        self.pid = 0
        self.ended = time.monotonic()
        self.how_ended = how

    def send(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def log_tail(self, lines: int = 8) -> list[str]:
        """The last lines of its log."""
        try:
            with open(self._path("log"), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip()][-lines:]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _in_words(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def program_of(server: str) -> list[str]:
    """The command line of the nodes' program; "" is carnelian-server."""
    if server:
        return [server]
    return [sys.executable, "-P", "-m", "carnelian.tools.serve"]

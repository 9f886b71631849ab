"""Connections over which scripts are debugged: the debugger waits for them, and the process too.

A forked session is one of a child process, which has the connection to itself; in a session of the
other kind the server stands still until the script has ended.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from carnelian.engine.engine import Engine
from carnelian.persistence.background.children import count_fork
from carnelian.resp.output import OutputBuffer
from carnelian.resp.replies import Error, Status
from carnelian.resp.writer import write
from carnelian.server.connection import Connection
from carnelian.server.system.log_file import Log

# Seconds that sending may take, and between two looks at whether the server is to end.
_PATIENCE = 5
_INTERVAL = 0.1
_PIECE = 1024
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


class DebugLines:
    """Hands connections to the debugger.

    Args:
        engine: whose scripts are debugged.
        log: where the beginning and the end of sessions are noted.
        ending: whether the server is to end.
    """

    def __init__(self, engine: Engine, log: Log, ending: Callable[[], bool]):
        self._engine = engine
        self._log = log
        self._ending = ending
        self._children: list[int] = []

    def carries(self, session: object) -> bool:
        """Whether a session is one of a connection."""
        return isinstance(session, Connection)

    def has_output(self, connection: Any) -> bool:
        """Whether a connection has replies that are not sent yet."""
        return len(connection.output) > 0

    def open(self, connection: Any, forked: bool) -> DebugLine | None:
        """Keep a connection, or in a child process if ``forked``; None in the parent of that."""
        if forked and not self._fork(connection):
            return None
        line = DebugLine(connection, self._log, forked, self._ending)
        if not forked:
            self._log("warning", "Redis synchronous debugging eval session started")
        line.flush()
        return line

    def _fork(self, connection: Any) -> bool:
        """Whether this is the child."""
        began = time.perf_counter()
        try:
            pid = os.fork()
        except OSError as error:
            raise Error(
                f"ERR Fork() failed: can't run EVAL in debugging mode: {error.strerror}"
            ) from None
        if pid == 0:
            self._be_child(connection)
            return True
        self._children.append(pid)
        count_fork(self._engine, int((time.perf_counter() - began) * 1e6))
        connection.transport.hand_over()
        connection.close()
        return False

    def _be_child(self, connection: Any) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        # Nobody is told of what happens here, and no file is written.
        self._engine.effects.abandon()
        self._engine.persistence = None
        kept = connection.transport.fd
        os.closerange(3, kept)
        os.closerange(max(3, kept + 1), os.sysconf("SC_OPEN_MAX"))
        self._ending = lambda: False
        self._log("warning", "Redis forked for debugging eval")

    def tend(self) -> None:
        """Forget the children that have ended; to be called now and then."""
        self._children = [pid for pid in self._children if _runs(pid)]

    def kill(self) -> None:
        """End all children: the server ends."""
        for pid in self._children:
            self._log("warning", f"Killing debugging session {pid}")
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class DebugLine:
    """One connection that the debugger reads from and writes to; nobody else does meanwhile."""

    def __init__(self, connection: Any, log: Log, forked: bool, ending: Callable[[], bool]):
        self._connection = connection
        self._log = log
        self._forked = forked
        self._ending = ending
        self._lost = False

    def send(self, lines: list[bytes]) -> None:
        """Send lines, as an array of them."""
        shown = [Status(line.translate(_LINE_BREAKS)) for line in lines]
        write(self._connection.output, shown, 2)
        self.flush()

    def receive(self) -> bytes:
        """Wait for input. None of it: the other side is gone, or the server is to end."""
        transport = self._connection.transport
        while not self._lost and not self._ending():
            try:
                piece: bytes | None = transport.read(_PIECE)
            except OSError:
                break
            if piece is not None:
                return piece
            self._wait(select.POLLIN, _INTERVAL)
        return b""

    def finish(self, reply: object) -> object:
        """The script has ended. In a child, so does the process; else the connection does."""
        if not self._forked:
            self._log("warning", "Redis synchronous debugging eval session ended")
            self._connection.close(True)
            return reply
        write(self._connection.output, reply, self._connection.protocol)
        self.flush()
        self._log("warning", "Lua debugging session child exiting")
        os._exit(0)

    def flush(self) -> None:
        """Send what is to be sent; give up the connection when that takes too long."""
        output: OutputBuffer = self._connection.output
        transport = self._connection.transport
        deadline = time.monotonic() + _PATIENCE
        while len(output) and not self._lost:
            try:
                sent = transport.write(output)
            except OSError:
                sent, deadline = 0, 0.0
            if sent == 0 and not self._wait(select.POLLOUT, deadline - time.monotonic()):
                self._lost = True
                output.clear()

    def _wait(self, events: int, seconds: float) -> bool:
        """Wait until the socket can be read or written; false if it cannot in so many seconds."""
        poll = select.poll()
        poll.register(self._connection.transport.fd, events)
        return bool(poll.poll(max(0.0, seconds) * 1000)) if seconds > 0 else False


def _runs(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return False

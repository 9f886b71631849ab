"""A terminal that a program believes to run in."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

_TIMEOUT = 30.0
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[a-zA-Z]|[=>])")
_WHERE = b"\x1b[6n"


class Terminal:
    """Runs a program in a terminal; ``seen`` is all that it has written, without escapes."""

    def __init__(self, *words: str, **environment: str):
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", **environment})
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.execvp(words[0], words)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.raw = b""
        self._looked = 0
        self.status: int | None = None

    @property
    def seen(self) -> str:
        return _ESCAPES.sub(b"", self.raw).decode("utf-8", "replace").replace("\r", "")

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_for(self, text: str) -> None:
        """Read until a text has come that was not waited for yet; fails if it does not."""
        deadline = time.monotonic() + _TIMEOUT
        while (place := self.seen.find(text, self._looked)) < 0:
            assert time.monotonic() < deadline, f"no {text!r} in {self.seen[self._looked :]!r}"
            if not self._read():
                assert text in self.seen[self._looked :], self.seen
        self._looked = place + len(text)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], 0.1)
        if not ready:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        if _WHERE in data:
            os.write(self._fd, b"\x1b[1;1R")
        self.raw += data
        return bool(data)

    def wait(self) -> int:
        """The exit status, when it has ended."""
        deadline = time.monotonic() + _TIMEOUT
        while self.status is None:
            assert time.monotonic() < deadline, self.seen
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

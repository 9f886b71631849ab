"""The server's log: lines in the form that tools around Redis read.

A line is ``pid:role day month year hh:mm:ss.mmm level message``, the role being M (primary),
S (replica), C (a child process, or before start-up is done) or X (sentinel), and the level one of
``.`` debug, ``-`` verbose, ``*`` notice, ``#`` warning.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import ModuleType

# From the least to the most urgent; `nothing` is a threshold that no line reaches.
LEVELS = {"debug": 0, "verbose": 1, "notice": 2, "warning": 3, "nothing": 4}
MARKS = ".-*#"

STDOUT = 1


class Log:
    """Writes lines to a file, or to standard output when ``path`` is empty.

    The file is opened for each line, so that moving it away rotates it. Errors of writing are
    ignored: a full disk must not stop the server. Usable as a function: ``log(level, message)``
    with a level's name, ``debug`` to ``warning``.
    """

    def __init__(self, level: str = "notice", path: str = ""):
        self.threshold = LEVELS[level]
        self.path = path
        self.role = "M"
        self.pid: int | None = None  # None until the process is the one that will serve
        self.silent = False  # a daemon without a log file has no standard output
        # Called before something is written to standard output, for who else writes there.
        self.before_output: Callable[[], None] | None = None
        self._syslog: ModuleType | None = None

    def __call__(self, level: str, message: str) -> None:
        """Write one line if ``level`` is at least the configured one."""
        rank = LEVELS[level]
        if rank < self.threshold:
            return
        pid = os.getpid()
        now = time.time()
        stamp = time.strftime("%d %b %Y %H:%M:%S", time.localtime(now))
        role = self.role if pid == self.pid else "C"
        millisecond = int(now * 1000) % 1000
        self._write(f"{pid}:{role} {stamp}.{millisecond:03d} {MARKS[rank]} {message}\n")
        if self._syslog is not None:
            _send_to_syslog(self._syslog, rank, message)

    def enabled(self, level: str) -> bool:
        """Whether lines of this level are written, for those that cost something to make."""
        return LEVELS[level] >= self.threshold

    def set_level(self, level: str) -> None:
        """Write lines from this level on."""
        self.threshold = LEVELS[level]

    def raw(self, level: str, text: str) -> None:
        """Write ``text`` as it is: the banner, parts of a crash report."""
        if self.enabled(level):
            self._write(text)

    def from_handler(self, level: str, message: str) -> None:
        """A line about a signal, written while the handler runs."""
        if self.enabled(level):
            self._write(f"{os.getpid()}:signal-handler ({int(time.time())}) {message}\n")

    def adopt_process(self) -> None:
        """This process is the server from now on; others (a snapshot's child) are marked C."""
        self.pid = os.getpid()

    def use_syslog(self, ident: str, facility: str) -> None:
        """Send every line to syslog too; ``facility`` is ``user`` or ``local0`` to ``local7``."""
        import syslog

        code = getattr(syslog, f"LOG_{facility.upper()}", syslog.LOG_LOCAL0)
        syslog.openlog(ident, syslog.LOG_PID | syslog.LOG_NDELAY | syslog.LOG_NOWAIT, code)
        self._syslog = syslog

    @property
    def to_terminal(self) -> bool:
        """Whether lines go to a person's terminal, who then gets the banner."""
        return not self.path and self._syslog is None and os.isatty(STDOUT)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        try:
            if not self.path:
                if self.before_output is not None:
                    self.before_output()
                if not self.silent:
                    os.write(STDOUT, data)
                return
            fd = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666)
            try:
                os.write(fd, data)
            finally:
                os.close(fd)
        except OSError:
            pass


def _send_to_syslog(syslog: ModuleType, rank: int, text: str) -> None:
    priorities = (syslog.LOG_DEBUG, syslog.LOG_INFO, syslog.LOG_NOTICE, syslog.LOG_WARNING)
    syslog.syslog(priorities[rank], text.replace("\0", "\\x00"))

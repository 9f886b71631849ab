"""Signals: SIGTERM and SIGINT ask for a shutdown, others must do no harm."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from carnelian.net.loop import Loop
from carnelian.server.system.log_file import Log


class Signals:
    """Turns SIGTERM and SIGINT into one call of ``on_shutdown(signal_name)`` in the loop.

    A second SIGINT, from somebody who has no patience, ends the process at once.
    """

    def __init__(self, loop: Loop, log: Log, on_shutdown: Callable[[str], None]):
        self._loop = loop
        self._log = log
        self._on_shutdown = on_shutdown
        self._received = False
        # Called before the process ends at once.
        self.on_insist: Callable[[], None] | None = None

    def install(self) -> None:
        """Handle signals from now on; only in the main thread."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        # Redis ends background children with it; a stray one must not end the server.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)
        signal.set_wakeup_fd(self._loop.wakeup_fd, warn_on_full_buffer=False)

    @property
    def received(self) -> bool:
        """Whether one has asked for a shutdown that was not called off."""
        return self._received

    def reset(self) -> None:
        """The shutdown was called off: the next signal asks for one again."""
        self._received = False

    def _handle(self, number: int, frame: object) -> None:
        if number == signal.SIGINT and self._received:
            self._log.from_handler("warning", "You insist... exiting now.")
            if self.on_insist is not None:
                self.on_insist()
            os._exit(1)
        name = signal.Signals(number).name
        self._log.from_handler("warning", f"Received {name} scheduling shutdown...")
        if not self._received:
            self._received = True
            self._loop.call_from_thread(lambda: self._on_shutdown(name))

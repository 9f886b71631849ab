"""How far a walk through all keys is, on a line of the terminal that goes away again."""

from __future__ import annotations

import sys
import time

from carnelian.tools.cli.modes.keys.key_walk import KeyWalk

_SOON = 1.0
_INTERVAL = 0.1
_BAR = 30


class ScanProgress:
    """Shows it from the first second on, if a person looks at standard error and output."""

    def __init__(self, walk: KeyWalk):
        self._walk = walk
        self._began = time.monotonic()
        self._next = self._began + _SOON
        self._terminal = sys.stderr.isatty() and sys.stdout.isatty()
        self._shown = False

    @property
    def percent(self) -> float:
        """How far it is, of a hundred."""
        return self._walk.percent

    def show(self) -> None:
        """A portion was dealt with."""
        now = time.monotonic()
        if not self._terminal or now < self._next:
            return
        self._next = now + _INTERVAL
        walk, done = self._walk, self.percent / 100
        bar = "█" * round(_BAR * done) + "░" * (_BAR - round(_BAR * done))
        left = (now - self._began) * (1 - done) / done if done else 0.0
        sys.stderr.write(f"\r\x1b[2K{bar} {walk.seen} of {walk.total} keys, {_clock(left)} to go")
        sys.stderr.flush()
        self._shown = True

    def print(self, line: str) -> None:
        """Print a line above it."""
        self.hide()
        print(line, flush=self._terminal)

    def hide(self) -> None:
        """Take it away until it is shown again."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = False

    def __enter__(self) -> ScanProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"

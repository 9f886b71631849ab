"""A part of the terminal that is drawn again and again, with lines that stay above it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from carnelian.tools.fleet.screen.fleet_table import BAD, BUSY, GOOD

_COLOURS = {GOOD: "\x1b[32m", BUSY: "\x1b[33m", BAD: "\x1b[31m", "title": "\x1b[1m"}
_PLAIN = "\x1b[0m"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


class LiveDisplay:
    """Lines on a terminal, and below them what :meth:`draw` was given last.

    Elsewhere, there are the lines alone. A reader that has gone is no failure.
    """

    def __init__(self, stream: TextIO | None = None):
        self._stream = stream or sys.stdout
        self.live = _is_terminal(self._stream)
        self._colours = self.live and not os.environ.get("NO_COLOR")
        self._drawn: list[tuple[str, str]] = []
        self._height = 0

    def say(self, text: str) -> None:
        """Write a line that stays."""
        below = self._drawn
        self._write(self._erasing() + text + "\n")
        if below:
            self.draw(below)

    def draw(self, lines: Sequence[tuple[str, str]]) -> None:
        """Show these lines, each with its mood, in the place of those before."""
        if not self.live:
            return
        size = shutil.get_terminal_size()
        shown = [(line[: size.columns - 1], mood) for line, mood in lines[: max(size.lines - 1, 1)]]
        text = "".join(f"{self._coloured(line, mood)}\n" for line, mood in shown)
        self._write(self._erasing() + _HIDE + text)
        self._drawn = list(lines)
        self._height = len(shown)

    def _coloured(self, line: str, mood: str) -> str:
        colour = _COLOURS.get(mood, "")
        return f"{colour}{line}{_PLAIN}" if colour and self._colours else line

    def _erasing(self) -> str:
        """What takes away that which is drawn, and goes to where it began."""
        height, self._height = self._height, 0
        return f"\x1b[{height}A\x1b[J" if height else ""

    def close(self, keep: bool = False) -> None:
        """Take away what is drawn, or keep it, and have the cursor back."""
        if not self._drawn:
            return
        text = "" if keep else self._erasing()
        self._drawn, self._height = [], 0
        self._write(text + _SHOW)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self.live = False


def _is_terminal(stream: TextIO) -> bool:
    try:
        return os.isatty(stream.fileno()) and os.environ.get("TERM", "dumb") != "dumb"
    except (OSError, ValueError):
        return False

"""How far the reading of a large file has come: a bar on a terminal, else a line now and then.

The bar needs ``rich``, which is imported when there is something to show. Without it, lines are
told on a terminal, too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

# Seconds after which a bar is shown, between two states of it, and between two lines.
_SOON = 0.5
_BAR_INTERVAL = 0.1
_LINE_INTERVAL = 5.0

_MB = 1024 * 1024


class Progress:
    """Shows how much of a file was read.

    Args:
        what: what is done, for the beginning of bar and lines: ``Loading``.
        tell: takes the lines; None for none.

    Whoever writes to the terminal calls :meth:`hide` first: the bar comes back below what was
    written. It goes away for good at the end of the ``with`` block. Nothing is shown of what takes
    less than half a second.
    """

    def __init__(self, what: str, tell: Callable[[str], None] | None = None):
        self._what = what
        self._tell = tell
        self._began = time.monotonic()
        self._terminal = _terminal()
        self._bar: Bar | None = None
        self._shown = False
        self._next = self._began + (_LINE_INTERVAL if self._terminal is None else _SOON)

    def show(self, done: int, total: int) -> None:
        """So many bytes of ``total`` are read."""
        now = time.monotonic()
        if now < self._next or not total:
            return
        if self._terminal is not None and self._bar is None:
            self._bar = _make_bar(self._terminal, self._what)
            if self._bar is None:
                self._terminal = None
                self._next = self._began + _LINE_INTERVAL
                return
        if self._bar is None:
            self._next = now + _LINE_INTERVAL
            self._say(done, total, now - self._began)
            return
        self._next = now + _BAR_INTERVAL
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)
        if self._shown:
            self._bar.refresh()
        else:
            self._bar.start()
            self._shown = True

    def _say(self, done: int, total: int, seconds: float) -> None:
        if self._tell is None:
            return
        left = f", {seconds * (total - done) / done:.0f} seconds left" if done else ""
        self._tell(
            f"{self._what}: {100 * done / total:.1f}% of {total / _MB:.1f} MB after "
            f"{seconds:.0f} seconds{left}"
        )

    def hide(self) -> None:
        """Take the bar away until it changes the next time."""
        if self._shown and self._bar is not None:
            self._shown = False
            self._bar.stop()

    def print(self, text: object) -> None:
        """Write a line to standard output."""
        self.hide()
        print(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()


def _terminal() -> TextIO | None:
    """The terminal that a person looks at, standard error before standard output."""
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream is not None and os.isatty(stream.fileno()):
                return stream
        except (OSError, ValueError):
            pass
    return None


def _make_bar(terminal: TextIO, what: str) -> Bar | None:
    """A bar, or None where ``rich`` is missing or the terminal cannot show one."""
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        return None
    console = Console(file=terminal)
    if not console.is_interactive or console.is_dumb_terminal:
        return None
    bar = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.DownloadColumn(binary_units=True),
        progress.TimeRemainingColumn(),
        console=console,
        # No thread: it is drawn when there is news. Nothing of it stays.
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task(what, total=None)
    return bar

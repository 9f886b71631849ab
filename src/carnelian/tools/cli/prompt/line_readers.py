"""Where lines come from, if not from the prompt of prompt_toolkit."""

from __future__ import annotations

import io
import os
import sys
from typing import Protocol

from carnelian.tools.cli.prompt.kept_lines import history_path, keep_line, may_be_kept

_MOST_KEPT = 10_000


class Reader(Protocol):
    """Gives lines."""

    def read(self, prompt: str) -> str:
        """The next line, asked for with a prompt.

        Raises EOFError at the end, and KeyboardInterrupt.
        """


class PipedLines:
    """The lines of standard input, without a prompt."""

    def read(self, prompt: str) -> str:
        """As :meth:`Reader.read`."""
        line = sys.stdin.buffer.readline()
        if not line:
            raise EOFError
        return line.rstrip(b"\n").decode("utf-8", "surrogateescape")


class PlainPrompt:
    """A prompt with what Python brings: lines can be edited and fetched again."""

    def __init__(self) -> None:
        self._path = history_path()
        if isinstance(sys.stdin, io.TextIOWrapper):
            # Bytes that are no text are none of our business.
            sys.stdin.reconfigure(errors="surrogateescape")
        try:
            import readline
        except ImportError:
            return
        self._readline = readline
        readline.set_auto_history(False)
        readline.set_history_length(_MOST_KEPT)
        if self._path is not None and os.path.exists(self._path):
            try:
                readline.read_history_file(self._path)
            except OSError:
                # The history is a help, not a condition.
                pass

    def read(self, prompt: str) -> str:
        """As :meth:`Reader.read`."""
        line = input(prompt)
        if line.strip() and may_be_kept(line):
            self._keep(line)
        return line

    def _keep(self, line: str) -> None:
        readline = getattr(self, "_readline", None)
        if readline is not None:
            readline.add_history(line)
        if self._path is not None:
            keep_line(self._path, line)

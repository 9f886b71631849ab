"""What a person likes, and the file that says it: lines such as ``:set hints``."""

from __future__ import annotations

import os
from collections.abc import Iterator

ENV_FILE = "REDISCLI_RCFILE"
_FILES = ("~/.redisclirc", "~/.carnelian_clirc")


class Preferences:
    """How the prompt behaves."""

    def __init__(self) -> None:
        # Of commands that are being typed.
        self.hints = True
        # Values for people rather than as redis-cli shows them.
        self.pretty = False
        # How long each command took.
        self.timing = False
        # Seconds between two of a command that is repeated.
        self.interval = 0.0

    def set(self, name: str) -> bool:
        """``hints`` or ``nohints``; returns whether there is a preference of that name."""
        wanted = not name.startswith("no")
        name = name.removeprefix("no")
        if name not in ("hints", "pretty", "timing"):
            return False
        setattr(self, name, wanted)
        return True

    def load(self) -> None:
        """Heed the files."""
        for path in _paths():
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    for line in file:
                        words = line.split()
                        if len(words) == 2 and words[0] == ":set":
                            self.set(words[1])
            except OSError:
                continue


def _paths() -> Iterator[str]:
    given = os.environ.get(ENV_FILE)
    if given is not None:
        yield given
        return
    yield from map(os.path.expanduser, _FILES)

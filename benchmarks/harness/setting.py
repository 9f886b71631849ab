"""What the parts of a benchmark of files share: the servers, their data, how long to run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.dataset import Dataset
from harness.servers import OURS, PEER, Server

METHODS = ("auto", "fork", "sliced")


@dataclass
class Setting:
    """Starts servers, which end with ``stack``.

    ``seconds`` is for how long a run under load goes on, ``method`` what our server is given as
    ``snapshot-method``.
    """

    commands: dict[str, list[str]]
    data: Dataset
    pairs: int
    seconds: float
    method: str | None
    stack: ExitStack = field(default_factory=ExitStack)

    def start(self, name: str, *options: str, files: Mapping[str, Path] | None = None) -> Server:
        """Start one of the two; the caller ends it."""
        if name == OURS and self.method:
            options += ("--snapshot-method", self.method)
        return Server(name, self.commands[name], *options, files=files)

    def start_both(
        self, *options: str, files: Mapping[str, Path] | None = None
    ) -> dict[str, Server]:
        """Start both, and end them with the part that runs."""
        names = (OURS, PEER)
        return {
            name: self.stack.enter_context(self.start(name, *options, files=files))
            for name in names
        }

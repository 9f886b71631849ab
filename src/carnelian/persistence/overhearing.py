"""What the log says of a failure, for those who are told of it otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


@contextmanager
def overheard(engine: Engine) -> Iterator[list[str]]:
    """The warnings that an engine logs meanwhile, for an error that says why."""
    warnings: list[str] = []
    log = engine.log

    def listen(level: str, message: str) -> None:
        if level == "warning":
            warnings.append(message)
        log(level, message)

    engine.log = listen
    try:
        yield warnings
    finally:
        engine.log = log

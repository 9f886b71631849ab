"""The engine's log as records of the logger ``carnelian``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

_LEVELS = {
    "debug": logging.DEBUG,
    "verbose": logging.DEBUG,
    "notice": logging.INFO,
    "warning": logging.WARNING,
}

logger = logging.getLogger("carnelian")


def log_to_logging(level: str, message: str) -> None:
    """Write a line; ``level`` is one of Redis's."""
    logger.log(_LEVELS[level], message)


@contextmanager
def overheard(core: Engine) -> Iterator[list[str]]:
    """The warnings that an engine logs meanwhile, for an exception that says why."""
    warnings: list[str] = []
    log = core.log

    def listen(level: str, message: str) -> None:
        if level == "warning":
            warnings.append(message)
        log(level, message)

    core.log = listen
    try:
        yield warnings
    finally:
        core.log = log

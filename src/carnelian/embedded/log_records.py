"""The engine's log as records of the logger ``carnelian``."""

from __future__ import annotations

import logging
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


def log_to_logging(core: Engine) -> None:
    """Let an engine write its lines there. What comes out of that does not disturb it."""
    defer = core.defer

    def log(level: str, message: str) -> None:
        try:
            logger.log(_LEVELS[level], message)
        except BaseException as interrupt:
            defer(interrupt)

    core.log = log

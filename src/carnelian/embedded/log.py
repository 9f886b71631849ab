"""The engine's log as records of the logger ``carnelian``."""

from __future__ import annotations

import logging

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

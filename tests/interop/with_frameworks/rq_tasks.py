"""Jobs for an RQ worker."""

from __future__ import annotations


def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


def failing() -> None:
    """Never succeeds."""
    raise ValueError("as it should")

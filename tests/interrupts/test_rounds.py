"""A short run of what ``python -m tests.interrupts`` does at length."""

from __future__ import annotations

from pathlib import Path

from interrupts.rounds import run


def test_random_commands_that_are_interrupted(tmp_path: Path) -> None:
    count, seen = run(tmp_path, 1, 1500)
    assert count >= 1500
    assert len(seen) > 150

"""What all of the programs here share: where the server is, and how workers are run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PORT = int(os.environ.get("REDIS_PORT", "6379"))

# Seconds that a worker may take for its start, or for a task.
PATIENCE = 60.0

# The parts of the check that were begun.
parts: list[str] = []


@contextmanager
def part(name: str) -> Iterator[None]:
    """A part of a check, which is told when it is done."""
    parts.append(name)
    yield
    print(f"ok {name}", flush=True)


def url(database: int) -> str:
    """Where a framework finds a database of its own."""
    return f"redis://127.0.0.1:{PORT}/{database}"


@contextmanager
def worker(*words: str, **variables: str) -> Iterator[subprocess.Popen]:
    """A program of this environment that runs meanwhile; what it wrote is shown if it failed."""
    program = [sys.executable, *words]
    environment = {**os.environ, **variables}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            program, cwd=HERE, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return as soon as the condition holds; fails if it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE} s")
        time.sleep(0.05)

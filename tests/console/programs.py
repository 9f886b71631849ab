"""``carnelian console`` as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.waiting import free_port

from .browsing import Browser

MODULE = "carnelian.tools.console.console_program"


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[tuple[Browser, str]]:
    """``carnelian console`` as a program of its own, with the line that it prints."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, *arguments, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    try:
        yield Browser(port), process.stdout.readline()
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

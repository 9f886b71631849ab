"""What a server does not load to start: half of the time of a start is loading."""

from __future__ import annotations

import subprocess
import sys

# Each of them takes milliseconds, most for what it loads itself. They may be loaded where they are
# needed.
HEAVY = ("dataclasses", "hashlib", "inspect", "pkgutil", "ssl", "tempfile", "traceback")

PROGRAM = """
import sys
before = set(sys.modules)
from carnelian.commands import declare_all
from carnelian.server import server
declare_all()
print(*sorted(set(sys.modules) - before))
"""


def test_a_server_starts_without_what_is_heavy() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    loaded = run.stdout.split()
    assert "carnelian.engine.engine" in loaded
    assert [name for name in HEAVY if name in loaded] == []

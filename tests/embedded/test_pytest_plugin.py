"""The fixtures that carnelian brings to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import carnelian

def test_time(carnelian_engine, carnelian_redis):
    carnelian_redis.set("k", "v", ex=10)
    carnelian_engine.clock.advance(10_001)
    assert carnelian_redis.get("k") is None
    carnelian_redis.set("left", "over")

def test_each_has_its_own(carnelian_redis):
    assert carnelian_redis.dbsize() == 0
"""


def test_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    plugin = ["-p", "carnelian.embedded.pytest_plugin", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-q", str(tmp_path)],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout

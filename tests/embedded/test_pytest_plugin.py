"""The fixtures that carnelian brings to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import time

import carnelian

def test_time(carnelian_engine, carnelian_redis):
    carnelian_redis.set("k", "v", ex=10)
    carnelian_engine.clock.advance(10_001)
    assert carnelian_redis.get("k") is None
    carnelian_redis.set("left", "over")

def test_each_has_its_own(carnelian_redis):
    assert carnelian_redis.dbsize() == 0

def test_real_time(carnelian_live_engine, carnelian_live_redis):
    carnelian_live_redis.set("k", "v", px=50)
    assert carnelian_live_redis.blpop("q", 0.1) is None
    time.sleep(0.05)
    assert carnelian_live_redis.get("k") is None
    assert carnelian_live_engine.execute("DBSIZE") == 0
"""

WAITING = """
import threading

def test_that_hangs(carnelian_engine, carnelian_redis):
    threading.Timer(2.0, carnelian_engine.clock.advance, (100,)).start()
    assert carnelian_redis.blpop("q", 0.1) is None

def test_that_moves_it(carnelian_engine, carnelian_redis):
    threading.Timer(0.1, carnelian_engine.clock.advance, (100,)).start()
    assert carnelian_redis.blpop("q", 0.1) is None

def test_that_waits_for_no_time(carnelian_engine, carnelian_redis):
    threading.Timer(1.3, carnelian_engine.execute, ("RPUSH", "q", "a")).start()
    assert carnelian_redis.blpop("q", 0) == (b"q", b"a")
"""


POSITIONAL = """
import pytest

@pytest.mark.carnelian("1mb")
def test_of_an_engine(carnelian):
    pass

@pytest.mark.carnelian("1mb")
def test_of_a_client(carnelian_client):
    pass
"""


def run_pytest(tmp_path: Path, tests: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_mine.py").write_text(tests)
    plugin = ["-p", "carnelian.embedded.testing.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-q", str(tmp_path)],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )


def test_fixtures(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, TESTS)
    assert run.returncode == 0, run.stdout
    assert "3 passed" in run.stdout
    assert "warning" not in run.stdout


def test_a_wait_for_a_time_that_stands_still(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, WAITING)
    assert run.returncode == 0, run.stdout
    assert "3 passed, 1 warning" in run.stdout
    message = (
        "test_mine.py::test_that_hangs: a command waits until its timeout, and the time of "
        "carnelian_engine stands still."
    )
    # At once, and in the summary.
    assert run.stdout.count(message) == 2
    assert run.stdout.index(message) < run.stdout.index("warnings summary")


def test_a_mark_that_would_say_nothing(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, POSITIONAL)
    assert run.returncode == 1
    assert "2 errors" in run.stdout
    message = (
        "TypeError: the mark carnelian takes keyword arguments only, not '1mb': "
        "@pytest.mark.carnelian(maxmemory='1mb')"
    )
    assert run.stdout.count(message) >= 2

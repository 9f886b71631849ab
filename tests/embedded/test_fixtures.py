"""The fixtures of the pytest plugin: engines, clients, servers, clusters, and their time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import asyncio, threading, time

import pytest
import redis

def test_engine_and_clients(carnelian, carnelian_client, carnelian_async_client, carnelian_server):
    carnelian.execute("SET", "k", "v")
    assert carnelian_client.get("k") == b"v"
    async def main():
        return await carnelian_async_client.get("k")
    assert asyncio.run(main()) == b"v"
    with redis.Redis.from_url(carnelian_server.url) as client:
        assert client.get("k") == b"v"

def test_each_has_its_own(carnelian_client):
    assert carnelian_client.dbsize() == 0

@pytest.mark.carnelian(decode_responses=True, db=3, maxmemory="3mb")
class TestMarks:
    def test_of_a_class(self, carnelian_client):
        carnelian_client.set("k", "v")
        assert carnelian_client.get("k") == "v"
        assert carnelian_client.client_info()["db"] == 3
        assert carnelian_client.config_get("maxmemory") == {"maxmemory": "3145728"}

    @pytest.mark.carnelian(decode_responses=False)
    def test_the_nearest_counts(self, carnelian_client):
        carnelian_client.set("k", "v")
        assert carnelian_client.get("k") == b"v"
        assert carnelian_client.client_info()["db"] == 3

def test_time(carnelian_client, carnelian_clock, carnelian_server):
    carnelian_client.set("k", "v", ex=100)
    carnelian_client.hset("h", "f", "v")
    carnelian_client.hexpire("h", 50, "f")
    carnelian_clock.advance(60)
    assert carnelian_client.ttl("k") in (39, 40)
    assert carnelian_client.object("idletime", "k") in (60, 61)  # whole seconds of the clock
    assert not carnelian_client.exists("h")
    carnelian_clock.advance(40.5)
    assert carnelian_client.dbsize() == 0
    done = []
    with redis.Redis(port=carnelian_server.port) as client:
        thread = threading.Thread(target=lambda: done.append(client.blpop("q", timeout=1000)))
        thread.start()
        while not carnelian_client.info("clients")["blocked_clients"]:
            time.sleep(0.01)
        carnelian_clock.advance(1000)
        thread.join(10)
    assert done == [None]

@pytest.mark.parametrize("number", [1, 2])
def test_hosts(carnelian_fresh_hosts, number):
    import carnelian
    assert carnelian.Redis(host="cache").incr("count") == 1
    assert carnelian.Redis(host="cache").incr("count") == 2

@pytest.mark.carnelian(appendonly=True, maxmemory="5mb")
def test_process(carnelian_process):
    with redis.Redis(port=carnelian_process.port) as client:
        assert client.config_get("maxmemory") == {"maxmemory": "5242880"}
        assert client.info("server")["process_id"] == carnelian_process.pid
        carnelian_process.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
    assert "Ready to accept connections tcp" in carnelian_process.log()
"""

CLUSTER = """
def test_one(carnelian_cluster):
    with carnelian_cluster.client() as client:
        for number in range(100):
            client.set(f"k{number}", number)
        assert client.dbsize(target_nodes=client.PRIMARIES) == 100
        assert sorted(node.port for node in client.get_primaries()) == carnelian_cluster.ports

def test_another_finds_it_empty(carnelian_cluster):
    with carnelian_cluster.client() as client:
        assert client.dbsize(target_nodes=client.PRIMARIES) == 0
"""


def run_pytest(tmp_path: Path, tests: str, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_mine.py").write_text(tests)
    plugin = ["-p", "carnelian.embedded.testing.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "--strict-markers", "-q", *words, str(tmp_path)],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_fixtures(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, TESTS)
    assert "8 passed" in run.stdout, run.stdout


def test_text_everywhere(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ncarnelian_decode_responses = true\n")
    run = run_pytest(
        tmp_path, "def test(carnelian_client): assert carnelian_client.echo('x') == 'x'\n"
    )
    assert "1 passed" in run.stdout, run.stdout


def test_clusters(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, CLUSTER)
    assert "2 passed" in run.stdout, run.stdout


def test_several_processes_of_pytest(tmp_path: Path) -> None:
    if importlib.util.find_spec("xdist") is None:
        message = "this test needs pytest-xdist (pip install pytest-xdist)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    run = run_pytest(tmp_path, TESTS, "-p", "xdist", "-n", "3")
    assert "8 passed" in run.stdout, run.stdout


def test_what_is_not_used_is_not_imported(tmp_path: Path) -> None:
    tests = """
import sys

def test_it():
    assert not [name for name in sys.modules if name in ("redis", "asyncio", "carnelian.engine")]
"""
    run = run_pytest(tmp_path, tests)
    assert "1 passed" in run.stdout, run.stdout

"""Nodes die, and nothing that a replica has confirmed is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from fleet.conftest import MakeFleet
from fleet.fleets import QUICK, Fleet, Writer, kill, wait_until


@pytest.fixture(scope="module", params=[1, 3], ids=["one shard", "three shards"])
def fleet(make_fleet: MakeFleet, request: pytest.FixtureRequest) -> Fleet:
    """One shard cannot elect anybody, three can. Nothing is on disk: a restart brings nothing."""
    fleet = make_fleet(request.param, 1, *QUICK, "--save", "")
    fleet.start()
    return fleet


@pytest.fixture
def writer(fleet: Fleet) -> Iterator[Writer]:
    """Writes from before the failure until after it, and finds everything in the end."""
    name = f"written {time.time_ns()}"
    writer = Writer([node["port"] for node in fleet.nodes()], name, keys=100, wait=True)
    writer.start()
    wait_until(lambda: writer.written > 100)
    yield writer
    before = writer.written
    wait_until(lambda: writer.written > before + 100)
    writer.end()
    writer.verify()


def test_a_replica_comes_back(fleet: Fleet, writer: Writer) -> None:
    replica = fleet.nodes("replica")[0]
    kill(replica["pid"])
    wait_until(lambda: fleet.node(replica["port"])["pid"] not in (None, 0, replica["pid"]))
    fleet.await_ok()
    after = fleet.node(replica["port"])
    assert (after["id"], after["role"]) == (replica["id"], "replica")
    assert f"{replica['port']} has ended: killed by SIGKILL" in fleet.said()


@pytest.mark.parametrize("turn", [1, 2])
def test_a_primary_comes_back_as_a_replica(fleet: Fleet, writer: Writer, turn: int) -> None:
    primary = fleet.nodes("primary")[0]
    replica = next(n for n in fleet.nodes("replica") if n["primary"] == primary["id"])
    kill(primary["pid"])
    wait_until(lambda: fleet.node(replica["port"])["role"] == "primary")
    fleet.await_ok()
    after = fleet.node(primary["port"])
    assert (after["id"], after["role"], after["primary"]) == (
        primary["id"],
        "replica",
        replica["id"],
    )
    assert f"{replica['port']} is a primary now" in fleet.said()
    assert ("too few primaries are left" in fleet.said()) == (len(fleet.nodes()) == 2)


def test_the_supervisor_dies_and_then_a_primary(fleet: Fleet, writer: Writer) -> None:
    assert fleet.process is not None
    kill(fleet.process.pid)
    fleet.process.wait()
    fleet.start(again=True)
    primary = fleet.nodes("primary")[0]
    kill(primary["pid"])
    wait_until(lambda: fleet.node(primary["port"])["role"] == "replica")
    fleet.await_ok()


def test_a_node_that_hangs_is_shown_and_not_killed(fleet: Fleet) -> None:
    node = fleet.nodes("replica")[0]
    os.kill(node["pid"], signal.SIGSTOP)
    try:
        assert fleet.node(node["port"])["state"] == "no answer"
        assert fleet.run("status").returncode == 1
        time.sleep(1.5)
    finally:
        os.kill(node["pid"], signal.SIGCONT)
    fleet.await_ok()
    assert fleet.node(node["port"])["pid"] == node["pid"]


def test_the_end_of_all_nodes_at_once(fleet: Fleet) -> None:
    """Nothing is on disk, so nothing is left; but they find each other again."""
    before = fleet.nodes()
    for node in before:
        kill(node["pid"])
    wait_until(lambda: all(node["pid"] for node in fleet.nodes()))
    fleet.await_ok()
    assert {node["id"] for node in fleet.nodes()} == {node["id"] for node in before}


def test_a_node_that_dies_again_and_again_is_given_time(fleet: Fleet) -> None:
    port = fleet.nodes("replica")[0]["port"]
    conf = fleet.directory / str(port) / "carnelian.conf"
    text = conf.read_text()
    conf.write_text(text + "no-such-directive yes\n")
    kill(fleet.node(port)["pid"])
    wait_until(lambda: fleet.said().count(f"{port} has ended: exit status 1") >= 2)
    assert "down, starts in" in fleet.node(port)["state"] or fleet.node(port)["state"] == "down"
    assert f"{port} says: " in fleet.said()
    conf.write_text(text)
    fleet.await_ok()


def test_a_stop_in_the_middle_of_it(fleet: Fleet) -> None:
    kill(fleet.nodes("primary")[0]["pid"])
    assert fleet.stop() == 0
    assert fleet.run("status").returncode == 3

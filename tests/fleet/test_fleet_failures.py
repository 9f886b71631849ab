"""Nodes die, and nothing that a replica has confirmed is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fleet.conftest import MakeFleet
from fleet.fleets import QUICK, Fleet, Writer, kill, wait_until


@pytest.fixture(scope="module")
def fleet(make_fleet: MakeFleet) -> Fleet:
    """Three shards, which can elect. Nothing is on disk: a restart brings nothing back."""
    fleet = make_fleet(3, 1, *QUICK, "--save", "")
    fleet.start()
    return fleet


@contextmanager
def writing(fleet: Fleet) -> Iterator[None]:
    """Write from before the failure until after it, and find everything in the end."""
    name = f"written {time.time_ns()}"
    writer = Writer([node["port"] for node in fleet.nodes()], name, keys=100, wait=True)
    writer.start()
    wait_until(lambda: writer.written > 100)
    yield
    before = writer.written
    wait_until(lambda: writer.written > before + 100)
    writer.end()
    writer.verify()


def test_a_replica_comes_back(fleet: Fleet) -> None:
    replica = fleet.nodes("replica")[0]
    with writing(fleet):
        kill(replica["pid"])
        wait_until(lambda: fleet.node(replica["port"])["pid"] not in (None, 0, replica["pid"]))
        fleet.await_ok()
    after = fleet.node(replica["port"])
    assert (after["id"], after["role"]) == (replica["id"], "replica")
    assert f"{replica['port']} has ended: killed by SIGKILL" in fleet.said()


def test_a_primary_comes_back_as_a_replica(fleet: Fleet) -> None:
    heir = fail_over(fleet)
    wait_until(lambda: f"{heir} is a primary now" in fleet.said())
    assert "too few primaries are left" not in fleet.said()


def test_where_nobody_can_be_elected_the_supervisor_has_the_replica_take_over(
    make_fleet: MakeFleet,
) -> None:
    fleet = make_fleet(1, 1, *QUICK, "--save", "")
    fleet.start()
    fail_over(fleet)
    # An heir has to have the data, and the supervisor to have seen that: it looks twice a second.
    wait_until(lambda: fleet.nodes("replica")[0]["state"] == "ok")
    time.sleep(2)
    fail_over(fleet)
    assert fleet.said().count("too few primaries are left for an election") == 2
    fleet.close()


def fail_over(fleet: Fleet) -> int:
    """Kill a primary while there are writes; it comes back as a replica. The port of its heir."""
    primary = fleet.nodes("primary")[0]
    replica = next(n for n in fleet.nodes("replica") if n["primary"] == primary["id"])
    with writing(fleet):
        kill(primary["pid"])
        wait_until(lambda: fleet.node(replica["port"])["role"] == "primary")
        fleet.await_ok()
    after = fleet.node(primary["port"])
    assert (after["id"], after["role"], after["primary"]) == (
        primary["id"],
        "replica",
        replica["id"],
    )
    return int(replica["port"])


def test_the_supervisor_dies_and_then_a_primary(fleet: Fleet) -> None:
    assert fleet.process is not None
    kill(fleet.process.pid)
    fleet.process.wait()
    fleet.start(again=True)
    fail_over(fleet)


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

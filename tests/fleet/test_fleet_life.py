"""A fleet starts, is refused, stops, and starts again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from fleet.conftest import MakeFleet
from fleet.fleets import COMMAND, QUICK, Fleet, kill, wait_until


@pytest.fixture(scope="module")
def fleet(make_fleet: MakeFleet) -> Fleet:
    """Two shards without replicas, which is there at once."""
    fleet = make_fleet(2, 0, *QUICK, "--appendonly", "yes")
    fleet.start()
    return fleet


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=30)


def test_it_is_a_cluster(fleet: Fleet) -> None:
    assert "[OK] All nodes agree about slots configuration." in fleet.check()
    assert "[OK] All 16384 slots covered." in fleet.check()
    nodes = fleet.nodes()
    assert [node["port"] for node in nodes] == [fleet.first, fleet.first + 1]
    assert [node["slots"] for node in nodes] == [8192, 8192]
    assert "cluster ok, 2 shards, 0 replicas, all slots" in fleet.do("status")
    assert f"connect with: redis-cli -c -p {fleet.first}" in fleet.said()


def test_clients_are_served(fleet: Fleet) -> None:
    with fleet.client() as client:
        for number in range(100):
            client.set(f"key:{number}", number)
        assert sum(node["keys"] for node in fleet.nodes()) == 100


def test_two_do_not_share_a_directory(fleet: Fleet) -> None:
    done = run("--dir", str(fleet.directory))
    assert done.returncode == 1
    assert "is supervised by process" in done.stderr


def test_ports_that_are_taken_are_told_before_anything_starts(fleet: Fleet, program: str) -> None:
    other = fleet.directory.with_name("other")
    done = run(
        "--dir", str(other), "--server", program, "--shards", "3", "--port", str(fleet.first - 1)
    )
    assert done.returncode == 1
    assert f"ports {fleet.first}, {fleet.first + 1} (or the bus, 10000 above) in use" in done.stderr
    assert not other.exists()


def test_it_goes_on_after_a_stop(fleet: Fleet) -> None:
    before = fleet.nodes()
    assert fleet.stop(signal.SIGINT) == 0
    assert fleet.run("status").returncode == 3
    assert "no node runs" in fleet.run("status").stdout
    assert fleet.run("stop").stdout == "no node runs\n"
    fleet.start(again=True)
    assert [node["id"] for node in fleet.nodes()] == [node["id"] for node in before]
    with fleet.client() as client:
        assert [client.get(f"key:{number}") for number in range(100)] == [
            b"%d" % number for number in range(100)
        ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--shards", "5"], "holds a fleet of 2 shards"),
        (["--replicas", "1"], "holds a fleet of 2 shards with 0 replicas each"),
        (["--port", "1"], "holds a fleet of 2 shards from port"),
    ],
)
def test_another_shape_is_refused(fleet: Fleet, words: list[str], text: str) -> None:
    if fleet.process is not None and fleet.process.poll() is None:
        fleet.stop()
    done = run("--dir", str(fleet.directory), *words)
    assert done.returncode == 1
    assert text in done.stderr


def test_other_directives_hold_from_the_next_start(fleet: Fleet) -> None:
    fleet.words = (*QUICK, "--appendonly", "yes", "--maxmemory", "123mb")
    fleet.start(again=True)
    with fleet.client() as client:
        for node in client.get_primaries():
            found = client.config_get("maxmemory", target_nodes=node)
            assert found == {"maxmemory": str(123 << 20)}


def test_a_supervisor_that_was_killed_leaves_nodes_that_are_taken_over(fleet: Fleet) -> None:
    before = fleet.nodes()
    assert fleet.process is not None
    kill(fleet.process.pid)
    fleet.process.wait()
    assert "nobody looks after it" in fleet.do("status")
    done = fleet.run("add-shard")
    assert done.returncode == 1
    assert "nobody supervises" in done.stderr
    fleet.words = (*QUICK, "--maxmemory", "1mb")
    assert (
        "with other directives: carnelian-fleet stop --dir"
        in run("--dir", str(fleet.directory), "--", *fleet.words).stderr
    )
    fleet.words = ()
    fleet.start(again=True)
    assert "which run already" in fleet.said()
    assert [node["pid"] for node in fleet.nodes()] == [node["pid"] for node in before]


def test_one_that_was_taken_over_is_started_again_when_it_dies(fleet: Fleet) -> None:
    before = fleet.nodes()[1]
    kill(before["pid"])
    wait_until(lambda: fleet.node(before["port"])["pid"] not in (None, 0, before["pid"]))
    fleet.await_ok()
    assert fleet.node(before["port"])["id"] == before["id"]


def test_stop_ends_the_supervisor_too(fleet: Fleet) -> None:
    assert fleet.do("stop") == "stopped\n"
    assert fleet.process is not None
    assert fleet.process.wait(10) == 0


def test_stop_works_without_a_supervisor(fleet: Fleet) -> None:
    fleet.start(again=True)
    assert fleet.process is not None
    kill(fleet.process.pid)
    fleet.process.wait()
    assert fleet.do("stop") == "stopped\n"
    assert fleet.run("status").returncode == 3


def test_detached(fleet: Fleet) -> None:
    fleet.process = None
    done = run("--detach", "--dir", str(fleet.directory))
    assert done.returncode == 0, done.stderr
    assert "in the background as process" in done.stdout
    assert "ends it" in done.stdout
    assert fleet.status()["ok"]
    fleet.do("stop", "--now")
    assert fleet.run("status").returncode == 3


def test_a_new_fleet_that_cannot_start_says_why(make_fleet: MakeFleet, program: str) -> None:
    bad = make_fleet(1, 0, "--maxmemori", "1gb")
    bad.launch(*bad.shape)
    assert bad.process is not None
    assert bad.process.wait(30) == 1
    assert "Bad directive or wrong number of arguments" in bad.said()
    if program != "carnelian-server":  # Whose directives are read before anything starts.
        assert f"carnelian-fleet: node {bad.first} does not start (exit status 1)" in bad.said()
        assert bad.run("status").returncode == 3
    # What has never come about may be another fleet the next time.
    bad.words = ()
    shape = ["--shards", "2", *bad.shape[2:]]
    bad.launch(*shape, "--detach")
    assert bad.process.wait(30) == 0, bad.said()
    assert [node["slots"] for node in bad.nodes()] == [8192, 8192]
    bad.do("stop", "--now")


def test_ctrl_c_while_a_fleet_comes_about(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(2, 1, *QUICK)
    fleet.launch(*fleet.shape)
    wait_until(lambda: "joining them" in fleet.said())
    assert fleet.stop() == 0
    assert not json.loads((fleet.directory / "fleet.json").read_text())["formed"]
    fleet.start(again=True)
    assert len(fleet.nodes("replica")) == 2
    fleet.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address elsewhere")
def test_nodes_find_each_other_at_another_address(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(2, 0, *QUICK)
    fleet.start()
    before = fleet.nodes()
    fleet.stop()
    fleet.start("--bind", "127.0.0.2", again=True)
    assert [node["id"] for node in fleet.nodes()] == [node["id"] for node in before]
    with redis.RedisCluster(host="127.0.0.2", port=fleet.first) as client:
        assert client.set("key", "value")
        assert {node.host for node in client.get_nodes()} == {"127.0.0.2"}
    fleet.stop()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--server", "no-such-program"], "--server no-such-program: there is no such program"),
        (["--", "--port", "1"], "--port cannot be given to nodes: use --port"),
        (["--", "--maxmemori", "1"], "maxmemori 1: Bad directive"),
        (["--server", "sh", "--bind", "10.255.255.1"], "--bind 10.255.255.1, port 7000: "),
        (["stop"], "there is no fleet in"),
        (["add-shard"], "there is no fleet in"),
    ],
)
def test_what_cannot_be(tmp_path: Path, words: list[str], text: str) -> None:
    directory = tmp_path / "fleet"
    at = 1 if words[0] in ("status", "stop", "add-shard") else 0
    done = run(*words[:at], "--dir", str(directory), *words[at:])
    assert done.returncode == 1
    assert text in done.stderr
    assert not directory.exists()


def test_where_there_is_no_fleet_nothing_runs(tmp_path: Path) -> None:
    done = run("status", "--dir", str(tmp_path / "fleet"))
    assert done.returncode == 3
    assert done.stderr.startswith(f"carnelian-fleet: there is no fleet in {tmp_path / 'fleet'}: ")


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("--dir", str(tmp_path / "file" / "fleet"))
    assert done.returncode == 1
    assert done.stderr == (
        f"carnelian-fleet: {tmp_path}/file/fleet cannot be made: Not a directory\n"
    )


@pytest.mark.parametrize(
    ("words", "program", "text"),
    [
        (["--shards", "many"], "", "argument --shards: many is no whole number"),
        (["--shards", "0"], "", "argument --shards: 1 or more"),
        (["--replicas", "-1"], "", "argument --replicas: 0 or more"),
        (["--no-such"], "", "there is no option --no-such"),
        (["no-such"], "", "there is no command no-such"),
        (["add-replica", "--count", "0"], " add-replica", "argument --count: 1 or more"),
        (["stop", "--timeout", "x"], " stop", "argument --timeout: x is no number of seconds"),
        (["status", "--x"], " status", "there is no option --x"),
        (["status", "x"], " status", "x is one word too many"),
        (["remove-shard"], " remove-shard", "the following arguments are required: NODE"),
    ],
)
def test_wrong_command_lines(words: list[str], program: str, text: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    program = f"carnelian-fleet{program}"
    assert done.stderr == f"{program}: {text}; {program} --help tells what there is\n"


@pytest.mark.parametrize(
    "words",
    [["--help"], *([name, "--help"] for name in ("status", "stop", "add-shard", "remove-shard"))],
)
def test_help(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 0
    assert "carnelian-fleet" in done.stdout

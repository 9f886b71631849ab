"""A fleet grows and shrinks under load: no acknowledged write is lost, and no answer is wrong."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from carnelian.tools.fleet.processes.node_process import program_of
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError
from fleet.conftest import MakeFleet
from fleet.fleets import (
    COMMAND,
    HOST,
    PATIENCE,
    QUICK,
    Fleet,
    Writer,
    free_ports,
    kill,
    wait_until,
)

PASSWORD = "a secret"
KEYS = 60_000


@pytest.fixture(scope="module")
def fleet(make_fleet: MakeFleet) -> Fleet:
    """Two shards without replicas, with a password and many small keys."""
    fleet = make_fleet(2, 0, *QUICK, "--save", "", "--requirepass", PASSWORD)
    fleet.start()
    for node in fleet.nodes():
        fill(node["port"])
    return fleet


def fill(port: int) -> None:
    """Give a node those of the keys that are its own."""
    client = NodeClient(HOST, port, PASSWORD, PATIENCE)
    for first in range(0, KEYS, 5000):
        client.pipeline([("SET", f"key:{n}", n) for n in range(first, first + 5000)])
    client.close()


def count(fleet: Fleet) -> int:
    return sum(node["keys"] for node in fleet.nodes("primary") if node["keys"])


class Library(threading.Thread):
    """Increments and reads by redis-py, which follows the slots in its own way."""

    def __init__(self, fleet: Fleet):
        super().__init__(daemon=True)
        self.client = fleet.client(password=PASSWORD)
        self.ended = threading.Event()
        self.counts = {f"counter:{number}": 0 for number in range(100)}
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                for name in self.counts:
                    self.count_up(name)
        except Exception as error:
            self.wrong.append(repr(error))

    def count_up(self, name: str) -> None:
        value = self.ask("incr", name)
        self.counts[name] += 1
        if value != self.counts[name] or int(self.ask("get", name) or 0) != value:
            self.wrong.append(f"{name} is {value}, not {self.counts[name]}")

    def ask(self, command: str, name: str) -> Any:
        """The reply to a command.

        redis-py 8.1 stumbles where ASK names a node that is new to it; nothing was done then.
        """
        while True:
            try:
                return getattr(self.client, command)(name)
            except AttributeError:
                self.client.nodes_manager.initialize()

    def close(self) -> None:
        self.ended.set()
        self.join(PATIENCE)
        assert not self.wrong, self.wrong[:5]
        assert [int(self.client.get(name) or 0) for name in self.counts] == list(
            self.counts.values()
        )
        assert min(self.counts.values()) > 0
        self.client.close()


@pytest.fixture
def load(fleet: Fleet) -> Iterator[None]:
    """Clients that read and write all the time, and find everything in the end."""
    ports = [node["port"] for node in fleet.nodes()]
    name = f"written {time.time_ns()}"
    writer, library = Writer(ports, name, password=PASSWORD), Library(fleet)
    for name in library.counts:
        library.client.delete(name)
    before = count(fleet)
    writer.start()
    library.start()
    yield
    library.close()
    writer.end()
    writer.verify()
    assert count(fleet) == before + len(writer.acknowledged) + len(library.counts)
    assert "[ERR]" not in fleet.check()
    assert "[WARNING]" not in fleet.check()


def slots(fleet: Fleet) -> dict[int, int]:
    """The number of slots of each primary."""
    return {node["port"]: node["slots"] for node in fleet.nodes("primary")}


def test_a_shard_is_added(fleet: Fleet, load: None) -> None:
    said = fleet.do("add-shard", "--replicas", "1")
    first = fleet.first
    assert f"starting {first + 2}, {first + 3}\n" in said
    assert "moved 5461 slots with " in said
    assert said.endswith("the fleet has 3 shards now\n")
    assert slots(fleet) == {first: 5462, first + 1: 5461, first + 2: 5461}
    replica = fleet.node(first + 3)
    assert replica["primary"] == fleet.node(first + 2)["id"]
    assert fleet.status()["ok"]


def test_nothing_to_do(fleet: Fleet) -> None:
    assert fleet.do("rebalance") == "the slots are spread evenly already\n"


def test_a_shard_is_removed_by_one_of_its_nodes(fleet: Fleet, load: None) -> None:
    said = fleet.do("remove-shard", str(fleet.first + 3))
    assert "moved 5461 slots with " in said
    assert said.endswith("the fleet has 2 shards now\n")
    assert slots(fleet) == {fleet.first: 8192, fleet.first + 1: 8192}
    assert len(fleet.nodes()) == 2
    removed = fleet.directory / "removed"
    assert {path.name for path in removed.iterdir()} == {
        f"{fleet.first + 2}.1",
        f"{fleet.first + 3}.1",
    }
    assert fleet.status()["ok"]


def begin(fleet: Fleet, *words: str) -> subprocess.Popen[str]:
    """Start a command, and suspend it when slots are on their way."""
    command, *rest = words
    process = subprocess.Popen(
        [*COMMAND, command, "--dir", str(fleet.directory), *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    new = fleet.first + 2

    def moving() -> bool:
        # It runs for moments only, so that it cannot be through before somebody has looked.
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGSTOP)
        primaries = slots(fleet)
        return 0 < primaries.get(new, 0) < 5000

    wait_until(moving, 4 * PATIENCE)
    return process


def test_ctrl_c_in_the_middle_and_on_again(fleet: Fleet, load: None) -> None:
    process = begin(fleet, "add-shard", "--replicas", "0")
    other = fleet.run("rebalance")
    assert other.returncode == 1
    assert "is being changed by process" in other.stderr
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    said, failed = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said + failed
    assert "stopped; no slot is half moved, clients are served; the same command goes on" in said
    assert fleet.node(fleet.first + 2)["state"] == "joining"
    said = fleet.do("add-shard")
    assert f"going on with {fleet.first + 2}, which an interrupted command was adding" in said
    assert sorted(slots(fleet).values()) == [5461, 5461, 5462]
    assert fleet.node(fleet.first + 2)["state"] == "ok"


def test_killed_in_the_middle_and_on_again(fleet: Fleet, load: None) -> None:
    """The command and the supervisor die, and slots stay half moved."""
    shard = fleet.first + 2
    process = begin(fleet, "remove-shard", str(shard))
    process.kill()
    process.communicate()
    for _ in range(20):
        if half_moved(fleet):
            break
        # It died between two batches: one slot is opened as it would have been.
        open_one(fleet, shard)
    assert fleet.process is not None
    kill(fleet.process.pid)
    fleet.process.wait()
    words, fleet.words = fleet.words, ()
    fleet.launch()
    wait_until(lambda: fleet.status()["supervisor"])
    fleet.words = words
    for command in ("add-shard", "rebalance", "add-replica"):
        done = fleet.run(command)
        assert done.returncode == 1
        assert f"finish it with carnelian-fleet remove-shard {shard}" in done.stderr
    assert fleet.run("remove-shard", str(fleet.first)).returncode == 1
    said = fleet.do("remove-shard", str(shard))
    assert "half moved" in said
    assert slots(fleet) == {fleet.first: 8192, fleet.first + 1: 8192}


def half_moved(fleet: Fleet) -> bool:
    """Whether a node says that slots are on their way."""
    for node in fleet.nodes("primary"):
        client = NodeClient(HOST, node["port"], PASSWORD)
        text = client.text("CLUSTER", "NODES")
        client.close()
        if "[" in text:
            return True
    return False


def open_one(fleet: Fleet, port: int) -> None:
    """Begin to move a slot from a node, and move one of its keys."""
    source, target = fleet.node(port), fleet.node(fleet.first)
    at, to = (NodeClient(HOST, node["port"], PASSWORD) for node in (source, target))
    text = next(line for line in at.text("CLUSTER", "NODES").splitlines() if "myself" in line)
    slot = int(text.split()[8].partition("-")[0])
    to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source["id"])
    at.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target["id"])
    keys = at.call("CLUSTER", "GETKEYSINSLOT", slot, 1)
    if keys:
        words = ("MIGRATE", HOST, target["port"], "", 0, 5000, "AUTH", PASSWORD, "KEYS", *keys)
        assert at.call(*words) == b"OK"
    at.close()
    to.close()


def test_slots_that_others_left_uneven_and_open(fleet: Fleet, load: None) -> None:
    """Another tool has moved slots, and one of them only half."""
    words = ["redis-cli", "--no-auth-warning", "-a", PASSWORD, "--cluster", "reshard"]
    nodes = fleet.nodes("primary")
    done = subprocess.run(
        [
            *words,
            f"{HOST}:{fleet.first}",
            *("--cluster-from", nodes[0]["id"], "--cluster-to", nodes[1]["id"]),
            *("--cluster-slots", "50", "--cluster-yes"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    open_one(fleet, fleet.first + 1)
    said = fleet.do("rebalance")
    assert "1 slot half moved" in said
    assert slots(fleet) == {fleet.first: 8192, fleet.first + 1: 8192}


def test_replicas_come_and_go(fleet: Fleet) -> None:
    first = fleet.first
    said = fleet.do("add-replica", "--count", "2")
    assert f"{first + 2} is a replica of {first} now" in said
    assert f"{first + 3} is a replica of {first + 1} now" in said
    assert f"{first + 4} is a replica of {first} now" in fleet.do("add-replica", "--of", str(first))
    assert fleet.status()["ok"]
    assert f"{first + 4} is stopped" in fleet.do("remove-replica")
    done = fleet.run("remove-replica", str(first))
    assert done.returncode == 1
    assert f"{first} is a primary now; its replicas are {first + 2}" in done.stderr
    assert f"{first + 3} is stopped" in fleet.do("remove-replica", str(first + 3))
    assert f"{first + 2} is stopped" in fleet.do("remove-replica")
    done = fleet.run("remove-replica")
    assert (done.returncode, done.stderr) == (1, "carnelian-fleet: there is no replica\n")
    assert fleet.status()["ok"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["remove-shard", "1"], "1 is no node of this fleet; its primaries are "),
        (["remove-replica", "1"], "there is no node 1"),
        (["add-replica", "--of", "x"], "x is no node of this fleet"),
    ],
)
def test_nodes_that_are_not_there(fleet: Fleet, words: list[str], text: str) -> None:
    done = fleet.run(*words)
    assert done.returncode == 1
    assert text in done.stderr


def test_the_last_shard_stays(fleet: Fleet) -> None:
    fleet.do("remove-shard", str(fleet.first))
    done = fleet.run("remove-shard", str(fleet.first + 1))
    assert done.returncode == 1
    assert "this is the only shard: stop ends the fleet" in done.stderr


def test_a_password_that_is_another_one_now(fleet: Fleet) -> None:
    (node,) = fleet.nodes()
    client = NodeClient(HOST, node["port"], PASSWORD)
    client.call("CONFIG", "SET", "requirepass", "another one")
    assert "wrong password" in fleet.run("status").stdout
    client.call("CONFIG", "SET", "requirepass", PASSWORD)
    client.close()
    assert fleet.status()["ok"]


def test_out_into_a_bigger_cluster(
    fleet: Fleet, program: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A node of somebody else joins, gets a share of the slots, then all, and the fleet ends."""
    (node,) = fleet.nodes()
    port = free_ports(1)
    options = ["--port", str(port), "--cluster-enabled", "yes", "--bind", HOST, "--save", ""]
    options += ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
    other = subprocess.Popen(
        [*program_of("" if program == "carnelian-server" else program), *options],
        cwd=tmp_path_factory.mktemp("other"),
        stdout=subprocess.DEVNULL,
    )
    try:
        client = NodeClient(HOST, port, PASSWORD)
        wait_until(lambda: answers(client))
        client.call("CLUSTER", "MEET", HOST, node["port"])
        writer = Writer([node["port"], port], f"moving {time.time_ns()}", password=PASSWORD)
        writer.start()
        wait_until(lambda: "1 node elsewhere" in fleet.run("status").stdout)
        assert "moved 8192 slots" in fleet.do("rebalance")
        said = fleet.do("remove-shard", str(node["port"]))
        assert "moved 8192 slots" in said
        assert said.endswith("the fleet has 0 shards now\n")
        assert fleet.process is not None
        assert fleet.process.wait(PATIENCE) == 0
        assert "the others of the cluster go on without this fleet" in fleet.said()
        writer.end()
        writer.verify()
        assert client.call("DBSIZE") >= KEYS
        assert len(client.text("CLUSTER", "NODES").splitlines()) == 1
        done = fleet.run("status")
        assert (done.returncode, "no nodes any more" in done.stdout) == (3, True)
    finally:
        other.terminate()
        other.wait(PATIENCE)


def answers(client: NodeClient) -> bool:
    try:
        return client.call("PING") == b"PONG"
    except (NodeUnreachableError, RefusedError):
        return False

"""A cluster under load of three languages' clients, whose slots move and whose nodes die and stall.

``python -m tests.cluster_serving.cluster_soak``; exits with 1 if an answer was wrong, or a write is
missing that a replica had. It needs node with npm and go; what it installs stays in
``build/cluster-soak``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from carnelian.datatypes.algorithms.hash_slot import hash_slot  # noqa: E402
from cluster_serving.live_cluster import NODE_TIMEOUT, LiveCluster, LiveNode, wait_for  # noqa: E402

WRITERS = Path(__file__).parent / "writers"
BUILT = ROOT / "build" / "cluster-soak"
PATIENCE = 60.0


# -- Clients ---------------------------------------------------------------------------------------


def programs() -> dict[str, list[str]]:
    """The command line of each writer, which is made ready here."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for path in WRITERS.iterdir():
        if path.is_file():
            shutil.copy(path, BUILT)
    for tool, words in (
        ("npm", ["install", "--silent", "--no-audit", "--no-fund"]),
        ("go", ["build", "-mod=mod", "-o", "writer", "."]),
    ):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is needed (Debian: apt install nodejs npm golang)")
        subprocess.run([tool, *words], cwd=BUILT, check=True)
    return {
        "redis-py": [sys.executable, str(BUILT / "writer.py")],
        "ioredis": ["node", str(BUILT / "writer.js")],
        "go-redis": [str(BUILT / "writer")],
    }


class Writer:
    """A client that writes and reads until it is stopped, and tells what was confirmed."""

    def __init__(self, name: str, command: list[str], directory: Path, ports: list[str]):
        self.name = name
        self._path = directory / f"{name}.out"
        with self._path.open("wb") as output:
            self._process = subprocess.Popen([*command, name, *ports], stdout=output)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def told(self, what: str) -> list[list[str]]:
        """The lines of a kind: ``confirmed`` or ``wrong``, a key and a value."""
        lines = (line.split() for line in self._path.read_text().splitlines())
        return [line[1:] for line in lines if line and line[0] == what and len(line) == 3]


@contextmanager
def writing(
    cluster: LiveCluster, directory: Path, commands: dict[str, list[str]]
) -> Iterator[list[Writer]]:
    """One writer in each language, while the block runs."""
    ports = [str(node.port) for node in cluster.nodes]
    writers = [Writer(name, command, directory, ports) for name, command in commands.items()]
    try:
        yield writers
    finally:
        for writer in writers:
            writer.stop()


# -- Shapes ----------------------------------------------------------------------------------------


def make_cluster(directory: Path, kind: str) -> LiveCluster:
    """Three primaries with a replica each; if ``kind`` is mixed, each of the other kind."""
    cluster = LiveCluster(directory)
    for number in range(6):
        ours = {"carnelian": True, "redis": False, "mixed": number % 2 == number // 3}[kind]
        cluster.add(ours)
    primaries, replicas = cluster.nodes[:3], cluster.nodes[3:]
    cluster.create(primaries)
    for primary, replica in zip(primaries, replicas, strict=True):
        cluster.cli(
            "add-node", replica.address, primary.address, "--cluster-slave",
            "--cluster-master-id", primary.id,
        )  # fmt: skip
    settle(cluster)
    return cluster


def settle(cluster: LiveCluster) -> None:
    """Wait until all agree and each primary has its replica, which is up to date."""
    cluster.wait_until_ok()

    def linked() -> bool:
        fields = [node.replication() for node in cluster.nodes]
        leading = [one for one in fields if one.get("connected_slaves") == "1"]
        following = [one for one in fields if one.get("master_link_status") == "up"]
        return len(leading) == 3 and len(following) == 3

    wait_for(linked, "each has its replica", PATIENCE)


def primary_of(cluster: LiveCluster, number: int) -> LiveNode:
    """A primary: another one for each number."""
    primaries = [node for node in cluster.nodes if node.replication()["role"] == "master"]
    return sorted(primaries, key=lambda node: node.port)[number % len(primaries)]


def key_of(node: LiveNode) -> str:
    """A key that a node has."""
    rows = [row for row in node("CLUSTER", "SLOTS") if row[2][2] == node.id]
    return next(
        key for key in map("probe:{}".format, range(100_000))
        if any(row[0] <= hash_slot(key.encode()) <= row[1] for row in rows)
    )  # fmt: skip


def outage(cluster: LiveCluster, key: str, lost: LiveNode) -> float:
    """Seconds until somebody else takes a write of a key."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        for node in cluster.nodes:
            if node is not lost and node("SET", key, "x") == "OK":
                return time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError("nobody took over")


# -- What happens ----------------------------------------------------------------------------------


def reshard(cluster: LiveCluster, slots: int) -> None:
    """Move slots from one primary to another, and as many back."""
    first, second = primary_of(cluster, 0), primary_of(cluster, 1)
    for source, target in ((first, second), (second, first)):
        began = time.monotonic()
        cluster.cli(
            "reshard", source.address, "--cluster-from", source.id, "--cluster-to", target.id,
            "--cluster-slots", str(slots), "--cluster-pipeline", "100",
        )  # fmt: skip
        print(f"{slots} slots moved in {time.monotonic() - began:.1f} s", flush=True)
        settle(cluster)


def fail_over(cluster: LiveCluster, number: int) -> float:
    """Kill a primary, and start it again when its replica leads; how long nobody took writes."""
    lost = primary_of(cluster, number)
    key = key_of(lost)
    lost.kill()
    seconds = outage(cluster, key, lost)
    lost.start()
    settle(cluster)
    return seconds


def stall(cluster: LiveCluster, number: int) -> float:
    """Stop a primary for longer than the others have patience; how long nobody took writes."""
    lost = primary_of(cluster, number)
    key = key_of(lost)
    lost.process.send_signal(signal.SIGSTOP)
    try:
        seconds = outage(cluster, key, lost)
        time.sleep(NODE_TIMEOUT / 1000)
    finally:
        lost.process.send_signal(signal.SIGCONT)
    settle(cluster)
    return seconds


def missing(cluster: LiveCluster, writers: list[Writer]) -> list[str]:
    """The keys that were confirmed and are not there."""
    client = redis.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, decode_responses=True)
    lost = []
    for writer in writers:
        for key, value in writer.told("confirmed"):
            if client.get(key) != value:
                lost.append(key)
    client.close()
    return lost


def main(arguments: list[str] | None = None) -> int:
    """Let one cluster live through all of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster_serving.cluster_soak", description=__doc__
    )
    add = parser.add_argument
    add("--kind", choices=("mixed", "carnelian", "redis"), default="mixed", help="of the nodes")
    add("--slots", type=int, default=4000, help="slots that move, and move back (4000)")
    add("--failovers", type=int, default=20, help="primaries that are killed (20)")
    add("--stalls", type=int, default=6, help="primaries that are stopped for a while (6)")
    options = parser.parse_args(arguments)
    BUILT.mkdir(parents=True, exist_ok=True)
    commands = programs()
    directory = Path(tempfile.mkdtemp(dir=BUILT))
    cluster = make_cluster(directory, options.kind)
    try:
        with writing(cluster, directory, commands) as writers:
            time.sleep(2)
            reshard(cluster, options.slots)
            for what, count, happen in (
                ("killed", options.failovers, fail_over),
                ("stalled", options.stalls, stall),
            ):
                times = [happen(cluster, number) for number in range(count)]
                if times:
                    print(
                        f"{count} primaries {what}: writes go on after "
                        f"{statistics.median(times):.1f} s (median), {max(times):.1f} s (longest)",
                        flush=True,
                    )
            time.sleep(1)
        lost = missing(cluster, writers)
    finally:
        cluster.stop()
    wrong = [line for writer in writers for line in writer.told("wrong")]
    for writer in writers:
        print(f"{writer.name}: {len(writer.told('confirmed'))} confirmed")
    print(f"{len(wrong)} wrong answers, {len(lost)} confirmed writes missing")
    for each in (*wrong[:10], *lost[:10]):
        print(each)
    if not wrong and not lost:
        shutil.rmtree(directory)
    return 1 if wrong or lost else 0


if __name__ == "__main__":
    os.environ.setdefault("GOFLAGS", "-mod=mod")
    sys.exit(main())

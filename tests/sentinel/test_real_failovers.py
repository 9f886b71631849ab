"""Our Sentinels as processes, with real servers, and with redis-sentinel in one quorum."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from support.certificates import make as make_certificates
from support.servers import require
from support.waiting import free_port

from .processes import NAME, OURS, THEIRS, Process, table

# Seconds: machines may be busy.
PATIENCE = 90.0


def eventually(condition: Callable[[], object]) -> None:
    """Fails if something does not come true in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("what was waited for did not happen")


class RealFleet:
    """A primary, two replicas, and Sentinels of the given kinds."""

    def __init__(self, directory: Path, kinds: list[list[str]], lines: list[str]):
        self.servers: list[Process] = []
        self.sentinels: list[Process] = []
        try:
            self._begin(directory, kinds, lines)
        except BaseException:
            self.stop()
            raise

    def _begin(self, directory: Path, kinds: list[list[str]], lines: list[str]) -> None:
        for number in range(3):
            follow = [f"replicaof 127.0.0.1 {self.servers[0].port}"] if number else []
            options = ['save ""', "repl-diskless-sync-delay 0", "repl-timeout 5", *follow]
            place = directory / f"server-{number}"
            self.servers.append(Process(place, ["redis-server"], options))
        watched = [
            f"sentinel monitor {NAME} 127.0.0.1 {self.servers[0].port} {len(kinds) // 2 + 1}",
            f"sentinel down-after-milliseconds {NAME} 1500",
            f"sentinel failover-timeout {NAME} 8000",
            *lines,
        ]
        for number, kind in enumerate(kinds):
            self.sentinels.append(Process(directory / f"sentinel-{number}", kind, watched))
            # On a busy machine a Sentinel may sleep for longer than it takes for good.
            self.sentinels[-1]("SENTINEL", "DEBUG", "tilt-trigger", 20000)

    def wait_until_met(self) -> None:
        """Until all know all."""

        def met() -> bool:
            rows = [table(each("SENTINEL", "MASTER", NAME)) for each in self.sentinels]
            others = str(len(self.sentinels) - 1)
            return all(
                row["num-slaves"] == "2" and row["num-other-sentinels"] == others for row in rows
            )

        eventually(met)

    def primary_of(self, sentinel: Process) -> int:
        """The port of the primary, for a Sentinel."""
        return int(sentinel("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])

    def wait_for_switch(self, old: int) -> Process:
        """Until all Sentinels know the same new primary: that."""

        def switched() -> bool:
            ports = {self.primary_of(each) for each in self.sentinels}
            return len(ports) == 1 and old not in ports

        eventually(switched)
        port = self.primary_of(self.sentinels[0])
        return next(server for server in self.servers if server.port == port)

    def stop(self) -> None:
        for process in (*self.sentinels, *self.servers):
            process.stop(signal.SIGKILL)


Begin = Callable[..., RealFleet]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    require("redis-server", "redis-server")
    fleets: list[RealFleet] = []

    def start(*kinds: list[str], lines: list[str] | None = None) -> RealFleet:
        if THEIRS in kinds:
            require("redis-sentinel", "redis-sentinel")
        fleets.append(RealFleet(tmp_path, list(kinds), lines or []))
        return fleets[-1]

    yield start
    for fleet in fleets:
        fleet.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "kinds",
    [(OURS, OURS, OURS), (OURS, THEIRS, OURS), (THEIRS, OURS, THEIRS)],
    ids=["ours", "ours with one of redis", "one of ours with redis"],
)
def test_a_replica_takes_over_and_the_old_primary_follows(
    begin: Begin, kinds: tuple[list[str], ...]
) -> None:
    fleet = begin(*kinds)
    fleet.wait_until_met()
    old = fleet.servers[0]
    old("SET", "k", "v")
    eventually(lambda: all(server("GET", "k") == b"v" for server in fleet.servers[1:]))
    old.stop(signal.SIGKILL)
    new = fleet.wait_for_switch(old.port)
    assert new("GET", "k") == b"v"
    assert new("ROLE")[0] == b"master"
    other = next(server for server in fleet.servers if server not in (old, new))
    eventually(lambda: other("ROLE")[2] == new.port and other("ROLE")[3] == b"connected")
    old.start()
    eventually(lambda: old("ROLE")[0] == b"slave" and old("ROLE")[2] == new.port)


@pytest.mark.timeout(300)
def test_a_sentinel_is_told_what_it_has_missed(begin: Begin) -> None:
    fleet = begin(OURS, OURS, OURS)
    fleet.wait_until_met()
    sleeper = fleet.sentinels.pop()
    my_id = sleeper("SENTINEL", "MYID")
    assert sleeper.stop() == 0
    old = fleet.servers[0].port
    fleet.sentinels[0]("SENTINEL", "FAILOVER", NAME)
    new = fleet.wait_for_switch(old)
    sleeper.start()
    assert sleeper("SENTINEL", "MYID") == my_id
    eventually(lambda: fleet.primary_of(sleeper) == new.port)
    fleet.sentinels.append(sleeper)


@pytest.mark.timeout(300)
def test_a_primary_that_hangs_is_down(begin: Begin) -> None:
    fleet = begin(OURS)
    sentinel = fleet.sentinels[0]
    eventually(lambda: table(sentinel("SENTINEL", "MASTER", NAME))["num-slaves"] == "2")
    sentinel("SENTINEL", "SET", NAME, "quorum", 5)
    listener = redis.Redis(port=sentinel.port, protocol=2).pubsub()
    listener.psubscribe("*")
    fleet.servers[0].send_signal(signal.SIGSTOP)

    def flags() -> str:
        return table(sentinel("SENTINEL", "MASTER", NAME))["flags"]

    eventually(lambda: "s_down" in flags())
    fleet.servers[0].send_signal(signal.SIGCONT)
    eventually(lambda: flags() == "master")
    heard = []
    while (message := listener.get_message(timeout=0.5)) is not None:
        heard.append(message["channel"])
    listener.close()
    assert b"+set" not in heard
    assert heard.index(b"+sdown") < heard.index(b"-sdown")


@pytest.mark.timeout(300)
def test_scripts_are_run(begin: Begin, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n')
    script.chmod(0o755)
    fleet = begin(
        OURS,
        lines=[
            f"sentinel notification-script {NAME} {script}",
            f"sentinel client-reconfig-script {NAME} {script}",
        ],
    )
    sentinel = fleet.sentinels[0]
    eventually(lambda: table(sentinel("SENTINEL", "MASTER", NAME))["num-slaves"] == "2")
    old = fleet.servers[0].port

    def accepted() -> bool:
        try:
            return sentinel("SENTINEL", "FAILOVER", NAME) == b"OK"
        except redis.ResponseError:
            return False  # the replicas have not told yet what they are

    eventually(accepted)
    new = fleet.wait_for_switch(old).port

    def told() -> str:
        path = tmp_path / "told"
        return path.read_text() if path.exists() else ""

    wanted = f"{NAME} leader start 127.0.0.1 {old} 127.0.0.1 {new}\n"
    eventually(lambda: wanted in told())
    eventually(lambda: f"+monitor master {NAME} 127.0.0.1 {old} quorum 1\n" in told())


def test_the_file_is_that_of_redis_sentinel(tmp_path: Path) -> None:
    require("redis-sentinel", "redis-sentinel")
    sentinel = Process(tmp_path / "s", OURS, [f"sentinel monitor {NAME} 127.0.0.1 {free_port()} 2"])
    try:
        my_id = sentinel("SENTINEL", "MYID")
        sentinel("SENTINEL", "SET", NAME, "parallel-syncs", 3, "auth-pass", "a b")
        port = table(sentinel("SENTINEL", "MASTER", NAME))["port"]
        vote = ["SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", port, 7, "f" * 40]
        assert sentinel(*vote) == [0, b"f" * 40, 7]
        sentinel.stop()
        for command in (THEIRS, OURS):
            sentinel.command = command
            sentinel.start()
            assert sentinel("SENTINEL", "MYID") == my_id
            assert table(sentinel("SENTINEL", "MASTER", NAME))["parallel-syncs"] == "3"
            # It has voted in this epoch, if it does not know for whom any more.
            assert sentinel(*vote[:-1], "e" * 40) == [0, b"*", 7]
            sentinel.stop()
    finally:
        sentinel.stop(signal.SIGKILL)


def test_it_is_an_option_of_the_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "carnelian"]
    sentinel = Process(tmp_path / "s", command, [], after=["--sentinel"])
    try:
        assert sentinel("ROLE") == [b"sentinel", []]
        with pytest.raises(redis.ResponseError, match="unknown command"):
            sentinel("GET", "k")
        sentinel("ACL", "SETUSER", "joe", "on", ">x", "+sentinel|myid")
        joe = redis.Redis(port=sentinel.port, username="joe", password="x", protocol=2)
        assert joe.execute_command("SENTINEL MYID") == sentinel("SENTINEL", "MYID")
        with pytest.raises(redis.ResponseError):
            joe.execute_command("SENTINEL MASTERS")
        joe.close()
    finally:
        assert sentinel.stop() == 0
    assert "Sentinel is now ready to exit" in sentinel.output


@pytest.mark.timeout(300)
def test_over_tls(tmp_path: Path) -> None:
    require("redis-sentinel", "redis-sentinel")
    folder = make_certificates(tmp_path)
    secure = [
        f"tls-cert-file {folder}/server.crt",
        f"tls-key-file {folder}/server.key",
        f"tls-ca-cert-file {folder}/ca.crt",
        "tls-auth-clients no",
        "tls-replication yes",
    ]
    ports = [free_port() for _ in range(3)]
    primary = Process(
        tmp_path / "r", ["redis-server"], ['save ""', *secure, f"tls-port {ports[0]}"]
    )
    watched = [f"sentinel monitor {NAME} 127.0.0.1 {ports[0]} 2", *secure]
    sentinels = [
        Process(tmp_path / f"s{number}", kind, [*watched, f"tls-port {ports[number]}"])
        for number, kind in enumerate((OURS, THEIRS), 1)
    ]
    try:

        def met() -> bool:
            rows = [table(each("SENTINEL", "MASTER", NAME)) for each in sentinels]
            return all(row["num-other-sentinels"] == "1" for row in rows)

        eventually(met)
        assert sentinels[0]("SENTINEL", "CKQUORUM", NAME).startswith(b"OK 2 usable")
    finally:
        for process in (*sentinels, primary):
            process.stop(signal.SIGKILL)


def failure(tmp_path: Path, *arguments: str) -> str:
    """What a Sentinel says that does not start."""
    done = subprocess.run(
        [*OURS, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    return done.stdout + done.stderr


def test_a_file_is_needed(tmp_path: Path) -> None:
    assert "Sentinel needs config file on disk to save state. Exiting..." in failure(tmp_path)


def test_a_bad_line(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("port 0\nsentinel monitor a 127.0.0.1 6379 0\n")
    told = failure(tmp_path, "conf")
    assert "at line 2\n>>> 'sentinel monitor a 127.0.0.1 6379 0'\n" in told
    assert "Quorum must be 1 or greater." in told


def test_a_server_has_no_such_lines(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("sentinel monitor a 127.0.0.1 6379 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "carnelian", "conf"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "sentinel directive while not in sentinel mode" in done.stderr

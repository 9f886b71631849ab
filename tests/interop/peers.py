"""What clients talk to: a server with TLS and users, and a cluster, for the time of a run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from support import certificates
from support.waiting import free_port

START_SECONDS = 20.0
USER = ("app", "reset", "on", ">sesame", "~app:*", "&*", "+@all", "-@dangerous", "+info")


@dataclass(frozen=True)
class Peers:
    """Where the server and the cluster are."""

    port: int
    tls_port: int
    authority: Path
    cluster_port: int | None

    def environment(self) -> dict[str, str]:
        """What a program is told, as languages/SCENARIO.md has it."""
        told = {
            "REDIS_PORT": str(self.port),
            "REDIS_TLS_PORT": str(self.tls_port),
            "REDIS_CA": str(self.authority),
        }
        if self.cluster_port is not None:
            told["REDIS_CLUSTER_PORT"] = str(self.cluster_port)
        return told

    def make_ready(self) -> None:
        """Empty the server and give it its user, for the next program."""
        with redis.Redis(port=self.port) as client:
            client.flushall()
            client.config_resetstat()
            client.execute_command("ACL", "SETUSER", *USER)
        if self.cluster_port is not None:
            with redis.RedisCluster("127.0.0.1", self.cluster_port) as cluster:
                cluster.flushall(target_nodes=redis.RedisCluster.PRIMARIES)


@contextmanager
def running(work: Path, server: str | None, cluster: bool) -> Iterator[Peers]:
    """A server, and a cluster if asked for; ``server`` is a program to take instead of ours."""
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        port, tls_port, authority = stack.enter_context(_server(work, server))
        nodes = stack.enter_context(_cluster(work, server)) if cluster else None
        yield Peers(port, tls_port, authority, nodes)


@contextmanager
def _server(work: Path, server: str | None) -> Iterator[tuple[int, int, Path]]:
    certificates.authority().issue(work, "server", hosts=("localhost", "127.0.0.1"))
    authority = work / "ca.crt"
    authority.write_bytes(certificates.authority().pem())
    port, tls_port = free_port(), free_port()
    program = [server] if server else [sys.executable, "-m", "carnelian"]
    options = {
        "port": port, "bind": "127.0.0.1", "save": "", "tls-port": tls_port,
        "tls-cert-file": work / "server.crt", "tls-key-file": work / "server.key",
        "tls-ca-cert-file": authority, "tls-auth-clients": "no",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (work / "server.log").open("wb") as log:
        process = subprocess.Popen([*program, *words], cwd=work, stdout=log, stderr=log)
    try:
        _wait_until_it_answers(port)
        yield port, tls_port, authority
        if process.poll() is not None:
            sys.exit(f"the server has ended; its log is {work / 'server.log'}")
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as client:
                client.sendall(b"PING\r\n")
                if client.recv(16) == b"+PONG\r\n":
                    return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not answer")


@contextmanager
def _cluster(work: Path, server: str | None) -> Iterator[int]:
    fleet = [sys.executable, "-m", "carnelian.tools.fleet.fleet_program"]
    place = ["--dir", str(work / "fleet")]
    port = _free_ports()
    shape = ["--shards", "3", "--replicas", "0", "--port", str(port), "--detach"]
    chosen = ["--server", server] if server else []
    # One that an interrupted run has left is not gone on with.
    subprocess.run([*fleet, "stop", "--now", *place], capture_output=True, timeout=60)
    shutil.rmtree(work / "fleet", ignore_errors=True)
    started = subprocess.run(
        [*fleet, *shape, *chosen, *place], capture_output=True, text=True, timeout=120
    )
    try:
        if started.returncode:
            sys.exit(f"the cluster does not start:\n{started.stdout}{started.stderr}")
        yield port
    finally:
        subprocess.run([*fleet, "stop", "--now", *place], capture_output=True, timeout=60)


def _free_ports() -> int:
    """The first of three free ports in a row, of which those of the bus are free as well."""
    for first in range(17000, 19000, 10):
        wanted = [first + n + shift for n in range(3) for shift in (0, 10000)]
        if all(map(_is_free, wanted)):
            return first
    sys.exit("no free ports for a cluster")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0

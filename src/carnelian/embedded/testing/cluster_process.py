"""A Redis Cluster of several processes, for tests that need one: what carnelian-fleet starts."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import redis

_HOST = "127.0.0.1"
_PROGRAM = [sys.executable, "-m", "carnelian.tools.fleet.fleet_program"]
_BUS_OFFSET = 10000
_PATIENCE = 120.0
_ATTEMPTS = 5


class ClusterProcess:
    """A cluster that works, from now on until :meth:`stop`.

    Args:
        directory: one that does not exist, for its files.
        shards: how many primaries.
        replicas: of each.
        directives: for all nodes: ``"--maxmemory", "100mb"``.

    Raises:
        RuntimeError: it does not come about; the message says what carnelian-fleet says.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        shards: int = 3,
        replicas: int = 0,
        *directives: str,
    ):
        self.host = _HOST
        self.directory = os.fspath(directory)
        count = shards * (replicas + 1)
        said = ""
        for _ in range(_ATTEMPTS):
            self.port = _free_ports(count)
            self.ports = list(range(self.port, self.port + count))
            shape = ["--shards", str(shards), "--replicas", str(replicas), "--port", str(self.port)]
            done = self._run("--detach", *shape, "--", "--save", "", *directives, detach=True)
            if done.returncode == 0:
                return
            said = done.stdout
            if "in use" not in said:
                break
        raise RuntimeError(f"the cluster does not come about:\n{said}")

    def _run(self, *words: str, detach: bool = False) -> subprocess.CompletedProcess[str]:
        head, *rest = words
        # The nodes of a fleet in the background have no terminal to be ended from.
        return subprocess.run(
            [*_PROGRAM, head, "--dir", self.directory, *rest],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            start_new_session=detach,
        )

    @property
    def url(self) -> str:
        """Where clients connect to: one of the nodes, which knows the others."""
        return f"redis://{self.host}:{self.port}"

    def client(self, **options: Any) -> redis.RedisCluster:
        """A client of redis-py, to be closed by the caller."""
        import redis

        return redis.RedisCluster(host=self.host, port=self.port, **options)

    def flush(self) -> None:
        """Forget all data, scripts and functions."""
        client: Any = self.client()
        try:
            primaries = client.PRIMARIES
            for command in ("FLUSHALL", "SCRIPT FLUSH", "FUNCTION FLUSH"):
                client.execute_command(command, target_nodes=primaries)
        finally:
            client.close()

    def stop(self) -> None:
        """End all of its processes."""
        self._run("stop", "--now")


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has, nor those of their buses."""
    for _ in range(200):
        first = random.randrange(11000, 32000 - count)
        if all(
            _is_free(port) and _is_free(port + _BUS_OFFSET) for port in range(first, first + count)
        ):
            return first
    raise RuntimeError("no free ports for a cluster")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True

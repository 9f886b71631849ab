"""redis-benchmark, and what it prints."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness import encryption, process, servers
from harness.client import send_all
from harness.workloads import WORKLOADS

PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
# A run that takes this long hangs.
TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True)
class Case:
    """A test of redis-benchmark, or a command line of one's own."""

    test: str
    size: int
    pipeline: int
    command: tuple[str, ...] = ()


class Target(Protocol):
    """What is measured: a server, or several that are one."""

    @property
    def port(self) -> int: ...

    @property
    def tls_port(self) -> int: ...

    @property
    def pids(self) -> list[int]: ...


@dataclass(frozen=True)
class Run:
    """What one run of redis-benchmark against one server gave; latencies in milliseconds."""

    requests_per_second: float
    cpu_us: float
    busy: float
    latency: dict[str, float]


class Generator:
    """Runs redis-benchmark and reads what it prints."""

    def __init__(
        self,
        clients: int,
        keyspace: int,
        cpu: int | None = None,
        certificate: Path | None = None,
        cluster_threads: int = 0,
    ) -> None:
        if shutil.which("redis-benchmark") is None:
            sys.exit("redis-benchmark is not installed (Debian: apt-get install redis-tools)")
        self.keyspace = keyspace
        self._options = ["-c", str(clients), "-r", str(keyspace), "--precision", "3"]
        if cluster_threads:
            self._options += ["--cluster", "--threads", str(cluster_threads)]
        self._cpu = cpu
        if certificate is not None:
            self._options += encryption.client_options(certificate)

    def command(self, case: Case, server: Target, requests: int) -> list[str]:
        """The command line of a run of ``requests`` requests."""
        command = ["redis-benchmark", "-p", str(server.tls_port or server.port)]
        command += [
            "-n",
            str(requests),
            *self._options,
            "-d",
            str(case.size),
            "-P",
            str(case.pipeline),
        ]
        workload = WORKLOADS.get(case.test)
        if workload is not None and not case.command:
            return command + list(workload.command(case.size))
        return command + (list(case.command) or ["-t", case.test.lower()])

    def run(self, case: Case, server: Target, requests: int) -> Run:
        """One run of ``requests`` requests; raises ValueError on output it does not know."""
        workload = WORKLOADS.get(case.test)
        if workload is not None and workload.fill is not None and not case.command:
            send_all(server.port, workload.fill(requests, case.size))
        before = sum(map(process.cpu_seconds, server.pids))
        done = subprocess.run(
            self.command(case, server, requests),
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_SECONDS,
            preexec_fn=servers.pinned_to(self._cpu),
        )
        spent = sum(map(process.cpu_seconds, server.pids)) - before
        return parse_run(done.stdout.replace("\r", "\n"), requests, spent)

    def requests_for(
        self, case: Case, running: Sequence[Target], seconds: float, least: float = 0.2
    ) -> int:
        """The number of requests that takes the servers ``seconds`` on average.

        They are tried with more and more requests until these take ``least`` seconds.
        """
        rates = []
        for server in running:
            requests = 500 * case.pipeline
            run = self.run(case, server, requests)
            while requests / run.requests_per_second < least:
                requests = min(int(run.requests_per_second * least * 1.2), 20 * requests)
                run = self.run(case, server, requests)
            rates.append(run.requests_per_second)
        requests = int(sum(rates) / len(rates) * seconds)
        return max(requests // 1_000, 1) * 1_000


def parse_run(output: str, requests: int, cpu_seconds: float) -> Run:
    """Reads the report of one test of redis-benchmark."""
    throughput = re.search(r"throughput summary: ([\d.]+) requests per second", output)
    if throughput is None or "error" in output.lower():
        raise ValueError(f"redis-benchmark says:\n{output[-2000:]}")
    rate = float(throughput[1])
    steps = [
        (float(share), float(milliseconds))
        for share, milliseconds in re.findall(
            r"^([\d.]+)% <= ([\d.]+) milliseconds", output.partition("Cumulative")[0], re.MULTILINE
        )
    ]
    latency = {
        name: next(milliseconds for share, milliseconds in steps if share >= wanted)
        for name, wanted in PERCENTILES.items()
    }
    return Run(rate, cpu_seconds / requests * 1e6, cpu_seconds * rate / requests, latency)

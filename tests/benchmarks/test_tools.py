"""The benchmarks run to their end; with redis-server on both sides, as they measure, not judge."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import require

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "compare.py --pairs 2 --seconds 0.05 --sizes 3 --pipelines 16 -t PING_MBULK,GET "
            "--ours redis-server",
            ["PING_MBULK 3 B -P 16: throughput x ", "GET 3 B -P 16: throughput x "],
        ),
        (
            "compare.py --pairs 1 --seconds 0.05 --sizes 3 --pipelines 1 --ours redis-server "
            "--command 'GETDEL key:__rand_int__'",
            ["GETDEL key:__rand_int__ 3 B -P 1: throughput x "],
        ),
        (
            "compare.py --pairs 1 --seconds 0.05 --sizes 3 --pipelines 16 -t GET "
            "--ours redis-server --tls {data}",
            ["GET 3 B -P 16: throughput x "],
        ),
        (
            "caching.py --pairs 1 --clients 3 --requests 480 --ours redis-server",
            ["default: writes us", "BCAST, 3 prefixes: reads us"],
        ),
        (
            "memory.py --keys 2000 --connections 0 --ours redis-server",
            ["keys 16+64 B: used x 1.00", "keys 16+64 B, expiring: used x 1.00"],
        ),
        (
            "compare.py --set types --pairs 1 --seconds 0.05 --pipelines 16 -t SPOP,HGETALL_20 "
            "--ours redis-server",
            ["SPOP 3 B -P 16: throughput x ", "HGETALL_20 3 B -P 16: throughput x "],
        ),
        (
            "memory.py --set types --collections 20 --elements 500 --entries 100 "
            "--ours redis-server",
            ["hash of 100, each: used x ", "stream of 100, entry: used x "],
        ),
        (
            "complexity.py --powers 3 --rounds 1 --seconds 0.01 --ours redis-server",
            ["1000 elements done", "ZADD + ZPOPMIN", "XREVRANGE"],
        ),
        (
            "storage.py --keys 3000 --pairs 2 --seconds 0.05 --ours redis-server --data {data}",
            ["CPU seconds", "always -P 16: k/s", "GET -P 1: fork ms", "SET: over the baseline MB"],
        ),
        (
            "cluster.py --pairs 2 --seconds 0.05 -r 1 --pipelines 16 --keys 500 --slots 20 "
            "--ours redis-server",
            [
                "clusters of 2, redis-benchmark --cluster, ours / peer",
                "redis: one node with cluster-enabled yes (ours) / no (peer)",
                "20 slots moved by redis-cli, ours / peer",
            ],
        ),
        (
            "failures.py --pairs 1 --requests 200 --ours redis-server",
            ["WRONGTYPE of INCR: us", "unknown command: k/s"],
        ),
        (
            "fuzz.py --requests 3000 --server redis-server --seed 1",
            ["malformed requests; the server is alive and well"],
        ),
    ],
)
def test_tool_runs(line: str, expected: list[str], tmp_path: Path):
    require("redis-server", "redis-server")
    require("redis-benchmark", "redis-tools")
    script, *arguments = shlex.split(line.format(data=tmp_path))
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    for text in expected:
        assert text in done.stdout

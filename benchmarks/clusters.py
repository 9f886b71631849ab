"""A cluster of ours against one of redis-server, of the same shape and in turns.

Three parts: serving (redis-benchmark --cluster), what it costs a node to be one of a cluster, and
how fast redis-cli moves slots from node to node.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

from harness import clusters, report, servers
from harness.clusters import SLOTS, Cluster
from harness.generator import PERCENTILES, Case, Generator, Run, Target
from harness.pairs import LESS, MORE, Pairs, order
from harness.servers import OURS, PEER

PARTS = ("serving", "switch", "reshard")
_RESHARD_SECONDS = 300.0


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    if options.shards < 2 and "serving" in options.what.split(","):
        parser.error("redis-benchmark --cluster wants two shards or more; switch has one server")
    commands = servers.commands(options)
    figures: dict[str, object] = {"options": vars(options)}
    for part in options.what.split(","):
        for title, pairs in _PARTS[part](options, commands):
            print(f"\n{title}\n\n{pairs.table()}\n", flush=True)
            figures[title] = pairs.plain()
    print(report.save("cluster", figures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--what", default=",".join(PARTS), help=f"parts of it ({','.join(PARTS)})")
    add("--shards", type=int, default=2, help="servers of each cluster (2)")
    add("--pairs", type=int, default=5, help="interleaved pairs of runs per case (5)")
    add("--seconds", type=float, default=2.0, help="length of one run (2)")
    add("--clients", type=int, default=50, help="connections (50)")
    add("--threads", type=int, default=1, help="threads of redis-benchmark --cluster (1)")
    add("--pipelines", default="16,1", help="requests per pipeline (16,1)")
    add("--size", type=int, default=64, help="bytes of a value (64)")
    add("-r", "--keyspace", type=int, default=10, help="random keys of each slot (10)")
    add("--keys", type=int, default=200_000, help="keys of a cluster whose slots move (200000)")
    add("--slots", type=int, default=4000, help="slots that move (4000)")
    add("--pin", action="store_true", help="the servers of a cluster on CPUs 0, 1, ...")
    return parser


Part = Iterator[tuple[str, Pairs]]


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    for pipeline in options.pipelines.split(","):
        for test in ("SET", "GET"):
            yield Case(test, options.size, int(pipeline))


def _add(pairs: Pairs, name: str, title: str, run: Run) -> None:
    pairs.add(name, f"{title}: k/s", run.requests_per_second / 1e3, MORE)
    pairs.add(name, f"{title}: CPU us", run.cpu_us, LESS)
    for percentile in PERCENTILES:
        pairs.add(name, f"{title}: {percentile} ms", run.latency[percentile], LESS)


# -- Serving ---------------------------------------------------------------------------------------


def _serving(options: argparse.Namespace, commands: dict[str, list[str]]) -> Part:
    """Requests per second of whole clusters, and CPU time of all servers per request.

    New servers for every round; what each slot's keys are is redis-benchmark's choice, so they are
    set by it as well.
    """
    pairs = Pairs()
    generator = Generator(options.clients, options.keyspace, cluster_threads=options.threads)
    requests: dict[Case, int] = {}
    for number in range(options.pairs):
        with ExitStack() as stack:
            running = {
                name: stack.enter_context(
                    clusters.running(name, command, options.shards, options.pin)
                )
                for name, command in commands.items()
            }
            filling = Case("SET", options.size, 100)
            for cluster in running.values():
                generator.run(filling, cluster, 4 * SLOTS * options.keyspace)
            print(f"round {number + 1}", flush=True)
            for case in _cases(options):
                if case not in requests:
                    requests[case] = generator.requests_for(
                        case, list(running.values()), options.seconds
                    )
                _pair(pairs, generator, case, running, requests[case], number)
    yield f"clusters of {options.shards}, redis-benchmark --cluster, ours / peer", pairs


def _pair(
    pairs: Pairs,
    generator: Generator,
    case: Case,
    running: dict[str, Cluster],
    requests: int,
    number: int,
) -> None:
    title = f"{case.test} -P {case.pipeline}"
    for name in order(number):
        _add(pairs, name, title, generator.run(case, running[name], requests))
    print(f"{pairs.last(f'{title}: k/s')}, {pairs.last(f'{title}: CPU us')}", flush=True)


# -- On and off ------------------------------------------------------------------------------------


def _switch(options: argparse.Namespace, commands: dict[str, list[str]]) -> Part:
    """One node that has all slots, against the same server with cluster-enabled no."""
    pin = 0 if options.pin else None
    generator = Generator(options.clients, options.keyspace * SLOTS, 1 if options.pin else None)
    for program, command in commands.items():
        pairs = Pairs()
        requests: dict[Case, int] = {}
        for number in range(options.pairs):
            with ExitStack() as stack:
                # The figures of a pair are on and off here, in the places of ours and the peer's.
                running: dict[str, Target] = {
                    name: stack.enter_context(clusters.single(name, command, clustered, pin))
                    for name, clustered in ((OURS, True), (PEER, False))
                }
                filling = Case("SET", options.size, 100)
                for server in running.values():
                    generator.run(filling, server, 2 * generator.keyspace)
                for case in _cases(options):
                    if case not in requests:
                        requests[case] = generator.requests_for(
                            case, list(running.values()), options.seconds
                        )
                    for name in order(number):
                        run = generator.run(case, running[name], requests[case])
                        _add(pairs, name, f"{case.test} -P {case.pipeline}", run)
            print(f"{program}, round {number + 1}", flush=True)
        yield f"{program}: one node with cluster-enabled yes (ours) / no (peer)", pairs


# -- Resharding ------------------------------------------------------------------------------------


def _reshard(options: argparse.Namespace, commands: dict[str, list[str]]) -> Part:
    """Keys per second that redis-cli --cluster reshard moves, there and back again."""
    if shutil.which("redis-cli") is None:
        sys.exit("redis-cli is not installed (Debian: apt-get install redis-tools)")
    pairs = Pairs()
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(clusters.running(name, command, 2, options.pin))
            for name, command in commands.items()
        }
        for cluster in running.values():
            cluster.fill(options.keys, options.size)
        for number in range(options.pairs):
            for name in order(number):
                keys, seconds = _move(running[name], number % 2, options.slots)
                pairs.add(name, "keys/s", keys / seconds, MORE)
                pairs.add(name, "slots/s", options.slots / seconds, MORE)
            print(pairs.last("keys/s"), flush=True)
    yield f"{options.slots} slots moved by redis-cli, ours / peer", pairs


def _move(cluster: Cluster, source: int, slots: int) -> tuple[int, float]:
    """Move slots from one of two servers to the other; how many keys went, in how many seconds."""
    ids, before = cluster.ids(), cluster.keys()
    words = ["redis-cli", "--cluster", "reshard", f"127.0.0.1:{cluster.port}"]
    words += ["--cluster-from", ids[source], "--cluster-to", ids[1 - source]]
    words += ["--cluster-slots", str(slots), "--cluster-pipeline", "100", "--cluster-yes"]
    began = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, timeout=_RESHARD_SECONDS)
    seconds = time.perf_counter() - began
    if done.returncode or re.search(r"\[ERR\]|Error", done.stdout):
        raise ValueError(f"redis-cli says:\n{done.stdout[-2000:]}{done.stderr}")
    return before[source] - cluster.keys()[source], seconds


_PARTS = {"serving": _serving, "switch": _switch, "reshard": _reshard}


if __name__ == "__main__":
    main()

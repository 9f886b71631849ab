"""What commands cost that fail: server CPU per request and throughput, ours against redis-server.

redis-benchmark gives up at the first error, so these are sent from here, by pipelines. Both servers
run side by side and take turns, in pairs of alternating order.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack

from harness import report, servers
from harness.client import Client, encode
from harness.pairs import MORE, Pairs, order
from harness.process import cpu_seconds
from harness.servers import Server

# By name: a request that fails, whose only reply is one line.
CASES = {
    "WRONGTYPE of INCR": ("INCR", "list"),
    "WRONGTYPE of GET": ("GET", "list"),
    "WRONGTYPE of LPUSH": ("LPUSH", "text", "x"),
    "WRONGTYPE of HSET": ("HSET", "text", "f", "v"),
    "WRONGTYPE of SADD": ("SADD", "list", "m"),
    "WRONGTYPE of ZADD": ("ZADD", "list", "1", "m"),
    "no integer in INCR": ("INCR", "text"),
    "no integer for INCRBY": ("INCRBY", "number", "x"),
    "no number for ZADD": ("ZADD", "scores", "x", "m"),
    "syntax of SET": ("SET", "text", "v", "YZ"),
    "no such key of LSET": ("LSET", "missing", "0", "v"),
    "words missing": ("GET",),
    "unknown command": ("NOSUCH", "key"),
    "for comparison: PING": ("PING",),
    "for comparison: INCR": ("INCR", "number"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--pairs", type=int, default=5, help="interleaved pairs of runs per case (5)")
    add("--requests", type=int, default=50_000, help="requests of a run (50000)")
    add("--case", action="append", choices=CASES, help="only this one; repeatable")
    add("--pipeline", type=int, default=50, help="requests per pipeline (50)")
    options = parser.parse_args()
    pairs = Pairs()
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Server(name, command))
            for name, command in servers.commands(options).items()
        }
        for server in running.values():
            _fill(server)
        for number in range(options.pairs):
            print(f"round {number + 1}", flush=True)
            for case in options.case or CASES:
                for name in order(number):
                    _run(pairs, running[name], case, options)
    print("\n" + pairs.table())
    print("\nus: CPU time of the server per request. k/s: thousand requests a second.")
    print(report.save("failures", {"pairs": pairs.plain()}))


def _fill(server: Server) -> None:
    with server.client() as client:
        client("RPUSH", "list", "a", "b")
        client("SET", "text", "some text")
        client("SET", "number", 7)
        client("ZADD", "scores", 1, "a")


def _run(pairs: Pairs, server: Server, case: str, options: argparse.Namespace) -> None:
    count = max(options.requests // options.pipeline, 1)
    data = encode(*CASES[case]) * options.pipeline
    with Client(server.port) as client:
        _exchange(client, data, options.pipeline)
        cpu, began = cpu_seconds(server.pid), time.perf_counter()
        for _ in range(count):
            _exchange(client, data, options.pipeline)
        seconds = time.perf_counter() - began
        cpu = cpu_seconds(server.pid) - cpu
    requests = count * options.pipeline
    pairs.add(server.name, f"{case}: us", cpu / requests * 1e6)
    pairs.add(server.name, f"{case}: k/s", requests / seconds / 1e3, MORE)


def _exchange(client: Client, data: bytes, replies: int) -> None:
    """Send a pipeline and wait for as many lines."""
    client.socket.sendall(data)
    while replies:
        received = client.socket.recv(65536)
        if not received:
            raise ConnectionError("connection closed by the server")
        replies -= received.count(b"\n")


if __name__ == "__main__":
    main()

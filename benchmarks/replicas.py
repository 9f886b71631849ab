"""Replication: what it costs to lead, what to follow, and how long a copy takes.

- ``lead``: SET by redis-benchmark with one and with two replicas attached, both of them the peer's;
  throughput, and CPU time of the primary per request.
- ``follow``: both servers follow one of the peer's, to which redis-benchmark writes; their CPU time
  per command.
- ``apply``: a stream of one command goes to a replica as fast as it takes it; commands a second,
  and CPU time per command.
- ``sync``: a replica of the same kind gets a copy of ``--keys`` keys; seconds until both are in
  step, CPU time of the two, and the latency of a GET every millisecond at the primary meanwhile.

Both servers take turns, in pairs of runs.
"""

from __future__ import annotations

import argparse
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from harness import process, report, servers
from harness.client import Client, batched, encode
from harness.dataset import Dataset
from harness.feeding import Feeder
from harness.generator import Case, Generator
from harness.pairs import MORE, Pairs, order
from harness.servers import OURS, PEER, Server

_CLIENTS = 50
_KEYS = 100_000
_SIZE = 64
_SECONDS = 600.0
_OPTIONS = ("--repl-diskless-sync-delay", "0", "--repl-backlog-size", "64mb")

Command = Callable[[random.Random], tuple[bytes | str | int, ...]]
# What the streams are made of: as redis-benchmark's tests, with keys that are there after a while.
STREAMS: dict[str, Command] = {
    "SET": lambda chance: ("SET", f"key:{chance.randrange(_KEYS):012}", b"x" * _SIZE),
    "INCR": lambda chance: ("INCR", f"counter:{chance.randrange(_KEYS):012}"),
    "HSET": lambda chance: (
        "HSET",
        f"user:{chance.randrange(_KEYS // 100):012}",
        f"element:{chance.randrange(100):012}",
        b"x" * _SIZE,
    ),
    "HSET, one hash": lambda chance: (
        "HSET",
        "myhash",
        f"element:{chance.randrange(_KEYS):012}",
        b"x" * _SIZE,
    ),
    "RPUSH": lambda chance: ("RPUSH", f"list:{chance.randrange(_KEYS // 100):012}", b"x" * 3),
    "RPUSH, one list": lambda chance: ("RPUSH", "mylist", b"x" * 3),
    "ZADD": lambda chance: (
        "ZADD",
        "scores",
        chance.randrange(_KEYS),
        f"element:{chance.randrange(_KEYS):012}",
    ),
}


def main() -> None:
    options = _parser().parse_args()
    wanted = options.what.split(",") if options.what else list(PARTS)
    if unknown := [name for name in wanted if name not in PARTS]:
        raise SystemExit(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
    results: dict[str, Pairs] = {}
    for name in wanted:
        print(f"\n{name}", flush=True)
        results[name] = Pairs()
        PARTS[name](options, servers.commands(options), results[name])
        print("\n" + results[name].table(), flush=True)
    print("\nRatios are ours / peer, medians over the pairs.")
    plain = {name: pairs.plain() for name, pairs in results.items()}
    told = {name: str(value) for name, value in vars(options).items()}
    print(report.save("replicas", {"options": told, "figures": plain}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--what", help=f"parts to run, with commas between them ({','.join(PARTS)})")
    add("--pairs", type=int, default=5, help="interleaved pairs of runs (5)")
    add("--seconds", type=float, default=3.0, help="length of a run under load (3)")
    add("--commands", type=int, default=400_000, help="commands of a stream (400000)")
    add("--stream", action="append", choices=STREAMS, help="only this one; repeatable")
    add("--keys", type=int, default=2_000_000, help="keys of a copy (2000000)")
    add("--data", type=Path, help="where the files of the data set are kept (a temporary folder)")
    return parser


# -- Leading -------------------------------------------------------------------------------------


def lead(options: argparse.Namespace, commands: dict[str, list[str]], pairs: Pairs) -> None:
    """SET with replicas attached."""
    generator = Generator(_CLIENTS, _KEYS)
    case = Case("SET", _SIZE, 16)
    for count in (1, 2):
        with ExitStack() as stack:
            primaries = {
                name: stack.enter_context(Server(name, command, *_OPTIONS))
                for name, command in commands.items()
            }
            replicas = {
                name: [stack.enter_context(Server("r", commands[PEER])) for _ in range(count)]
                for name in primaries
            }
            for name, primary in primaries.items():
                for replica in replicas[name]:
                    _follow(replica, primary)
            requests = generator.requests_for(case, list(primaries.values()), options.seconds)
            for number in range(options.pairs):
                for name in order(number):
                    run = generator.run(case, primaries[name], requests)
                    title = f"SET -P 16, {count} replica{'s' * (count > 1)}"
                    pairs.add(name, f"{title}: k/s", run.requests_per_second / 1e3, MORE)
                    pairs.add(name, f"{title}: CPU us", run.cpu_us)
                    pairs.add(name, f"{title}: p99 ms", run.latency["p99"])
                    for replica in replicas[name]:
                        _wait_in_step(primaries[name], replica)
                print(f"{title}: {pairs.last(f'{title}: k/s')}", flush=True)


# -- Following -----------------------------------------------------------------------------------


def apply(options: argparse.Namespace, commands: dict[str, list[str]], pairs: Pairs) -> None:
    """A stream of one command."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Server(name, command, "--repl-diskless-load", "swapdb"))
            for name, command in commands.items()
        }
        for title in options.stream or STREAMS:
            chance = random.Random(title)
            requests = (encode(*STREAMS[title](chance)) for _ in range(options.commands))
            parts = [b"".join(batch) for batch in batched(requests, 500)]
            feeders = {name: Feeder(server) for name, server in running.items()}
            for feeder in feeders.values():
                feeder.feed(parts)
            for number in range(options.pairs):
                for name in order(number):
                    seconds, cpu = feeders[name].feed(parts)
                    pairs.add(name, f"{title}: k/s", options.commands / seconds / 1e3, MORE)
                    pairs.add(name, f"{title}: CPU us", cpu / options.commands * 1e6)
            print(pairs.last(f"{title}: k/s"), pairs.last(f"{title}: CPU us"), flush=True)
            for feeder in feeders.values():
                feeder.close()


def follow(options: argparse.Namespace, commands: dict[str, list[str]], pairs: Pairs) -> None:
    """The stream of a primary under load, at the pace at which it comes."""
    generator = Generator(_CLIENTS, _KEYS)
    with ExitStack() as stack:
        primary = stack.enter_context(Server("primary", commands[PEER], *_OPTIONS))
        replicas = {
            name: stack.enter_context(Server(name, command)) for name, command in commands.items()
        }
        for replica in replicas.values():
            _follow(replica, primary)
        for test in ("SET", "INCR", "HSET", "RPUSH"):
            case = Case(test, _SIZE if test in ("SET", "HSET") else 3, 16)
            requests = generator.requests_for(case, [primary], options.seconds)
            for number in range(options.pairs):
                before = {name: process.cpu_seconds(each.pid) for name, each in replicas.items()}
                generator.run(case, primary, requests)
                for name in order(number):
                    _wait_in_step(primary, replicas[name])
                for name, each in replicas.items():
                    spent = process.cpu_seconds(each.pid) - before[name]
                    pairs.add(name, f"{test} -P 16: CPU us", spent / requests * 1e6)
            print(pairs.last(f"{test} -P 16: CPU us"), flush=True)
            with primary.client() as client:
                client("FLUSHALL")


# -- Copies --------------------------------------------------------------------------------------


def sync(options: argparse.Namespace, commands: dict[str, list[str]], pairs: Pairs) -> None:
    """A copy of everything."""
    data = Dataset(options.keys, options.data, commands[PEER])
    with ExitStack() as stack:
        primaries = {
            name: stack.enter_context(Server(name, command, *_OPTIONS, files=data.snapshot()))
            for name, command in commands.items()
        }
        for number in range(options.pairs):
            for name in order(number):
                for replica in (OURS, PEER):
                    _sync(primaries[name], replica, commands[replica], data.strings, pairs)
            print(", ".join(pairs.last(f"{way}: s") for way in _WAYS), flush=True)


_WAYS = ("to its own kind", "to the other kind")


def _sync(primary: Server, kind: str, command: list[str], strings: int, pairs: Pairs) -> None:
    way = _WAYS[primary.name != kind]
    with Server(kind, command) as replica:
        cpu = process.cpu_seconds(primary.pid), process.cpu_seconds(replica.pid)
        waited = process.wait_seconds(primary.pid)
        with Prober(primary, strings) as prober:
            began = time.perf_counter()
            _follow(replica, primary)
            seconds = time.perf_counter() - began
        waited = process.wait_seconds(primary.pid) - waited
        add = pairs.add
        add(primary.name, f"{way}: s", seconds)
        add(primary.name, f"{way}: CPU s, primary", process.cpu_seconds(primary.pid) - cpu[0])
        add(primary.name, f"{way}: CPU s, replica", process.cpu_seconds(replica.pid) - cpu[1])
        for title, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)):
            add(primary.name, f"{way}: GET {title} ms", prober.percentile(share))
        add(primary.name, f"{way}: waited for CPU ms", waited * 1e3)


class Prober:
    """Asks a server for a random key every millisecond, until the end of a ``with`` block."""

    def __init__(self, server: Server, strings: int):
        self._server = server
        self._strings = strings
        self._over = threading.Event()
        self._samples: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Prober:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        chance = random.Random(1)
        with Client(self._server.port) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._over.wait(0.001):
                began = time.perf_counter()
                client("GET", f"key:{chance.randrange(self._strings):012}")
                self._samples.append((time.perf_counter() - began) * 1e3)

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the replies came."""
        return report.percentile(sorted(self._samples), share)


def _follow(replica: Server, primary: Server) -> None:
    """Have one follow the other, and wait until it has everything."""
    with replica.client() as client:
        client("REPLICAOF", "127.0.0.1", primary.port)
    _wait_in_step(primary, replica)


def _wait_in_step(primary: Server, replica: Server) -> None:
    deadline = time.monotonic() + _SECONDS
    with primary.client() as leading, replica.client() as following:
        while True:
            role = following("ROLE")
            if role[3] == b"connected" and role[4] >= leading("ROLE")[1]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError("a replica does not get in step")
            time.sleep(0.01)


PARTS = {"lead": lead, "follow": follow, "apply": apply, "sync": sync}


if __name__ == "__main__":
    main()

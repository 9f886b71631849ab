"""Latency that a client sees while ten million keys are inserted by another, for both servers.

One process inserts keys by pipelines, another sends a PING every millisecond and notes how long
its reply took. The reply's time is the kernel's, of its arrival at the socket, so that a late
wake-up of the measuring process counts for nothing; what the server waited for a CPU is shown
beside the results, as it is the machine's doing and not the server's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from multiprocessing.sharedctypes import Synchronized

from harness import process, report, servers
from harness.client import Client, ReplyError
from harness.servers import Server

_SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
_SO_TIMESTAMPNS = 35
_IDLE_SECONDS = 3.0
_AFTERWARDS_SECONDS = 2.0
_WORST = 5


@dataclass
class Phase:
    """Latencies of the PINGs of one phase, in milliseconds."""

    title: str
    pings: int
    seconds: float
    latency: dict[str, float]
    # The slowest PINGs: (latency, keys inserted by then).
    worst: list[tuple[float, int]] = field(default_factory=list)
    waited_for_cpu: float = 0.0


def main() -> None:
    options = _parser().parse_args()
    results: dict[str, list[Phase]] = {}
    pin = options.pin and (os.cpu_count() or 1) > 1
    for name, command in servers.commands(options).items():
        with Server(name, command, cpu=0 if pin else None) as server:
            if pin:
                os.sched_setaffinity(0, {1})
            print(f"{servers.version(server)}: {options.keys} keys", flush=True)
            results[name] = _measure(server, options)
    header = ["", *_SHARES, "max ms", "pings", "seconds", "waited for CPU"]
    rows = [_row(name, phase) for name, phases in results.items() for phase in phases]
    print("\n" + report.table(header, rows))
    for name, phases in results.items():
        worst = ", ".join(f"{latency:.2f} ms at {keys}" for latency, keys in phases[1].worst)
        print(f"{name}: slowest PINGs while inserting, with the keys by then: {worst}")
    plain = {name: [asdict(phase) for phase in phases] for name, phases in results.items()}
    print(report.save("stall", {"options": vars(options), "phases": plain}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--keys", type=int, default=10_000_000, help="keys to insert (10000000)")
    add("--pipeline", type=int, default=100, help="requests per pipeline (100)")
    add("--value-size", type=int, default=16, help="bytes of a value (16)")
    add("--pin", action="store_true", help="servers on CPU 0, clients on CPU 1")
    return parser


def _measure(server: Server, options: argparse.Namespace) -> list[Phase]:
    inserted: Synchronized[int] = multiprocessing.Value("q", 0)
    idle_end = time.monotonic() + _IDLE_SECONDS
    phases = [_ping("idle", server, inserted, lambda: time.monotonic() < idle_end)]
    loader = multiprocessing.Process(
        target=_insert,
        args=(server.port, options.keys, options.pipeline, options.value_size, inserted),
    )
    loader.start()
    phases.append(_ping("inserting", server, inserted, loader.is_alive))
    loader.join()
    if loader.exitcode:
        raise SystemExit(f"{server.name}: inserting failed\n{server.output()[-2000:]}")
    with server.client() as client:
        if client("DBSIZE") != options.keys:
            raise SystemExit(f"{server.name} has not all keys")
        client.socket.sendall(b"FLUSHALL ASYNC\r\n")
        end = time.monotonic() + _AFTERWARDS_SECONDS
        phases.append(_ping("FLUSHALL ASYNC", server, inserted, lambda: time.monotonic() < end))
    return phases


def _insert(
    port: int, keys: int, length: int, value_size: int, inserted: Synchronized[int]
) -> None:
    """Inserts the keys, with two pipelines under way, so that the server always has work."""
    request = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%%012d\r\n$%d\r\n%b\r\n" % (
        value_size,
        b"x" * value_size,
    )
    with Client(port) as client:
        waiting: deque[int] = deque()
        for start in range(0, keys, length):
            numbers = range(start, min(start + length, keys))
            client.socket.sendall(b"".join([request % number for number in numbers]))
            waiting.append(len(numbers))
            if len(waiting) == 2:
                _take_replies(client.socket, waiting.popleft())
                inserted.value = start
        while waiting:
            _take_replies(client.socket, waiting.popleft())


def _take_replies(connection: socket.socket, count: int) -> None:
    missing = count * len(b"+OK\r\n")
    while missing:
        data = connection.recv(missing)
        if not data or b"-" in data:
            raise ReplyError(f"SET is answered with {data!r}")
        missing -= len(data)


def _ping(
    title: str, server: Server, inserted: Synchronized[int], going_on: Callable[[], bool]
) -> Phase:
    samples: list[tuple[float, int]] = []
    waited = process.wait_seconds(server.pid)
    began = due = time.monotonic()
    with Client(server.port) as client:
        connection = client.socket
        connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        while going_on():
            sent = time.time_ns()
            connection.sendall(b"PING\r\n")
            samples.append(((_arrival(connection) - sent) / 1e6, inserted.value))
            due = max(due + 0.001, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0.0005))
    seconds = time.monotonic() - began
    ordered = sorted(latency for latency, _ in samples)
    latency = {name: report.percentile(ordered, share) for name, share in _SHARES.items()}
    latency["max"] = ordered[-1]
    worst = sorted(samples, reverse=True)[:_WORST]
    waited = process.wait_seconds(server.pid) - waited
    return Phase(title, len(samples), seconds, latency, worst, waited)


def _arrival(connection: socket.socket) -> int:
    """Receives a PONG; the time in ns when the kernel had it, or now where it does not say."""
    data, ancillary, _, _ = connection.recvmsg(64, 64)
    now = time.time_ns()
    if data != b"+PONG\r\n":
        raise ConnectionError(f"PING is answered with {data!r}")
    for level, kind, stamp in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("@ll", stamp)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return now


def _row(name: str, phase: Phase) -> list[str]:
    row = [f"{name}, {phase.title}"]
    row += [f"{phase.latency[share]:.3f}" for share in _SHARES]
    row += [f"{phase.latency['max']:.2f}", str(phase.pings), f"{phase.seconds:.1f}"]
    row.append(f"{phase.waited_for_cpu * 1e3:.0f} ms")
    return row


if __name__ == "__main__":
    main()

"""Memory per key and per idle connection, ours against redis-server.

used_memory is what the servers count themselves, RSS what the kernel counts; both as growth over
the freshly started server.
"""

from __future__ import annotations

import argparse
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from harness import process, report, servers
from harness.client import Client, encode, pipelines_of, send_pipelines
from harness.servers import OURS, PEER, Server

# Redis shrinks the buffers of a connection that was idle for two seconds.
_SETTLE_SECONDS = 6.0
_EXPIRY_SECONDS = 1_000_000


@dataclass(frozen=True)
class Growth:
    """Memory gained over the fresh server, in bytes per key or connection."""

    used: float
    resident: float


def main() -> None:
    options = _parser().parse_args()
    loads = _loads(options)
    figures: dict[str, dict[str, Growth]] = {}
    for title, (count, load) in loads.items():
        figures[title] = {}
        for name, command in servers.commands(options).items():
            extra = ("--maxclients", str(options.connections + 100))
            with Server(name, command, *extra) as server:
                figures[title][name] = _growth(server, count, load)
        print(_line(title, figures[title]), flush=True)
    header = ["", "ours used", "peer used", "ratio", "ours RSS", "peer RSS", "ratio"]
    print("\n" + report.table(header, [_row(title, both) for title, both in figures.items()]))
    print("\nbytes per key or connection; ratios are ours / peer")
    plain = {t: {n: asdict(g) for n, g in both.items()} for t, both in figures.items()}
    print(report.save("memory", {"options": vars(options), "bytes_per_item": plain}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--keys", type=int, default=1_000_000, help="number of keys (1000000)")
    add("--key-size", type=int, default=16, help="bytes of a key, at least 9 (16)")
    add("--value-size", type=int, default=64, help="bytes of a value (64)")
    add("--connections", type=int, default=10_000, help="idle connections (10000; 0: none)")
    return parser


Load = Callable[[Server], Any]


def _loads(options: argparse.Namespace) -> dict[str, tuple[int, Load]]:
    """What to measure: a title, the number of items and what makes them."""
    size = f"{options.key_size}+{options.value_size} B"
    loads: dict[str, tuple[int, Load]] = {
        f"keys {size}": (options.keys, lambda server: _fill(server, options, expiry=False)),
        f"keys {size}, expiring": (
            options.keys,
            lambda server: _fill(server, options, expiry=True),
        ),
    }
    if options.connections:
        _allow_descriptors(options.connections + 200)
        count = options.connections
        loads["connections, never used"] = (
            count,
            lambda server: _connect(server, count, ping=False),
        )
        loads["connections, one PING each"] = (
            count,
            lambda server: _connect(server, count, ping=True),
        )
    return loads


def _growth(server: Server, count: int, load: Load) -> Growth:
    with server.client() as client:
        used, resident = _used(client), process.resident_bytes(server.pid)
        held = load(server)
        growth = Growth(
            (_used(client) - used) / count,
            (process.resident_bytes(server.pid) - resident) / count,
        )
        for connection in held or ():
            connection.close()
    return growth


def _used(client: Client) -> int:
    return int(client.info("memory")["used_memory"])


def _fill(server: Server, options: argparse.Namespace, *, expiry: bool) -> None:
    value = b"x" * options.value_size
    digits = options.key_size - len("key:")
    template = b"key:%0*d"
    tail = [value, b"EX", b"%d" % _EXPIRY_SECONDS] if expiry else [value]

    def request(number: int) -> bytes:
        return encode("SET", template % (digits, number), *tail)

    send_pipelines(server.port, pipelines_of(0, options.keys, request))
    time.sleep(1.0)  # An incremental resize may still be going on.


def _connect(server: Server, count: int, *, ping: bool) -> list[socket.socket]:
    connections = [
        socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(count)
    ]
    if ping:
        for connection in connections:
            connection.sendall(b"PING\r\n")
            reply = connection.recv(64)
            if reply != b"+PONG\r\n":
                raise ConnectionError(f"PING is answered with {reply!r}")
    time.sleep(_SETTLE_SECONDS)
    return connections


def _allow_descriptors(wanted: int) -> None:
    """Raises the limit of open files for this process and the servers it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} open files needed, {hard} allowed: see ulimit -Hn")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _line(title: str, both: dict[str, Growth]) -> str:
    ours, peer = both[OURS], both[PEER]
    return f"{title}: used x {ours.used / peer.used:.2f}, RSS x {ours.resident / peer.resident:.2f}"


def _row(title: str, both: dict[str, Growth]) -> list[str]:
    ours, peer = both[OURS], both[PEER]
    row = [title]
    for a, b in ((ours.used, peer.used), (ours.resident, peer.resident)):
        row += [f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}" if b else ""]
    return row


if __name__ == "__main__":
    main()

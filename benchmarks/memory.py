"""Memory per key, per element of collections and per idle connection, ours against redis-server.

used_memory is what the servers count themselves, RSS what the kernel counts; both as growth over
the freshly started server.
"""

from __future__ import annotations

import argparse
import resource
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from harness import process, report, servers
from harness.client import Client, encode, pipelines_of, send_all, send_pipelines
from harness.servers import OURS, PEER, Server
from harness.workloads import spread

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
    loads: dict[str, tuple[int, Load]] = {}
    if options.set in ("keys", "all"):
        loads |= _loads(options)
    if options.set in ("types", "all"):
        loads |= _collections(options)
    figures: dict[str, dict[str, Growth]] = {}
    for title, (count, load) in loads.items():
        figures[title] = {}
        for name, command in servers.commands(options).items():
            extra = ("--maxclients", str(options.connections + 100))
            with Server(name, command, *extra) as server:
                if title.startswith("stream") and not server.knows("XADD"):
                    print(f"{title} is left out: no XADD in {name}")
                    break
                figures[title][name] = _growth(server, count, load)
        if len(figures[title]) < 2:
            del figures[title]
            continue
        print(_line(title, figures[title]), flush=True)
    header = ["", "ours used", "peer used", "ratio", "ours RSS", "peer RSS", "ratio"]
    print("\n" + report.table(header, [_row(title, both) for title, both in figures.items()]))
    print("\nbytes per key, element or connection; ratios are ours / peer")
    plain = {t: {n: asdict(g) for n, g in both.items()} for t, both in figures.items()}
    print(report.save("memory", {"options": vars(options), "bytes_per_item": plain}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--set", choices=("keys", "types", "all"), default="keys",
        help="strings and connections, collections of all types, or both (keys)")  # fmt: skip
    add("--keys", type=int, default=1_000_000, help="number of keys (1000000)")
    add("--key-size", type=int, default=16, help="bytes of a key, at least 9 (16)")
    add("--value-size", type=int, default=64, help="bytes of a value (64)")
    add("--collections", type=int, default=10_000, help="small collections of a type (10000)")
    add("--small", type=int, default=100, help="elements of a small collection (100)")
    add("--elements", type=int, default=500_000, help="elements of a large collection (500000)")
    add("--entries", type=int, default=1_000_000, help="entries of the stream (1000000)")
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


# The command that adds elements of a type, and the words of one element.
_TYPES: dict[str, tuple[str, Callable[[int], list[bytes]]]] = {
    "hash": ("HSET", lambda i: [b"field:%d" % i, b"value:%d" % i]),
    "list": ("RPUSH", lambda i: [b"element:%d" % i]),
    "set": ("SADD", lambda i: [b"member:%d" % i]),
    "sorted set": ("ZADD", lambda i: [b"%d" % i, b"member:%d" % i]),
}


def _collections(options: argparse.Namespace) -> dict[str, tuple[int, Load]]:
    """Many small collections and a large one of each type; a stream."""
    loads: dict[str, tuple[int, Load]] = {}
    for kind, (name, words) in _TYPES.items():
        small = _small_ones(options.collections, options.small, name, words)
        loads[f"{kind} of {options.small}, each"] = (options.collections, small)
    for kind, (name, words) in _TYPES.items():
        large = _large_one(options.elements, name, words)
        loads[f"{kind} of {options.elements}, element"] = (options.elements, large)
    loads[f"stream of {options.entries}, entry"] = (
        options.entries,
        lambda server: _fill_stream(server, options.entries),
    )
    return loads


def _small_ones(count: int, size: int, name: str, words: Callable[[int], list[bytes]]) -> Load:
    def load(server: Server) -> None:
        def requests() -> Iterator[bytes]:
            for number in range(count):
                yield from spread(name, b"key:%d" % number, map(words, range(size)))

        send_all(server.port, requests())
        time.sleep(1.0)

    return load


def _large_one(count: int, name: str, words: Callable[[int], list[bytes]]) -> Load:
    def load(server: Server) -> None:
        send_all(server.port, spread(name, b"key", map(words, range(count))))
        time.sleep(1.0)

    return load


def _fill_stream(server: Server, count: int) -> None:
    def request(number: int) -> bytes:
        pairs = (b"sensor", b"%d" % (number % 100), b"temperature", b"%d.%d" % (20, number % 10))
        return encode("XADD", b"key", b"*", *pairs, b"count", b"%d" % number)

    send_all(server.port, map(request, range(count)), 500)
    time.sleep(1.0)


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

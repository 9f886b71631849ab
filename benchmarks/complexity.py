"""CPU time of an operation by the size of the structure, ours against redis-server.

Each structure is filled to 10^2, 10^3 ... elements in both servers, and pipelines of each operation
run against the one and the other in turns. What is measured is CPU time of the server process, so
that the client and other processes do not count. Operations that would change the size come in
pairs that restore it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from harness import process, report, servers
from harness.client import Client, encode, send_all
from harness.servers import OURS, PEER, Server
from harness.workloads import spread

_BATCH = 200
_MARK = b"end of pipeline"
_MARK_REPLY = b"$%d\r\n%b\r\n" % (len(_MARK), _MARK)

# The words of an operation, for the size of the structure.
Words = Callable[[random.Random, int], list[list[bytes]]]


@dataclass(frozen=True)
class Operation:
    """One line of the result: requests that are run as one."""

    key: bytes
    title: str
    commands: tuple[str, ...]
    words: Words


@dataclass(frozen=True)
class Structure:
    """What the operations on a key work on."""

    command: str
    element: Callable[[int], list[bytes]]


STRUCTURES = {
    b"list": Structure("RPUSH", lambda i: [b"element:%d" % i]),
    b"hash": Structure("HSET", lambda i: [b"field:%d" % i, b"value:%d" % i]),
    b"set": Structure("SADD", lambda i: [b"member:%d" % i]),
    b"zset": Structure("ZADD", lambda i: [b"%d" % i, b"member:%d" % i]),
    b"stream": Structure("XADD", lambda i: [b"%d-1" % (i + 1), b"field", b"value:%d" % i]),
}


def _one(key: bytes, line: str, title: str = "") -> Operation:
    """An operation of one or, with ``;``, several requests.

    ``{i}`` stands for the number of a random element, ``{new}`` for one that is not there,
    ``{size}`` for how many there are.
    """
    template = [part.split() for part in line.split(";")]

    def words(draw: random.Random, size: int) -> list[list[bytes]]:
        numbers = {
            "i": draw.randrange(size),
            "new": size + draw.randrange(1_000_000_000),
            "size": size,
        }
        return [
            [word.format_map(numbers).encode() if "{" in word else word.encode() for word in part]
            for part in template
        ]

    names = tuple(part[0] for part in template)
    return Operation(key, title or " + ".join(names), names, words)


OPERATIONS = (
    _one(b"list", "LPUSH list x;LPOP list"),
    _one(b"list", "RPUSH list x;RPOP list"),
    _one(b"list", "LINDEX list {i}"),
    _one(b"list", "LSET list {i} element:{i}"),
    _one(b"list", "LRANGE list 0 9"),
    _one(b"hash", "HGET hash field:{i}"),
    _one(b"hash", "HSET hash field:{i} value:{i}"),
    _one(b"hash", "HSET hash new:{new} v;HDEL hash new:{new}"),
    _one(b"hash", "HRANDFIELD hash"),
    _one(b"set", "SISMEMBER set member:{i}"),
    _one(b"set", "SADD set new:{new};SREM set new:{new}"),
    _one(b"set", "SADD set new:{new};SPOP set"),
    _one(b"set", "SRANDMEMBER set"),
    _one(b"zset", "ZSCORE zset member:{i}"),
    _one(b"zset", "ZADD zset {new} member:{i}"),
    _one(b"zset", "ZADD zset {i} new:{new};ZREM zset new:{new}"),
    _one(b"zset", "ZRANK zset member:{i}"),
    _one(b"zset", "ZRANGE zset {i} +inf BYSCORE LIMIT 0 10", "ZRANGE BYSCORE"),
    _one(b"zset", "ZREVRANGE zset 10 19"),
    _one(b"zset", "ZCOUNT zset {i} +inf"),
    _one(b"zset", "ZADD zset {i} new:{new};ZPOPMIN zset"),
    _one(b"stream", "XADD stream MAXLEN = {size} * field value"),
    _one(b"stream", "XRANGE stream {i}-0 + COUNT 10"),
    _one(b"stream", "XREVRANGE stream + - COUNT 10"),
)

# Server, size and title: microseconds of CPU time per operation, of all rounds.
Figures = dict[str, dict[int, dict[str, list[float]]]]


def main() -> None:
    options = _parser().parse_args()
    sizes = [10**power for power in range(2, options.powers + 1)]
    figures: Figures = {name: {size: {} for size in sizes} for name in (OURS, PEER)}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Server(name, command))
            for name, command in servers.commands(options).items()
        }
        kept = [operation for operation in OPERATIONS if _known(operation, running)]
        for size in sizes:
            for key in dict.fromkeys(operation.key for operation in kept):
                for server in running.values():
                    _fill(server, key, size)
            for operation in kept:
                _measure(operation, size, running, figures, options)
            print(f"{size} elements done", flush=True)
    titles = [operation.title for operation in kept]
    print("\n" + _table(figures, titles, sizes))
    path = report.save("complexity", {"options": vars(options), "microseconds": figures})
    print(f"\n{path}")
    _draw(figures, titles, sizes, path.with_suffix(".png"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--powers", type=int, default=6, help="the largest size as a power of ten (6)")
    add("--rounds", type=int, default=3, help="turns of each server per operation and size (3)")
    add("--seconds", type=float, default=0.1, help="length of one turn (0.1)")
    return parser


def _known(operation: Operation, running: dict[str, Server]) -> bool:
    """Whether both servers have the commands; says so if not."""
    for name in operation.commands:
        for server in running.values():
            if not server.knows(name):
                print(f"{operation.title} is left out: no {name} in {server.name}")
                return False
    return True


def _fill(server: Server, key: bytes, size: int) -> None:
    structure = STRUCTURES[key]
    elements = map(structure.element, range(size))

    def requests() -> Iterator[bytes]:
        yield encode("DEL", key)
        if structure.command == "XADD":
            yield from (encode("XADD", key, *words) for words in elements)
        else:
            yield from spread(structure.command, key, elements)

    send_all(server.port, requests(), 200)


def _measure(
    operation: Operation,
    size: int,
    running: dict[str, Server],
    figures: Figures,
    options: argparse.Namespace,
) -> None:
    """Turns of both servers with the same requests."""
    draw = random.Random(size)
    batches = [_batch(operation, draw, size) for _ in range(8)]
    for number in range(options.rounds):
        order = (OURS, PEER) if number % 2 == 0 else (PEER, OURS)
        for name in order:
            spent = _turn(running[name], batches, options.seconds)
            figures[name][size].setdefault(operation.title, []).append(spent)


def _batch(operation: Operation, draw: random.Random, size: int) -> bytes:
    requests: list[bytes] = []
    for _ in range(_BATCH):
        requests += [encode(*words) for words in operation.words(draw, size)]
    return b"".join(requests) + encode("ECHO", _MARK)


def _turn(server: Server, batches: list[bytes], seconds: float) -> float:
    """Sends the pipelines for some time; CPU time of an operation in microseconds."""
    with Client(server.port) as client:
        _run(client, batches[0])
        before = process.cpu_seconds(server.pid)
        deadline = time.perf_counter() + seconds
        operations = 0
        while time.perf_counter() < deadline:
            for batch in batches:
                _run(client, batch)
                operations += _BATCH
        return (process.cpu_seconds(server.pid) - before) / operations * 1e6


def _run(client: Client, batch: bytes) -> None:
    """One pipeline, up to the reply of its last request."""
    client.socket.sendall(batch)
    tail = b""
    while not tail.endswith(_MARK_REPLY):
        received = client.socket.recv(1 << 20)
        if not received:
            raise ConnectionError("connection closed by the server")
        if b"-ERR" in received:
            raise ValueError(received[:200])
        tail = (tail + received)[-len(_MARK_REPLY) :]


def _median(figures: Figures, name: str, size: int, title: str) -> float:
    return statistics.median(figures[name][size][title])


def _table(figures: Figures, titles: list[str], sizes: list[int]) -> str:
    header = ["us of CPU", *(f"{size:,}" for size in sizes), "growth", "peer's"]
    rows = []
    for title in titles:
        row = [title]
        ends: dict[str, float] = {}
        for name in (OURS, PEER):
            ends[name] = _median(figures, name, sizes[-1], title) / _median(
                figures, name, sizes[0], title
            )
        for size in sizes:
            ours, peer = (_median(figures, name, size, title) for name in (OURS, PEER))
            row.append(f"{ours:.2f} /{peer:6.2f} ={ours / peer:5.2f}")
        rows.append([*row, f"{ends[OURS]:.1f}", f"{ends[PEER]:.1f}"])
    return report.table(header, rows) + (
        "\n\nours / peer = ratio; growth: from the smallest to the largest size."
    )


def _draw(figures: Figures, titles: list[str], sizes: list[int], path: Any) -> None:
    """Both curves of every operation, where matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        print("no chart: matplotlib is not installed")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = 5
    lines = -(-len(titles) // columns)
    figure, grid = pyplot.subplots(lines, columns, figsize=(15, 2.6 * lines), squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(titles):
            axes.set_visible(False)
            continue
        for name, style in ((OURS, "o-"), (PEER, "s--")):
            values = [_median(figures, name, size, titles[place]) for size in sizes]
            axes.plot(sizes, values, style, label=name, markersize=4, linewidth=1.2)
        axes.set_title(titles[place], fontsize=9)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.grid(True, which="major", alpha=0.3)
        axes.tick_params(labelsize=7)
    grid[0][0].legend(fontsize=8, frameon=False)
    figure.supxlabel("elements")
    figure.supylabel("microseconds of CPU time")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    print(path)


if __name__ == "__main__":
    main()

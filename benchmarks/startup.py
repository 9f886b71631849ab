"""How long it takes to import carnelian, to have a server ready, and to run a command embedded."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from harness import report, servers
from harness.servers import OURS, PEER, REPOSITORY, Server

_IMPORT = """
import time
began = time.perf_counter()
import {module}
print((time.perf_counter() - began) * 1e3)
"""
# The best of several rounds: what disturbs a call only ever makes it slower.
_EMBEDDED = """
import timeit
import carnelian
engine = carnelian.Engine()
engine.execute("SET", "k", "v" * {size})
assert engine.execute("GET", "k") == b"v" * {size}
calls = 100_000
commands = {{
    "GET": lambda: engine.execute("GET", "k"),
    "SET": lambda: engine.execute("SET", "k", "v" * {size}),
    "INCR": lambda: engine.execute("INCR", "n"),
}}
for name, call in commands.items():
    print(name, min(timeit.repeat(call, number=calls, repeat=7)) / calls * 1e6)
"""


def main() -> None:
    options = _parser().parse_args()
    figures: dict[str, float] = {
        "import carnelian, ms": _import("carnelian", options.times),
        "import asyncio, for comparison, ms": _import("asyncio", options.times),
    }
    for name, command in servers.commands(options).items():
        if name in (OURS, PEER):
            figures[f"{name} server ready, ms"] = _ready(name, command, options.times)
    for line in _python(_EMBEDDED.format(size=options.value_size)).splitlines():
        name, microseconds = line.split()
        figures[f'engine.execute("{name}", ...), us'] = float(microseconds)
    rows = [[title, f"{figure:.2f}"] for title, figure in figures.items()]
    print(report.table(["", "median or best"], rows))
    print(report.save("startup", {"options": vars(options), "figures": figures}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    parser.add_argument("--times", type=int, default=15, help="starts to take the median of (15)")
    parser.add_argument("--value-size", type=int, default=64, help="bytes of the value (64)")
    return parser


def _import(module: str, times: int) -> float:
    _python(_IMPORT.format(module=module))  # Once more, to have its files in the page cache.
    runs = [float(_python(_IMPORT.format(module=module))) for _ in range(times)]
    return statistics.median(runs)


def _ready(name: str, command: list[str], times: int) -> float:
    """From the start of the process to the first PONG, in milliseconds."""
    runs = []
    for _ in range(times):
        with Server(name, command) as server:
            runs.append(server.seconds_to_ready * 1e3)
    return statistics.median(runs)


def _python(code: str) -> str:
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY / "src"))
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()

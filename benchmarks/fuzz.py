"""A million malformed requests: the server must neither crash nor hang nor grow.

The requests go over many connections, most of which end in a protocol error or are broken off in
the middle of a request. After every ten thousand the server must answer, and have no connection
left over. At the end its memory must be where it was when it had warmed up.
"""

from __future__ import annotations

import argparse
import random
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from harness import process, report, servers
from harness.client import Client
from harness.servers import OURS, Server
from malformed import Malformer

_CHECK_EVERY = 10_000
# Most connections are read to their end; one in so many is broken off at once.
_BREAK_OFF_EVERY = 5
# Up to this many requests are sent over one connection if none of them ends it.
_PER_CONNECTION = 40
_ANSWER_SECONDS = 30.0
_GROWTH_ALLOWED = 4_000_000
# Makes close() send RST, so that no closed connection keeps its port busy.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Broken(Exception):
    """The server crashed, does not answer any more, or leaks."""


@dataclass
class Sample:
    """What the server held after so many requests."""

    requests: int
    resident: int
    used: int


def main() -> int:
    options = _parser().parse_args()
    command = servers.resolved(options.server) if options.server else servers.own_command(options)
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    with Server(OURS, command, "--maxmemory", "0") as server:
        fuzzer = Fuzzer(server, seed)
        try:
            fuzzer.run(options.requests)
        except (Broken, OSError) as problem:
            path = fuzzer.save_last()
            print(f"BROKEN after {fuzzer.sent} requests: {problem}\n{server.output()[-5000:]}")
            print(f"the last requests are in {path}; --seed {seed} repeats the run")
            return 1
        print(_summary(fuzzer.samples, fuzzer.sent))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="how many (1000000)")
    parser.add_argument("--seed", type=int, help="repeats an earlier run")
    parser.add_argument("--server", help="command line of the server (this source tree's)")
    parser.set_defaults(ours=None)
    return parser


class Fuzzer:
    """Sends malformed requests to one server and watches over it."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server = server
        with server.client() as client:
            commands: list[bytes] = client("COMMAND", "LIST")
        self._malformer = Malformer(seed, commands)
        self._last: deque[bytes] = deque(maxlen=200)
        self.sent = 0
        self.samples: list[Sample] = []

    def run(self, requests: int) -> None:
        """Raises Broken as soon as something is wrong with the server."""
        next_check = 0
        while self.sent < requests:
            if self.sent >= next_check:
                self._check()
                next_check += _CHECK_EVERY
            self._one_connection()
        self._check()
        self._check_growth()

    def _one_connection(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._server.port), _ANSWER_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        batch = []
        for _ in range(_PER_CONNECTION):
            request, survives = self._malformer.next()
            batch.append(request)
            if not survives:
                break
        self._last.extend(batch)
        self.sent += len(batch)
        with connection:
            try:
                connection.sendall(b"".join(batch))
                if self.sent % _BREAK_OFF_EVERY:
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass
            except TimeoutError:
                raise Broken(f"no answer in {_ANSWER_SECONDS:.0f} s") from None
            except OSError:
                pass  # The server may close the connection at any point, as it should.

    def _check(self) -> None:
        """Nothing may be left of the connections so far, and the server must answer."""
        if not self._server.alive():
            raise Broken(f"exit code {self._server.process.returncode}")
        with Client(self._server.port, timeout=_ANSWER_SECONDS) as client:
            client("FLUSHALL")
            client("CONFIG", "RESETSTAT")
            deadline = time.monotonic() + _ANSWER_SECONDS
            while int(client.info("clients")["connected_clients"]) > 1:
                if time.monotonic() > deadline:
                    raise Broken(f"connections left over:\n{client('CLIENT', 'LIST').decode()}")
                time.sleep(0.01)
            used = int(client.info("memory")["used_memory"])
            self.samples.append(Sample(self.sent, process.resident_bytes(self._server.pid), used))

    def _check_growth(self) -> None:
        warm = self.samples[len(self.samples) // 4 :]
        for figure in ("resident", "used"):
            values = [getattr(sample, figure) for sample in warm]
            half = len(values) // 2
            growth = min(values[half:]) - max(values[: half + 1])
            if growth > _GROWTH_ALLOWED:
                raise Broken(f"{figure} memory grew by {growth} bytes: {values}")

    def save_last(self) -> Path:
        report.RESULTS.mkdir(exist_ok=True)
        path = report.RESULTS / "fuzz-last-requests.txt"
        path.write_text("".join(f"{request!r}\n" for request in self._last))
        return path


def _summary(samples: list[Sample], sent: int) -> str:
    shown = samples[:: max(len(samples) // 10, 1)]
    rows = [[str(s.requests), f"{s.resident / 1e6:.1f}", f"{s.used / 1e6:.2f}"] for s in shown]
    return (
        report.table(["requests", "RSS MB", "used MB"], rows)
        + f"\n{sent} malformed requests; the server is alive and well"
    )


if __name__ == "__main__":
    sys.exit(main())

"""A primary that has nothing but a stream of commands, which it sends as fast as it is taken."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable

from harness.client import Client, encode
from harness.process import cpu_seconds
from harness.servers import Server

# A snapshot without keys, whose check sum is not to be compared.
_NOTHING = b"REDIS0009\xff" + bytes(8)
_GETACK = encode("REPLCONF", "GETACK", "*")
_SECONDS = 60.0


class Feeder:
    """Is followed by one server, until :meth:`close`."""

    def __init__(self, server: Server):
        self._server = server
        listener = socket.create_server(("127.0.0.1", 0))
        with server.client() as client:
            client("REPLICAOF", "127.0.0.1", listener.getsockname()[1])
        listener.settimeout(_SECONDS)
        self._socket, _ = listener.accept()
        listener.close()
        self._socket.settimeout(_SECONDS)
        self._input = self._socket.makefile("rb")
        self._offset = 0
        self._introduce()

    def _introduce(self) -> None:
        """Answer what a replica asks, and send it nothing as a copy."""
        while True:
            words = self._request()
            if words[0].upper() == b"PSYNC":
                break
            self._socket.sendall(b"+PONG\r\n" if words[0].upper() == b"PING" else b"+OK\r\n")
        self._socket.sendall(b"+FULLRESYNC %s 0\r\n" % (b"0123456789" * 4))
        self._socket.sendall(b"$%d\r\n" % len(_NOTHING) + _NOTHING)
        self.feed([encode("PING")])

    def _request(self) -> list[bytes]:
        line = self._input.readline()
        while line in (b"\n", b"\r\n"):
            line = self._input.readline()
        if not line.startswith(b"*"):
            raise ConnectionError(f"a replica says {line!r}")
        words = []
        for _ in range(int(line[1:])):
            size = int(self._input.readline()[1:])
            words.append(self._input.read(size + 2)[:-2])
        return words

    def feed(self, parts: Iterable[bytes]) -> tuple[float, float]:
        """Send all of it, and wait until it was applied: seconds, and CPU seconds of the server."""
        cpu, began = cpu_seconds(self._server.pid), time.perf_counter()
        for part in parts:
            self._socket.sendall(part)
            self._offset += len(part)
        self._socket.sendall(_GETACK)
        while True:
            words = self._request()
            if words[1].upper() == b"ACK" and int(words[2]) >= self._offset:
                break
        seconds = time.perf_counter() - began
        self._offset += len(_GETACK)
        return seconds, cpu_seconds(self._server.pid) - cpu

    def close(self) -> None:
        """Let the server lead again, without data."""
        with Client(self._server.port) as client:
            client("REPLICAOF", "NO", "ONE")
            client("FLUSHALL")
        self._input.close()
        self._socket.close()

"""A way between two servers that can be cut, at any byte."""

from __future__ import annotations

import random
import socket
import threading


class CuttingProxy:
    """Accepts connections and passes on what comes, until it cuts them.

    Args:
        port: where what comes is passed on to, on this machine.
        seed: of the random places where connections are cut while :meth:`cut_every` says so.
    """

    def __init__(self, port: int, seed: int = 0):
        self._target = port
        self._chance = random.Random(seed)
        self._mean = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_every(self, mean: int) -> None:
        """Cut a connection after so many bytes, on the mean; 0 leaves them alone."""
        self._mean = mean

    def cut(self) -> None:
        """Cut all connections that there are."""
        with self._lock:
            for one in self._open:
                _shut(one)

    def close(self) -> None:
        """Accept nothing any more."""
        _shut(self._listener)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        left = self._chance.expovariate(1 / self._mean) if self._mean else float("inf")
        try:
            while data := source.recv(65536):
                if self._mean and left == float("inf"):
                    left = self._chance.expovariate(1 / self._mean)
                if len(data) >= left:
                    self.cuts += 1
                    sink.sendall(data[: int(left)])
                    break
                left -= len(data)
                sink.sendall(data)
        except OSError:
            pass
        with self._lock:
            _shut(source)
            _shut(sink)
            self._open -= {source, sink}


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass

"""Outgoing connections: made through the loop, so that nothing waits for the other side.

What it takes to connect (a name to look up, an address that does not answer) takes no time of the
loop. Exactly one of the two callbacks is called, by the loop, never from within :func:`connect`;
none after :meth:`Link.cancel`.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from errno import EINPROGRESS, ETIMEDOUT

from carnelian.net.listener import MakeTransport
from carnelian.net.loop import Channel, Loop, Timer
from carnelian.net.poller import WRITABLE
from carnelian.net.transport import Transport

# What getaddrinfo finds: family, kind, protocol, canonical name, address.
Found = list[tuple]


class _Socket(Channel):
    """A socket that is being connected."""

    def __init__(self, loop: Loop, sock: socket.socket, then: Callable[[], None]):
        super().__init__(sock.fileno())
        self.sock = sock
        self._loop = loop
        self._then = then
        loop.watch(self, WRITABLE)

    def on_event(self, events: int) -> None:
        self._then()

    def release(self) -> socket.socket:
        """Watch it no longer."""
        self._loop.unwatch(self)
        return self.sock


class Link:
    """An attempt to connect, begun by :func:`connect`."""

    def __init__(
        self,
        loop: Loop,
        on_success: Callable[[Transport], None],
        on_failure: Callable[[OSError], None],
        source: str | None,
        make_transport: MakeTransport,
    ):
        self._loop = loop
        self._on_success = on_success
        self._on_failure = on_failure
        self._source = source
        self._make_transport = make_transport
        self._found: Found = []
        self._socket: _Socket | None = None
        self._timer: Timer | None = None
        self._over = False
        self._error: OSError = TimeoutError(ETIMEDOUT, os.strerror(ETIMEDOUT))

    def cancel(self) -> None:
        """Give the attempt up; nobody hears of it any more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._release().close()

    def _begin(self, host: str, port: int, timeout: float) -> None:
        self._timer = self._loop.call_later(timeout, self._run_out)
        try:
            found = _look_up(host, port, socket.AI_NUMERICHOST)
        except OSError:
            _in_thread(self._loop, lambda: _look_up(host, port, 0), self._resolved)
        else:
            self._loop.call_soon(lambda: self._resolved(found))

    def _resolved(self, found: Found | OSError) -> None:
        if self._over:
            return
        if isinstance(found, OSError):
            self._fail(found)
            return
        self._found = found
        self._try_next()

    def _try_next(self) -> None:
        """Connect to the next address of the host, or fail with what was wrong with the last."""
        while self._found:
            family, kind, protocol, _, address = self._found.pop(0)
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:
                self._error = error  # a family that this system does not know
                continue
            try:
                self._start(sock, address)
                return
            except OSError as error:
                self._error = error
                sock.close()
        self._fail(self._error)

    def _start(self, sock: socket.socket, address: tuple) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._source is not None:
            sock.bind((self._source, 0))
        number = sock.connect_ex(address)
        if number not in (0, EINPROGRESS):
            raise OSError(number, os.strerror(number))
        self._socket = _Socket(self._loop, sock, self._decided)

    def _decided(self) -> None:
        """The system has connected, or has found that it cannot."""
        sock = self._release()
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._error = OSError(number, os.strerror(number))
            sock.close()
            self._try_next()
            return
        self.cancel()
        self._on_success(self._make_transport(self._loop, sock.detach()))

    def _release(self) -> socket.socket:
        assert self._socket is not None
        sock = self._socket.release()
        self._socket = None
        return sock

    def _run_out(self) -> None:
        self._fail(TimeoutError(ETIMEDOUT, os.strerror(ETIMEDOUT)))

    def _fail(self, error: OSError) -> None:
        self.cancel()
        self._on_failure(error)


def connect(
    loop: Loop,
    host: str,
    port: int,
    on_success: Callable[[Transport], None],
    on_failure: Callable[[OSError], None],
    *,
    timeout: float = 5.0,
    source: str | None = None,
    make_transport: MakeTransport = Transport,
) -> Link:
    """Connect to a port of a host, one address of it after the other.

    Args:
        host: a name, or an address of IPv4 or IPv6.
        on_success: called with the transport, which is the callee's from then on.
        on_failure: called with what was wrong with the last address; TimeoutError if it took longer
            than ``timeout`` seconds in all.
        source: our own address, if it is not for the system to choose.
        make_transport: which kind of transport it becomes.
    """
    link = Link(loop, on_success, on_failure, source, make_transport)
    link._begin(host, port, timeout)
    return link


def _look_up(host: str, port: int, flags: int) -> Found:
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, flags)
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from None


def _in_thread(
    loop: Loop, look_up: Callable[[], Found], then: Callable[[Found | OSError], None]
) -> None:
    """Look a name up where it may take its time, and go on in the loop."""

    def work() -> None:
        outcome: Found | OSError
        try:
            outcome = look_up()
        except OSError as error:
            outcome = error
        loop.call_from_thread(lambda: then(outcome))

    threading.Thread(target=work, name="look-up", daemon=True).start()

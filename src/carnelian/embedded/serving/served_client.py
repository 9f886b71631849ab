"""A client of an embedded engine behind a socket: bytes in, commands of a session, bytes out."""

from __future__ import annotations

from queue import Empty
from typing import TYPE_CHECKING, Any, Protocol

from carnelian.embedded.errors import EngineClosedError
from carnelian.embedded.mailbox import CLOSED
from carnelian.engine.ground.faults import text_of, trace_of
from carnelian.net.poller import READABLE, WRITABLE
from carnelian.net.transport import Owner
from carnelian.resp.output import OutputBuffer
from carnelian.resp.parser import Parser, ProtocolError
from carnelian.resp.replies import Error
from carnelian.resp.writer import write

if TYPE_CHECKING:
    from carnelian.embedded.serving.served_host import ServedHost
    from carnelian.net.transport import Transport

_READ_SIZE = 64 * 1024
# What waits to be sent beyond this stays with the session, whose limits count it.
_UNSENT = 256 * 1024
# Nothing more is read while so many bytes of commands wait behind one that has blocked.
_UNRUN = 1024 * 1024

# What is written in the form that these choose begins behind their own replies.
_CHANGING = frozenset((b"hello", b"reset"))


class Carrier(Protocol):
    """Who turns the loop that a client is served by."""

    core: Any
    clients: set[ServedClient]

    def soon(self, client: ServedClient) -> None:
        """Have :meth:`ServedClient.drain` called in the loop's thread."""


class ServedClient(Owner):
    """One connection, in the thread of its service.

    Args:
        address, own_address: of both ends, as CLIENT LIST shows them.
        is_local: whether the other end is on this machine.
    """

    def __init__(
        self,
        service: Carrier,
        host: ServedHost,
        transport: Transport,
        address: bytes,
        own_address: bytes,
        is_local: bool,
    ):
        self.address = address
        self.is_local = is_local
        self._own_address = own_address
        self._service = service
        self._host = host
        self._transport = transport
        self._parser = Parser()
        self._output = OutputBuffer()
        self._queued = False
        # What is wrong with what it has sent: the last thing that it hears.
        self._refusal: ProtocolError | None = None
        # It reads no more, and ends when everything is sent; or now.
        self._ending = self._lost = False
        self._received = self._sent = 0
        self._box = host.open(True, 0, 2, False)
        self._box.outlet = self
        self._box.on_delivery = self._delivered
        transport.owner = self
        transport.watch(READABLE)

    @property
    def descriptor(self) -> int:
        """That of the socket; below 0 when it is closed."""
        return self._transport.fd

    def fields(self) -> dict[str, object]:
        """What CLIENT LIST shows of the socket."""
        return {
            "addr": self.address,
            "laddr": self._own_address,
            "fd": self._transport.fd,
            "flags": b"U" if self.address == self._own_address else b"",
            "events": b"rw" if self._transport.wanted & WRITABLE else b"r",
            "obl": len(self._output),
            "tot-net-in": self._received,
            "tot-net-out": self._sent,
        }

    # Buffers are memory of the engine: they are touched while no command runs, or what is taken
    # within a command of another thread and given back outside would be counted once.

    # -- Input -----------------------------------------------------------------------------------

    def readable(self) -> None:
        """Read once, and run what is complete."""
        try:
            data = self._transport.read(_READ_SIZE)
        except OSError:
            data = b""
        if data is None:
            return
        if not data:
            self.finish()
            return
        self._received += len(data)
        if self._ending:
            return
        try:
            parts = self._host.perform(self._parse, data)
            assert isinstance(parts, list)
            for part in parts:
                self._host.submit(self._box, part)
                if len(parts) > 1:
                    self.drain()
        except (EngineClosedError, Error):
            # It has ended; or the disk has not taken what would be answered with success.
            self.finish()
            return
        if self._refusal is not None:
            self.drain()

    def _parse(self, data: bytes) -> list[list[list[bytes]]]:
        """The commands that are complete, those apart that change the form of what follows."""
        self._parser.authenticated = self._box.authenticated
        self._parser.feed(data)
        parts: list[list[list[bytes]]] = [[]]
        try:
            while (words := self._parser.next()) is not None:
                if words[0].lower() in _CHANGING:
                    parts += [[words], []]
                else:
                    parts[-1].append(words)
        except ProtocolError as error:
            self._refusal = error
        return [part for part in parts if part]

    # -- Output ----------------------------------------------------------------------------------

    def _delivered(self) -> None:
        """There is something new to fetch; called in any thread, with the engine's lock held."""
        if not self._queued:
            self._queued = True
            self._service.soon(self)

    def drain(self) -> None:
        """Send what there is, as far as the socket takes it."""
        self._queued = False
        if self._transport.fd < 0:
            return
        try:
            # What another session has done may not be on the disk yet.
            self._host.catch_up()
            self._host.perform(self._send)
        except (EngineClosedError, Error):
            self._lost = True
        if self._lost:
            self.finish()

    def _send(self) -> None:
        try:
            while len(self._output) < _UNSENT and not self._ending:
                value = self._box.fetch(0)
                if value is CLOSED:
                    self._ending = True
                else:
                    self._write(value)
        except Empty:
            if self._refusal is not None:
                write(self._output, self._refusal, self._box.protocol)
                self._ending = True
        self._flush()

    def _write(self, value: object) -> None:
        try:
            write(self._output, value, self._box.protocol)
        except Exception as fault:
            self._service.core.log("warning", f"A reply cannot be written: {trace_of(fault)}")
            write(self._output, Error(f"ERR {text_of(fault)}"), self._box.protocol)

    def writable(self) -> None:
        """The socket takes more."""
        self.drain()

    def _flush(self) -> None:
        try:
            self._sent += self._transport.write(self._output)
        except OSError:
            self._lost = True
            return
        if len(self._output):
            self._transport.watch(self._reading() | WRITABLE)
        elif self._ending:
            self._lost = True
        else:
            self._transport.watch(self._reading())
            if self._box.pending() and not self._queued:
                self._delivered()

    def _reading(self) -> int:
        return READABLE if self._box.unrun < _UNRUN else 0

    # -- The end ---------------------------------------------------------------------------------

    def give_up(self, fault: object) -> None:
        """Something in here has failed: the others are served all the same."""
        assert isinstance(fault, Exception)
        self._service.core.log("warning", f"A client cannot be served: {trace_of(fault)}")
        self.finish()

    def finish(self) -> None:
        """Hang up, and end the session."""
        if self._transport.fd < 0:
            return
        self._box.on_delivery = None
        self._service.clients.discard(self)
        try:
            self._host.perform(self._release)
        except EngineClosedError:
            self._release()
        self._host.end(self._box)

    def _release(self) -> None:
        self._transport.close()
        self._output.clear()
        self._parser = Parser()

"""Protocols without I/O on real sockets: a loop as their host."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import ENOTCONN
from random import Random

from carnelian.keyspace.clock import Clock
from carnelian.net.link import connect
from carnelian.net.listener import Listener, MakeTransport, tcp_socket
from carnelian.net.loop import Loop, Timer
from carnelian.net.poller import READABLE, WRITABLE
from carnelian.net.protocol import Address, Conversation
from carnelian.net.transport import Owner, Transport
from carnelian.resp.output import OutputBuffer

_READ_SIZE = 16 * 1024
_BACKLOG = 511
_ACCEPTED_AT_ONCE = 10


class LoopHost:
    """Carries protocols through a loop.

    Args:
        on_fault: called with what a protocol has raised, which ends no more than its connection.
        make_transport: which kind of transport carries them.
        read_size: bytes to read at a time.
        source: the address that connections are made from; None lets the system choose.
    """

    def __init__(
        self,
        loop: Loop,
        clock: Clock,
        on_fault: Callable[[Exception], None],
        make_transport: MakeTransport = Transport,
        read_size: int = _READ_SIZE,
        *,
        source: str | None = None,
    ):
        self.loop = loop
        self.read_size = read_size
        self.source = source
        self.clock = clock
        self.random = Random()
        self.on_fault = on_fault
        self._make_transport = make_transport

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call once, after so many seconds."""
        return self.loop.call_later(seconds, lambda: self.guard(callback))

    def listen(self, address: Address, accept: Callable[[], Conversation]) -> LoopEar:
        """Have a conversation made for each connection to ``address``. Raises OSError."""
        return LoopEar(self, tcp_socket(*address, _BACKLOG), accept, self._make_transport)

    def connect(self, address: Address, conversation: Conversation, timeout: float = 5.0) -> None:
        """Connect; what becomes of it is told to ``conversation`` by the loop."""
        connect(
            self.loop,
            *address,
            lambda transport: self.carry(conversation, transport, address),
            lambda error: self.guard(conversation.lost, _reason(error)),
            timeout=timeout,
            source=self.source,
            make_transport=self._make_transport,
        )

    def guard(self, call: Callable[..., object], *args: object) -> None:
        """Call something of a protocol, whose faults are not those of the loop."""
        try:
            call(*args)
        except Exception as fault:
            self.on_fault(fault)

    def carry(self, conversation: Conversation, transport: Transport, peer: Address) -> None:
        """Begin a conversation on a transport that is connected."""
        stream = Stream(self, conversation, transport, peer)
        try:
            conversation.connected(stream)
        except Exception as fault:
            stream.give_up(fault)


class LoopEar:
    """A port that a host listens on."""

    def __init__(
        self,
        host: LoopHost,
        sock: socket.socket,
        accept: Callable[[], Conversation],
        make_transport: MakeTransport,
    ):
        self._host = host
        self._accept = accept
        self._listener = Listener(host.loop, sock, self, make_transport)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._listener.sock.getsockname()[:2]

    def most(self) -> int:
        """How many to take in at a time."""
        return _ACCEPTED_AT_ONCE

    def admit(self, listener: Listener, sock: socket.socket, address: tuple) -> None:
        """Begin a conversation with who has come."""
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = self._accept()
        except OSError:
            sock.close()  # the other side was faster and has gone
        except Exception as fault:
            sock.close()
            self._host.on_fault(fault)
        else:
            transport = listener.make_transport(self._host.loop, sock.detach())
            self._host.carry(conversation, transport, address[:2])

    def failed(self, error: OSError) -> None:
        """Nobody could be let in; who waits is let in later."""

    def close(self) -> None:
        """Accept none from now on."""
        self._listener.close()


class Stream(Owner):
    """The wire of a conversation: what is sent in a turn of the loop leaves in one system call,
    after the replies to clients: who hears of a change from this node would otherwise be busy with
    it while the client that has asked for it still waits.
    """

    def __init__(
        self, host: LoopHost, conversation: Conversation, transport: Transport, peer: Address
    ):
        self.peer = peer
        self._host = host
        self._conversation = conversation
        self._transport = transport
        self._output = OutputBuffer()
        self._queued = False
        self._is_over = False
        # What it waits for beside being able to send: READABLE, or nothing while it is paused.
        self._reading = READABLE
        transport.owner = self
        transport.watch(READABLE)

    @property
    def address(self) -> Address:
        """Where this end is. Raises OSError when the connection has ended."""
        if self._transport.fd < 0:
            raise OSError(ENOTCONN, os.strerror(ENOTCONN))
        sock = socket.socket(fileno=self._transport.fd)
        try:
            return sock.getsockname()[:2]
        finally:
            sock.detach()

    def send(self, data: bytes) -> None:
        """Send, after all that was sent before."""
        if not self._is_over:
            self._output.put_bytes(data)
            self._queue()

    def pause(self, paused: bool) -> None:
        """Leave what comes to the system, or take it in again."""
        if not self._is_over:
            self._reading = 0 if paused else READABLE
            self._transport.watch(self._reading | (self._transport.wanted & WRITABLE))

    def close(self) -> None:
        """End the connection once what was sent is on its way."""
        if not self._is_over:
            self._is_over = True
            self._reading = READABLE
            self._queue()

    @property
    def unsent(self) -> int:
        """Bytes that were sent and that the other end does not take yet."""
        return len(self._output)

    def abort(self) -> None:
        """End the connection at once; what waits is lost."""
        if not self._is_over:
            self._is_over = True
            self._end()

    def readable(self) -> None:
        """Hand over what has come, or its end."""
        try:
            data = self._transport.read(self._host.read_size)
        except OSError as error:
            self._lose(_reason(error))
            return
        if self._is_over:
            # It still sends: what comes is for nobody, but its end is worth to know.
            if data == b"":
                self._end()
        elif data:
            self._conversation.receive(data)
        elif data is not None:
            self._lose("closed")

    def writable(self) -> None:
        """Send what is left."""
        self._flush()

    def give_up(self, fault: object) -> None:
        """The conversation has raised something."""
        assert isinstance(fault, Exception)
        self._host.on_fault(fault)
        self._lose("fault")

    def _queue(self) -> None:
        if not self._queued and not self._transport.wanted & WRITABLE:
            self._queued = True
            self._host.loop.call_before_wait(self._flush)

    def _flush(self) -> None:
        self._queued = False
        if self._transport.fd < 0:
            return
        try:
            self._transport.write(self._output)
        except OSError as error:
            self._lose(_reason(error))
            return
        if len(self._output):
            self._transport.watch(self._reading | WRITABLE)
        elif self._is_over:
            self._end()
        else:
            self._transport.watch(self._reading)

    def _lose(self, reason: str) -> None:
        self._end()
        if not self._is_over:
            self._is_over = True
            self._host.guard(self._conversation.lost, reason)

    def _end(self) -> None:
        self._transport.close()
        self._output.clear()


def _reason(error: OSError) -> str:
    """The words of a simulated network for what has gone wrong, where it has some."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, socket.gaierror):
        return "unknown host"
    return error.strerror or str(error)

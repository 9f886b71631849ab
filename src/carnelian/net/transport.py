"""A connected socket that carries bytes, and who is told when it can."""

from __future__ import annotations

import os

import cython
from cython.cimports.carnelian.net.libc import close, recv, send, writev
from cython.cimports.carnelian.net.loop import Channel, Loop
from cython.cimports.carnelian.net.outcomes import FAILED, WOULD_BLOCK
from cython.cimports.carnelian.net.poller import READABLE, WRITABLE
from cython.cimports.carnelian.resp.libc import iovec
from cython.cimports.carnelian.resp.output import OutputBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.libc.errno import EAGAIN, EINTR, errno

_VECTORS = cython.declare(cython.int, 64)


@cython.cclass
class Owner:
    """Whom a transport tells what can be done. Subclasses override the first three."""

    @cython.ccall
    def readable(self):
        """There is something to receive, or it is known that nothing will come any more."""
        raise NotImplementedError

    @cython.ccall
    def writable(self):
        """The socket takes more."""
        raise NotImplementedError

    @cython.ccall
    def give_up(self, fault: object):
        """One of the others has raised ``fault``: close the transport."""
        raise NotImplementedError

    @cython.ccall
    def secured(self):
        """It is agreed on how bytes are encrypted, where they are; nothing has come yet."""


@cython.cclass
class Transport(Channel):
    """A socket in plain TCP or of the Unix kind, connected, not blocking, and ours from now on.

    A subclass for another kind overrides :meth:`receive`, :meth:`transmit`, :meth:`pending`,
    :meth:`close`, :meth:`connected` and :meth:`reason`, :meth:`on_event` for what must happen
    before it carries data, and :meth:`watch` where reading may have to wait until the socket can be
    written, or the other way round. ``wanted`` is what the owner waits for, ``error`` the number of
    what has failed.
    """

    def __init__(self, loop: Loop, fd: cython.int):
        super().__init__(fd)
        self.loop = loop
        self.owner: Owner | None = None
        self.wanted = 0
        self.error = 0

    @cython.ccall
    def connected(self) -> cython.bint:
        """Whether it carries data: a handshake may have to come first."""
        return True

    @cython.ccall
    def on_event(self, events: cython.int):
        owner: Owner | None = self.owner
        if owner is None:
            return
        try:
            # In this order: replies to what is read now wait for the end of the turn, when what
            # it has changed is on its way to the disk.
            if events & WRITABLE:
                owner.writable()
            if events & READABLE and self.owner is not None:
                owner.readable()
                if self.wanted & READABLE and self.pending() > 0:
                    self.loop.remind(self)
        except Exception as fault:
            owner.give_up(fault)

    @cython.ccall
    def watch(self, wanted: cython.int):
        """Tell the owner when READABLE and WRITABLE, as in ``wanted``, come true; 0 is a pause."""
        self.wanted = wanted
        self.loop.watch(self, wanted)
        if wanted & READABLE and self.pending() > 0:
            self.loop.remind(self)

    @cython.cfunc
    @cython.exceptval(check=False)
    def receive(self, buffer: cython.p_char, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Read at most ``size`` bytes: how many, 0 at the end, or why not (below 0)."""
        count: cython.Py_ssize_t = recv(self.fd, buffer, size, 0)
        return count if count >= 0 else self.failure()

    @cython.cfunc
    @cython.exceptval(check=False)
    def transmit(self, output: OutputBuffer) -> cython.Py_ssize_t:
        """Write what fits of ``output``: how many bytes, or why not (below 0)."""
        vectors = cython.declare(iovec[64])
        filled: cython.int = output.iovecs(vectors, _VECTORS)
        count: cython.Py_ssize_t
        if filled == 1:
            count = send(self.fd, vectors[0].iov_base, vectors[0].iov_len, 0)
        else:
            count = writev(self.fd, vectors, filled)
        return count if count >= 0 else self.failure()

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def pending(self) -> cython.Py_ssize_t:
        """Bytes that were taken from the socket and not received yet.

        The poller knows nothing of them: the owner is told of them before the loop sleeps.
        """
        return 0

    @cython.ccall
    def close(self):
        """End, without waiting for what is not sent yet; the owner hears nothing more."""
        if self.fd < 0:
            return
        self.owner = None
        self.wanted = 0
        self.loop.unwatch(self)
        close(self.fd)
        self.fd: int = -1

    def hand_over(self) -> None:
        """Close what a child process of this one goes on with; the other side sees no end."""
        Transport.close(self)

    @cython.cfunc
    @cython.exceptval(check=False)
    def failure(self) -> cython.Py_ssize_t:
        if errno in (EAGAIN, EINTR):
            return WOULD_BLOCK
        self.error = errno
        return FAILED

    @cython.ccall
    def reason(self):
        """What has failed, in words."""
        return os.strerror(self.error)

    # -- For owners that are not compiled --------------------------------------------------------

    def read(self, size: cython.Py_ssize_t) -> bytes | None:
        """At most ``size`` bytes, none at the end; None if there is nothing yet. Raises OSError."""
        data: bytes = PyBytes_FromStringAndSize(cython.NULL, size)
        count: cython.Py_ssize_t = self.receive(PyBytes_AS_STRING(data), size)
        if count == FAILED:
            raise OSError(self.error, self.reason())
        return None if count == WOULD_BLOCK else data[:count]

    def write(self, output: OutputBuffer) -> int:
        """Send what fits of ``output`` and take it off: how many bytes. Raises OSError."""
        if output.pending() == 0:
            return 0
        count: cython.Py_ssize_t = self.transmit(output)
        if count == FAILED:
            raise OSError(self.error, self.reason())
        if count == WOULD_BLOCK:
            return 0
        output.consume(count)
        return count

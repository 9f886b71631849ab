"""A transport that encrypts: TLS over a connected socket.

The socket is read and written here, and only bytes pass through Python's ``ssl``, by way of two
buffers in memory. One read takes the records that have arrived, where the library by itself would
read each record's header first; one write sends all records of a turn.
"""

from __future__ import annotations

import ssl
from typing import Any

import cython
from cython.cimports.carnelian.net.libc import recv, send
from cython.cimports.carnelian.net.loop import Loop, seconds
from cython.cimports.carnelian.net.outcomes import FAILED, WOULD_BLOCK
from cython.cimports.carnelian.net.poller import READABLE, WRITABLE
from cython.cimports.carnelian.net.transport import Transport
from cython.cimports.carnelian.resp.libc import iovec
from cython.cimports.carnelian.resp.output import OutputBuffer
from cython.cimports.cpython.buffer import PyBuffer_FillInfo
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.errno import EAGAIN, EINTR, errno
from cython.cimports.libc.string import memcpy

_VECTORS = cython.declare(cython.int, 64)
# Bytes taken from a socket at a time: a full record as most are made, so that what is copied on its
# way stays in the processor's cache. Bytes that are encrypted at a time. Each connection keeps
# what it has once needed for them.
_PIECE = cython.declare(cython.Py_ssize_t, 16 * 1024 + 22)
_ROOM = cython.declare(cython.Py_ssize_t, 64 * 1024)

# What has arrived, and what is to be encrypted as one. Shared by all: nothing waits in them, and
# nothing lets another thread run while they are used.
_arrived = cython.declare(cython.char[16406])
_gathered = cython.declare(cython.char[65536])

# Bytes that are encrypted and sent for one connection before others have their turn.
_MOST_SENT = cython.declare(cython.Py_ssize_t, 256 * 1024)
_HEADER = cython.declare(cython.Py_ssize_t, 5)
# Seconds that handshakes may take of one turn of a loop; further ones wait for the next turn.
_HANDSHAKES = cython.declare(cython.double, 0.001)

# The turn in which the last handshake went on, and the seconds that handshakes took in it.
_turn = cython.declare(cython.longlong, -1)
_spent = cython.declare(cython.double, 0.0)

_WantRead = cython.declare(object, ssl.SSLWantReadError)
_WantWrite = cython.declare(object, ssl.SSLWantWriteError)


@cython.final
@cython.cclass
class Window:
    """Memory as a buffer: one object for all, where a memoryview would be made for each."""

    def __init__(self, readonly: cython.bint):
        self.readonly = readonly

    def __getbuffer__(self, buffer: cython.pointer[Py_buffer], flags: cython.int):  # type: ignore[name-defined]  # noqa: F821
        PyBuffer_FillInfo(buffer, self, self.data, self.size, self.readonly, flags)


_window = cython.declare(Window, Window(True))
# Where a record is decrypted to, and the arguments for that: the most that one holds, or as much
# as there is room for.
_opened = cython.declare(Window, Window(False))
_INTO_OPENED = cython.declare(tuple, (16 * 1024, _opened))


@cython.cfunc
@cython.inline
def view(data: cython.p_char, size: cython.Py_ssize_t) -> Window:
    """These bytes, for whom it is given to at once."""
    _window.data = data
    _window.size = size
    return _window


@cython.cclass
class TlsTransport(Transport):
    """A socket whose bytes are encrypted; the handshake begins when it is first watched.

    Args:
        context: an ``ssl.SSLContext``; what it says holds for this connection until its end.
        is_server: whether the other side begins the handshake.
        host: the name that the other side's certificate has to be for, where that is asked for.

    The owner hears of nothing before the handshake is done; if that fails, it is told that it can
    read, and reading fails.
    """

    def __init__(
        self,
        loop: Loop,
        fd: cython.int,
        context: ssl.SSLContext,
        is_server: bool = True,
        host: str | None = None,
    ):
        super().__init__(loop, fd)
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, is_server, host)
        # What the session is a thin cover of, where that can be had: it costs a call less.
        inner = getattr(self.session, "_sslobj", self.session)
        self.decrypt = inner.read
        self.encrypt = inner.write
        self.feed = self.incoming.write
        self.drain = self.outgoing.read
        self.established = False
        # Whether there is nothing left of what was taken from the socket, but parts of a record.
        self.emptied = True
        # Whether what is taken next begins with a record, and whether what was taken is just one.
        self.at_boundary = False
        self.alone = False
        # Whether the other side has said that nothing will come any more.
        self.ended = False
        # Encrypted bytes that the socket did not take yet, and how many bytes of the output they
        # stand for.
        self.unsent: bytes | None = None
        self.unsent_from = 0
        self.covered = 0
        # What has failed, in words.
        self.fault: str | None = None

    @cython.ccall
    def connected(self) -> cython.bint:
        return self.established

    # -- Events ----------------------------------------------------------------------------------

    @cython.ccall
    def watch(self, wanted: cython.int):
        self.wanted = wanted
        if self.fd < 0:
            return
        if not self.established and self.fault is None:
            self.negotiate()
        self.observe()

    @cython.ccall
    def on_event(self, events: cython.int):
        if self.owner is None:
            return
        carries: cython.bint = self.established or self.fault is not None
        try:
            if not carries:
                self.prepare(events)
            elif self.unsent is not None and not self.wanted & WRITABLE:
                # Nothing of the owner's: it is not told.
                self.push()
                self.observe()
                events &= ~WRITABLE
        except Exception as fault:
            self.owner.give_up(fault)
            return
        if carries:
            Transport.on_event(self, events)

    @cython.cfunc
    def prepare(self, events: cython.int):
        """What an event means for the handshake.

        To sign takes about a millisecond. Where many begin at once, each turn of the loop has a
        few of them, and those who are through are served in between.
        """
        global _turn, _spent
        if events & WRITABLE:
            self.push()
        if self.loop.turns != _turn:
            _turn = self.loop.turns
            _spent = 0.0
        if _spent >= _HANDSHAKES:
            self.observe()
            return
        if events & READABLE and self.fill() == 0:
            self.fail("unexpected eof while reading")
        if self.fault is None:
            began: cython.double = seconds()
            self.negotiate()
            _spent += seconds() - began
        self.observe()

    @cython.cfunc
    def observe(self):
        """Have the loop look for what the owner waits for, or for what comes before that."""
        interest: cython.int = self.wanted
        if not self.established and self.fault is None:
            interest = READABLE
        if self.unsent is not None:
            interest |= WRITABLE
        self.loop.watch(self, interest)
        if interest & self.wanted & READABLE and self.pending() > 0:
            self.loop.remind(self)

    @cython.cfunc
    def negotiate(self):
        """Go on with the handshake as far as what has arrived allows."""
        try:
            self.session.do_handshake()
            self.established = True
            self.emptied = self.incoming.pending == 0
        except _WantRead:
            pass
        except (OSError, ValueError) as error:
            self.fail(explain(error))
        self.push()
        if self.established and self.owner is not None:
            self.owner.secured()

    @cython.cfunc
    def fail(self, fault: str):
        """It is over; the owner finds out when it reads."""
        if self.fault is None:
            self.fault = fault

    def common_name(self) -> bytes | None:
        """The first one of the other side's certificate, if that was asked for and is trusted."""
        certificate: dict[str, Any] = self.session.getpeercert() or {}
        for part in certificate.get("subject", ()):
            for field, value in part:
                if field == "commonName":
                    return value.encode()
        return None

    # -- Input -----------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(check=False)
    def receive(self, buffer: cython.p_char, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
        if self.fault is not None:
            return FAILED
        if not self.established:
            return WOULD_BLOCK
        try:
            if self.ended:
                return 0
            count: cython.Py_ssize_t = 0
            if self.emptied:
                count = self.fill()
                if count <= 0:
                    return count
            total: cython.Py_ssize_t = self.open_records(buffer, size)
            while count == _PIECE and self.emptied and 0 < total < size:
                # There may be more.
                count = self.fill()
                if count > 0:
                    total += max(self.open_records(buffer + total, size - total), 0)
            return total
        except Exception as error:
            self.break_off(error)
            return FAILED

    @cython.cfunc
    @cython.exceptval(-3, check=False)
    def open_records(self, buffer: cython.p_char, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Decrypt what has arrived, as far as there is room: how many bytes, or WOULD_BLOCK."""
        total: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        room: cython.Py_ssize_t
        self.emptied = False
        try:
            while total < size:
                room = size - total
                count = self.open_record(buffer + total, room)
                if count == 0:
                    self.ended = True
                    return total
                total += count
                if count < room and (self.alone or self.incoming.pending == 0):
                    self.emptied = self.at_boundary = True
                    break
        except _WantRead:
            self.emptied = True
        except ssl.SSLZeroReturnError:
            self.ended = True
            return total
        return total if total > 0 else WOULD_BLOCK

    @cython.cfunc
    @cython.exceptval(-3, check=False)
    def open_record(self, buffer: cython.p_char, room: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Decrypt one record, or what there is room for: how many bytes."""
        _opened.data = buffer
        _opened.size = room
        return self.decrypt(*_INTO_OPENED)

    @cython.cfunc
    @cython.exceptval(-3, check=False)
    def fill(self) -> cython.Py_ssize_t:
        """Take from the socket what has arrived: how many bytes, 0 at the end, or why not."""
        count: cython.Py_ssize_t = recv(self.fd, _arrived, _PIECE, 0)
        if count > 0:
            self.alone = self.at_boundary and is_record(count)
            self.at_boundary = False
            self.feed(view(_arrived, count))
            return count
        if count < 0:
            count = self.failure()
            if count == FAILED:
                self.fail(Transport.reason(self))
        return count

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def pending(self) -> cython.Py_ssize_t:
        """Bytes taken from the socket and not received, at least; 1 for an end not told yet."""
        if self.fault is not None or self.ended:
            return 1
        if self.emptied or not self.established:
            return 0
        return max(1, self.session.pending() + self.incoming.pending)

    # -- Output ----------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(check=False)
    def transmit(self, output: OutputBuffer) -> cython.Py_ssize_t:
        """What is encrypted counts as written when the socket has taken all of it."""
        try:
            if self.unsent is not None and not self.push():
                return WOULD_BLOCK if self.fault is None else FAILED
            if self.fault is not None:
                return FAILED
            if self.covered:
                count: cython.Py_ssize_t = self.covered
                self.covered = 0
                return count
            if not self.established:
                return WOULD_BLOCK
            return self.seal(output)
        except Exception as error:
            self.break_off(error)
            return FAILED

    @cython.cfunc
    @cython.exceptval(-3, check=False)
    def seal(self, output: OutputBuffer) -> cython.Py_ssize_t:
        """Encrypt what is to be sent and send it, within bounds and as far as the socket takes it:
        how many bytes of the output, or why not.
        """
        vectors = cython.declare(iovec[64])
        filled: cython.int = output.iovecs(vectors, _VECTORS)
        at: cython.int = 0
        total: cython.Py_ssize_t = 0
        while at < filled and total < _MOST_SENT:
            data: cython.p_char = cython.cast(cython.p_char, vectors[at].iov_base)
            size: cython.Py_ssize_t = vectors[at].iov_len
            if size < _ROOM and at + 1 < filled:
                size = gather(vectors + at, filled - at)
                data = _gathered
            size = self.encrypt(view(data, min(size, _ROOM)))
            total += size
            if not self.push():
                self.covered = total
                return WOULD_BLOCK if self.fault is None else FAILED
            at += pass_over(vectors + at, filled - at, size)
        return total

    @cython.cfunc
    @cython.exceptval(-3, check=False)
    def push(self) -> cython.int:
        """Send what is encrypted: whether the socket took all of it."""
        sealed: bytes
        if self.unsent is None:
            sealed = self.drain()
            self.unsent_from = 0
        else:
            sealed = self.unsent
        left: cython.Py_ssize_t = PyBytes_GET_SIZE(sealed) - self.unsent_from
        if left == 0:
            return 1
        sent: cython.Py_ssize_t = send(
            self.fd, PyBytes_AS_STRING(sealed) + self.unsent_from, left, 0
        )
        if sent == left:
            self.unsent = None
            return 1
        if sent < 0 and errno != EAGAIN and errno != EINTR:
            self.error = errno
            self.unsent = None
            self.fail(Transport.reason(self))
            return 0
        self.unsent = sealed
        self.unsent_from += max(sent, 0)
        return 0

    @cython.cfunc
    def break_off(self, error):
        """End because of what the other side has sent, and tell it."""
        self.fail(explain(error))
        try:
            self.push()
        except Exception:
            pass  # nobody can be told

    # -- End -------------------------------------------------------------------------------------

    @cython.ccall
    def close(self):
        if self.fd < 0:
            return
        if self.established and self.fault is None:
            self.take_leave()
        Transport.close(self)

    @cython.cfunc
    def take_leave(self):
        """Say that nothing will follow, if the socket takes it; no answer is waited for."""
        try:
            self.session.unwrap()
        except (OSError, ValueError):
            pass
        if self.unsent is None:
            self.push()

    @cython.ccall
    def reason(self):
        return Transport.reason(self) if self.fault is None else self.fault


@cython.cfunc
@cython.exceptval(check=False)
def gather(vectors: cython.pointer[iovec], filled: cython.int) -> cython.Py_ssize_t:
    """Copy pieces into one, as far as there is room: how many bytes."""
    size: cython.Py_ssize_t = 0
    at: cython.int
    for at in range(filled):
        part: cython.Py_ssize_t = min(
            cython.cast(cython.Py_ssize_t, vectors[at].iov_len), _ROOM - size
        )
        memcpy(_gathered + size, vectors[at].iov_base, part)
        size += part
        if size == _ROOM:
            break
    return size


@cython.cfunc
@cython.exceptval(check=False)
def pass_over(
    vectors: cython.pointer[iovec], filled: cython.int, size: cython.Py_ssize_t
) -> cython.int:
    """Take so many bytes off the first pieces: how many of these are used up."""
    at: cython.int = 0
    while at < filled and cython.cast(cython.Py_ssize_t, vectors[at].iov_len) <= size:
        size -= vectors[at].iov_len
        at += 1
    if at < filled:
        vectors[at].iov_base = cython.cast(cython.p_char, vectors[at].iov_base) + size
        vectors[at].iov_len -= size
    return at


@cython.cfunc
@cython.exceptval(check=False)
def is_record(count: cython.Py_ssize_t) -> cython.bint:
    """Whether so many bytes that have arrived are one record, the length of which follows its kind
    and version.
    """
    if count < _HEADER:
        return False
    data: cython.p_uchar = cython.cast(cython.p_uchar, cython.address(_arrived[0]))
    return ((data[3] << 8) | data[4]) + _HEADER == count


def explain(error: Exception) -> str:
    """What is wrong with a handshake, a record, a certificate or a file, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError):
        return "unexpected eof while reading"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)

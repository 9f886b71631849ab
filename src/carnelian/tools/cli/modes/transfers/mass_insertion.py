"""``--pipe``: requests from standard input, to the server as fast as it takes them.

Replies are counted only; errors are shown. An ECHO of twenty random bytes follows the last request:
when it comes back, all that was sent has been answered.
"""

from __future__ import annotations

import os
import select
import sys
import time

from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import MORE, Refusal, ReplyError
from carnelian.resp.client.request_encoder import encode_request
from carnelian.resp.client.value_forms import TYPED
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.talking.cli_login import client_for, tell
from carnelian.tools.cli.wire.cli_client import LostError
from carnelian.tools.cli.wire.socket_links import Link, SocketLink

_PIECE = 256 * 1024


class Transfer:
    """Bytes that go to the server while replies come back."""

    def __init__(self, link: Link, timeout: float):
        self._link = link
        self._timeout = timeout
        self._parser = ReplyReader(TYPED)
        self._mark = os.urandom(20)
        self.errors = self.replies = 0
        self.marked = self.late = False
        self._ended = False
        self._heard = time.monotonic()

    def run(self) -> None:
        """Send all, and wait for all answers. Raises LostError."""
        source = sys.stdin.fileno()
        left = memoryview(b"")
        socket = getattr(self._link, "socket", None)
        if isinstance(self._link, SocketLink):
            self._link.wait_at_most(0)
        while not (self._ended and not left and (self.marked or self.late)):
            reading = [self._link] if left or self._ended else [self._link, source]
            writing = [self._link] if left and socket is not None else []
            # What is in this process takes everything at once.
            wait = 0.0 if left and socket is None else 1.0
            ready, free, _ = select.select(reading, writing, [], wait)
            if self._link in ready:
                self._take()
            if free or (left and socket is None):
                left = left[self._send(left) :]
            elif source in ready:
                left = memoryview(self._next(source))
            self._look_at_clock(bool(left))

    def _next(self, source: int) -> bytes:
        """The next bytes to send; the mark at the end."""
        data = os.read(source, _PIECE)
        if data:
            return data
        self._ended = True
        self._heard = time.monotonic()
        print("All data transferred. Waiting for the last reply...", flush=True)
        return b"\r\n" + encode_request(("ECHO", self._mark))

    def _send(self, data: memoryview) -> int:
        socket = getattr(self._link, "socket", None)
        if socket is None:
            self._link.send(bytes(data))
            return len(data)
        try:
            sent: int = socket.send(data)
            return sent
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            if _is_not_ready(error):
                return 0
            raise LostError(error.strerror or str(error)) from None

    def _take(self) -> None:
        """Count the replies that have come."""
        try:
            data = self._link.receive(0)
        except (BlockingIOError, TimeoutError):
            return
        except OSError as error:
            if _is_not_ready(error):
                return
            raise LostError(error.strerror or str(error)) from None
        if not data:
            raise LostError("Server closed the connection")
        self._heard = time.monotonic()
        self._parser.feed(data)
        try:
            self._count()
        except ReplyError as error:
            raise LostError(str(error)) from None

    def _count(self) -> None:
        while True:
            # The most of them are statuses that say that all is well.
            self.replies += self._parser.pass_short()
            reply = self._parser.take()
            if reply is MORE:
                return
            if isinstance(reply, bytes) and self._ended and reply == self._mark:
                self.marked = True
                print("Last reply received from server.", flush=True)
                return
            if isinstance(reply, Refusal):
                tell(reply.decode("utf-8", "surrogateescape"))
                self.errors += 1
            self.replies += 1

    def _look_at_clock(self, sending: bool) -> None:
        waited = time.monotonic() - self._heard
        if self._timeout and self._ended and not sending and not self.marked:
            self.late = waited > self._timeout


def run(options: Options) -> int:
    """Do it; returns the exit status. Raises ConnectError and LostError."""
    client = client_for(options)
    transfer = Transfer(client.link, options.pipe_timeout)
    try:
        transfer.run()
    finally:
        client.end()
    if transfer.late and not transfer.marked:
        tell(f"No replies for {options.pipe_timeout:g} seconds: exiting.")
        transfer.errors += 1
    print(f"errors: {transfer.errors}, replies: {transfer.replies}", flush=True)
    return 1 if transfer.errors else 0


def _is_not_ready(error: OSError) -> bool:
    """Whether TLS has to wait for the other side."""
    return type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")

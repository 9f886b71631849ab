"""What a replica is sent: a copy of the data set first, where it needs one, and then the stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import cython
from cython.cimports.carnelian.replication.history import Place
from cython.cimports.carnelian.resp.output import Feed, OutputBuffer

# Bytes that are given to a connection at a time.
_MOST = cython.declare(cython.Py_ssize_t, 256 * 1024)
# What Redis counts for a block of the stream beside its bytes.
_BLOCK_OVERHEAD = cython.declare(cython.Py_ssize_t, 64)


@cython.final
@cython.cclass
class ReplicaFeed(Feed):
    """The output of one replica.

    - ``place``: where the stream goes on for it, None if it is to have none of it;
    - ``flowing``: whether it is sent the stream by now;
    - ``source()``: called when there are no pieces of a copy left: puts some, and returns whether
      it has;
    - ``on_sent()``: called once when all pieces have left, and none are to come;
    - ``waiting``: bytes of pieces that are not sent yet.
    """

    def __init__(self) -> None:
        self.place: Place | None = None
        self.flowing = False
        self.source: Callable[[], bool] | None = None
        self.on_sent: Callable[[], None] | None = None
        self.waiting = 0
        self.pieces: deque[bytes] = deque()

    @cython.ccall
    def put(self, piece: bytes):
        """Take a piece of a copy."""
        self.pieces.append(piece)
        self.waiting += len(piece)

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def fill(self, output: OutputBuffer) -> cython.int:
        piece: bytes
        if self.pieces or self.source is not None:
            while output.pending() < _MOST:
                if not self.pieces:
                    if self.source is None or not self.source():
                        break
                    continue
                piece = self.pieces.popleft()
                self.waiting -= len(piece)
                output.put_bytes(piece)
        if self.on_sent is not None and not self.pieces and output.pending() == 0:
            on_sent, self.on_sent = self.on_sent, None
            on_sent()
        if self.flowing and not self.pieces and self.place is not None:
            self.place.pour(output)
        return 0

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def memory(self) -> cython.Py_ssize_t:
        if self.place is None:
            return 0
        return self.place.behind() + self.place.blocks_behind() * _BLOCK_OVERHEAD

    @cython.ccall
    def leave(self):
        """Nothing more is sent."""
        if self.place is not None:
            self.place.leave()
            self.place = None
        self.flowing = False
        self.source = self.on_sent = None
        self.pieces.clear()
        self.waiting = 0

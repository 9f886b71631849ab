"""A snapshot that is sent to a replica."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.replication.primary.replicas import Leader, Replica

_PIECE = 128 * 1024


class FileSource:
    """Reads a file for one replica, as it is sent.

    ``size`` is that of the file. Raises OSError if it cannot be opened.
    """

    def __init__(self, path: str, replica: Replica, primary: Leader):
        self._replica = replica
        self._primary = primary
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  it is closed at its end
        self.size = self._left = os.fstat(self._file.fileno()).st_size

    def __call__(self) -> bool:
        """Put the next piece; false at the end."""
        if not self._left:
            self._file.close()
            return False
        fault = "premature EOF"
        try:
            piece = self._file.read(min(_PIECE, self._left))
        except OSError as error:
            piece, fault = b"", error.strerror or ""
        if not piece:
            self._file.close()
            replica = self._replica
            replica.feed.source = replica.feed.on_sent = None
            self._primary.drop(replica, f"Read error sending DB to replica: {fault}")
            return False
        self._left -= len(piece)
        self._replica.feed.put(piece)
        return True

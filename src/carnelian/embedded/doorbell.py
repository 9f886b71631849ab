"""A descriptor that tells select, epoll and their kind that a session has something to fetch."""

from __future__ import annotations

import os
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.embedded.mailbox import Mailbox


class Doorbell:
    """A pipe that holds a byte while there is something to fetch.

    Any thread may ring it, also when it is being closed: files, and no numbers of descriptors, so
    that it is not somebody else's that gets the byte.
    """

    def __init__(self) -> None:
        out, into = os.pipe()
        os.set_blocking(out, False)
        os.set_blocking(into, False)
        self._out, self._in = FileIO(out, "r"), FileIO(into, "w")

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._out.fileno()

    def ring(self) -> None:
        """There is something to fetch."""
        try:
            # Does nothing when it is full, which is as readable as can be.
            self._in.write(b"\0")
        except ValueError:
            pass  # closed

    def answered(self, box: Mailbox) -> None:
        """Something was fetched: ring on only if there is more."""
        try:
            while len(self._out.read(4096) or b"") == 4096:
                pass
        except ValueError:
            pass  # closed
        if box.pending():
            self.ring()

    def close(self) -> None:
        """Give the descriptors back."""
        self._in.close()
        self._out.close()

"""A descriptor that tells select, epoll and their kind that a session has something to fetch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.embedded.mailbox import Mailbox


class Doorbell:
    """A pipe that holds a byte while there is something to fetch."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._out

    def ring(self) -> None:
        """There is something to fetch."""
        try:
            os.write(self._in, b"\0")
        except (BlockingIOError, OSError):
            # Full, which is as readable as can be; or closed.
            pass

    def answered(self, box: Mailbox) -> None:
        """Something was fetched: ring on only if there is more."""
        try:
            while len(os.read(self._out, 4096)) == 4096:
                pass
        except (BlockingIOError, OSError):
            pass
        if box.pending():
            self.ring()

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._in)
        os.close(self._out)

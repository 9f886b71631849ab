"""Transports that do what plain sockets never do."""

from __future__ import annotations

import fcntl
import struct
import termios

from carnelian.net.transport import Transport


class Hoarding(Transport):
    """As if what is in the kernel's buffer were decrypted already."""

    def pending(self) -> int:
        return struct.unpack("i", fcntl.ioctl(self.fd, termios.FIONREAD, b"\0" * 4))[0]

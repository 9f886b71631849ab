"""A file that a thread writes, so that whoever fills it never waits for the disk."""

from __future__ import annotations

import errno
import os
import queue
import threading

from carnelian.engine.ground.threads import Background, Latch
from carnelian.persistence.bytes import crc64
from carnelian.persistence.bytes.byte_sink import length_form, string_form
from carnelian.persistence.bytes.targets import Target

# Bytes after which what was written is brought to the disk, where that is wanted.
_SYNC_INTERVAL = 4 * 1024 * 1024
# Bytes of small pieces that are written together.
_GATHERED = 128 * 1024
# Longest string that is compressed: what comes of it is held in memory, too.
_COMPRESSED = 16 * 1024 * 1024


class Spool:
    """Takes the content of a file piece by piece.

    The thread writes, and at the end syncs the file and moves it to its place. ``ended`` is set
    when nothing more will happen; ``placed`` says whether the file is where it belongs, ``error``
    why it is not, unless it was canceled.

    Args:
        fd: the open file, which is closed in the end.
        seal: end the file with the CRC-64 of its content, or with zeros if False; nothing if None.
        sync: bring what is written to the disk as it goes on.
        target: what is made.
    """

    def __init__(self, fd: int, seal: bool | None, sync: bool, target: Target):
        self.placed = False
        self.error: OSError | None = None
        self.ended = Latch()
        self.taken = 0
        self._fd = fd
        self._seal = seal
        self._sync = sync
        self._target = target
        self._written = self._unsynced = self._crc = 0
        self._pieces: queue.SimpleQueue[bytes | _String | None] = queue.SimpleQueue()
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._canceled = False
        # Held while the file takes its place, which is not to be interrupted.
        self._last_step = threading.Lock()
        Background("snapshot", self._work)

    @property
    def backlog(self) -> int:
        """Bytes that were taken and are not written yet."""
        return self.taken - self._written

    def put(self, piece: bytes) -> None:
        """Take a piece of the content; never waits."""
        self.taken += len(piece)
        self._pieces.put(piece)

    def put_string(self, text: bytes, compress: bool) -> None:
        """Take a string, to be put into the form of RDB files by the thread; never waits."""
        self.taken += len(text)
        self._pieces.put(_String(text, compress))

    def finish(self) -> None:
        """There are no further pieces."""
        self._pieces.put(None)

    def cancel(self) -> bool:
        """Give the file up; returns False if it was too late: it has taken its place."""
        with self._last_step:
            if self.placed:
                return False
            self._canceled = True
        self._pieces.put(None)
        return True

    # -- The thread ------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            try:
                self._write_all()
            finally:
                os.close(self._fd)
            with self._last_step:
                if not self._canceled:
                    self._target.place()
                    self.placed = True
        except OSError as error:
            self.error = error
        except MemoryError:
            self.error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        except BaseException:
            self.error = OSError(errno.EIO, os.strerror(errno.EIO))
            raise
        finally:
            self.ended.set()

    def _write_all(self) -> None:
        self._target.step = "rdbSaveRio"
        while (piece := self._pieces.get()) is not None:
            if self._canceled:
                return
            if isinstance(piece, _String):
                self._write_gathered()
                for part in piece.parts():
                    self._write(part)
                self._written += len(piece.text)
                continue
            self._gathered.append(piece)
            self._gathered_size += len(piece)
            if self._gathered_size >= _GATHERED or self._pieces.empty():
                self._write_gathered()
        if self._canceled:
            return
        self._write_gathered()
        if self._seal is not None:
            self._write(self._crc.to_bytes(8, "little"))
        self._target.sync(self._fd)

    def _write_gathered(self) -> None:
        self._write(b"".join(self._gathered))
        self._written += self._gathered_size
        self._gathered.clear()
        self._gathered_size = 0

    def _write(self, piece: bytes) -> None:
        if self._seal:
            self._crc = crc64.of(piece, self._crc)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._fd, view) :]
        self._unsynced += len(piece)
        if self._sync and self._unsynced >= _SYNC_INTERVAL:
            os.fsync(self._fd)
            self._unsynced = 0


class _String:
    """A string that is still to be put into its form."""

    def __init__(self, text: bytes, compress: bool):
        self.text = text
        self._compress = compress and len(text) <= _COMPRESSED

    def parts(self) -> list[bytes]:
        """The form of the string: in one piece, or as what comes before it and itself."""
        if self._compress:
            return [string_form(self.text)]
        return [length_form(len(self.text)), self.text]

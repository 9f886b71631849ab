"""Where a data set is written to: files that are written aside, and moved to their place when they
are whole and on the disk, or whatever else takes bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.persistence.bytes import paths

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


class Target:
    """Takes a data set; the log says why one comes to nothing. One that is no file, but a pipe or a
    socket, brings :meth:`open` and the two explanations, and what there is to be done at the end.

    - ``step``: what is being done, in the words of the log;
    - ``descriptors``: those that are open before it is, which a child process keeps;
    - ``ask``: in a child process, has the parent call :meth:`move`; raises as that does.

    Args:
        log: is told what goes wrong.
    """

    def __init__(self, log: Callable[[str, str], None]):
        self.log = log
        self.step = ""
        self.descriptors: tuple[int, ...] = ()
        self.ask: Callable[[], None] | None = None

    def open(self) -> int:
        """Begin; returns a descriptor that blocks, to be closed by the caller.

        Raises OSError, when the log has said so.
        """
        raise NotImplementedError

    def sync(self, fd: int) -> None:
        """Everything is written to the descriptor: make sure that it stays. Raises OSError."""

    def place(self) -> None:
        """All of it is there: have it take effect. Raises OSError."""

    def move(self) -> None:
        """That part of :meth:`place` which only the owner of the place may do. Raises OSError."""

    def fail(self, error: OSError) -> None:
        """Say why it comes to nothing, and leave nothing."""
        self.explain(error)
        self.remove()

    def remove(self) -> None:
        """Leave nothing of what was begun."""

    def explain_opening(self, error: OSError) -> None:
        """Say in the log that it could not be begun."""
        raise NotImplementedError

    def explain(self, error: OSError) -> None:
        """Say in the log what went wrong at ``step``."""
        raise NotImplementedError


class FileTarget(Target):
    """A file in the making.

    Args:
        engine: for its log and its directory.
        temporary: the name until it is whole.
        path: the path from then on.
    """

    def __init__(self, engine: Engine, temporary: str, path: str):
        super().__init__(engine.log)
        self.directory = engine.config["dir"]
        self.temporary = temporary
        self.temporary_path = paths.join(self.directory, temporary)
        self.path = path

    def open(self) -> int:
        try:
            return os.open(
                self.temporary_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666
            )
        except OSError as error:
            self.explain_opening(error)
            raise

    def sync(self, fd: int) -> None:
        self.step = "fsync"
        os.fsync(fd)

    def place(self) -> None:
        self.step = "rename"
        self.move()

    def move(self) -> None:
        os.rename(self.temporary_path, self.path)

    def remove(self) -> None:
        try:
            os.unlink(self.temporary_path)
        except OSError:
            pass


class SnapshotTarget(FileTarget):
    """A snapshot."""

    def place(self) -> None:
        self.step = "rename"
        # When the parent of a child has ended, the place may be somebody else's by now.
        if self.ask is None:
            self.move()
        else:
            self.ask()
        self.step = "fsyncFileDir"
        sync_directory(paths.parent(self.path))
        self.log("notice", "DB saved on disk")

    def explain_opening(self, error: OSError) -> None:
        self.log(
            "warning",
            f"Failed opening the temp RDB file {self.temporary} (in server root dir "
            f"{self.directory}) for saving: {error.strerror}",
        )

    def explain(self, error: OSError) -> None:
        if self.step == "rename":
            self.log(
                "warning",
                f"Error moving temp DB file {self.temporary} on the final destination "
                f"{paths.last(self.path)} (in server root dir {self.directory}): "
                f"{error.strerror}",
            )
        else:
            self.log("warning", f"Write error saving DB on disk({self.step}): {error.strerror}")


class BaseTarget(FileTarget):
    """The base of an append-only file; its place is one of this process alone."""

    def explain_opening(self, error: OSError) -> None:
        self.log(
            "warning",
            f"Opening the temp file for AOF rewrite in rewriteAppendOnlyFile(): {error.strerror}",
        )

    def explain(self, error: OSError) -> None:
        if self.step == "rename":
            self.log(
                "warning",
                f"Error moving temp append only file on the final destination: {error.strerror}",
            )
        else:
            self.log("warning", f"Write error writing append only file on disk: {error.strerror}")


def sync_directory(path: str) -> None:
    """Force a directory's entries to the disk: a rename lasts only then. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        # Some file systems cannot do that to a directory.
        if error.errno not in (9, 22):
            raise
    finally:
        os.close(fd)

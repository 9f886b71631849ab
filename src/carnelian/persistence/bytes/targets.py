"""Files that are written aside, and moved to their place when they are whole and on the disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from carnelian.persistence.bytes import paths

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


class Target:
    """A file in the making; the log says why one comes to nothing.

    Args:
        engine: for its log and its directory.
        temporary: the name until it is whole.
        path: the path from then on.
    """

    def __init__(self, engine: Engine, temporary: str, path: str):
        self.log = engine.log
        self.directory = engine.config["dir"]
        self.temporary = temporary
        self.temporary_path = paths.join(self.directory, temporary)
        self.path = path
        self.step = ""

    def open(self) -> int:
        """Begin; returns the descriptor. Raises OSError, when the log has said so."""
        try:
            return os.open(
                self.temporary_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666
            )
        except OSError as error:
            self.explain_opening(error)
            raise

    def place(self) -> None:
        """Move the whole file to its place. Raises OSError."""
        self.step = "rename"
        os.rename(self.temporary_path, self.path)

    def fail(self, error: OSError) -> None:
        """Say why it comes to nothing, and leave nothing."""
        self.explain(error)
        self.remove()

    def remove(self) -> None:
        """Delete the file in the making, if it is there."""
        try:
            os.unlink(self.temporary_path)
        except OSError:
            pass

    def explain_opening(self, error: OSError) -> None:
        """Say in the log that it could not be begun."""
        raise NotImplementedError

    def explain(self, error: OSError) -> None:
        """Say in the log what went wrong at ``step``."""
        raise NotImplementedError


class SnapshotTarget(Target):
    """A snapshot."""

    def place(self) -> None:
        super().place()
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


class BaseTarget(Target):
    """The base of an append-only file."""

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

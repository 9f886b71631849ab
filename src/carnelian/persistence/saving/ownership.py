"""Whose the files of an engine are: nobody else writes them as long as they are somebody's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from carnelian.persistence.rdb import files
from carnelian.persistence.saving.lock import PathLock

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


class Ownership:
    """What an engine holds: its snapshot, its append-only file, or neither as yet.

    A lock stands beside the snapshot, and one among the files of the log, as ``NAME.lock``. Where
    there can be none, as on a disk that lets nobody write, things go on without.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._snapshot: PathLock | None = None
        self._log: PathLock | None = None

    def adopt(self, snapshot: PathLock) -> None:
        """The snapshot is held already."""
        self._snapshot = snapshot

    def take_snapshot(self) -> None:
        """Hold the snapshot from now on, in place of another that was held.

        Engines that log may share one, as far as they do not share the log: the log is what each
        will load.

        Raises:
            LockedError: somebody else does; nothing has changed then.
        """
        config = self._engine.config
        if config["dbfilename"]:
            path = files.locate(self._engine, config["dbfilename"])
            self._snapshot = self._take(self._snapshot, path, config["appendonly"])

    def take_log(self, path: str) -> None:
        """Hold an append-only file, its directory and first name given; as for the snapshot."""
        self._log = self._take(self._log, path)

    def _take(self, held: PathLock | None, path: str, shared: bool = False) -> PathLock | None:
        path = os.path.realpath(path)
        if held is not None and held.path == path:
            if not shared:
                held.take_alone()
            return held
        try:
            fresh = PathLock(path, shared)
        except OSError as error:
            self._engine.log("warning", f"Can't lock {path}: {error.strerror}")
            return held
        if held is not None:
            held.release()
        return fresh

    def release_log(self) -> None:
        """Let others have the log."""
        if self._log is not None:
            self._log.release()
            self._log = None

    def release(self) -> None:
        """Let others have everything."""
        self.release_log()
        if self._snapshot is not None:
            self._snapshot.release()
            self._snapshot = None

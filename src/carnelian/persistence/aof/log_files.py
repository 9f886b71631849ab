"""The files of an append-only file: where they are, which are begun, take the place of others, and
are deleted.
"""

from __future__ import annotations

import errno
import os
import time
from enum import IntEnum
from typing import TYPE_CHECKING

from carnelian.persistence.aof import manifest
from carnelian.persistence.aof.append_log import AppendLog
from carnelian.persistence.aof.manifest import Manifest, Part, StoreError
from carnelian.persistence.aof.syncing import Syncer
from carnelian.persistence.bytes import paths
from carnelian.persistence.bytes.targets import sync_directory
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.lock import LockedError
from carnelian.persistence.saving.snapshots import snapshots_of

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


class LogState(IntEnum):
    """Whether there is a log. Waiting: for its first base."""

    OFF = 0
    WAITING = 1
    ON = 2


class LogFiles:
    """The files of one engine's log.

    - ``log``: what writes to the last increment, with ``syncer`` as its thread;
    - ``manifest``: what belongs together;
    - ``base_size``: bytes of all files when they were rewritten last.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._snapshots = snapshots_of(engine)
        self.syncer = Syncer(engine.log)
        self.log = AppendLog(engine, self.syncer)
        self.manifest = Manifest()
        self.state = LogState.OFF
        self.base_size = 0

    # -- Where things are ------------------------------------------------------------------------

    @property
    def stem(self) -> str:
        """What the names of all files begin with."""
        return self._engine.config["appendfilename"]

    @property
    def directory_name(self) -> str:
        """What the directory of the files is called."""
        return self._engine.config["appenddirname"]

    @property
    def directory(self) -> str:
        """Where the files are, absolute."""
        return files.locate(self._engine, self.directory_name)

    def path(self, name: str) -> str:
        """The path of one of the files."""
        return paths.join(self.directory, name)

    def size_of(self, name: str) -> int:
        """Bytes in one of the files. Raises OSError, when the log has said so."""
        try:
            return os.stat(self.path(name)).st_size
        except OSError as error:
            self._engine.log(
                "warning", f"Unable to obtain the AOF file {name} length. stat: {error.strerror}"
            )
            raise

    def make_directory(self) -> None:
        """Make sure that there is a directory. Raises OSError, when the log has said so."""
        path = self.directory
        try:
            if not paths.is_directory(path):
                if paths.exists(path):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                os.mkdir(path, 0o755)
                sync_directory(paths.parent(path))
            self.own()
        except LockedError as error:
            self._engine.log("warning", f"Can't use the append-only file: {error}")
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from None
        except OSError as error:
            self._engine.log(
                "warning",
                f"Can't open or create append-only dir {self.directory_name}: {error.strerror}",
            )
            raise

    def own(self) -> bool:
        """Let nobody else write the files, if there is a directory for them; returns whether.

        Raises LockedError: somebody else does.
        """
        if not os.path.isdir(self.directory):
            return False
        if self._snapshots.ownership is not None:
            self._snapshots.ownership.take_log(self.path(self.stem))
        return True

    def disown(self) -> None:
        """Let others write the files of a log that is off."""
        if self.state is LogState.OFF and self._snapshots.ownership is not None:
            self._snapshots.ownership.release_log()

    @property
    def suffix(self) -> str:
        """How the name of a base ends."""
        return ".rdb" if self._engine.config["aof-use-rdb-preamble"] else ".aof"

    # -- Increments ------------------------------------------------------------------------------

    def open_increment(self, name: str, how: int) -> int:
        """Open an increment to write to, with flags besides; returns the descriptor.

        Raises OSError, when the log has said so.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how
        try:
            return os.open(self.path(name), flags, 0o644)
        except OSError as error:
            self._engine.log("warning", f"Can't open the append-only file {name}: {error.strerror}")
            raise

    def begin_increment(self) -> None:
        """Go on in another increment. Raises OSError or StoreError: then nothing has changed."""
        if self.state is LogState.OFF:
            return
        changed = self.manifest.copy()
        if self.state is LogState.WAITING:
            name = manifest.temporary_increment(self.stem)
        else:
            name = changed.new_increment(self.stem)
        fd = self.open_increment(name, os.O_TRUNC | os.O_APPEND)
        if self.state is LogState.ON:
            try:
                changed.store(self.directory, self.stem)
            except StoreError:
                os.close(fd)
                raise
            self.manifest = changed
        self._engine.log("notice", f"Creating AOF incr file {name} on background rewrite")
        self.log.replace(fd)

    def drop_increment(self) -> None:
        """Delete the increment that waits for the first base: what is in it will be in another."""
        name = manifest.temporary_increment(self.stem)
        self.log.accepting = False
        self.log.discard()
        self._engine.log("notice", f"Removing the temp incr aof file {name} in the background")
        self.syncer.delete(self.path(name))

    # -- Another base ----------------------------------------------------------------------------

    def adopt(self, temporary: str) -> bool:
        """Put a new base in the place of what was before it; returns whether that was done."""
        changed = self.manifest.copy()
        base = changed.new_base(self.stem, self.suffix)
        fresh = [base]
        if not self._rename(temporary, "", base, "base"):
            return False
        if self.state is LogState.WAITING:
            waiting = manifest.temporary_increment(self.stem)
            increment = changed.new_increment(self.stem)
            if not self._rename(waiting, self.directory_name, increment, "incr"):
                self.syncer.delete(self.path(base))
                return False
            fresh.append(increment)
        changed.retire_increments(self.log.fd >= 0)
        history = changed.history
        if not self._keeps_history:
            # Not named any more before they are deleted: what is left if that does not come to
            # pass is swept away at the next start.
            changed.history = []
        try:
            changed.store(self.directory, self.stem)
        except StoreError as error:
            self._engine.log("warning", str(error))
            changed.history = history
            if error.in_place:
                # A restart finds the old one or the new one: all files of both stay.
                self.manifest = changed
                return False
            for name in fresh:
                self.syncer.delete(self.path(name))
            return False
        self.manifest = changed
        if self.state is not LogState.OFF:
            try:
                self.log.total_size = self.size_of(base) + self.log.size
            except OSError:
                self.log.total_size = self.log.size
            self.base_size = self.log.total_size
        if not self._keeps_history:
            self._delete_parts(history)
        return True

    def _rename(self, old: str, place: str, new: str, kind: str) -> bool:
        """Give a temporary file, of a directory in ``dir``, its place among the others."""
        engine = self._engine
        source, target = paths.join(place, old), paths.join(self.directory_name, new)
        began = time.monotonic()
        try:
            os.rename(files.locate(engine, source), files.locate(engine, target))
        except OSError as error:
            engine.log(
                "warning",
                f"Error trying to rename the temporary AOF {kind} file {source} into {target}: "
                f"{error.strerror}",
            )
            return False
        milliseconds = int((time.monotonic() - began) * 1000)
        engine.latency.add("aof-rename", milliseconds, engine.clock.ms // 1000)
        engine.log("notice", f"Successfully renamed the temporary AOF {kind} file {old} into {new}")
        return True

    # -- Deleting --------------------------------------------------------------------------------

    @property
    def _keeps_history(self) -> bool:
        return self._engine.config["aof-disable-auto-gc"]

    def _delete_parts(self, parts: list[Part]) -> None:
        for part in parts:
            self._engine.log("notice", f"Removing the history file {part.name} in the background")
            self.syncer.delete(self.path(part.name))

    def delete_history(self) -> None:
        """Delete the files that a rewrite has replaced, unless they are to be kept."""
        if self._keeps_history:
            return
        self._delete_parts(self.manifest.forget_history())
        for name in self.strays:
            if self.manifest.replaces(name, self.stem):
                self._engine.log("notice", f"Removing the file {name}, which was replaced before")
                self.syncer.delete(self.path(name))
        try:
            self.manifest.store(self.directory, self.stem)
        except StoreError as error:
            self._engine.log("warning", str(error))

    @property
    def strays(self) -> list[str]:
        """The files in the directory that look like parts of this log, but that are none."""
        return self.manifest.strays(self.directory, self.stem)

    def sweep(self) -> None:
        """Delete the files that look like parts of this log, but that are none."""
        for name in self.strays:
            self.syncer.delete(self.path(name))
        for name in manifest.temporary_names(self.stem):
            self.syncer.delete(self.path(name))

    def delete(self) -> None:
        """Delete the files of a log that is off: the manifest first, without which there is none.

        What is to be kept has been saved otherwise before.
        """
        if not paths.is_directory(self.directory):
            return
        try:
            files.remove_durably(self.path(manifest.file_name(self.stem)))
        except OSError as error:
            self._engine.log("warning", f"Can't delete the AOF manifest file: {error.strerror}")
            return
        for part in [*self.manifest.parts, *self.manifest.history]:
            self.syncer.delete(self.path(part.name))
        self.manifest = Manifest()
        self.sweep()
        self.disown()
        try:
            os.rmdir(self.directory)
        except OSError:
            # It holds something else, too.
            pass

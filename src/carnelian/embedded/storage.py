"""The files of an embedded engine: where they are, whose they are, how they are loaded and saved.

The path is the snapshot itself, and everything else stands beside it::

    app.db         the snapshot (RDB)
    app.db.aof/    the append-only file, while there is one
    app.db.lock    the lock, while the path is open

A log that is there holds more than the snapshot: it is what is loaded, and it is deleted only when
a snapshot has taken its place.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import time

from carnelian.embedded.errors import DatabaseLoadError, DatabaseLockedError, DatabaseSaveError
from carnelian.engine.config import Config, ConfigError
from carnelian.engine.engine import Engine
from carnelian.persistence import opening
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.background import base_files
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.lock import LockedError, PathLock
from carnelian.persistence.saving.overhearing import Overheard
from carnelian.persistence.saving.snapshots import LoadError, UnknownInLogError, snapshots_of

# What was written last before this time was not written by this process. The kernel's time of a
# file may be a little behind.
_BEGAN = time.time() - 0.1

# No snapshot is needed: what is there, or the log, is what the next one loads.
_LOG_ALONE = b"log-alone"
_COMMANDS_FIRST = (
    "If it is one of your own, have it loaded before the data: modules=['commands.py'], or "
    "carnelian-cli --loadmodule commands.py"
)


class Storage:
    """A path that an engine keeps its data set in, and that nobody else has open meanwhile.

    Args:
        path: of the snapshot, relative to the directory that the process stands in now.
        config: the configuration of the engine, which is told where the files are.
        address: where others will be served the data, from soon on.

    Raises:
        DatabaseLockedError: another engine has it open.
        OSError: there can be no file of that path.
    """

    def __init__(self, path: str | bytes | os.PathLike, config: Config, address: str | None = None):
        given = os.fsdecode(path)
        self.path = os.path.realpath(given)
        _refuse_what_is_no_file(given, self.path)
        try:
            self._lock = PathLock(self.path, address=address)
        except LockedError as error:
            raise DatabaseLockedError(self.path, error.pid, error.address) from None
        except OSError as error:
            # Nobody has heard of the lock file.
            error.filename = given or self.path
            raise
        try:
            self._sweep()
            config["dir"], config["dbfilename"] = os.path.split(self.path)
            config["appenddirname"] = f"{config['dbfilename']}.aof"
        except BaseException:
            self._lock.release()
            raise

    def _sweep(self) -> None:
        """Delete what a process that was killed has left in the making."""
        killed = self._lock.killed
        if killed is None:
            return
        place = glob.escape(os.path.dirname(self.path))
        for name in (files.temporary_name, base_files.temporary_name, base_files.background_name):
            for pid in (f"{killed}", f"{killed}-*"):
                for path in glob.glob(os.path.join(place, name(pid))):
                    if not _may_be_in_use(path, killed):
                        files.remove(path)

    # -- The beginning ---------------------------------------------------------------------------

    def load(self, core: Engine, as_found: bool) -> None:
        """Load what is there, and see from now on to its being saved.

        Args:
            core: the engine, empty.
            as_found: go on with a log if there is one, whatever ``appendonly`` says.

        Raises:
            DatabaseLoadError: the files are damaged, or cannot be read.
            DatabaseLockedError: another engine has the log.
            DatabaseSaveError: a log is there but not wanted, and cannot be made a snapshot.
        """
        self._attach(core)
        with Overheard(core) as warnings:
            try:
                self._load(core, as_found)
            except LoadError as error:
                reason = _reason(error, warnings)
                raise DatabaseLoadError(self.path, f"cannot load {self.path}: {reason}") from error

    def _attach(self, core: Engine) -> None:
        for name in ("dir", "dbfilename"):
            core.config.on_change(name, self._stay)
        log, snapshots = append_only_of(core), snapshots_of(core)
        log.strict = True
        log.may_stop = lambda: _save_now(core)
        log.on_stop.append(log.delete)
        snapshots.automatic = True
        if snapshots.ownership is not None:
            snapshots.ownership.adopt(self._lock)

    def _load(self, core: Engine, as_found: bool) -> None:
        config, log = core.config, append_only_of(core)
        try:
            log.own()
        except LockedError as error:
            raise DatabaseLockedError(self.path, error.pid) from None
        append_loading.read_manifest(log, core)
        logged = bool(log.manifest.parts)
        if logged:
            opening.load_log(core)
        else:
            opening.load_snapshot(core)
        core.keyspace.dirty = 0
        self._sweep_log(core)
        if logged and as_found:
            config["appendonly"] = True
        if config["appendonly"]:
            # Without a log, this begins one with all that was in the snapshot.
            log.open()
            log.delete_history()
        elif logged:
            self._save(core, {b"save"})
            log.delete()

    def _sweep_log(self, core: Engine) -> None:
        """Delete what is of no log, or of one that was deleted half-way."""
        log = append_only_of(core)
        strays = [log.path(name) for name in log.strays]
        if not log.manifest.parts and not all(_is_older(path, self.path) for path in strays):
            # A log is deleted when it is in the snapshot: this one has lost its manifest.
            names = ", ".join(strays)
            core.log("warning", f"There is no AOF manifest file, so nothing was loaded of: {names}")
            return
        if log.manifest.parts:
            log.sweep()
        else:
            log.delete()

    def _stay(self, value: object) -> None:
        raise ConfigError(f"this engine keeps its data in {self.path}")

    # -- The end ---------------------------------------------------------------------------------

    def save(self, core: Engine, wanted: bool | None) -> None:
        """Save for the last time; ``wanted`` as for :meth:`carnelian.Engine.close`.

        Raises:
            DatabaseSaveError: it could not be done.
        """
        log = append_only_of(core)
        if wanted is not False and log.state is LogState.WAITING and log.renewal.running:
            # The log is about to have its beginning.
            log.renewal.background.finish(log.renewal)
            log.tick()
        self._save(core, self._options(core, wanted))

    def _options(self, core: Engine, wanted: bool | None) -> set[bytes]:
        """What is asked for, as options of SHUTDOWN."""
        if wanted is not None:
            return {b"save"} if wanted else {b"nosave"}
        snapshots = snapshots_of(core)
        if (
            append_only_of(core).state is LogState.WAITING
            or snapshots.running
            or snapshots.scheduled
        ):
            # What was asked for has not come to its end.
            return {b"save"}
        return set() if core.keyspace.dirty else {_LOG_ALONE}

    def _save(self, core: Engine, options: set[bytes]) -> None:
        log = append_only_of(core)
        if log.renewal.running and log.state is LogState.ON:
            # What is loaded next time is the log, which is whole without it.
            core.log("notice", "The rewrite of the AOF is given up: the log is whole without it.")
            log.renewal.drop(quietly=True)
        with Overheard(core) as warnings:
            log.shut_down({b"force"})
            alone = _LOG_ALONE in options
            saved = snapshots_of(core).shut_down({b"nosave"} if alone else options)
        if not saved:
            raise self._unsaved(" ".join(warnings))
        if log.state is LogState.ON and not log.log.settled:
            reason = f"Errors writing to the AOF file: {os.strerror(log.log.failure)}"
            if b"nosave" not in options:
                raise self._unsaved(reason)
            left = log.log.buffer.length
            lost = f"{left} bytes of commands are lost" if left else "what is there is not sure"
            core.log("warning", f"{reason}; closed without saving {self.path}: {lost}")

    def _unsaved(self, reason: str) -> DatabaseSaveError:
        return DatabaseSaveError(self.path, f"cannot save {self.path}: {reason}")

    def tell(self, address: str | None) -> None:
        """Tell others who want to open the path where its data is served, or that it is not."""
        self._lock.tell(address)

    def release(self) -> None:
        """Let others open the path."""
        self._lock.release()


def _refuse_what_is_no_file(given: str, path: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), given or path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Not a regular file", given)


def _may_be_in_use(path: str, pid: int) -> bool:
    """Whether a file in the making may be one of a process that has the number only by now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    try:
        return os.stat(path).st_mtime > _BEGAN
    except OSError:
        return False


def _is_older(path: str, than: str) -> bool:
    try:
        return os.stat(path).st_mtime_ns <= os.stat(than).st_mtime_ns
    except OSError:
        return False


def _save_now(core: Engine) -> bool:
    """Save, rather than go on with an older snapshot that would be put over it."""
    log, snapshots = append_only_of(core), snapshots_of(core)
    # The snapshot is to be the newer one of the two.
    log.log.flush(True)
    snapshots.background.stop(snapshots)
    return snapshots.save()


def _reason(error: LoadError, warnings: list[str]) -> str:
    fault = error.__cause__
    if isinstance(fault, FormatError | MemoryError):
        # A part of a log is named by the error, the snapshot by the path.
        name = f"{error.file}: " if error.file else ""
        return name + files.reason(fault)
    if isinstance(error, UnknownInLogError):
        return f"{error}. {_COMMANDS_FIRST}"
    return str(error) or " ".join(warnings)

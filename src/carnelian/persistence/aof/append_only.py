"""The append-only file of an engine: whether there is one, of which files it consists, and when it
is written anew.

A rewrite begins another increment, and has a child write a base that holds all that was before.
When the child is done, the base takes the place of the older files. To turn the log on is to
rewrite it: until there is a base, what is written goes to an increment with a name for the time
being.

See https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cython.cimports.carnelian.engine.parts.admission import judged_flags

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.config import ConfigError
from carnelian.engine.ground.stages import DISK
from carnelian.persistence.aof import append_log, manifest
from carnelian.persistence.aof.append_log import AppendLog
from carnelian.persistence.aof.manifest import Manifest, Part, StoreError
from carnelian.persistence.aof.syncing import Syncer
from carnelian.persistence.background import base_files, children
from carnelian.persistence.background.slicing import Slicing, begin_base
from carnelian.persistence.bytes import paths
from carnelian.persistence.bytes.targets import sync_directory
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.lock import LockedError
from carnelian.persistence.saving.snapshots import AT_ONCE, FORK, LoadError, snapshots_of
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client

OFF, WAITING, ON = range(3)  # WAITING for the first base

_WRITE = FLAG_BITS["write"]
_POLICIES = {
    "no": append_log.NEVER, "everysec": append_log.EVERY_SECOND, "always": append_log.ALWAYS,
}  # fmt: skip


class RewriteLimit:
    """Holds rewrites back that fail again and again: for 1, 2, 4, ... minutes, up to an hour."""

    FAILURES = 3
    LONGEST = 60

    def __init__(self) -> None:
        self.failures = 0
        self._minutes = 0
        self._until_s = 0

    def holds(self, now_s: int, log: Callable[[str, str], None]) -> bool:
        """Whether there may be no rewrite now, but for one that somebody asks for."""
        if self.failures < self.FAILURES:
            self._minutes = self._until_s = 0
            return False
        if self._until_s:
            if now_s < self._until_s:
                return True
            self._until_s = 0
            return False
        self._minutes = min(2 * self._minutes or 1, self.LONGEST)
        self._until_s = now_s + 60 * self._minutes
        log(
            "warning",
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in "
            f"{self._minutes} minutes",
        )
        return True


class AppendOnly:
    """The log of writes of one engine.

    ``prepare_child()`` runs first in a child that rewrites. ``may_stop()`` is asked before the log
    is turned off while the engine runs, ``on_stop`` called when it has been. The other attributes
    are what INFO shows.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._snapshots = snapshots_of(engine)
        self.syncer = Syncer(engine.log)
        self.log = AppendLog(engine, self.syncer)
        self.log.on_outcome = self.judge
        self.manifest = Manifest()
        self.state = OFF
        self.child: children.Child | Slicing | None = None
        self.prepare_child: Callable[[], None] = lambda: None
        self.may_stop: Callable[[], bool] = lambda: True
        self.on_stop: list[Callable[[], None]] = []
        self.scheduled = False
        # Whether an empty base is an error, rather than what a crash of the system has left.
        self.strict = False
        self.limit = RewriteLimit()
        self.rewrites = 0
        self.last_rewrite_failed = False
        self.last_rewrite_seconds = -1
        self.last_private_bytes = 0
        # Bytes of all files when they were rewritten last.
        self.base_size = 0
        # Who waits for what they wrote to be on the disk, once somebody does.
        self.waiters: Any = None
        self._rewrite_began = 0.0
        self._retried_s = 0
        self._refusing = False
        engine.on_cron.append(self.tick)
        self._snapshots.rivals.append(lambda: self.child is not None)
        self._follow()

    def _follow(self) -> None:
        config, log = self._engine.config, self.log
        followers: dict[str, Callable] = {
            "appendfsync": lambda word: setattr(log, "policy", _POLICIES[word]),
            "aof-timestamp-enabled": lambda wanted: setattr(log, "stamping", wanted),
            "aof-write-interval": lambda ms: setattr(log, "interval_ms", ms),
            "no-appendfsync-on-rewrite": lambda wanted: setattr(log, "unsynced_on_rewrite", wanted),
        }
        for name, follow in followers.items():
            follow(config[name])
            config.on_change(name, follow)
        config.on_change("appendonly", self._switch)
        config.on_change("aof-disable-auto-gc", lambda kept: self.delete_history())

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
        if self.state == OFF and self._snapshots.ownership is not None:
            self._snapshots.ownership.release_log()

    @property
    def busy(self) -> bool:
        """Whether some child writes to the disk."""
        return self.child is not None or self._snapshots.running

    @property
    def rewriting_seconds(self) -> int:
        """How long a rewrite has been going on; -1 if there is none."""
        return int(time.monotonic() - self._rewrite_began) if self.child is not None else -1

    @property
    def failure(self) -> int:
        """The errno for which writes are refused, 0 if they are not."""
        if self.state == OFF:
            return 0
        return self.log.failure if self.log.failed else self.syncer.failure

    # -- On and off ------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to log, behind what was loaded; writes an empty base if there are no files.

        Raises:
            LoadError: it cannot be done; the text is for the log.
        """
        log = self._engine.log
        try:
            self.make_directory()
            if not self.manifest.parts:
                name = self.manifest.new_base(self.stem, self._suffix())
                if not base_files.write(self._engine, self.path(name), self._functions()):
                    raise LoadError
                self._snapshots.note_version()
                log("notice", f"Creating AOF base file {name} on server start")
            fresh = not self.manifest.increments
            verb = "Creating" if fresh else "Opening"
            name = self.manifest.last_increment(self.stem)
            # A file of a new one's name is no part of this log, but left by another.
            fd = self._open_increment(name, os.O_APPEND | (os.O_TRUNC if fresh else 0))
            self.manifest.store(self.directory, self.stem)
        except StoreError as error:
            raise LoadError(str(error)) from None
        except OSError:
            raise LoadError from None
        self.log.open(fd, self.size_of(name))
        log("notice", f"{verb} AOF incr file {name} on server start")
        self.state = ON
        self.log.accepting = True
        self._engine.effects.listen(self.log)

    def _open_increment(self, name: str, how: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how
        try:
            return os.open(self.path(name), flags, 0o644)
        except OSError as error:
            self._engine.log("warning", f"Can't open the append-only file {name}: {error.strerror}")
            raise

    def _switch(self, wanted: bool) -> None:
        if wanted and self.state == OFF:
            self.start()
        elif not wanted and self.state != OFF:
            if not self.may_stop():
                raise ConfigError("Unable to turn off AOF. Check server logs.")
            self.stop()

    def start(self) -> None:
        """Turn the log on while the engine runs. Raises ConfigError if that cannot be done."""
        engine, log = self._engine, self._engine.log
        self.state = WAITING
        engine.effects.listen(self.log)
        if self._snapshots.running:
            self.scheduled = True
            log(
                "warning",
                "AOF was enabled but there is already another background operation. An AOF "
                "background was scheduled to start when possible.",
            )
        elif engine.depth:
            self.scheduled = True
            log(
                "warning",
                "AOF was enabled during a transaction. An AOF background was scheduled to start "
                "when possible.",
            )
        else:
            self._start_rewrite()
        self.log.last_sync_s = engine.clock.ms // 1000
        if self.syncer.failure:
            log("warning", "AOF reopen, just ignore the AOF fsync error in bio job")
            self.syncer.failure = 0
        if self.log.failed:
            log("warning", "AOF reopen, just ignore the last error.")
            self.log.failed = False
        self.judge()

    def _start_rewrite(self) -> None:
        log = self._engine.log
        if self.child is not None:
            # It does not know of what is written from now on.
            log(
                "warning",
                "AOF was enabled but there is already an AOF rewriting in background. Stopping "
                "background AOF and starting a rewrite now.",
            )
            self._kill_child()
        if self.rewrite():
            return
        log(
            "warning",
            "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. "
            "Check the above logs for more info about the error.",
        )
        self._turn_off()
        self.disown()
        raise ConfigError("Unable to turn on AOF. Check server logs.")

    def stop(self) -> None:
        """Turn the log off while the engine runs; what was written until now is on the disk."""
        self._engine.effects.flush()
        if self.child is not None:
            self._kill_child()
        self._turn_off()
        for hook in self.on_stop:
            hook()
        self.disown()

    def close(self) -> None:
        """Bring everything to the disk and let go of the files: the engine ends."""
        if self.state != OFF:
            self._engine.effects.flush()
            self._turn_off()
        self.syncer.end()
        self.disown()

    def _turn_off(self) -> None:
        waiting = self.state == WAITING
        self.log.close()
        if waiting:
            self.syncer.delete(self.path(manifest.temporary_increment(self.stem)))
        self.state = OFF
        self.scheduled = False
        self._engine.effects.unlisten(self.log)
        self.judge()

    # -- Rewriting -------------------------------------------------------------------------------

    def _suffix(self) -> str:
        return ".rdb" if self._engine.config["aof-use-rdb-preamble"] else ".aof"

    def _functions(self) -> list[bytes]:
        return self._snapshots.functions

    def rewrite(self) -> bool:
        """Begin a rewrite; returns whether it was begun, the log says why not."""
        if self.busy:
            return False
        engine = self._engine
        engine.effects.flush()
        try:
            self.make_directory()
            engine.effects.forget_selection()
            self.log.flush(True)
            if self.log.buffer.length or self.log.broken:
                # It would be in the new base, and again in the increment after it.
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._begin_increment()
        except (OSError, StoreError) as error:
            if isinstance(error, StoreError):
                engine.log("warning", str(error))
            self.last_rewrite_failed = True
            return False
        self.rewrites += 1
        self._rewrite_began = time.monotonic()
        self._snapshots.keys_total = len(engine.keyspace)
        self.log.accepting = self.state != OFF
        method = self._snapshots.method
        if method == AT_ONCE:
            self.scheduled = False
            return self._rewrite_here()
        if self._engine.config["aof-use-rdb-preamble"]:
            self._snapshots.note_version()
        try:
            self.child = self._fork() if method == FORK else self._slice()
        except OSError:
            self.last_rewrite_failed = True
            return False
        self.scheduled = False
        self.log.rewriting = True
        return True

    def _fork(self) -> children.Child:
        engine = self._engine
        try:
            child = children.start(self._be_child, self.prepare_child)
        except OSError as error:
            engine.log(
                "warning",
                f"Can't rewrite append only file in background: fork: {error.strerror}",
            )
            raise
        children.note_fork(engine, child)
        engine.log("notice", f"Background append only file rewriting started by pid {child.pid}")
        return child

    def _slice(self) -> Slicing:
        slicing = begin_base(self._engine, self._functions())
        self._engine.log("notice", "Background append only file rewriting started")
        assert self._snapshots.carry is not None
        self._snapshots.carry(slicing)
        return slicing

    def _begin_increment(self) -> None:
        """Go on in another increment. Raises OSError or StoreError: then nothing has changed."""
        if self.state == OFF:
            return
        changed = self.manifest.copy()
        if self.state == WAITING:
            name = manifest.temporary_increment(self.stem)
        else:
            name = changed.new_increment(self.stem)
        fd = self._open_increment(name, os.O_TRUNC | os.O_APPEND)
        if self.state == ON:
            try:
                changed.store(self.directory, self.stem)
            except StoreError:
                os.close(fd)
                raise
            self.manifest = changed
        self._engine.log("notice", f"Creating AOF incr file {name} on background rewrite")
        self.log.replace(fd)

    def _be_child(self, report: children.Report) -> bool:
        name = base_files.background_name(os.getpid())
        path = files.locate(self._engine, name)
        if not base_files.write(self._engine, path, self._functions(), report):
            return False
        self._engine.log("notice", f"Successfully created the temporary AOF base file {name}")
        children.report_private(self._engine.log, "AOF rewrite")
        return True

    def _rewrite_here(self) -> bool:
        """Where there can be no child, everything waits for the rewrite."""
        writer = files.writer_id()
        name = base_files.background_name(writer)
        path = files.locate(self._engine, name)
        done = base_files.write(self._engine, path, self._functions()) and self._adopt(name)
        self._finish(writer, done)
        return done

    def _kill_child(self) -> None:
        child = self.child
        assert child is not None
        self._engine.log("notice", f"Killing running AOF rewrite child: {child.pid}")
        child.kill()
        child.wait()
        self.child = None
        base_files.remove_temporary(self._engine, child.pid)
        children.note_end(self._engine)

    def _child_ended(self, child: children.Child | Slicing) -> None:
        log, status = self._engine.log, child.exit_status
        self.child = None
        self.last_private_bytes = child.private_bytes
        children.note_end(self._engine)
        done = False
        if status == 0:
            log("notice", "Background AOF rewrite terminated with success")
            done = self._adopt(base_files.background_name(child.pid))
        elif status is not None and status < 0:
            log("warning", f"Background AOF rewrite terminated by signal {-status}")
            if status == -children.STOPPED:
                self._finish(child.pid, None)
                return
        else:
            log("warning", "Background AOF rewrite terminated with error")
        self._finish(child.pid, done)

    def _finish(self, pid: int | str, done: bool | None) -> None:
        """A rewrite has ended: well, badly, or (None) because it was told to."""
        if done is not None:
            self.last_rewrite_failed = not done
            self.limit.failures = 0 if done else self.limit.failures + 1
        if done:
            self._engine.log("notice", "Background AOF rewrite finished successfully")
            if self.state == WAITING:
                self.state = ON
        base_files.remove_temporary(self._engine, pid)
        if self.state == WAITING:
            name = manifest.temporary_increment(self.stem)
            self.log.accepting = False
            self.log.discard()
            self._engine.log("notice", f"Removing the temp incr aof file {name} in the background")
            self.syncer.delete(self.path(name))
            self.scheduled = True
        self.last_rewrite_seconds = int(time.monotonic() - self._rewrite_began)
        self.disown()

    def _adopt(self, temporary: str) -> bool:
        """Put a new base in the place of what was before it; returns whether that was done."""
        changed = self.manifest.copy()
        base = changed.new_base(self.stem, self._suffix())
        fresh = [base]
        if not self._rename(temporary, "", base, "base"):
            return False
        if self.state == WAITING:
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
        if self.state != OFF:
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

    # -- Time ------------------------------------------------------------------------------------

    @property
    def restless(self) -> bool:
        """Whether :meth:`tick` has something to do even if nothing is written any more."""
        if self.scheduled or self.child is not None:
            return True
        if self.state == OFF:
            return False
        return self.failure != 0 or self.syncer.pending > 0 or self.log.restless

    def tick(self) -> None:
        """Look after the child, what is scheduled, the size of the file, and what failed."""
        now_s = self._engine.clock.ms // 1000
        if self.scheduled and not self.busy and not self._limited():
            self.rewrite()
        elif self.child is not None:
            if self.child.check():
                self._child_ended(self.child)
        elif self.state == ON and not self.busy:
            self._heed_growth()
        self.log.rewriting = self.busy
        if self.state == OFF:
            return
        if self.log.waiting:
            self.log.flush()
        if self.log.failed and now_s != self._retried_s:
            self._retried_s = now_s
            self.log.flush()
        self.judge()

    def _limited(self) -> bool:
        return self.limit.holds(self._engine.clock.ms // 1000, self._engine.log)

    def _heed_growth(self) -> None:
        config, size = self._engine.config, self.log.total_size
        percentage = config["auto-aof-rewrite-percentage"]
        if not percentage or size <= config["auto-aof-rewrite-min-size"]:
            return
        growth = size * 100 // (self.base_size or 1) - 100
        if growth >= percentage and not self._limited():
            self._engine.log("notice", f"Starting automatic rewriting of AOF on {growth}% growth")
            self.rewrite()

    # -- Refusing writes -------------------------------------------------------------------------

    def judge(self) -> None:
        """Refuse writes, or not, as the last attempts to bring them to the disk went."""
        refusing = self.failure != 0
        if refusing != self._refusing:
            admission = self._engine.admission
            if refusing:
                admission.add_check(self._check, stage=DISK)
            else:
                admission.remove_check(self._check)
            self._refusing = refusing

    def _check(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        failure, flags = self.failure, judged_flags(session, command, args)
        if failure and (flags & _WRITE or command.name == b"ping"):
            return Error(f"MISCONF Errors writing to the AOF file: {os.strerror(failure)}")
        return None

    # -- The end ---------------------------------------------------------------------------------

    def shut_down(self, options: set[bytes]) -> bool:
        """Bring everything to the disk; False if there is no base yet, and it should not end."""
        log = self._engine.log
        if self.child is not None:
            if self.state == WAITING:
                if b"force" not in options:
                    log("warning", "Writing initial AOF, can't exit.")
                    return False
                log("warning", "Writing initial AOF. Exit anyway.")
            log("warning", "There is a child rewriting the AOF. Killing it!")
            self._kill_child()
        if self.state != OFF and self.log.fd >= 0:
            log("notice", "Calling fsync() on the AOF file.")
            self._engine.effects.flush()
            self.log.flush(True)
            self.log.finish_sync()
        return True


def append_only_of(engine: Engine) -> AppendOnly:
    """The append-only file of an engine; made when it is first asked for."""
    if engine.append_only is None:
        engine.append_only = AppendOnly(engine)
    return engine.append_only

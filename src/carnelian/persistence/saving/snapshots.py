"""The snapshots of an engine: when they are taken, how they went, and loading the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cython.cimports.carnelian.engine.parts.admission import judged_flags

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.ground.stages import DISK
from carnelian.persistence.background.jobs import Job, Method, Outcome, Slot, Task
from carnelian.persistence.background.slicing import Making
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.bytes.targets import SnapshotTarget, Target
from carnelian.persistence.rdb import files, libraries, loading
from carnelian.persistence.rdb.file_writer import needed_version
from carnelian.persistence.rdb.files import Progress
from carnelian.persistence.saving.lock import LockedError
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client
    from carnelian.persistence.saving.ownership import Ownership

_WRITE = FLAG_BITS["write"]
_ENDS_TRANSACTION = frozenset((b"exec", b"discard", b"quit", b"reset"))

# Seconds after which a snapshot that failed is tried again.
_RETRY = 5

_MISCONF = (
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is configured "
    "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option)."
    " Please check the Redis logs for details about the RDB error."
)


class LoadError(Exception):
    """A snapshot or a log is there but cannot be loaded; the log says why.

    ``file`` is the part of the log whose content is at fault, if it is one.
    """

    def __init__(self, *words: str, file: str | None = None):
        super().__init__(*words)
        self.file = file


class UnknownInLogError(LoadError):
    """A log holds a command that there is not; the modules that add it may not be loaded."""


class Snapshots(Task):
    """Takes snapshots of an engine's data set, and loads them.

    ``automatic`` is for an owner to set who wants the data set to be in its file: save points are
    then heeded, and so is what else writes it unasked.

    Where nothing can be done in the background, what should be is written at once, while everything
    waits.

    ``ownership`` is for an owner to set who wants nobody else to write the same files.

    ``serve()`` is called now and then while a command loads, to look after other clients.
    """

    BEGUN = "Background saving started"
    CANNOT_FORK = "Can't save in background"
    ENDED = "Background saving"
    FAILED = "Background saving error"
    PURPOSE = "RDB"

    def __init__(self, engine: Engine):
        super().__init__(Slot(engine))
        self._engine = engine
        self.automatic = False
        self.ownership: Ownership | None = None
        self.serve: Callable[[], None] | None = None
        # What is loaded while sessions are refused, and what while they are served.
        self.loading: loading.Loading | None = None
        self.calm_loading: loading.Loading | None = None
        self.last_save_s = engine.started_ms // 1000
        self.last_try_s = 0
        self.saves = 0
        self.keys_loaded = 0
        self.keys_expired = 0
        # What the file that was loaded last says of its history (repl-id, repl-offset, ...).
        self.history: dict[str, bytes] = {}
        # For tests: payloads and files are taken whatever their check sum is.
        self.skips_sums = False
        # Connections to where keys have migrated, once there are any.
        self.targets: Any = None
        # Makes an encrypted connection of one to another server, where that is to be.
        self.secure: Any = None
        # Libraries of functions that a file brought along.
        self.functions: list[bytes] = []
        # Each is called when a command has loaded another data set.
        self.after_reload: list[Callable[[], object]] = []
        # Each is told how a snapshot in the background has ended.
        self.on_ended: list[Callable[[Outcome], None]] = []
        self._dirty_before = 0
        self._refusing = False
        self._noted_version = False
        # What a file says later may build on any key of it.
        engine.memory_limit.holds.append(lambda: self.loading is not None)
        engine.config.on_change("stop-writes-on-bgsave-error", lambda wanted: self._judge(wanted))
        engine.config.on_change("save", lambda points: self._judge(points=points))

    # -- Saving ----------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._engine.clock.wall_ms() // 1000

    def save(self) -> bool:
        """Write a snapshot now, while everything waits; returns whether it was written."""
        self.saves += 1
        return self._save()

    def _save(self) -> bool:
        engine = self._engine
        if not self._own():
            return False
        if not files.write(
            engine, engine.config["dbfilename"], files.facts(self._engine), self.functions
        ):
            return False
        self.last_save_s = self._now()
        self._note_outcome(False)
        self.note_version()
        # Last: FLUSHALL saves, and if it is interrupted here the log still has to hear of it.
        engine.keyspace.dirty = 0
        return True

    def _own(self) -> bool:
        """Whether nobody else writes the snapshot; the log says who does."""
        if self.ownership is None:
            return True
        try:
            self.ownership.take_snapshot()
        except LockedError as error:
            self._engine.log("warning", f"Can't save: {error}")
            return False
        return True

    def begin(self) -> bool:
        """Begin to write a snapshot in the background; returns whether it was begun."""
        if self.background.busy:
            return False
        self.last_try_s = self._now()
        if not self._own():
            self._note_outcome(True)
            return False
        if self.background.method is Method.AT_ONCE:
            done = self.save()
            self._note_outcome(not done)
            return done
        self.saves += 1
        self._dirty_before = self._engine.keyspace.dirty
        if not self.background.begin(self):
            self._note_outcome(True)
            return False
        self.note_version()
        return True

    def target(self, pid: int | str) -> SnapshotTarget:
        return files.snapshot(self._engine, self._engine.config["dbfilename"], pid)

    def write(self, fd: int, progress: Progress) -> None:
        engine = self._engine
        sync = engine.config["rdb-save-incremental-fsync"]
        files.write_content(engine, fd, files.facts(engine), self.functions, progress, sync)

    def freeze(self, target: Target, fd: int) -> Making:
        engine = self._engine
        sync = engine.config["rdb-save-incremental-fsync"]
        return files.freeze_content(engine, target, fd, files.facts(engine), self.functions, sync)

    def ended(self, job: Job, outcome: Outcome) -> None:
        if outcome is Outcome.DONE:
            self._engine.keyspace.dirty -= self._dirty_before
            self.last_save_s = self._now()
        if outcome is not Outcome.STOPPED:
            self._note_outcome(outcome is Outcome.FAILED)
        for hook in self.on_ended:
            hook(outcome)

    def note_version(self) -> None:
        """Say once if what is written is not of the version that ``rdb-version`` asks for."""
        wanted = self._engine.config["rdb-version"]
        if self._noted_version or needed_version(self._engine.keyspace, wanted) == wanted:
            return
        self._noted_version = True
        self._engine.log(
            "warning",
            "There are hashes with fields that expire: snapshots and bases of append-only files "
            "that hold them can be read by Redis 7.4 and later only.",
        )

    def flushed(self) -> None:
        """Everything was deleted: an older snapshot is of no use, nor is a copy for replicas, and
        the empty one is written if there are save points.
        """
        writing = self.background.snapshot
        if writing is not None:
            self.background.kill(writing)
        if self.automatic and self._engine.config["save"]:
            self._save()

    # -- Time ------------------------------------------------------------------------------------

    def held(self) -> bool:
        return self.last_failed and self._now() - self.last_try_s <= _RETRY

    def heed(self) -> None:
        """Begin a snapshot if a save point asks for it."""
        if not self.automatic or self.is_loading:
            return
        dirty, waited = self._engine.keyspace.dirty, self._now() - self.last_save_s
        for seconds, changes in self._engine.config["save"]:
            if dirty >= changes and waited > seconds and not self.held():
                self._engine.log("notice", f"{changes} changes in {seconds} seconds. Saving...")
                self.begin()
                return

    def seconds_left(self) -> int | None:
        """Until there will be a snapshot if nothing more changes; None if there will not."""
        dirty, waited = self._engine.keyspace.dirty, self._now() - self.last_save_s
        left = [
            seconds + 1 - waited
            for seconds, changes in self._engine.config["save"]
            if dirty >= changes
        ]
        if not left or not self.automatic:
            return None
        retry = _RETRY + 1 - (self._now() - self.last_try_s) if self.last_failed else 0
        return max(min(left), retry, 0)

    # -- Refusing writes -------------------------------------------------------------------------

    def _note_outcome(self, failed: bool) -> None:
        self.last_failed = failed
        self._judge()

    def _judge(self, wanted: bool | None = None, points: tuple | None = None) -> None:
        """Refuse writes or not, as the last snapshot and the directives say."""
        config = self._engine.config
        if wanted is None:
            wanted = config["stop-writes-on-bgsave-error"]
        if points is None:
            points = config["save"]
        refusing = bool(self.last_failed and wanted and points)
        if refusing != self._refusing:
            self._refusing = refusing
            self._engine.admission.switch_check(self._check, refusing, stage=DISK)

    @property
    def refusing(self) -> bool:
        """Whether writes are refused because the last snapshot could not be written."""
        return self._refusing

    def _check(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        if judged_flags(session, command, args) & _WRITE or command.name == b"ping":
            return Error(_MISCONF)
        return None

    # -- Loading ---------------------------------------------------------------------------------

    def load(
        self,
        replacing: bool = False,
        progress: Callable[[], None] | None = None,
        on_expired: Callable[[int, bytes], None] | None = None,
    ) -> bool:
        """Load the snapshot of ``dbfilename``; returns False if there is none.

        ``on_expired`` is given database and name of the keys whose time is over; a replica has
        them all the same, until its primary deletes them.

        Raises:
            LoadError: it cannot be loaded. The message is for the log; FormatErrors have been
                explained there.
        """
        name = self._engine.config["dbfilename"]
        try:
            file = loading.load(
                self._engine,
                name,
                replacing=replacing,
                check_sum=not self.skips_sums,
                begin=self.set_loading,
                progress=progress,
                on_expired=on_expired,
                keep_overdue=self.follows(),
            )
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LoadError(f"Fatal error loading the DB: {error.strerror}. Exiting.") from None
        except (FormatError, MemoryError) as fault:
            raise LoadError("Terminating server after rdb file reading failure.") from fault
        self.keys_loaded, self.keys_expired = file.keys_loaded, file.keys_expired
        self._take_functions(file.functions, replacing)
        return True

    def _take_functions(self, codes: list[bytes], replacing: bool) -> None:
        """Take in the libraries of a file; the list is a new one, by which others see that."""
        kept = list(self.functions)
        if not kept:
            self.functions = codes
            return
        try:
            libraries.join(kept, codes, replacing)
        except Error as error:
            self._engine.log("warning", f"Error loading functions from the RDB: {error}")
            raise LoadError("Terminating server after rdb file reading failure.") from None
        self.functions = kept

    def follows(self) -> bool:
        """Whether this node is a replica, or is going to be one as soon as it has begun."""
        cluster = self._engine.cluster
        if cluster is not None:
            return cluster.is_replica
        replication = self._engine.replication
        if replication is not None and replication.following is not None:
            return True
        return self._engine.config["replicaof"] is not None

    @property
    def is_loading(self) -> bool:
        """Whether anything is being loaded, calmly or not."""
        return self.loading is not None or self.calm_loading is not None

    def set_loading(self, current: loading.Loading | None, calm: bool = False) -> None:
        """Show a load that goes on, or that there is none any more."""
        if calm:
            self.calm_loading = current
            return
        if self.loading is not None:
            self.history = self.loading.history
        self.loading = current

    def empty(self, lazy: bool = False) -> None:
        """Delete all that is there before something is loaded: data, and functions."""
        engine = self._engine
        for db in engine.keyspace.databases:
            engine.changes.replaced(db)
        engine.keyspace.flush(lazy=lazy)
        engine.changes.flushed()
        self.functions = []

    # -- The end ---------------------------------------------------------------------------------

    def shut_down(self, options: set[bytes]) -> bool:
        """Save for the last time if the options of SHUTDOWN or the save points ask for it.

        False if that failed: the server should go on, rather than lose what it has.
        """
        log = self._engine.log
        writing = self.background.snapshot
        if writing is not None:
            log("warning", "There is a child saving an .rdb. Killing it!")
            # Or else its file might take the place of the last one.
            self.background.stop(writing)
        if self.loading is not None or b"nosave" in options:
            return True
        if b"save" not in options and not self._engine.config["save"]:
            return True
        log("notice", "Saving the final RDB snapshot before exiting.")
        if self._save():
            return True
        if b"force" in options:
            log("warning", "Error trying to save the DB. Exit anyway.")
            return True
        return False

    def abandon(self) -> None:
        """Delete what an unfinished snapshot of this process has left; safe in a signal handler."""
        self.target(files.writer_id()).remove()


def snapshots_of(engine: Engine) -> Snapshots:
    """The snapshots of an engine; made when they are first asked for."""
    snapshots = engine.persistence
    if not isinstance(snapshots, Snapshots):
        snapshots = engine.persistence = Snapshots(engine)
    return snapshots

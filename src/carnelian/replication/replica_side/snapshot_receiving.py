"""A snapshot on its way from the primary: by a file of ours, or straight into the key space."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from cython.cimports.carnelian.persistence.bytes.writeback import write_behind

from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.step_loading import StepLoading
from carnelian.persistence.saving.snapshots import snapshots_of

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

# Bytes after which the kernel is told to write out, so that the end has little to wait for.
_WRITEBACK = 8 * 1024 * 1024
# Bytes of a file that are loaded at a time; others are served in between.
_PIECE = 64 * 1024


class TransferError(Exception):
    """The snapshot cannot be taken; the text is for the log."""


class Receiving:
    """What is done with the bytes of a snapshot; the two kinds are below.

    ``size`` is that of the snapshot, 0 while nobody knows; ``received`` how much of it has come.
    ``repl_db`` is the database that the stream goes on in.

    Args:
        emptied: is called when the old data have been let go of, or are about to be.
    """

    def __init__(self, engine: Engine, size: int | None, emptied: Callable[[], None]):
        self.engine = engine
        self.size = size or 0
        self.received = 0
        self.emptied = emptied
        self.loading: StepLoading | None = None

    @property
    def repl_db(self) -> int:
        """What the snapshot says of it; 0 if it says nothing."""
        said = (
            b"" if self.loading is None else self.loading.state.history.get("repl-stream-db", b"")
        )
        return int(said) if said.isdigit() else 0

    @property
    def aside(self) -> bool:
        """Whether the old data are served until the new ones are whole."""
        return False

    def take(self, data: bytes) -> None:
        """The next bytes. Raises TransferError."""
        raise NotImplementedError

    def complete(self) -> None:
        """All bytes have come. Raises TransferError."""
        raise NotImplementedError

    def step(self) -> bool:
        """Go on loading for a moment; returns whether everything is loaded. Raises TransferError.

        To be called after :meth:`complete` until it is.
        """
        return True

    def finish(self) -> None:
        """Everything is loaded: let it take effect."""
        loading = self.loading
        assert loading is not None
        snapshots = snapshots_of(self.engine)
        loading.swap()
        loading.end()
        reader = loading.reader
        snapshots.functions = reader.functions
        snapshots.keys_loaded, snapshots.keys_expired = reader.keys_loaded, reader.keys_expired
        self.engine.keyspace.dirty += 1 + reader.keys_loaded

    def abandon(self, lost: bool = False) -> bool:
        """Nothing will come of it; returns whether the old data are still there.

        Args:
            lost: the connection has ended before its time.
        """
        if self.loading is None:
            return True
        self.loading.end()
        untouched = self.aside
        if not untouched:
            snapshots_of(self.engine).empty(lazy=True)
        self.loading = None
        return untouched

    def begin_loading(self, aside: bool, calmly: bool = False) -> None:
        """Empty the data set, unless it stays until the end, and begin to load."""
        engine = self.engine
        snapshots = snapshots_of(engine)
        if snapshots.running:
            engine.log(
                "notice",
                "Replica is about to load the RDB file received from the master, but there is a "
                "pending RDB child running. Killing process and removing its temp file to avoid "
                "any race",
            )
            snapshots.background.stop(snapshots)
        if not aside:
            self.emptied()
            engine.log("notice", "MASTER <-> REPLICA sync: Flushing old data")
            snapshots.empty(lazy=engine.config["replica-lazy-flush"])
        self.loading = StepLoading(
            engine,
            self.size,
            aside=aside,
            calmly=calmly,
            show=snapshots.set_loading,
        )
        engine.log("notice", "MASTER <-> REPLICA sync: Loading DB in memory")

    def feed(self, data: bytes, last: bool = False) -> bool:
        """Load what has come; returns whether that was all. Raises TransferError."""
        assert self.loading is not None
        try:
            self.loading.feed(data, last)
        except (FormatError, MemoryError):
            raise TransferError(
                "Failed trying to load the MASTER synchronization DB, check server logs."
            ) from None
        return self.loading.done


class Streamed(Receiving):
    """Loads the bytes as they come (``repl-diskless-load``)."""

    def __init__(
        self,
        engine: Engine,
        size: int | None,
        emptied: Callable[[], None],
        aside: bool,
        calmly: bool,
    ):
        super().__init__(engine, size, emptied)
        self._aside = aside
        self.begin_loading(aside, calmly)

    @property
    def aside(self) -> bool:
        return self._aside

    def take(self, data: bytes) -> None:
        self.received += len(data)
        self.feed(data)

    def complete(self) -> None:
        if not self.feed(b"", True):
            raise TransferError("Replication stream EOF marker is broken")

    def abandon(self, lost: bool = False) -> bool:
        if lost and self.loading is not None:
            self.loading.explain_end()
        return super().abandon(lost)

    def finish(self) -> None:
        if self._aside:
            self.engine.log("notice", "MASTER <-> REPLICA sync: Swapping active DB with loaded DB")
            self.emptied()
        super().finish()


class Filed(Receiving):
    """Writes the bytes to a file, and loads that when it is whole.

    The file takes the place of the snapshot of this node.
    """

    def __init__(self, engine: Engine, size: int | None, emptied: Callable[[], None]):
        super().__init__(engine, size, emptied)
        self._written = 0
        self._path, self._fd = self._open()

    def _open(self) -> tuple[str, int]:
        now = self.engine.clock.wall_ms() // 1000
        path = files.locate(self.engine, f"temp-{now}.{files.writer_id()}.rdb")
        try:
            return path, os.open(path, os.O_CREAT | os.O_RDWR | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise TransferError(
                f"Opening the temp file needed for MASTER <-> REPLICA synchronization: "
                f"{error.strerror}"
            ) from None

    def take(self, data: bytes) -> None:
        self.received += len(data)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise TransferError(
                "Write error or short write writing to the DB dump file needed for MASTER <-> "
                f"REPLICA synchronization: {error.strerror}"
            ) from None
        if self.received - self._written >= _WRITEBACK:
            write_behind(self._fd, self._written, self.received - self._written)
            self._written = self.received

    def complete(self) -> None:
        engine = self.engine
        self.size = self.received
        try:
            os.fsync(self._fd)
            os.rename(self._path, files.locate(engine, engine.config["dbfilename"]))
            os.lseek(self._fd, 0, os.SEEK_SET)
        except OSError as error:
            raise TransferError(
                "Failed trying to rename the temp DB into dump.rdb in MASTER <-> REPLICA "
                f"synchronization: {error.strerror}"
            ) from None
        self._path = ""
        self.begin_loading(False)

    def step(self) -> bool:
        try:
            wanted: int = self.engine.config["loading-process-events-interval-bytes"]
            data = os.read(self._fd, min(_PIECE, wanted))
        except OSError as error:
            raise TransferError(f"Reading the snapshot of the primary: {error.strerror}") from None
        return self.feed(data, not data)

    def finish(self) -> None:
        super().finish()
        self._close()
        config = self.engine.config
        # It is a snapshot of what is there.
        self.engine.keyspace.dirty = 0
        if config["rdb-del-sync-files"] and not config["save"] and not config["appendonly"]:
            self.engine.log(
                "notice",
                "Removing the RDB file obtained from the master. This replica has persistence "
                "disabled",
            )
            files.remove(files.locate(self.engine, config["dbfilename"]))

    def abandon(self, lost: bool = False) -> bool:
        untouched = super().abandon(lost)
        self._close()
        return untouched

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._path:
            files.remove(self._path)
            self._path = ""


def receiving(
    engine: Engine, size: int | None, same_history: bool, emptied: Callable[[], None]
) -> Receiving:
    """What takes a snapshot that is about to come, as ``repl-diskless-load`` says.

    Args:
        size: its bytes, None if the primary does not know.
        same_history: whether the data here are of the history that the snapshot is of.
        emptied: as for :class:`Receiving`.

    Raises TransferError.
    """
    how = engine.config["repl-diskless-load"]
    streamed = how in ("swapdb", "flushdb") or (how == "on-empty-db" and not len(engine.keyspace))
    goal = "to parser" if streamed else "to disk"
    what = "streamed RDB from master with EOF" if size is None else f"{size} bytes from master"
    engine.log("notice", f"MASTER <-> REPLICA sync: receiving {what} {goal}")
    if not streamed:
        return Filed(engine, size, emptied)
    aside = how == "swapdb"
    return Streamed(engine, size, emptied, aside, aside and same_history)

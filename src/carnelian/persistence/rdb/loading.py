"""Loading a snapshot into the key space, while sessions are told to come again later."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.ground.stages import LOADING
from carnelian.keyspace import sparing
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import file_reader, files
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client

_LOADING = FLAG_BITS["loading"]
_ENDS_TRANSACTION = frozenset((b"exec", b"discard", b"quit", b"reset"))

_MB = 1024 * 1024


class Loading:
    """A load that goes on; its attributes are what INFO shows of it."""

    def __init__(self, engine: Engine, total_bytes: int):
        self._engine = engine
        self.started_s = engine.clock.wall_ms() // 1000
        self.began = time.monotonic()
        self.total_bytes = total_bytes
        self.loaded_bytes = 0
        # What the file says of the history that it belongs to.
        self.history: dict[str, bytes] = {}
        self.rdb_used_memory = 0

    @property
    def percent(self) -> float:
        """How much of the file has been read."""
        return 100 * self.loaded_bytes / self.total_bytes if self.total_bytes else 0.0

    @property
    def eta_seconds(self) -> int:
        """How long it will go on at the pace until now; 1 while nobody knows."""
        if not self.loaded_bytes:
            return 1
        elapsed = time.monotonic() - self.began
        return int(elapsed * (self.total_bytes - self.loaded_bytes) / self.loaded_bytes)

    def check(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        """The error for a command that may not run before everything is loaded."""
        flags, transaction = command.flags, session.transaction
        if transaction is not None:
            if command.name == b"exec":
                flags &= transaction.flags | ~_LOADING
            elif command.name not in _ENDS_TRANSACTION and not flags & _LOADING:
                return Error("LOADING Redis is loading the dataset in memory")
        if flags & _LOADING:
            return None
        return Error("LOADING Redis is loading the dataset in memory")

    def note_aux(self, name: bytes, value: bytes) -> None:
        """Take in a fact that the file states about itself."""
        log = self._engine.log
        text = value.decode("utf-8", "backslashreplace")
        word = name.decode("utf-8", "backslashreplace").lower()
        if word.startswith("%"):
            log("notice", f"RDB '{word}': {text}")
        elif word == "redis-ver":
            log("notice", f"Loading RDB produced by version {text}")
        elif word == "ctime":
            age = max(self._engine.clock.wall_ms() // 1000 - _number(value), 0)
            log("notice", f"RDB age {age} seconds")
        elif word == "used-mem":
            self.rdb_used_memory = _number(value)
            log("notice", f"RDB memory usage when created {self.rdb_used_memory / _MB:.2f} Mb")
        elif word == "aof-preamble" and _number(value):
            log("notice", "RDB has an AOF tail")
        elif word == "aof-base":
            if _number(value):
                log("notice", "RDB is base AOF")
        elif word.startswith("repl-"):
            self.history[word] = value
        elif word not in _KNOWN:
            log("debug", f"Unrecognized RDB AUX field: '{word}'")


_KNOWN = {"aof-preamble", "lua", "redis-bits"}


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def load(
    engine: Engine,
    name: str,
    *,
    replacing: bool = False,
    check_sum: bool = True,
    begin: Callable[[Loading | None], None],
    progress: Callable[[], None] | None = None,
    on_expired: Callable[[int, bytes], None] | None = None,
    keep_overdue: bool = False,
) -> file_reader.Reader:
    """Load a file of ``dir`` into the key space as it is.

    Args:
        replacing: let keys of the file take the place of those that are there.
        check_sum: compare it if ``rdbchecksum`` says so, too.
        begin: is given the Loading when it begins, and None when it ends.
        progress: called every ``loading-process-events-interval-bytes`` or so.
        on_expired: is given database and name of the keys whose time is over.
        keep_overdue: load them, too.

    Raises:
        OSError: the file cannot be read.
        FormatError: it is damaged; the log says more. What came before the damage is loaded.
    """
    config = engine.config
    fd = os.open(files.locate(engine, name), os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        file = file_reader.read_file(fd, size, engine.keyspace, config["rdbchecksum"] and check_sum)
        file.on_expired = on_expired
        file.keep_overdue = keep_overdue
        return _read(engine, file, size, replacing, begin, progress)
    finally:
        os.close(fd)


class under_way:
    """A load that goes on: sessions are refused, nothing expires by itself."""

    def __init__(self, engine: Engine, total_bytes: int, begin: Callable[[Loading | None], None]):
        self._engine = engine
        self._begin = begin
        self._loading = Loading(engine, total_bytes)

    def __enter__(self) -> Loading:
        engine, loading = self._engine, self._loading
        engine.keyspace.spare_overdue(sparing.LOADING)
        engine.admission.add_check(loading.check, stage=LOADING)
        self._begin(loading)
        engine.clock.tick()
        return loading

    def __exit__(self, *exc_info: object) -> None:
        engine = self._engine
        engine.keyspace.cease_sparing(sparing.LOADING)
        engine.admission.remove_check(self._loading.check)
        self._begin(None)
        engine.note_peak()


def prepare(engine: Engine, file: file_reader.Reader, loading: Loading) -> None:
    """Let a reader read as the configuration says."""
    config, log = engine.config, engine.log
    file.thorough = config["sanitize-dump-payload"] == "yes"
    file.delay_us = config["key-load-delay"]
    file.interval = config["loading-process-events-interval-bytes"]
    file.on_aux = loading.note_aux
    file.warn = lambda message: log("warning", message)


def _read(
    engine: Engine,
    file: file_reader.Reader,
    size: int,
    replacing: bool,
    begin: Callable[[Loading | None], None],
    progress: Callable[[], None] | None,
) -> file_reader.Reader:
    def report() -> None:
        loading.loaded_bytes = file.position
        engine.clock.tick()
        if progress is not None:
            progress()

    with under_way(engine, size, begin) as loading:
        prepare(engine, file, loading)
        file.replacing = replacing
        file.progress = report
        try:
            file.read()
        except (FormatError, MemoryError) as fault:
            files.explain(engine.log, fault, file)
            raise
    report_end(file, engine.log)
    return file


def report_end(file: file_reader.Reader, log: files.Log) -> None:
    """Say what a file has brought."""
    counts = f"keys loaded: {file.keys_loaded}, keys expired: {file.keys_expired}"
    if file.empty_skipped:
        skipped = f"empty keys skipped: {file.empty_skipped}"
        log("warning", f"Done loading RDB, {counts}, {skipped}.")
    else:
        log("notice", f"Done loading RDB, {counts}.")

"""Loading what an append-only file says: the base, then the increments, one after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from carnelian.engine.engine import Engine
from carnelian.persistence.aof import manifest, replay
from carnelian.persistence.aof.append_only import AppendOnly
from carnelian.persistence.aof.manifest import Manifest, ManifestError, Part, StoreError
from carnelian.persistence.aof.replay import Failed, Misformatted, Replay, Truncated, UnknownCommand
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import file_reader, files, libraries, loading
from carnelian.persistence.saving.snapshots import LoadError, UnknownInLogError, snapshots_of

Progress = Callable[[], None]
Log = Callable[[str, str], None]

_FIX = "make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>"


def read_manifest(log: AppendOnly, engine: Engine) -> None:
    """Read the manifest, if there is one.

    Raises:
        LoadError: it makes no sense; the text is the last line for the log.
    """
    log.manifest = Manifest()
    path = log.path(manifest.file_name(log.stem))
    if not os.path.isdir(log.directory):
        engine.log("debug", f"The AOF directory {log.directory_name} doesn't exist")
        return
    if not os.path.exists(path):
        name = manifest.file_name(log.stem)
        engine.log("debug", f"The AOF manifest file {name} doesn't exist")
        return
    try:
        log.manifest = manifest.read(path)
    except ManifestError as error:
        *lines, last = error.report()
        for line in lines:
            engine.log("warning", line)
        raise LoadError(last) from None
    except OSError as error:
        raise LoadError(
            f"Fatal error: can't open the AOF manifest file {path} for reading: {error.strerror}"
        ) from None


def load(log: AppendOnly, engine: Engine, progress: Progress | None = None) -> bool:
    """Load all files; returns False if there are none.

    Args:
        progress: called now and then, to look after clients.

    Raises:
        LoadError: something cannot be loaded; the text is the last line for the log.
    """
    _upgrade(log, engine)
    parts = log.manifest.parts
    if not parts:
        return False
    try:
        sizes = [_size(log, part) for part in parts]
    except OSError as error:
        raise LoadError(str(error)) from None
    _heed_empty_base(log, engine, sizes[0])
    if not sum(sizes):
        return True
    snapshots = snapshots_of(engine)
    snapshots.functions = []
    engine.effects.suspend()
    try:
        with loading.under_way(engine, sum(sizes), snapshots.set_loading) as state:
            before = 0
            for part, size in zip(parts, sizes, strict=True):
                state.loaded_bytes = before
                _load_part(_Reading(log, engine, state, before, progress), part, part is parts[-1])
                before += size
    finally:
        engine.effects.resume()
    log.log.total_size = sum(sizes)
    log.base_size = sizes[0] if log.manifest.base is not None else 0
    return True


def _size(log: AppendOnly, part: Part) -> int:
    try:
        return os.stat(log.path(part.name)).st_size
    except OSError as error:
        raise OSError(
            f"Unable to obtain the AOF file {part.name} length. stat: {error.strerror}"
        ) from None


def _heed_empty_base(log: AppendOnly, engine: Engine, size: int) -> None:
    """A snapshot is never empty: one that is was written by a system that then crashed."""
    base = log.manifest.base
    if base is None or size or not base.name.endswith(".rdb"):
        return
    message = f"The RDB base file {base.name} is empty: something has been lost"
    if log.strict:
        raise LoadError(message)
    engine.log("warning", message)


# -- Files of older versions ---------------------------------------------------------------------


def _upgrade(log: AppendOnly, engine: Engine) -> None:
    """Take the one file of an older version as the base, unless that was done before."""
    old, parts = log.stem, log.manifest.parts
    old_path = files.locate(engine, old)
    if not os.path.exists(old_path):
        return
    begun = [part.name for part in parts] == [old] and parts[0] == log.manifest.base
    if parts and not (begun and not os.path.exists(log.path(old))):
        return
    try:
        log.make_directory()
        log.manifest.adopt_base(old)
        log.manifest.store(log.directory, log.stem)
    except StoreError as error:
        raise LoadError(str(error)) from None
    except OSError:
        raise LoadError from None
    try:
        os.rename(old_path, log.path(old))
    except OSError as error:
        raise LoadError(
            f"Error trying to move the old AOF file {old} into dir {log.directory_name}: "
            f"{error.strerror}"
        ) from None
    engine.log(
        "notice",
        f"Successfully migrated an old-style AOF file ({old}) into the AOF directory "
        f"({log.directory_name}).",
    )


# -- One file ------------------------------------------------------------------------------------


class _Reading:
    """What all files of one load share."""

    def __init__(
        self,
        log: AppendOnly,
        engine: Engine,
        state: loading.Loading,
        before: int,
        progress: Progress | None,
    ):
        self.log = log
        self.engine = engine
        self.state = state
        self.before = before
        self._progress = progress

    def report(self, position: int) -> None:
        """A file was read up to a position."""
        self.state.loaded_bytes = self.before + position
        self.engine.clock.tick()
        if self._progress is not None:
            self._progress()


def _load_part(reading: _Reading, part: Part, last: bool) -> None:
    engine, began = reading.engine, time.monotonic()
    try:
        fd = os.open(reading.log.path(part.name), os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise LoadError(
            f"Fatal error: can't open the append log file {part.name} for reading: {error.strerror}"
        ) from None
    try:
        size = os.fstat(fd).st_size
        _load_file(reading, fd, size, part.name, last)
    except OSError as error:
        raise LoadError(
            f"Unrecoverable error reading the append only file {part.name}: {error.strerror}"
        ) from None
    finally:
        os.close(fd)
    if size:
        kind = "base" if part.kind == manifest.BASE else "incr"
        seconds = time.monotonic() - began
        engine.log("notice", f"DB loaded from {kind} file {part.name}: {seconds:.3f} seconds")


def _load_file(reading: _Reading, fd: int, size: int, name: str, last: bool) -> None:
    """Load one file; of the last one, an end that is no whole command may be cut off."""
    position = 0
    if replay.is_snapshot(fd):
        position = _load_snapshot(reading, fd, size, name)
        os.lseek(fd, position, os.SEEK_SET)
    engine = reading.engine
    run = Replay(engine, fd, position, size)
    run.progress = reading.report
    run.delay_us = engine.config["key-load-delay"]
    run.strict = engine.config["propagation-error-behavior"] == "panic"
    functions = snapshots_of(engine).functions
    run.foreign = lambda args: libraries.change(functions, args, engine.keyspace)
    try:
        run.run()
    except UnknownCommand as fault:
        raise UnknownInLogError(
            f"Unknown command '{fault}' reading the append only file {name}"
        ) from None
    except Failed as fault:
        raise LoadError(
            "Guru Meditation: This server panicked sending an error to its AOF-loading-client "
            f"after processing the command '{fault}'"
        ) from None
    except Misformatted:
        tail = size - _end_of_whole(run)
        if not last or tail > engine.config["aof-load-corrupt-tail-max-size"]:
            message = f"Bad file format reading the append only file {name}: {_FIX}"
            raise LoadError(message) from None
        engine.log("warning", f"!!! Warning: {tail} bytes at the end of the AOF file are damaged")
        if not _cut_off(reading, name, _kept(run, engine.log, name)):
            raise LoadError(f"Bad file format reading the append only file {name}") from None
    except Truncated:
        _cut(reading, name, _kept(run, engine.log, name), last)


def _end_of_whole(run: Replay) -> int:
    """Where the last command ends that is whole, and not one of an unfinished transaction."""
    return run.valid_up_to if run.session.transaction is None else run.valid_before_multi


def _kept(run: Replay, log: Log, name: str) -> int:
    """:func:`_end_of_whole`, with a line in the log if a transaction goes."""
    if run.session.transaction is not None:
        log("warning", f"Revert incomplete MULTI/EXEC transaction in AOF file {name}")
    return _end_of_whole(run)


def _load_snapshot(reading: _Reading, fd: int, size: int, name: str) -> int:
    """Load what begins as a snapshot; returns the position behind it."""
    engine = reading.engine
    old = name == reading.log.stem
    engine.log(
        "notice",
        "Reading RDB preamble from AOF file..." if old
        else "Reading RDB base file on AOF loading...",
    )  # fmt: skip
    snapshots = snapshots_of(engine)
    check = engine.config["rdbchecksum"] and not snapshots.skips_sums
    file = file_reader.read_file(fd, size, engine.keyspace, check)
    loading.prepare(engine, file, reading.state)
    file.keep_overdue = True
    file.progress = lambda: reading.report(file.position)
    try:
        file.read()
    except (FormatError, MemoryError) as fault:
        files.explain(engine.log, fault, file)
        what = "RDB preamble of the AOF" if old else "RDB base"
        message = f"Error reading the {what} file {name}, AOF loading aborted"
        raise LoadError(message, file=name) from fault
    loading.report_end(file, engine.log)
    snapshots.functions = file.functions
    if old:
        engine.log("notice", "Reading the remaining AOF tail...")
    return file.position


def _cut_off(reading: _Reading, name: str, keep: int) -> bool:
    """Make a file end at ``keep``; returns whether that could be done."""
    log = reading.engine.log
    log("warning", f"!!! Truncating the AOF {name} at offset {keep} !!!")
    try:
        os.truncate(reading.log.path(name), keep)
    except OSError as error:
        log("warning", f"Error truncating the AOF file {name}: {error.strerror}")
        return False
    return True


def _cut(reading: _Reading, name: str, keep: int, last: bool) -> None:
    """Cut off the end of a file that holds no whole command, if that is allowed."""
    log = reading.engine.log
    if reading.engine.config["aof-load-truncated"]:
        log("warning", f"!!! Warning: short read while loading the AOF file {name}!!!")
        if not last:
            # Nothing is cut off, or the next start would not even notice.
            raise LoadError("Fatal error: the truncated file is not the last file")
        if _cut_off(reading, name, keep):
            log(
                "warning",
                f"AOF {name} loaded anyway because aof-load-truncated is enabled",
            )
            return
    raise LoadError(
        f"Unexpected end of file reading the append only file {name}. You can: 1) Make a backup "
        "of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively "
        "you can set the 'aof-load-truncated' configuration option to yes and restart the server."
    )

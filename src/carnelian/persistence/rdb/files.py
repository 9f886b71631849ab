"""Snapshot files: written aside and moved into place whole, and read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from carnelian import REDIS_VERSION
from carnelian.datatypes.base import memory
from carnelian.engine.engine import Engine
from carnelian.persistence.bytes import paths
from carnelian.persistence.bytes.byte_sink import Sink
from carnelian.persistence.bytes.file_errors import EmptyFile, FormatError, ShortRead
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import SnapshotTarget, Target, sync_directory
from carnelian.persistence.rdb import file_reader, file_writer
from carnelian.persistence.rdb.outputs import RecordOutput

Log = Callable[[str, str], None]
Progress = Callable[[int], None]

# Which access clocks a file has, by how the policy of maxmemory chooses keys.
_CLOCKS = {"lru": file_writer.IDLE_TIME, "lfu": file_writer.USE_COUNT}


def writer_id() -> int | str:
    """What tells temporary files apart: the process, and the thread where engines are embedded."""
    if threading.get_ident() == threading.main_thread().ident:
        return os.getpid()
    return f"{os.getpid()}-t{threading.get_native_id()}"


def temporary_name(pid: int | str) -> str:
    """What a process calls its file until it is whole."""
    return f"temp-{pid}.rdb"


def locate(engine: Engine, name: str) -> str:
    """The absolute path of a file of the engine, wherever the process stands now."""
    return paths.join(engine.config["dir"], name)


def snapshot(engine: Engine, name: str, pid: int | str) -> SnapshotTarget:
    """The file of that name in ``dir``, to be written by a process."""
    return SnapshotTarget(engine, temporary_name(pid), locate(engine, name))


def write(
    engine: Engine, name: str, facts: list[tuple[bytes, bytes]], functions: list[bytes]
) -> bool:
    """Save the data set in ``dir`` under that name.

    The file is there whole or not at all: it is written under another name, forced to the disk,
    and renamed. Returns whether it was, and says in the log why not.
    """
    sync = engine.config["rdb-save-incremental-fsync"]
    return fill(
        snapshot(engine, name, writer_id()),
        lambda fd: write_content(engine, fd, facts, functions, None, sync),
    )


def fill(target: Target, write: Callable[[int], None]) -> bool:
    """Begin a target, have ``write`` write to its descriptor, and have it take effect.

    Returns whether that went well, and says in the log why not.
    """
    try:
        fd = target.open()
    except OSError:
        return False
    try:
        try:
            target.step = "rdbSaveRio"
            write(fd)
            target.sync(fd)
        finally:
            os.close(fd)
        target.place()
    except OSError as error:
        target.fail(error)
        return False
    except BaseException:
        target.remove()
        raise
    return True


def facts(engine: Engine, base: bool = False) -> list[tuple[bytes, bytes]]:
    """What a file says about itself; ``base`` for one that an append-only file begins with."""
    history = [] if base or engine.replication is None else engine.replication.facts()
    return [
        (b"redis-ver", REDIS_VERSION.encode()),
        (b"redis-bits", b"64"),
        (b"ctime", b"%d" % (engine.clock.wall_ms() // 1000)),
        (b"used-mem", b"%d" % memory.used()),
        *history,
        (b"aof-base", b"%d" % base),
    ]


def write_content(
    engine: Engine,
    fd: int,
    facts: list[tuple[bytes, bytes]],
    functions: list[bytes],
    progress: Progress | None,
    sync: bool,
) -> None:
    """Write the data set to an open file; ``sync`` writes out as it goes on. Raises OSError."""
    config = engine.config
    sink = Sink(
        file_writer.needed_version(engine.keyspace, config["rdb-version"]),
        fd,
        compress=config["rdbcompression"],
        check=config["rdbchecksum"],
        sync=sync,
    )
    file = file_writer.Writer(sink)
    file.clocks = clocks(engine)
    file.delay_us = config["rdb-key-save-delay"]
    file.progress = progress
    file.write(engine.keyspace, facts, functions)


def freeze_content(
    engine: Engine,
    target: Target,
    fd: int,
    facts: list[tuple[bytes, bytes]],
    functions: list[bytes],
    sync: bool,
) -> tuple[Spool, RecordOutput]:
    """As :func:`write_content`, but what is written is given piece by piece from now on.

    Returns what brings it to ``target``, whose descriptor ``fd`` is, and what is to be given it.
    """
    config = engine.config
    spool = Spool(fd, config["rdbchecksum"], sync, target)
    version = file_writer.needed_version(engine.keyspace, config["rdb-version"], quickly=True)
    output = RecordOutput(engine.keyspace, version, spool, clocks(engine), config["rdbcompression"])
    output.begin(facts, functions)
    return spool, output


def clocks(engine: Engine) -> int:
    """Which access clocks a snapshot has: those that ``maxmemory-policy`` goes by."""
    return _CLOCKS.get(engine.config["maxmemory-policy"][-3:], file_writer.NO_CLOCK)


def remove(path: str) -> None:
    """Delete a file if it is there."""
    try:
        os.unlink(path)
    except OSError:
        pass


def remove_durably(path: str) -> None:
    """Delete a file if it is there, so that it does not come back. Raises OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    sync_directory(paths.parent(path))


def explain(log: Log, fault: FormatError | MemoryError, file: file_reader.Reader) -> None:
    """Say in the log why a file could not be loaded, and where; the fault remembers where."""
    position = file.position
    if isinstance(fault, FormatError):
        fault.position, fault.key = position, file.current_key
    if isinstance(fault, EmptyFile):
        log("warning", "The RDB file is empty: it is not a Redis snapshot.")
        return
    if isinstance(fault, file_reader.WrongSignature):
        log("warning", f"{fault}: it is not a Redis snapshot.")
        return
    if isinstance(fault, file_reader.WrongVersion | file_reader.TooManyDatabases):
        log("warning", str(fault))
        return
    if isinstance(fault, file_reader.WrongSum):
        log("warning", f"{_sums(fault)}. Aborting now.")
    elif isinstance(fault, ShortRead | MemoryError):
        log("warning", "Short read or OOM loading DB. Unrecoverable error, aborting now.")
    log("warning", f"Internal error in RDB reading offset {position} -> {fault}")
    log("warning", "--- RDB ERROR DETECTED ---")
    log("warning", f"[offset {position}] {fault}")


def reason(fault: FormatError | MemoryError) -> str:
    """Why a file that was explained could not be loaded, for an exception that says so."""
    if isinstance(fault, MemoryError):
        return "there is not enough memory for what is in it"
    if isinstance(fault, EmptyFile):
        return "it is empty"
    if isinstance(fault, file_reader.WrongSignature):
        return "it is not a Redis snapshot"
    if isinstance(fault, file_reader.WrongVersion | file_reader.TooManyDatabases):
        return str(fault)
    if isinstance(fault, file_reader.WrongSum):
        return _sums(fault)
    where = f"byte {fault.position}"
    if fault.key is not None and not isinstance(fault, file_reader.DuplicateKey):
        where += f", key '{fault.key.decode('utf-8', 'backslashreplace')}'"
    what = "it ends before it is complete" if isinstance(fault, ShortRead) else str(fault)
    return f"{what.removesuffix('.')} ({where})"


def _sums(fault: file_reader.WrongSum) -> str:
    return f"Wrong RDB checksum expected: ({fault.expected:x}) but got ({fault.found:x})"

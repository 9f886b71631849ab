"""Snapshot files: written aside and moved into place whole, and read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from carnelian import REDIS_VERSION
from carnelian.datatypes import memory
from carnelian.engine.engine import Engine
from carnelian.persistence import reader, writer
from carnelian.persistence.errors import FormatError
from carnelian.persistence.sink import Sink

Log = Callable[[str, str], None]
Progress = Callable[[int], None]

# Which access clocks a file has, by how the policy of maxmemory chooses keys.
_CLOCKS = {"lru": writer.IDLE_TIME, "lfu": writer.USE_COUNT}


def writer_id() -> int:
    """What tells temporary files apart: the process, or the thread where engines are embedded."""
    if threading.current_thread() is threading.main_thread():
        return os.getpid()
    return threading.get_native_id()


def temporary_name(pid: int) -> str:
    """What a process calls its file until it is whole."""
    return f"temp-{pid}.rdb"


def locate(engine: Engine, name: str) -> str:
    """The absolute path of a file of the engine, wherever the process stands now."""
    return os.path.join(engine.config["dir"], name)


def write(
    engine: Engine,
    name: str,
    facts: list[tuple[bytes, bytes]],
    functions: list[bytes],
    progress: Progress | None = None,
) -> bool:
    """Save the data set in ``dir`` under that name.

    The file is there whole or not at all: it is written under another name, forced to the disk,
    and renamed. Returns whether it was, and says in the log why not.
    """
    config, log, temporary = engine.config, engine.log, temporary_name(writer_id())
    path, temporary_path = locate(engine, name), locate(engine, temporary)
    try:
        fd = os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as error:
        log(
            "warning",
            f"Failed opening the temp RDB file {temporary} (in server root dir {config['dir']}) "
            f"for saving: {error.strerror}",
        )
        return False
    step = "rdbSaveRio"
    try:
        try:
            write_content(
                engine, fd, facts, functions, progress, config["rdb-save-incremental-fsync"]
            )
            step = "fsync"
            os.fsync(fd)
        finally:
            os.close(fd)
        step = "rename"
        os.rename(temporary_path, path)
        step = "fsyncFileDir"
        sync_directory(os.path.dirname(path))
    except OSError as error:
        if step == "rename":
            log(
                "warning",
                f"Error moving temp DB file {temporary} on the final destination {name} (in "
                f"server root dir {config['dir']}): {error.strerror}",
            )
        else:
            log("warning", f"Write error saving DB on disk({step}): {error.strerror}")
        remove(temporary_path)
        return False
    log("notice", "DB saved on disk")
    return True


def facts(engine: Engine, base: bool = False) -> list[tuple[bytes, bytes]]:
    """What a file says about itself; ``base`` for one that an append-only file begins with."""
    return [
        (b"redis-ver", REDIS_VERSION.encode()),
        (b"redis-bits", b"64"),
        (b"ctime", b"%d" % (engine.clock.wall_ms() // 1000)),
        (b"used-mem", b"%d" % memory.used()),
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
        writer.needed_version(engine.keyspace, config["rdb-version"]),
        fd,
        compress=config["rdbcompression"],
        check=config["rdbchecksum"],
        sync=sync,
    )
    file = writer.Writer(sink)
    file.clocks = _CLOCKS.get(config["maxmemory-policy"][-3:], writer.NO_CLOCK)
    file.delay_us = config["rdb-key-save-delay"]
    file.progress = progress
    file.write(engine.keyspace, facts, functions)


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


def remove(path: str) -> None:
    """Delete a file if it is there."""
    try:
        os.unlink(path)
    except OSError:
        pass


def reason(fault: FormatError | MemoryError) -> str:
    """Why a file could not be loaded, in the words of Redis."""
    if isinstance(fault, reader.WrongSum):
        return (
            f"Wrong RDB checksum expected: ({fault.expected:x}) but got ({fault.found:x}). "
            "Aborting now."
        )
    if isinstance(fault, reader.WrongVersion | reader.TooManyDatabases):
        return str(fault)
    return "Short read or OOM loading DB. Unrecoverable error, aborting now."


def explain(log: Log, fault: FormatError | MemoryError, position: int) -> None:
    """Say in the log why a file could not be loaded, and where, as Redis does."""
    log("warning", reason(fault))
    if isinstance(fault, reader.WrongVersion | reader.TooManyDatabases):
        return
    log("warning", f"Internal error in RDB reading offset {position} -> {fault}")
    log("warning", "--- RDB ERROR DETECTED ---")
    log("warning", f"[offset {position}] {fault}")

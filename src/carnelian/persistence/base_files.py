"""Base files: the whole data set at one moment, as a snapshot or as commands."""

from __future__ import annotations

import os

from carnelian.engine.engine import Engine
from carnelian.persistence import files
from carnelian.persistence.files import Progress
from carnelian.persistence.rewriting import Rewriter


def background_name(pid: int) -> str:
    """What a child calls a base that is whole."""
    return f"temp-rewriteaof-bg-{pid}.aof"


def temporary_name(pid: int) -> str:
    """What a process calls a base that it writes."""
    return f"temp-rewriteaof-{pid}.aof"


def remove_temporary(engine: Engine, pid: int) -> None:
    """Delete what a process that rewrote has left."""
    files.remove(files.locate(engine, background_name(pid)))
    files.remove(files.locate(engine, temporary_name(pid)))


def write(
    engine: Engine, path: str, functions: list[bytes], progress: Progress | None = None
) -> bool:
    """Write the data set to a path, on the disk and whole or not at all; the log says why not.

    ``aof-use-rdb-preamble`` says in which form.
    """
    log, temporary = engine.log, files.locate(engine, temporary_name(files.writer_id()))
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as error:
        log(
            "warning",
            f"Opening the temp file for AOF rewrite in rewriteAppendOnlyFile(): {error.strerror}",
        )
        return False
    try:
        try:
            _write_content(engine, fd, functions, progress)
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        log("warning", f"Write error writing append only file on disk: {error.strerror}")
        files.remove(temporary)
        return False
    try:
        os.rename(temporary, path)
    except OSError as error:
        log(
            "warning",
            f"Error moving temp append only file on the final destination: {error.strerror}",
        )
        files.remove(temporary)
        return False
    return True


def _write_content(
    engine: Engine, fd: int, functions: list[bytes], progress: Progress | None
) -> None:
    config = engine.config
    sync = config["aof-rewrite-incremental-fsync"]
    if config["aof-use-rdb-preamble"]:
        files.write_content(engine, fd, files.facts(engine, True), functions, progress, sync)
        return
    rewriter = Rewriter(fd, sync)
    rewriter.delay_us = config["rdb-key-save-delay"]
    rewriter.progress = progress
    stamp_s = engine.clock.wall_ms() // 1000 if config["aof-timestamp-enabled"] else 0
    rewriter.write(engine.keyspace, stamp_s, functions)

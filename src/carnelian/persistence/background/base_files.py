"""Base files: the whole data set at one moment, as a snapshot or as commands."""

from __future__ import annotations

from carnelian.engine.engine import Engine
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import BaseTarget, Target
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.files import Progress
from carnelian.persistence.rdb.outputs import CommandOutput, RecordOutput
from carnelian.persistence.rdb.rewriting import Rewriter


def background_name(pid: int | str) -> str:
    """What a child calls a base that is whole."""
    return f"temp-rewriteaof-bg-{pid}.aof"


def temporary_name(pid: int | str) -> str:
    """What a process calls a base that it writes."""
    return f"temp-rewriteaof-{pid}.aof"


def remove_temporary(engine: Engine, pid: int | str) -> None:
    """Delete what a process that rewrote has left."""
    files.remove(files.locate(engine, background_name(pid)))
    files.remove(files.locate(engine, temporary_name(pid)))


def background(engine: Engine, pid: int | str) -> BaseTarget:
    """A base to be found under :func:`background_name`, to be written by a process."""
    path = files.locate(engine, background_name(pid))
    return BaseTarget(engine, temporary_name(pid), path)


def write(engine: Engine, path: str, functions: list[bytes]) -> bool:
    """Write the data set to a path, on the disk and whole or not at all; the log says why not."""
    return files.fill(
        BaseTarget(engine, temporary_name(files.writer_id()), path),
        lambda fd: write_content(engine, fd, functions, None),
    )


def write_content(
    engine: Engine, fd: int, functions: list[bytes], progress: Progress | None
) -> None:
    """Write the data set to an open file; ``aof-use-rdb-preamble`` says in which form.

    Raises OSError.
    """
    config = engine.config
    sync = config["aof-rewrite-incremental-fsync"]
    if config["aof-use-rdb-preamble"]:
        files.write_content(engine, fd, files.facts(engine, True), functions, progress, sync)
        return
    rewriter = Rewriter(fd, sync)
    rewriter.delay_us = config["rdb-key-save-delay"]
    rewriter.progress = progress
    rewriter.write(engine.keyspace, stamp(engine), functions)


def freeze_content(
    engine: Engine, target: Target, fd: int, functions: list[bytes]
) -> tuple[Spool, RecordOutput | CommandOutput]:
    """As :func:`write_content`, but piece by piece: see :func:`files.freeze_content`."""
    config = engine.config
    sync = config["aof-rewrite-incremental-fsync"]
    if config["aof-use-rdb-preamble"]:
        return files.freeze_content(engine, target, fd, files.facts(engine, True), functions, sync)
    spool = Spool(fd, None, sync, target)
    output = CommandOutput(spool)
    output.begin(stamp(engine), functions)
    return spool, output


def stamp(engine: Engine) -> int:
    """The time to annotate a base of commands with, in unix seconds; 0 for none."""
    return engine.clock.wall_ms() // 1000 if engine.config["aof-timestamp-enabled"] else 0

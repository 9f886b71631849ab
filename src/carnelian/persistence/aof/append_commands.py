"""BGREWRITEAOF, and what DEBUG does with the append-only file."""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error, Status

GROUP = "server"


@command("BGREWRITEAOF", "admin noscript no_async_loading")
def bgrewriteaof(session: Session, args: list[bytes]) -> object:
    """Writes the append-only file anew, in the background and as short as it can be.

    Since 1.0.0, O(1)
    """
    renewal = append_only_of(session.engine).renewal
    if renewal.running:
        raise Error("ERR Background append only file rewriting already in progress")
    if renewal.background.busy or session.engine.depth:
        renewal.scheduled = True
        # Whoever asks for it shall have it at once.
        renewal.limit.failures = 0
        return Status(b"Background append only file rewriting scheduled")
    if not renewal.begin():
        raise Error(
            "ERR Can't execute an AOF background rewriting. Please check the server logs for more "
            "information."
        )
    return Status(b"Background append only file rewriting started")


# -- DEBUG ---------------------------------------------------------------------------------------


def debug_load(session: Session, args: list[bytes]) -> object:
    """DEBUG LOADAOF: write what there is to be written, delete everything, and load the file."""
    engine = session.engine
    log, snapshots = append_only_of(engine), snapshots_of(engine)
    if snapshots.is_loading:
        raise Error("LOADING Redis is loading the dataset in memory")
    if log.state is not LogState.OFF:
        log.log.flush(True)
    snapshots.empty()
    before = log.manifest
    try:
        append_loading.read_manifest(log, engine)
        log.delete_history()
        append_loading.load(log, engine, snapshots.serve)
    except LoadError as error:
        log.manifest = before
        engine.log("warning", str(error))
        raise Error("ERR Error trying to load the AOF files, check server logs.") from None
    engine.keyspace.dirty = 0
    log.heed_directive()
    engine.log("warning", "Append Only File loaded by DEBUG LOADAOF")
    return OK


def debug_flush_sleep(session: Session, args: list[bytes]) -> object:
    """DEBUG AOF-FLUSH-SLEEP <microseconds>: sleep before each write to the file."""
    append_only_of(session.engine).log.sleep_us = parse_int(args[2])
    return OK

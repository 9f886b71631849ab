"""BGREWRITEAOF, WAITAOF, and what DEBUG does with the append-only file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine.declaring import command
from carnelian.engine.parts.blocking import parse_timeout
from carnelian.engine.session import Session
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import AppendOnly, append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, OK, Error, Status

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

GROUP = "server"

_NO_LOG = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."


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


# -- WAITAOF -------------------------------------------------------------------------------------


class SyncWaiters:
    """Sessions that wait for what they wrote to be on the disk."""

    def __init__(self, engine: Engine, log: AppendOnly):
        self._engine = engine
        self._log = log
        self._waiting: list[tuple[Session, object, int, int, int]] = []
        log.log.on_commit = self.serve
        log.on_stop.append(self.serve)

    def acknowledged(self, offset: int) -> int:
        """1 if everything up to an offset is on the disk, else 0."""
        return int(self._log.state is not LogState.OFF and self._log.log.is_synced(offset))

    def add(self, session: Session, local: int, replicas: int, offset: int) -> None:
        """Have a session that is blocked served."""
        self._waiting.append((session, session.blocked, local, replicas, offset))
        self._log.log.waiters = len(self._waiting)

    def serve(self) -> None:
        """Answer those whose wait is over."""
        left = []
        for entry in self._waiting:
            session, blocked, local, replicas, offset = entry
            if session.blocked is not blocked:
                continue
            acknowledged = self.acknowledged(offset)
            if local and self._log.state is LogState.OFF:
                self._engine.blocking.answer(session, Error(_NO_LOG))
            elif acknowledged >= local and not replicas:
                self._engine.blocking.answer(session, [acknowledged, 0])
            else:
                left.append(entry)
        self._waiting = left
        self._log.log.waiters = len(left)


@command(
    "WAITAOF numlocal:integer numreplicas:integer timeout:integer",
    "noscript blocking",
    categories="-keyspace connection",
    hints=("request_policy:all_shards", "response_policy:agg_min"),
    group="generic",
)
def waitaof(session: Session, args: list[bytes]) -> object:
    """Waits until what this connection wrote is on the disk here and at replicas.

    Since 7.2.0, O(1)
    """
    engine = session.engine
    local, replicas = parse_int(args[1]), parse_int(args[2])
    if not 0 <= local <= 1:
        raise Error("ERR value is out of range, value must between 0 and 1")
    if replicas < 0:
        raise Error("ERR value is out of range, must be positive")
    timeout = parse_timeout(args[3], engine.clock.ms)
    log = append_only_of(engine)
    if local and log.state is LogState.OFF:
        raise Error(_NO_LOG)
    waiters = _waiters_of(log, engine)
    offset = log.log.offset
    acknowledged = waiters.acknowledged(offset)
    if acknowledged >= local and not replicas:
        return [acknowledged, 0]
    reply = engine.blocking.wait(session, args, (), timeout, [acknowledged, 0])
    if reply is NO_REPLY and session.blocked is not None:
        waiters.add(session, local, replicas, offset)
    return reply


def _waiters_of(log: AppendOnly, engine: Engine) -> SyncWaiters:
    if log.waiters is None:
        log.waiters = SyncWaiters(engine, log)
    return log.waiters


# -- DEBUG ---------------------------------------------------------------------------------------


def debug_load(session: Session, args: list[bytes]) -> object:
    """DEBUG LOADAOF: write what there is to be written, delete everything, and load the file."""
    engine = session.engine
    log, snapshots = append_only_of(engine), snapshots_of(engine)
    if snapshots.loading is not None:
        raise Error("LOADING Redis is loading the dataset in memory")
    if log.state is not LogState.OFF:
        log.log.flush(True)
    for db in engine.keyspace.databases:
        engine.changes.replaced(db)
    engine.keyspace.flush()
    engine.changes.flushed()
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
    engine.log("warning", "Append Only File loaded by DEBUG LOADAOF")
    return OK


def debug_flush_sleep(session: Session, args: list[bytes]) -> object:
    """DEBUG AOF-FLUSH-SLEEP <microseconds>: sleep before each write to the file."""
    append_only_of(session.engine).log.sleep_us = parse_int(args[2])
    return OK

"""SAVE, BGSAVE, LASTSAVE and DEBUG RELOAD."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.persistence.saving.overhearing import Overheard
from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error, Status

GROUP = "server"


@command("SAVE", "admin noscript no_async_loading no_multi")
def save(session: Session, args: list[bytes]) -> object:
    """Writes a snapshot to the disk, while everything waits.

    Since 1.0.0, O(N), for N keys in all databases
    """
    snapshots = snapshots_of(session.engine)
    if snapshots.background.snapshot is not None:
        raise Error("ERR Background save already in progress")
    _do(session, snapshots.save)
    return OK


def _do(session: Session, save: Callable[[], bool]) -> None:
    """Have it saved, or begun to be; raises Error, which says what the log does, if that fails."""
    with Overheard(session.engine) as warnings:
        if save():
            return
    raise Error(" ".join(["ERR", *warnings]))


@command("BGSAVE [SCHEDULE@3.2.2]", "admin noscript no_async_loading")
def bgsave(session: Session, args: list[bytes]) -> object:
    """Writes a snapshot to the disk in the background.

    Since 1.0.0, O(1)
    3.2.2: Takes `SCHEDULE`.
    """
    snapshots = snapshots_of(session.engine)
    if len(args) > 1 and (len(args) > 2 or args[1].lower() != b"schedule"):
        raise SYNTAX_ERROR
    if snapshots.background.snapshot is not None:
        raise Error("ERR Background save already in progress")
    if session.engine.depth or snapshots.background.busy:
        if not session.engine.depth and len(args) == 1:
            raise Error(
                "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE "
                "SCHEDULE in order to schedule a BGSAVE whenever possible."
            )
        # A transaction is not cut in two.
        snapshots.scheduled = True
        return Status(b"Background saving scheduled")
    _do(session, snapshots.begin)
    return Status(b"Background saving started")


@command(
    "LASTSAVE",
    "loading stale fast",
    categories="admin dangerous",
    hints=("nondeterministic_output",),
)
def lastsave(session: Session, args: list[bytes]) -> int:
    """Tells when the last snapshot was written, in unix time.

    Since 1.0.0, O(1)
    """
    return snapshots_of(session.engine).last_save_s


def debug_reload(session: Session, args: list[bytes]) -> object:
    """DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]: save, delete everything, and load it again."""
    options = {word.lower() for word in args[2:]}
    if options - {b"merge", b"noflush", b"nosave"}:
        raise Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    engine = session.engine
    snapshots = snapshots_of(engine)
    if snapshots.is_loading:
        raise Error("LOADING Redis is loading the dataset in memory")
    if b"nosave" not in options:
        _do(session, snapshots.save)
    if b"noflush" not in options:
        snapshots.empty()
    try:
        if not snapshots.load(replacing=b"merge" in options, progress=snapshots.serve):
            raise Error("ERR Error trying to load the RDB dump")
    except LoadError:
        raise Error("ERR Error trying to load the RDB dump, check server logs.") from None
    for hook in snapshots.after_reload:
        hook()
    engine.log("warning", "DB reloaded by DEBUG RELOAD")
    return OK


def debug_skip_sums(session: Session, args: list[bytes]) -> object:
    """DEBUG SET-SKIP-CHECKSUM-VALIDATION <0 | 1>: take payloads and files without looking."""
    snapshots_of(session.engine).skips_sums = parse_int(args[2]) != 0
    return OK

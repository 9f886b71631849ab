"""CLUSTER MIGRATION, and what nodes say to each other while slots move.

See https://redis.io/docs/latest/commands/cluster-migration/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.moving.migration_task import Ranges, parse_ranges, slots_of
from carnelian.engine.catalogue.registry import wrong_arity
from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import FLAG_LOADER, FLAG_PRIMARY
from carnelian.engine.session import Session
from carnelian.replication.replica_side.primary_session import PrimarySession
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, OK, Error

if TYPE_CHECKING:
    from carnelian.cluster.carrying.slot_migrations import SlotMover

GROUP = "cluster"

_MOST_RANGES = 16384
# Whoever runs the commands of others asks nobody.
_OBEYED = FLAG_PRIMARY | FLAG_LOADER
_FROM_SOURCE = (b"SNAPSHOT-EOF", b"STREAM-EOF", b"CONFIRM", b"FAIL")
_FROM_DESTINATION = (b"ACK", b"CLAIM", b"FAIL")


def mover_of(session: Session) -> SlotMover:
    """What moves slots. Raises Error where there is no cluster."""
    service = session.engine.cluster
    if service is None:
        raise Error("ERR This instance has cluster support disabled")
    mover: SlotMover = service.mover
    return mover


def _arity(session: Session, args: list[bytes]) -> Error:
    found = session.engine.registry.lookup(args)
    assert found is not None
    return wrong_arity(found)


def _ranges(words: list[bytes]) -> Ranges:
    try:
        return parse_ranges(words)
    except ClusterError as error:
        raise Error(f"ERR {error}") from None


@command(
    "CLUSTER MIGRATION subcommand=<IMPORT range=(start-slot:integer end-slot:integer) ... | "
    "CANCEL cancel=<ID task-id:string | ALL> | STATUS status=<ID task-id:string | ALL>>",
    "admin stale no_async_loading",
    arity=-4,
)
def migration(session: Session, args: list[bytes]) -> object:
    """Starts, monitors and cancels migrations of slots.

    Since 8.4.0, O(N), with N the number of slots
    """
    mover, word = mover_of(session), args[2].lower()
    if word == b"import":
        if len(args) % 2 == 0:
            raise _arity(session, args)
        try:
            return mover.import_slots(_ranges(args[3:])).encode()
        except ClusterError as error:
            raise Error(f"ERR {error}") from None
    if word not in (b"cancel", b"status"):
        raise Error("ERR unknown argument")
    which = args[3].lower()
    if which == b"id":
        if len(args) != 5:
            raise _arity(session, args)
        id = args[4].decode("utf-8", "surrogateescape")
        return mover.cancel(id) if word == b"cancel" else mover.status(id)
    if len(args) == 4 and which == b"all":
        return mover.cancel_all() if word == b"cancel" else mover.status()
    if which == b"all":
        raise _arity(session, args)
    raise Error("ERR unknown argument")


@command(
    "CLUSTER SYNCSLOTS",
    "admin noscript no_multi stale no_async_loading",
    arity=-3,
    arguments="subcommand:string [argument:string ...]",
    syscmd=True,
)
def syncslots(session: Session, args: list[bytes]) -> object:
    """What nodes say to each other while slots move.

    Since 8.4.0, O(1)
    """
    if isinstance(session, PrimarySession) and args[2] in _FROM_SOURCE:
        heard = getattr(session.link, "heard", None)
        if heard is not None:
            heard(list(args[2:]))
        return OK
    if session.flags & _OBEYED:
        return _of_primary(session, args)
    mover, word = mover_of(session), args[2].upper()
    if word == b"CONF" and len(args) == 5 and args[3].upper() == b"NODE-ID":
        mover.introduce(session, args[4].decode("utf-8", "replace"))
        return OK
    if word == b"SYNC" and len(args) >= 6 and len(args) % 2 == 0:
        mover.give(session, args[3].decode("utf-8", "replace"), _ranges(args[4:]))
        return NO_REPLY
    if word in _FROM_DESTINATION:
        mover.told(session, args[2:])
        return NO_REPLY
    raise Error("ERR unknown argument")


def _of_primary(session: Session, args: list[bytes]) -> object:
    """The primary of this replica, or its own log, tells of what is being imported."""
    engine, word = session.engine, args[2]
    if engine.cluster is None or len(args) < 4:
        return OK
    mover, id = mover_of(session), args[3].decode("utf-8", "replace")
    if word == b"IMPORTING":
        mover.leftovers.noted_at_primary(id, _ranges(args[4:]))
    elif word == b"IMPORTED":
        mover.leftovers.forgotten_at_primary(id)
    else:
        return OK
    # Those who follow this node are to know, too, and so is its log.
    session.rewrite(list(args))
    session.keyspace.dirty += 1
    return OK


@command(
    "TRIMSLOTS",
    "write",
    arity=-5,
    arguments="ranges=(RANGES numranges:integer range=(start-slot:integer end-slot:integer) ...)",
    categories="keyspace dangerous",
    syscmd=True,
)
def trimslots(session: Session, args: list[bytes]) -> object:
    """Deletes the keys of slots that this node does not serve.

    Since 8.4.0, O(N), with N the number of keys
    """
    mover = mover_of(session)
    if args[1].lower() != b"ranges":
        raise Error("ERR missing ranges argument")
    count = parse_int(args[2])
    if not 0 < count <= _MOST_RANGES or len(args) != 3 + 2 * count:
        raise Error("ERR invalid number of ranges")
    ranges = _ranges(args[3:])
    if not session.flags & _OBEYED:
        served = next(filter(mover.serves, slots_of(ranges)), None)
        if served is not None:
            raise Error(f"ERR the slot {served} is served by this node")
    mover.leftovers.trim_now(ranges)
    return OK

"""PSYNC, SYNC and REPLCONF: what a replica says to its primary."""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import FLAG_REPLICA
from carnelian.engine.session import Session
from carnelian.replication.primary.primary_side import Primary, primary_of
from carnelian.replication.primary.replicas import Replica, State, replica_of
from carnelian.replication.replication_core import Replication
from carnelian.resp.inline import split_arguments
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, OK, SYNTAX_ERROR, Error

GROUP = "server"

_FLAGS = "admin noscript no_async_loading no_multi"
_LONGEST_HOST = 256


@command("SYNC", _FLAGS)
def sync(session: Session, args: list[bytes]) -> object:
    """Makes a replica of the connection, as those before Redis 2.8 ask for it.

    Since 1.0.0
    """
    return _synchronize(session, args)


@command("PSYNC replicationid offset:integer", _FLAGS, arity=-3)
def psync(session: Session, args: list[bytes]) -> object:
    """Makes a replica of the connection, which goes on where it was if that can be.

    Since 2.8.0
    """
    return _synchronize(session, args)


def _synchronize(session: Session, args: list[bytes]) -> object:
    if session.flags & FLAG_REPLICA:
        return NO_REPLY
    primary = primary_of(session.engine)
    replication = primary.replication
    if len(args) > 3 and args[3].lower() == b"failover":
        _take_over(session, replication, args[1])
    if primary.failing_over:
        raise Error("NOMASTERLINK Can't SYNC while failing over")
    if replication.following is not None and not replication.following.connected:
        raise Error("NOMASTERLINK Can't SYNC while not connected with my master")
    pending = session.describe()
    if pending.get("obl") or pending.get("oll"):
        raise Error("ERR SYNC and PSYNC are invalid with pending output")
    replica = replica_of(session)
    if replica.parts is not None and not replica.takes_stream:
        raise Error("ERR Filtered replica requires EOF capability")
    engine = session.engine
    engine.log("notice", f"Replica {replica.name} asks for synchronization")
    if args[0].lower() == b"psync":
        try:
            # Below -1, which asks for everything, there is nothing to ask for.
            wanted = max(parse_int(args[2]), -1)
        except Error:
            engine.log(
                "warning",
                f"Replica {replica.name} asks for synchronization but with a wrong offset",
            )
            raise
        if _goes_on(primary, replica, args[1].decode("latin-1"), wanted):
            return NO_REPLY
    else:
        replica.is_old = True
    _start_over(primary, replica)
    return NO_REPLY


def _take_over(session: Session, replication: Replication, history_id: bytes) -> None:
    """The primary asks this node to become one in its place. Raises Error."""
    log = session.engine.log
    shown = history_id.decode("utf-8", "replace")
    log("warning", f"Failover request received for replid {shown}.")
    if replication.following is None:
        raise Error("ERR PSYNC FAILOVER can't be sent to a master.")
    if shown.lower() != replication.history.id:
        raise Error("ERR PSYNC FAILOVER replid must match my replid.")
    replication.replica_side.lead()
    peer = session.peer().decode("utf-8", "replace")
    log("notice", f"MASTER MODE enabled (failover request from 'id={session.id} addr={peer}')")


def _goes_on(primary: Primary, replica: Replica, wanted_id: str, wanted: int) -> bool:
    """Go on where a replica was, if that can be; ``wanted`` is the number of the byte it needs."""
    replication, engine = primary.replication, primary.engine
    history, backlog = replication.history, replication.stream.backlog
    place = None
    if not history.can_continue(wanted_id.lower(), wanted - 1):
        engine.log("notice", _why_not(replica, replication, wanted_id, wanted))
    else:
        place = None if backlog is None else backlog.since(wanted - 1)
        if place is None:
            engine.log(
                "notice",
                f"Unable to partial resync with replica {replica.name} for lack of backlog "
                f"(Replica request was: {wanted}).",
            )
            if wanted > history.offset:
                engine.log(
                    "warning",
                    f"Warning: replica {replica.name} tried to PSYNC with an offset that is "
                    "greater than the master replication offset.",
                )
    if place is None:
        engine.stats.refused_partial_syncs += not wanted_id.startswith("?")
        return False
    primary.join(replica, State.ONLINE)
    new_id = f" {history.id}" if replica.takes_new_ids else ""
    replica.session.send_raw(f"+CONTINUE{new_id}\r\n".encode())
    engine.log(
        "notice",
        f"Partial resynchronization request from {replica.name} accepted. Sending {place.behind()} "
        f"bytes of backlog starting from offset {wanted}.",
    )
    primary.go_on(replica, place)
    primary.enough.count()
    engine.stats.partial_syncs += 1
    return True


def _why_not(replica: Replica, replication: Replication, wanted_id: str, wanted: int) -> str:
    history = replication.history
    if wanted_id.startswith("?"):
        return f"Full resync requested by replica {replica.name}"
    if wanted_id.lower() not in (history.id, history.second_id):
        return (
            "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for "
            f"'{wanted_id}', my replication IDs are '{history.id}' and '{history.second_id}')"
        )
    return (
        "Partial resynchronization not accepted: Requested offset for second ID was "
        f"{wanted}, but I can reply up to {history.second_offset + 1}"
    )


def _start_over(primary: Primary, replica: Replica) -> None:
    """Give a replica a copy of the data set, and then what follows."""
    replication, engine = primary.replication, primary.engine
    primary.join(replica, State.WAITING)
    engine.stats.full_syncs += 1
    replica.asked_ms = engine.clock.ms
    if replication.stream.backlog is None and len(primary.replicas) == 1:
        # What was changed until now was counted by nobody.
        replication.history.new_id()
        replication.make_backlog()
        engine.log(
            "notice",
            "Replication backlog created, my new replication IDs are "
            f"'{replication.history.id}' and '{replication.history.second_id}'",
        )
    primary.copies.ask(replica)


@command(
    "REPLCONF",
    "admin noscript loading stale allow_busy",
    arity=-1,
    syscmd=True,
)
def replconf(session: Session, args: list[bytes]) -> object:
    """Says something about a replica, or asks it something: for the use of servers.

    Since 3.0.0, O(1)
    """
    if len(args) % 2 == 0:
        raise SYNTAX_ERROR
    for at in range(1, len(args), 2):
        option, value = args[at].lower(), args[at + 1]
        if option == b"ack":
            _confirm(session, args[at:])
            return NO_REPLY
        if option == b"getack":
            following = primary_of(session.engine).replication.following
            if following is not None and following.connected:
                following.acknowledge()
            return NO_REPLY
        setter = _OPTIONS.get(option)
        if setter is None:
            raise Error(b"ERR Unrecognized REPLCONF option: " + args[at])
        setter(replica_of(session), value)
    return OK


def _confirm(session: Session, words: list[bytes]) -> None:
    """ACK offset [FACK offset]"""
    if not session.flags & FLAG_REPLICA or session.replica is None:
        return
    on_disk = -1
    try:
        offset = parse_int(words[1])
        if len(words) > 3 and words[2].lower() == b"fack":
            on_disk = parse_int(words[3])
    except Error:
        return
    primary_of(session.engine).confirmed(session.replica, offset, on_disk)


def _set_port(replica: Replica, value: bytes) -> None:
    replica.port = parse_int(value)


def _set_address(replica: Replica, value: bytes) -> None:
    if len(value) >= _LONGEST_HOST:
        raise Error(
            f"ERR REPLCONF ip-address provided by replica instance is too long: {len(value)} bytes"
        )
    replica.address = value


def _add_capability(replica: Replica, value: bytes) -> None:
    if value.lower() == b"eof":
        replica.takes_stream = True
    elif value.lower() == b"psync2":
        replica.takes_new_ids = True


def _set_version(replica: Replica, value: bytes) -> None:
    replica.version = value


def _set_copy_only(replica: Replica, value: bytes) -> None:
    number = parse_int(value)
    if not 0 <= number <= 1:
        raise Error("ERR value is out of range, value must between 0 and 1")
    replica.copy_only = number == 1


def _set_parts(replica: Replica, value: bytes) -> None:
    words = split_arguments(value)
    if words is None:
        raise Error("ERR Missing rdb-filter-only values")
    replica.parts = frozenset()
    for word in words:
        if word.lower() != b"functions":
            raise Error(b"ERR Unsupported rdb-filter-only option: " + word)
        replica.parts = frozenset((b"functions",))


_OPTIONS = {
    b"listening-port": _set_port,
    b"ip-address": _set_address,
    b"capa": _add_capability,
    b"version": _set_version,
    b"rdb-only": _set_copy_only,
    b"rdb-filter-only": _set_parts,
}

"""REPLICAOF, and its name until Redis 5."""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import FLAG_REPLICA
from carnelian.engine.session import Session
from carnelian.replication.replica_side.roles import ReplicaSide, replica_side_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error, Status

GROUP = "server"

_ARGUMENTS = "args=<host-port=(host port:integer) | no-one=(NO ONE)>"
_FLAGS = "admin noscript stale no_async_loading"


@command(f"REPLICAOF {_ARGUMENTS}", _FLAGS)
def replicaof(session: Session, args: list[bytes]) -> object:
    """Has the server follow another one, or lead from now on.

    Since 5.0.0, O(1)
    """
    engine = session.engine
    if engine.config["cluster-enabled"]:
        raise Error("ERR REPLICAOF not allowed in cluster mode.")
    side = replica_side_of(engine)
    if side.failing_over:
        raise Error("ERR REPLICAOF not allowed while failing over.")
    if args[1].lower() == b"no" and args[2].lower() == b"one":
        _lead(session, side)
        return OK
    return _follow(session, side, args)


@command(f"SLAVEOF {_ARGUMENTS}", _FLAGS)
def slaveof(session: Session, args: list[bytes]) -> object:
    """REPLICAOF by its older name.

    Since 1.0.0, O(1)
    Deprecated since 5.0.0: `REPLICAOF`
    """
    return replicaof(session, args)


def _lead(session: Session, side: ReplicaSide) -> None:
    if side.following is not None:
        side.lead()
        session.engine.log("notice", f"MASTER MODE enabled (user request from '{_who(session)}')")


def _follow(session: Session, side: ReplicaSide, args: list[bytes]) -> Status:
    if session.flags & FLAG_REPLICA:
        # Who follows cannot have those whom it follows follow somebody else.
        raise Error("ERR Command is not valid when client is a replica.")
    port = _port(args[2])
    host = args[1].decode("utf-8", "surrogateescape")
    link = side.following
    if link is not None and link.host.lower() == host.lower() and link.port == port:
        session.engine.log(
            "notice",
            "REPLICAOF would result into synchronization with the master we are already connected "
            "with. No operation performed.",
        )
        return Status(b"OK Already connected to specified master")
    side.follow(host, port)
    session.engine.log(
        "notice", f"REPLICAOF {host}:{port} enabled (user request from '{_who(session)}')"
    )
    return OK


def _port(word: bytes) -> int:
    try:
        port = parse_int(word)
    except Error:
        port = -1
    if not 0 <= port <= 65535:
        raise Error("ERR Invalid master port")
    return port


def _who(session: Session) -> str:
    address = session.peer().decode("utf-8", "backslashreplace")
    name = session.name.decode("utf-8", "backslashreplace")
    return f"id={session.id} addr={address} name={name}"

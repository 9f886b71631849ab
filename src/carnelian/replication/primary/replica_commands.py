"""WAIT, WAITAOF, ROLE and FAILOVER."""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.parts.blocking import parse_timeout
from carnelian.engine.session import Session
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.replication.primary.confirming import NO_LOG, Wanted
from carnelian.replication.primary.primary_side import primary_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error

GROUP = "generic"

_HINTS = ("request_policy:all_shards", "response_policy:agg_min")


def _not_a_replica(name: str) -> Error:
    return Error(
        f"ERR {name} cannot be used with replica instances. Please also note that since Redis 4.0 "
        "if a replica is configured to be writable (which is not the default) writes to replicas "
        "are just local and are not propagated."
    )


@command(
    "WAIT numreplicas:integer timeout:integer",
    "blocking",
    categories="-keyspace connection",
    hints=_HINTS,
)
def wait(session: Session, args: list[bytes]) -> object:
    """Waits until replicas have confirmed what this connection wrote.

    Since 3.0.0, O(1)
    """
    engine = session.engine
    primary = primary_of(engine)
    if primary.replication.following is not None:
        raise _not_a_replica("WAIT")
    replicas = parse_int(args[1])
    timeout_ms = parse_timeout(args[2], engine.clock.ms)
    wanted = Wanted(session.write_position, replicas)
    return primary.waiters.wait(session, args, wanted, timeout_ms)


@command(
    "WAITAOF numlocal:integer numreplicas:integer timeout:integer",
    "blocking",
    categories="-keyspace connection",
    hints=_HINTS,
)
def waitaof(session: Session, args: list[bytes]) -> object:
    """Waits until what this connection wrote is on the disk here and at replicas.

    Since 7.2.0, O(1)
    """
    engine = session.engine
    primary = primary_of(engine)
    local, replicas = parse_int(args[1]), parse_int(args[2])
    if not 0 <= local <= 1:
        raise Error("ERR value is out of range, value must between 0 and 1")
    if replicas < 0:
        raise Error("ERR value is out of range, must be positive")
    timeout_ms = parse_timeout(args[3], engine.clock.ms)
    if primary.replication.following is not None:
        raise _not_a_replica("WAITAOF")
    log = append_only_of(engine)
    if local and log.state is LogState.OFF:
        raise Error(NO_LOG)
    wanted = Wanted(session.write_position, replicas, True, local, log.log.offset)
    return primary.waiters.wait(session, args, wanted, timeout_ms)


@command(
    "ROLE", "noscript loading stale fast sentinel", categories="admin dangerous", group="server"
)
def role(session: Session, args: list[bytes]) -> list:
    """Tells the part of this node in replication.

    Since 2.8.12, O(1)
    """
    primary = primary_of(session.engine)
    if primary.replication.following is not None:
        return primary.replication.following.role()
    replicas = [[each.host, b"%d" % each.port, b"%d" % each.confirmed] for each in primary.online()]
    return [b"master", primary.replication.history.offset, replicas]


@command(
    "FAILOVER [TO target=(host port:integer [FORCE])] [ABORT] [TIMEOUT milliseconds:integer]",
    "admin noscript stale",
    arity=-1,
    group="server",
)
def failover(session: Session, args: list[bytes]) -> object:
    """Hands the role of the primary to one of its replicas.

    Since 6.2.0, O(1)
    """
    engine = session.engine
    if engine.config["cluster-enabled"]:
        raise Error(
            "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead."
        )
    primary = primary_of(engine)
    under_way = primary.failover
    if len(args) == 2 and args[1].lower() == b"abort":
        if not primary.failing_over:
            raise Error("ERR No failover in progress.")
        under_way.abort("Failover manually aborted")
        return OK
    target, timeout_ms, forced = _read_failover(args)
    if primary.failing_over:
        raise Error("ERR FAILOVER already in progress.")
    if primary.replication.following is not None:
        raise Error("ERR FAILOVER is not valid when server is a replica.")
    if not primary.replicas:
        raise Error("ERR FAILOVER requires connected replicas.")
    if forced and (not timeout_ms or target is None):
        raise Error(
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP."
        )
    under_way.begin(target, timeout_ms, forced)
    return OK


def _read_failover(args: list[bytes]) -> tuple[tuple[bytes, int] | None, int, bool]:
    """The replica that is to lead, the time for it in ms, and whether FORCE is there."""
    target: tuple[bytes, int] | None = None
    timeout_ms, forced = 0, False
    at, last = 1, len(args) - 1
    while at <= last:
        word = args[at].lower()
        if word == b"timeout" and at < last and not timeout_ms:
            timeout_ms = parse_int(args[at + 1])
            if timeout_ms <= 0:
                raise Error("ERR FAILOVER timeout must be greater than 0")
            at += 1
        elif word == b"to" and at + 1 < last and target is None:
            target = (args[at + 1], parse_int(args[at + 2]))
            at += 2
        elif word == b"force" and not forced:
            forced = True
        else:
            raise SYNTAX_ERROR
        at += 1
    return target, timeout_ms, forced

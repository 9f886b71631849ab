"""DBSIZE, FLUSHDB, FLUSHALL and SWAPDB: commands on whole databases."""

from __future__ import annotations

from carnelian.commands.keys.indexes import parse_index
from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.keyspace.database import Database
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error

GROUP = "server"

_FLUSH_ARGUMENTS = "[flush-type=<ASYNC@4.0.0 | SYNC@6.2.0>]"
_FLUSH_HINTS = ("request_policy:all_shards", "response_policy:all_succeeded")


@command(
    "DBSIZE",
    "readonly fast",
    categories="keyspace",
    hints=("request_policy:all_shards", "response_policy:agg_sum"),
)
def dbsize(session: Session, args: list[bytes]) -> object:
    """Replies with the number of keys in the database.

    Since 1.0.0, O(1)
    """
    return len(session.db)


@command(
    f"FLUSHDB {_FLUSH_ARGUMENTS}", "write", categories="keyspace dangerous", hints=_FLUSH_HINTS
)
def flushdb(session: Session, args: list[bytes]) -> object:
    """Deletes all keys of the database.

    Since 1.0.0, O(N), with N the number of keys in the database
    4.0.0: Added ASYNC.
    6.2.0: Added SYNC.
    """
    before = session.keyspace.dirty
    _flush(session, [session.db], _is_lazy(session, args))
    return _propagate(session, args, before)


@command(
    f"FLUSHALL {_FLUSH_ARGUMENTS}", "write", categories="keyspace dangerous", hints=_FLUSH_HINTS
)
def flushall(session: Session, args: list[bytes]) -> object:
    """Deletes all keys of all databases.

    Since 1.0.0, O(N), with N the number of keys in all databases
    4.0.0: Added ASYNC.
    6.2.0: Added SYNC.
    """
    before = session.keyspace.dirty
    _flush(session, session.keyspace.databases, _is_lazy(session, args))
    if session.engine.persistence is not None:
        session.engine.persistence.flushed()
    return _propagate(session, args, before)


def _flush(session: Session, databases: list[Database], lazy: bool) -> None:
    removed = sum(len(db) for db in databases)
    for db in databases:
        session.engine.changes.replaced(db)
        session.keyspace.flush(db, lazy)
    session.engine.changes.flushed()
    session.keyspace.dirty += removed


def _propagate(session: Session, args: list[bytes], before: int) -> object:
    if session.keyspace.dirty <= before:
        # Replicas and the append-only file get it all the same: they may hold more.
        session.engine.effects.add(session.db.index, args)
    return OK


def _is_lazy(session: Session, args: list[bytes]) -> bool:
    if len(args) == 1:
        return session.engine.config["lazyfree-lazy-user-flush"]
    mode = args[1].upper()
    if len(args) > 2 or mode not in (b"SYNC", b"ASYNC"):
        raise SYNTAX_ERROR
    return mode == b"ASYNC"


@command("SWAPDB index1:integer index2:integer", "write fast", categories="keyspace dangerous")
def swapdb(session: Session, args: list[bytes]) -> object:
    """Lets two databases change their numbers.

    Since 4.0.0, O(N), with N the number of sessions that watch or wait for keys of the two
    """
    if session.engine.cluster is not None:
        raise Error("ERR SWAPDB is not allowed in cluster mode")
    first = parse_index(args[1], "ERR invalid first DB index")
    second = parse_index(args[2], "ERR invalid second DB index")
    databases = session.keyspace.databases
    if not (0 <= first < len(databases) and 0 <= second < len(databases)):
        raise Error("ERR DB index is out of range")
    if first != second:
        session.engine.changes.replaced(databases[first], databases[second])
        session.keyspace.swap(first, second)
    session.keyspace.dirty += 1
    return OK

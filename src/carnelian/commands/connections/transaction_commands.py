"""MULTI, EXEC, DISCARD, WATCH and UNWATCH.

See https://redis.io/docs/latest/develop/interact/transactions/
"""

from __future__ import annotations

from carnelian.engine.catalogue.registry import Command
from carnelian.engine.declaring import at, command
from carnelian.engine.ground.flags import FLAG_DENY_BLOCKING, IN_MULTI, RESTRICTED
from carnelian.engine.session import Session
from carnelian.engine.shared.begun import Transaction
from carnelian.resp.replies import NULL_ARRAY, OK, Error

GROUP = "transactions"


@command("MULTI", "noscript loading stale fast allow_busy")
def multi(session: Session, args: list[bytes]) -> object:
    """Begins a transaction: commands that follow are queued.

    Since 1.2.0, O(1)
    """
    if session.transaction is not None:
        raise Error("ERR MULTI calls can not be nested")
    session.transaction = Transaction()
    session.gate |= IN_MULTI
    return OK


@command("DISCARD", "noscript loading stale fast allow_busy")
def discard(session: Session, args: list[bytes]) -> object:
    """Drops the queued commands and leaves the transaction.

    Since 2.0.0, O(N), for N queued commands
    """
    if session.transaction is None:
        raise Error("ERR DISCARD without MULTI")
    end(session)
    return OK


@command("EXEC", "noscript loading stale skip_slowlog")
def execute(session: Session, args: list[bytes]) -> object:
    """Runs the queued commands as one, and returns their replies.

    Since 1.2.0, That of the queued commands
    """
    transaction = session.transaction
    if transaction is None:
        raise Error("ERR EXEC without MULTI")
    watched_changed = session.engine.watches.broken(session)
    end(session)
    if transaction.aborted:
        raise Error("EXECABORT Transaction discarded because of previous errors.")
    if watched_changed:
        return NULL_ARRAY
    return _run(session, transaction)


def _run(session: Session, transaction: Transaction) -> list[object]:
    engine, outer = session.engine, session.command
    could_block = not session.flags & FLAG_DENY_BLOCKING
    session.flags |= FLAG_DENY_BLOCKING
    session.executing = transaction
    engine.depth += 1
    try:
        replies = [_run_one(session, queued, words) for queued, words in transaction.queue]
    finally:
        engine.depth -= 1
        session.executing = None
        if could_block:
            session.flags &= ~FLAG_DENY_BLOCKING
        session.command = outer
    # What the commands did has been propagated by each of them.
    session.rewrite([])
    return replies


def _run_one(session: Session, queued: Command, words: list[bytes]) -> object:
    """Run a queued command, unless its user has lost the right to since."""
    engine = session.engine
    if session.gate & RESTRICTED:
        error = engine.users.objection_in_exec(session, queued, words)
        if error is not None:
            engine.stats.count_error(error.code)
            return error
    return engine.call(session, queued, words)


@command("WATCH key ...", "noscript loading stale fast allow_busy", keys=at(1, "RO", last=-1))
def watch(session: Session, args: list[bytes]) -> object:
    """Makes the next EXEC depend on keys that must not change until then.

    Since 2.2.0, O(1) for each key
    """
    if session.transaction is not None:
        raise Error("ERR WATCH inside MULTI is not allowed")
    # An EXEC that is bound to fail needs no further reason.
    if session.watch is None or not session.watch.broken:
        for key in args[1:]:
            session.engine.watches.add(session, key)
    return OK


@command("UNWATCH", "noscript loading stale fast allow_busy")
def unwatch(session: Session, args: list[bytes]) -> object:
    """Forgets the watched keys.

    Since 2.2.0, O(N), for N watched keys
    """
    session.engine.watches.clear(session)
    return OK


def end(session: Session) -> None:
    """Leave the transaction, if there is one, and watch nothing any longer."""
    session.transaction = None
    session.gate &= ~IN_MULTI
    session.engine.watches.clear(session)

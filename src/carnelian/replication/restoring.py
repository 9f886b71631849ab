"""A node that begins again goes on with the history that its snapshot tells of."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.engine.engine import Engine
from carnelian.persistence import opening
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.replication.primary.primary_side import primary_of
from carnelian.replication.replication_core import Replication


def load_snapshot(engine: Engine, progress: Callable[[], None]) -> None:
    """Load the snapshot, if there is one, and take up its history.

    Those who have followed this node can then go on where they are, as far as they lack nothing.

    Raises LoadError.
    """
    overdue: list[tuple[int, bytes]] = []
    if not opening.load_snapshot(
        engine, progress, lambda database, key: overdue.append((database, key))
    ):
        return
    facts = snapshots_of(engine).history
    try:
        history_id = facts["repl-id"].decode()
        offset, database = int(facts["repl-offset"]), int(facts["repl-stream-db"])
    except (KeyError, ValueError):
        return
    if len(history_id) != 40 or offset < 0 or database < 0:
        return
    replication = primary_of(engine).replication
    if not snapshots_of(engine).follows():
        _lead_on(replication, history_id, offset, overdue)
    else:
        replication.history.adopt(history_id, offset)
        replication.restored_db = database


def _lead_on(
    replication: Replication, history_id: str, offset: int, overdue: list[tuple[int, bytes]]
) -> None:
    """Go on as a primary, under a new name: what was done after the snapshot is forgotten, so that
    the old one holds until there alone.
    """
    history, engine = replication.history, replication.engine
    history.second_id, history.second_offset = history_id, offset
    history.offset = offset
    replication.make_backlog()
    # Others still have the keys that were not loaded.
    verb = b"UNLINK" if engine.config["lazyfree-lazy-expire"] else b"DEL"
    for database, key in overdue:
        engine.effects.add(database, [verb, key], engine.effects.FOR_REPLICAS)
    engine.effects.flush(True)

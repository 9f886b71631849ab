"""What INFO tells of replication."""

from __future__ import annotations

from carnelian.engine.engine import Engine
from carnelian.engine.shared.info import Fields, section
from carnelian.replication.primary.primary_side import Primary, primary_of
from carnelian.replication.primary.replicas import State


@section("replication")
def replication(engine: Engine) -> Fields:
    """The part this node plays, and how far it has come."""
    primary = primary_of(engine)
    found = primary.replication
    history, backlog, following = found.history, found.stream.backlog, found.following
    fields: list[tuple[str, object]] = [("role", "master" if following is None else "slave")]
    if following is not None:
        fields += following.fields()
    fields += _replicas(primary)
    second = history.second_offset
    fields += [
        ("master_failover_state", primary.failover.phase.value),
        ("master_replid", history.id),
        ("master_replid2", history.second_id),
        ("master_repl_offset", history.offset),
        ("second_repl_offset", second + 1 if second >= 0 else -1),
        ("repl_backlog_active", int(backlog is not None)),
        ("repl_backlog_size", engine.config["repl-backlog-size"]),
        ("repl_backlog_first_byte_offset", 0 if backlog is None else backlog.first + 1),
        ("repl_backlog_histlen", 0 if backlog is None else backlog.length),
    ]
    return fields


def _replicas(primary: Primary) -> list[tuple[str, object]]:
    fields: list[tuple[str, object]] = [("connected_slaves", len(primary.replicas))]
    if primary.enough.is_asked:
        primary.enough.count()
        fields.append(("min_slaves_good_slaves", primary.enough.good))
    shown = [each for each in primary.replicas if each.state.value]
    for number, replica in enumerate(shown):
        lag = primary.now_s - replica.heard_s if replica.state is State.ONLINE else 0
        fields.append(
            (
                f"slave{number}",
                f"ip={replica.host.decode('utf-8', 'replace')},port={replica.port},"
                f"state={replica.state.value.strip()},offset={replica.confirmed},lag={lag},"
                "io-thread=0",
            )
        )
    return fields

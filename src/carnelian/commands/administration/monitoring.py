"""MONITOR, SLOWLOG and TIME.

See https://redis.io/docs/latest/commands/slowlog-get/
"""

from __future__ import annotations

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import FLAG_DENY_BLOCKING, FLAG_MONITOR, FLAG_REPLICA
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.replies import NO_REPLY, OK, Error

GROUP = "server"

_SHOWN = 10


@command("MONITOR", "admin noscript loading stale")
def monitor(session: Session, args: list[bytes]) -> object:
    """Shows every command that the server runs, as it runs.

    Since 1.0.0
    """
    if session.flags & FLAG_DENY_BLOCKING:
        raise Error("ERR MONITOR isn't allowed for DENY BLOCKING client")
    if session.flags & (FLAG_MONITOR | FLAG_REPLICA):
        return NO_REPLY
    session.engine.monitors.add(session)
    return OK


container(
    "SLOWLOG",
    group="server",
    since="2.2.12",
    help_since="6.2.0",
    summary="Tells about commands that took long.",
)


@command(
    "SLOWLOG GET [count:integer]",
    "admin loading stale",
    hints=("request_policy:all_nodes", "nondeterministic_output"),
)
def slowlog_get(session: Session, args: list[bytes]) -> list:
    """Lists the latest slow commands, the newest first.

    Since 2.2.12, O(N), for N entries
    4.0.0: Tells the address and the name of the client.
    8.10.0: Tells how many arguments there were.
    """
    if len(args) > 3:
        raise Error(
            b"ERR unknown subcommand or wrong number of arguments for '%s'. Try SLOWLOG HELP."
            % args[1][:128]
        )
    count = _SHOWN
    if len(args) == 3:
        message = "ERR count should be greater than or equal to -1"
        count = integer(args[2], message, lowest=-1)
    return [
        [
            entry.id, entry.time, entry.microseconds, entry.args, entry.peer, entry.name,
            entry.count,
        ]
        for entry in session.engine.slowlog.newest(count)
    ]  # fmt: skip


@command(
    "SLOWLOG LEN",
    "admin loading stale",
    hints=("request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"),
)
def slowlog_len(session: Session, args: list[bytes]) -> int:
    """Counts the slow commands that are remembered.

    Since 2.2.12, O(1)
    """
    return len(session.engine.slowlog)


@command(
    "SLOWLOG RESET",
    "admin loading stale",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def slowlog_reset(session: Session, args: list[bytes]) -> object:
    """Forgets the slow commands.

    Since 2.2.12, O(N), for N entries
    """
    session.engine.slowlog.clear()
    return OK


@command("TIME", "loading stale fast", hints="nondeterministic_output")
def time(session: Session, args: list[bytes]) -> list[bytes]:
    """Returns the server's clock: seconds, and microseconds within the second.

    Since 2.6.0, O(1)
    """
    seconds, microseconds = divmod(session.engine.clock.wall_us(), 1_000_000)
    return [b"%d" % seconds, b"%d" % microseconds]

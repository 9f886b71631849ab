"""CONFIG: the directives of the running server, its file, and its statistics.

See https://redis.io/docs/latest/operate/oss_and_stack/management/config/
"""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.help import container
from carnelian.engine.parts.monitors import redact
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, SYNTAX_ERROR, FlatMap

GROUP = "server"

container(
    "CONFIG",
    group="server",
    since="2.0.0",
    summary="Shows and changes the configuration.",
)


@command("CONFIG GET parameter ...", "admin noscript loading stale")
def config_get(session: Session, args: list[bytes]) -> FlatMap:
    """Shows the directives that match any of the patterns.

    Since 2.0.0, O(N), for N directives, for each pattern
    7.0.0: Takes several patterns.
    """
    pairs = session.engine.config.get(args[2:])
    return FlatMap([text for pair in pairs for text in pair])


@command(
    "CONFIG SET data=(parameter value) ...",
    "admin noscript loading stale",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def config_set(session: Session, args: list[bytes]) -> object:
    """Changes directives, all of them or none.

    Since 2.0.0, O(N), for N directives
    7.0.0: Takes several directives.
    """
    if len(args) % 2:
        raise SYNTAX_ERROR
    config = session.engine.config
    pairs = list(zip(args[2::2], args[3::2], strict=True))
    for position in range(2, len(args), 2):
        if config.is_sensitive(args[position]):
            redact(args, position + 1)
    snapshots = session.engine.persistence
    loading = snapshots is not None and snapshots.is_loading
    config.set(pairs, local=session.is_local(), loading=loading)
    return OK


@command(
    "CONFIG REWRITE",
    "admin noscript loading stale",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def config_rewrite(session: Session, args: list[bytes]) -> object:
    """Saves the configuration in its file, whose comments and order stay.

    Since 2.8.0, O(1)
    """
    session.engine.config.rewrite()
    session.engine.log("warning", "CONFIG REWRITE executed with success.")
    return OK


@command(
    "CONFIG RESETSTAT",
    "admin noscript loading stale",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def config_resetstat(session: Session, args: list[bytes]) -> object:
    """Sets the counters of INFO back to zero.

    Since 2.0.0, O(1)
    """
    session.engine.reset_statistics()
    return OK

"""CONFIG: the directives of the running server, its file, and its statistics.

See https://redis.io/docs/latest/operate/oss_and_stack/management/config/
"""

from __future__ import annotations

from carnelian.engine.help import container
from carnelian.engine.monitors import redact
from carnelian.engine.registry import command
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, FlatMap, SyntaxError_

container(
    "CONFIG",
    group="server",
    since="2.0.0",
    summary="Shows and changes the configuration.",
)


@command(
    "CONFIG GET",
    arity=-3,
    flags="admin noscript loading stale",
    group="server",
    since="2.0.0",
    complexity="O(N), for N directives, for each pattern",
    summary="Shows the directives that match any of the patterns.",
    arguments="parameter ...",
    history=(("7.0.0", "Takes several patterns."),),
)
def config_get(session: Session, args: list[bytes]) -> FlatMap:
    pairs = session.engine.config.get(args[2:])
    return FlatMap([text for pair in pairs for text in pair])


@command(
    "CONFIG SET",
    arity=-4,
    flags="admin noscript loading stale",
    group="server",
    since="2.0.0",
    complexity="O(N), for N directives",
    summary="Changes directives, all of them or none.",
    arguments="data=(parameter value) ...",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
    history=(("7.0.0", "Takes several directives."),),
)
def config_set(session: Session, args: list[bytes]) -> object:
    if len(args) % 2:
        raise SyntaxError_
    config = session.engine.config
    pairs = list(zip(args[2::2], args[3::2], strict=True))
    for position in range(2, len(args), 2):
        if config.is_sensitive(args[position]):
            redact(args, position + 1)
    snapshots = session.engine.persistence
    loading = snapshots is not None and snapshots.loading is not None
    config.set(pairs, local=session.is_local(), loading=loading)
    return OK


@command(
    "CONFIG REWRITE",
    arity=2,
    flags="admin noscript loading stale",
    group="server",
    since="2.8.0",
    complexity="O(1)",
    summary="Saves the configuration in its file, whose comments and order stay.",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def config_rewrite(session: Session, args: list[bytes]) -> object:
    session.engine.config.rewrite()
    session.engine.log("warning", "CONFIG REWRITE executed with success.")
    return OK


@command(
    "CONFIG RESETSTAT",
    arity=2,
    flags="admin noscript loading stale",
    group="server",
    since="2.0.0",
    complexity="O(1)",
    summary="Sets the counters of INFO back to zero.",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def config_resetstat(session: Session, args: list[bytes]) -> object:
    session.engine.reset_statistics()
    return OK

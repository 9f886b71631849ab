"""SCRIPT: the scripts that EVALSHA finds, and the one that runs.

See https://redis.io/docs/latest/commands/script-load/
"""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, Error
from carnelian.scripting.debugger.debug_sessions import set_mode
from carnelian.scripting.scripting_core import scripting_of

GROUP = "scripting"

container("SCRIPT", group=GROUP, since="2.6.0", summary="A container for commands on scripts.")

_FLUSH_OPTIONS = "ERR SCRIPT FLUSH only support SYNC|ASYNC option"


@command(
    "SCRIPT LOAD script",
    "noscript stale",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def script_load(session: Session, args: list[bytes]) -> bytes:
    """Compiles a script for EVALSHA, without running it.

    Since 2.6.0, O(N) with N being the length in bytes of the script body.
    """
    return scripting_of(session.engine).scripts().load(args[2])


@command(
    "SCRIPT EXISTS sha1 ...",
    "noscript",
    hints=("request_policy:all_shards", "response_policy:agg_logical_and"),
)
def script_exists(session: Session, args: list[bytes]) -> list[int]:
    """Tells of each SHA-1 whether EVALSHA knows a script.

    Since 2.6.0, O(N) with N being the number of scripts to check
    """
    scripts = scripting_of(session.engine).scripts()
    return [int(scripts.has(sha)) for sha in args[2:]]


@command(
    "SCRIPT FLUSH [async@6.2.0=<ASYNC | SYNC>]",
    "noscript",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def script_flush(session: Session, args: list[bytes]) -> object:
    """Forgets all scripts.

    Since 2.6.0, O(N) with N being the number of scripts in cache
    6.2.0: Added ASYNC and SYNC.
    """
    if len(args) > 3 or (len(args) == 3 and args[2].lower() not in (b"sync", b"async")):
        raise Error(_FLUSH_OPTIONS)
    scripting_of(session.engine).scripts().flush()
    return OK


@command(
    "SCRIPT KILL",
    "noscript allow_busy",
    hints=("request_policy:all_shards", "response_policy:one_succeeded"),
)
def script_kill(session: Session, args: list[bytes]) -> object:
    """Ends the script that runs, unless it has written.

    Since 2.6.0, O(1)
    """
    scripting_of(session.engine).long_runs.kill(False)
    return OK


@command("SCRIPT SHOW sha1", "noscript")
def script_show(session: Session, args: list[bytes]) -> bytes:
    """Shows the text of a script.

    Since 8.0.0, O(1)
    """
    return scripting_of(session.engine).scripts().text_of(args[2])


@command("SCRIPT DEBUG mode=<YES | SYNC | NO>", "noscript")
def script_debug(session: Session, args: list[bytes]) -> object:
    """Says whether the scripts that follow are run by a debugger.

    Since 3.2.0, O(1)
    """
    set_mode(session, args[2].lower())
    return OK

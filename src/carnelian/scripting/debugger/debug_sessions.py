"""SCRIPT DEBUG, and the runs of scripts that it has asked for."""

from __future__ import annotations

from typing import Any, Protocol

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.scripting.debugger.debugging import Debugging
from cython.cimports.carnelian.scripting.debugger.script_inspection import Inspection
from cython.cimports.carnelian.scripting.eval_scripts import EvalScripts, Script
from cython.cimports.carnelian.scripting.lua_runtime import Runtime
from cython.cimports.carnelian.scripting.scripting_core import Scripting, keys_of, scripting_of

from carnelian.engine.ground.faults import text_of, trace_of
from carnelian.resp.replies import NO_REPLY, Error
from carnelian.scripting.debugger.debugger import Console, Debugger
from carnelian.scripting.shebangs import script_header

_MODES = Error("ERR Use SCRIPT DEBUG YES/SYNC/NO")
_NO_LINE = Error("ERR scripts can be debugged over a connection to a server only")
_PIPELINE = Error("ERR SCRIPT DEBUG must be called outside a pipeline")
_WITHIN = Error("ERR scripts cannot be debugged within a transaction or another command")


class Carrier(Protocol):
    """Who carries sessions in which scripts can be debugged."""

    def carries(self, session: Any) -> bool:
        """Whether this is such a session."""

    def has_output(self, session: Any) -> bool:
        """Whether it has replies that are not sent yet."""

    def open(self, session: Any, forked: bool) -> Console | None:
        """Keep a session for the debugger, or in a child process if ``forked``.

        None in the parent of that, which has nothing to do with the session any more. Raises Error
        if that cannot be done.
        """


def set_mode(session: Session, mode: bytes) -> None:
    """Have the scripts of a session debugged from now on (``yes``, ``sync``), or not (``no``).

    Raises Error if it cannot be.
    """
    scripting: Scripting = scripting_of(session.engine)
    carrier: Carrier | None = scripting.debug_carrier
    if carrier is not None and not carrier.carries(session):
        carrier = None
    if carrier is not None and carrier.has_output(session):
        raise _PIPELINE
    if mode == b"no":
        _forget(session)
        return
    if mode not in (b"yes", b"sync"):
        raise _MODES
    if carrier is None:
        raise _NO_LINE
    if scripting.debugged is None:
        scripting.debugged = {}
        removed: list = session.engine.sessions.on_removed
        if _forget not in removed:
            removed.append(_forget)
    scripting.debugged[session] = mode


def _forget(session: Session) -> None:
    scripting: Scripting = scripting_of(session.engine)
    if scripting.debugged is not None and session in scripting.debugged:
        del scripting.debugged[session]
        if not scripting.debugged:
            scripting.debugged = None


@cython.ccall
def debug(session: Session, args: list, read_only: cython.bint):
    """EVAL under the debugger, after which the session ends. Raises the script's Error."""
    engine: Engine = session.engine
    scripting: Scripting = scripting_of(engine)
    if engine.depth > 0 or session.executing is not None:
        raise _WITHIN
    forked: bool = scripting.debugged[session] != b"sync"
    _forget(session)
    console: Console | None = scripting.debug_carrier.open(session, forked)
    if console is None:
        return NO_REPLY
    inspection: Inspection = Inspection()
    busy_ms: int = engine.config["busy-reply-threshold"]
    debugger = Debugger(args[1], console, inspection, busy_ms)
    try:
        reply = _run(scripting, inspection, debugger, session, args, read_only)
    except Error as error:
        reply = error
    except Exception as fault:
        # A child process must not go on as if it were its parent, whatever has happened.
        engine.log("warning", trace_of(fault))
        reply = Error(f"ERR {text_of(fault)}")
    debugger.end()
    reply = console.finish(reply)
    if isinstance(reply, Error):
        raise reply
    return reply


@cython.cfunc
def _run(
    scripting: Scripting,
    inspection: Inspection,
    debugger: object,
    session: Session,
    args: list,
    read_only: cython.bint,
):
    keys: list = keys_of(args)
    scripts: EvalScripts = scripting.scripts()
    # It can be run again by its SHA-1, as any other.
    script: Script = scripts.of_source(args[1])
    runtime: Runtime = Runtime(scripting.host)
    begin: int = script_header(args[1])[1]
    source: bytes = args[1][begin:]
    reference: cython.int = runtime.compile(source, b"@user_script", b"ERR ")
    debugging: Debugging = Debugging(runtime, inspection, debugger)
    scripting.long_runs.for_functions = False
    try:
        return scripting.call(
            runtime, reference, script.sha, script.flags, session, keys, args, read_only
        )
    finally:
        del debugging

"""EVAL, EVALSHA and FCALL, and the forms of them that only read.

See https://redis.io/docs/latest/develop/interact/programmability/eval-intro/
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.scripting.debugger.debug_sessions import debug
from cython.cimports.carnelian.scripting.eval_scripts import EvalScripts, Script
from cython.cimports.carnelian.scripting.function_libraries import Function, FunctionLibraries
from cython.cimports.carnelian.scripting.scripting_core import Scripting, keys_of, scripting_of

from carnelian.engine.declaring import command, counted
from carnelian.resp.replies import Error
from carnelian.scripting.shebangs import command_flags, script_header

GROUP = "scripting"

_NO_INTEGER = b"ERR value is not an integer"
_NOT_BY_SHA = Error("ERR Please use EVAL instead of EVALSHA for debugging")
_SHA_DIGITS = cython.declare(cython.Py_ssize_t, 40)
_NO_SCRIPT = Error("NOSCRIPT No matching script. Please use EVAL.")
_BAD_COUNT = Error("ERR Bad number of keys provided")

_FLAGS = "noscript skip_monitor may_replicate no_mandatory_keys stale movablekeys"
_READING = "readonly noscript skip_monitor no_mandatory_keys stale movablekeys"
_WORST_WRITES = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
_WORST_READS = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"


def _flags_of_source(session: Any, args: list, flags: int) -> int:
    scripting: Scripting = scripting_of(session.engine)
    scripts: EvalScripts = scripting.eval_scripts
    script: Script = None if scripts is None else scripts.by_source.get(args[1])
    if script is not None:
        return command_flags(flags, script.flags)
    try:
        return command_flags(flags, script_header(args[1])[0])
    except Error:
        return flags


def _flags_of_sha(session: Any, args: list, flags: int) -> int:
    scripting: Scripting = scripting_of(session.engine)
    scripts: EvalScripts = scripting.eval_scripts
    script: Script = None if scripts is None else scripts.of_sha(args[1])
    return flags if script is None else command_flags(flags, script.flags)


def _flags_of_function(session: Any, args: list, flags: int) -> int:
    try:
        function: Function = _libraries(session).find(args[1])
    except Error:
        return flags
    return flags if function is None else command_flags(flags, function.flags)


@command(
    "EVAL script numkeys:integer [key:key ...] [arg ...]",
    _FLAGS,
    keys=counted(2, "RW access update", notes=_WORST_WRITES),
    flags_of=_flags_of_source,
)
def evaluate(session: Session, args: list):
    """Runs a script in Lua.

    Since 2.6.0, Depends on the script that is executed.
    """
    return _evaluate(session, args, False)


@command(
    "EVAL_RO script numkeys:integer [key:key ...] [arg ...]",
    _READING,
    keys=counted(2, "RO access", notes=_WORST_READS),
    flags_of=_flags_of_source,
)
def evaluate_reading(session: Session, args: list):
    """Runs a script in Lua that must not write.

    Since 7.0.0, Depends on the script that is executed.
    """
    return _evaluate(session, args, True)


@command(
    "EVALSHA sha1 numkeys:integer [key:key ...] [arg ...]",
    _FLAGS,
    keys=counted(2, "RW access update"),
    flags_of=_flags_of_sha,
)
def evaluate_known(session: Session, args: list):
    """Runs a script that is known already, by its SHA-1.

    Since 2.6.0, Depends on the script that is executed.
    """
    return _evaluate_known(session, args, False)


@command(
    "EVALSHA_RO sha1 numkeys:integer [key:key ...] [arg ...]",
    _READING,
    keys=counted(2, "RO access"),
    flags_of=_flags_of_sha,
)
def evaluate_known_reading(session: Session, args: list):
    """Runs a script that is known already, by its SHA-1, and must not write.

    Since 7.0.0, Depends on the script that is executed.
    """
    return _evaluate_known(session, args, True)


@command(
    "FCALL function numkeys:integer [key:key ...] [arg ...]",
    _FLAGS,
    keys=counted(2, "RW access update", notes=_WORST_WRITES),
    flags_of=_flags_of_function,
)
def call_function(session: Session, args: list):
    """Calls a function of a library.

    Since 7.0.0, Depends on the function that is executed.
    """
    return _call_function(session, args, False)


@command(
    "FCALL_RO function numkeys:integer [key:key ...] [arg ...]",
    _READING,
    keys=counted(2, "RO access", notes=_WORST_READS),
    flags_of=_flags_of_function,
)
def call_reading_function(session: Session, args: list):
    """Calls a function of a library, which must not write.

    Since 7.0.0, Depends on the function that is executed.
    """
    return _call_function(session, args, True)


@cython.cfunc
def _evaluate(session: Session, args: list, read_only: cython.bint):
    scripting: Scripting = scripting_of(session.engine)
    _show(session, args)
    if scripting.debugged is not None and session in scripting.debugged:
        return debug(session, args, read_only)
    keys: list = keys_of(args)
    scripts: EvalScripts = scripting.scripts()
    return scripting.run_script(session, scripts.of_source(args[1]), keys, args, read_only)


@cython.cfunc
def _evaluate_known(session: Session, args: list, read_only: cython.bint):
    scripting: Scripting = scripting_of(session.engine)
    _show(session, args)
    # What cannot be a SHA-1 is told before anything else is looked at.
    if len(args[1]) != _SHA_DIGITS:
        raise _NO_SCRIPT
    if scripting.debugged is not None and session in scripting.debugged:
        raise _NOT_BY_SHA
    keys: list = keys_of(args)
    scripts: EvalScripts = scripting.scripts()
    script: Script = scripts.of_sha(args[1])
    if script is None:
        raise _NO_SCRIPT
    return scripting.run_script(session, script, keys, args, read_only)


@cython.cfunc
def _call_function(session: Session, args: list, read_only: cython.bint):
    scripting: Scripting = scripting_of(session.engine)
    _show(session, args)
    function: Function = _libraries(session).find(args[1])
    if function is None:
        raise Error("ERR Function not found")
    try:
        keys: list = keys_of(args)
    except Error as error:
        raise (_BAD_COUNT if error.message.startswith(_NO_INTEGER) else error) from None
    return scripting.run_function(session, function, keys, args, read_only)


@cython.cfunc
def _libraries(session: Session) -> FunctionLibraries:
    return scripting_of(session.engine).libraries(session)


@cython.cfunc
def _show(session: Session, args: list):
    """Show MONITOR the command before those that it runs."""
    engine: Engine = session.engine
    if engine.monitored:
        engine.monitors.feed(session, args, session.db.index)

"""The scripts and functions of one engine, and how one of them is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.scripting.api.script_host import OBEYED, ScriptHost
from cython.cimports.carnelian.scripting.eval_scripts import EvalScripts, Script
from cython.cimports.carnelian.scripting.function_libraries import Function, FunctionLibraries
from cython.cimports.carnelian.scripting.long_runs import LongRuns
from cython.cimports.carnelian.scripting.lua_runtime import Runtime
from cython.cimports.carnelian.scripting.shebangs import (
    ALLOW_CROSS_SLOT_KEYS,
    ALLOW_OOM,
    NO_CLUSTER,
    NO_WRITES,
    SILENT,
)

from carnelian.engine.ground.script_facts import ScriptFacts
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error

_NESTED = Error("ERR This Redis command is not allowed from script")
_NOT_IN_CLUSTER = Error("ERR Can not run script on cluster, 'no-cluster' flag is set.")
_WRITES = Error("ERR Can not execute a script with write flag using *_ro command.")
_NO_MEMORY = Error(
    "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
)


@cython.final
@cython.cclass
class Scripting:
    """What an engine has of scripts; Lua is looked for when the first one is wanted.

    ``running`` are the words of the command that runs a script now, None if none does.
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.host = ScriptHost(engine)
        self.long_runs = LongRuns(self.host)
        self.eval_scripts = None
        self.function_libraries = None
        self.running: list[bytes] | None = None
        # While somebody wants to debug scripts: who, and how; and who carries such sessions.
        self.debugged: dict[Session, bytes] | None = None
        self.debug_carrier: Any = None
        engine.config.on_change("lua-memory-limit", self._limit_memory)
        engine.debug_commands[b"set-disable-deny-scripts"] = self._let_all_run

    def _let_all_run(self, session: Session, args: list) -> object:
        """DEBUG SET-DISABLE-DENY-SCRIPTS <0 | 1>"""
        if len(args) != 3:
            raise Error("ERR Unknown subcommand or wrong number of arguments for 'debug'.")
        self.host.lets_all_run = parse_int(args[2]) != 0
        return OK

    def _limit_memory(self, size: int) -> None:
        for states in (self.eval_scripts, self.function_libraries):
            if states is not None:
                states.runtime.collect()

    # -- What there is -----------------------------------------------------------------------------

    @cython.ccall
    def scripts(self) -> EvalScripts:
        """The scripts of EVAL; raises Error if there is no Lua to run them."""
        if self.eval_scripts is None:
            try:
                self.eval_scripts = EvalScripts(self.host)
            except ImportError as missing:
                raise Error(f"ERR {missing}") from None
        return self.eval_scripts

    def prepare(self) -> None:
        """Have the state of EVAL ready, so that no script waits for it: a cold disk takes long.

        Without Lua that is left to the first script, which says so.
        """
        try:
            self.scripts()
        except Error:
            pass

    @cython.ccall
    def libraries(self, session: Session) -> FunctionLibraries:
        """The libraries of functions, those included that a file has brought along since.

        Raises Error if there is no Lua to load them.
        """
        made: FunctionLibraries = self.function_libraries
        texts = snapshots_of(self.engine).functions
        if made is None or made.texts is not texts:
            made = self._load_libraries(session, texts)
        return made

    def _load_libraries(self, session: Session, texts: list) -> FunctionLibraries:
        try:
            made: FunctionLibraries = FunctionLibraries(self.host, texts)
        except ImportError as missing:
            raise Error(f"ERR {missing}") from None
        for failure in self.loading(session, made.load_texts):
            self.engine.log("warning", f"A library of functions cannot be loaded: {failure}")
        self.function_libraries = made
        return made

    def loading(self, session: Session, load: Callable[[], Any]) -> Any:
        """The outcome of ``load()``, which loads libraries: their time is limited."""
        if self.host.caller is not None:
            return load()
        self.host.begin(session, True, False)
        try:
            return load()
        finally:
            self.host.end()

    def facts(self) -> ScriptFacts:
        """What INFO tells."""
        scripts, libraries = self.eval_scripts, self.function_libraries
        found = ScriptFacts()
        if scripts is not None:
            found = found._replace(
                scripts=len(scripts),
                evicted=scripts.evicted,
                eval_state=scripts.runtime.memory(),
                eval_scripts=scripts.memory,
            )
        if libraries is not None:
            found = found._replace(
                libraries=len(libraries.libraries),
                functions=libraries.functions_count(),
                function_state=libraries.runtime.memory(),
                function_libraries=libraries.memory(),
            )
        return found

    # -- Running -----------------------------------------------------------------------------------

    @cython.cfunc
    def run_script(
        self, session: Session, script: Script, keys: list, args: list, read_only: cython.bint
    ):
        """EVAL: run a script with the keys and arguments of the command; raises its Error."""
        self.long_runs.for_functions = False
        runtime: Runtime = self.eval_scripts.runtime  # type: ignore[attr-defined]
        return self.call(
            runtime, script.function, script.sha, script.flags, session, keys, args, read_only
        )

    @cython.cfunc
    def run_function(
        self, session: Session, function: Function, keys: list, args: list, read_only: cython.bint
    ):
        """FCALL: the same with a function."""
        self.long_runs.for_functions = True
        runtime: Runtime = self.function_libraries.runtime  # type: ignore[attr-defined]
        name, flags = function.name, function.flags
        return self.call(runtime, function.reference, name, flags, session, keys, args, read_only)

    @cython.cfunc
    def call(
        self,
        runtime: Runtime,
        reference: cython.int,
        name: bytes,
        flags: cython.int,
        session: Session,
        keys: list,
        args: list,
        read_only: cython.bint,
    ):
        host: ScriptHost = self.host
        engine: Engine = self.engine
        lacks_memory: cython.bint = engine.memory_limit.exhausted and not session.flags & OBEYED
        if host.caller is not None:
            raise _NESTED
        if not flags & SILENT:
            if flags & NO_CLUSTER:
                if engine.cluster is not None:
                    raise _NOT_IN_CLUSTER
                engine.compatibility.note_exclusion()
            if read_only and not flags & NO_WRITES:
                raise _WRITES
            if lacks_memory and not flags & (NO_WRITES | ALLOW_OOM):
                raise _NO_MEMORY
            read_only = flags & NO_WRITES != 0
            lacks_memory = lacks_memory and not flags & ALLOW_OOM
        host.crosses_slots = flags & (SILENT | ALLOW_CROSS_SLOT_KEYS) != 0
        self.long_runs.name = name
        self.running = args
        host.begin(session, read_only, lacks_memory)
        try:
            reply = runtime.run(reference, keys, args[3 + len(keys) :], name)
        finally:
            host.end()
            self.running = None
            if self.long_runs.busy:
                self.long_runs.end()
            # What the commands of the script have done was passed on by each of them.
            session.rewritten = []
        if isinstance(reply, Error):
            raise reply
        return reply


@cython.ccall
def keys_of(args: list) -> list:
    """The keys among the words of EVAL and the like; raises Error if there are not so many."""
    count: cython.longlong = parse_int(args[2])
    if count > len(args) - 3:
        raise Error("ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise Error("ERR Number of keys can't be negative")
    return args[3 : 3 + count]


@cython.ccall
def scripting_of(engine: Engine) -> Scripting:
    """The scripts and functions of an engine; made when they are first asked for."""
    if engine.scripting is None:
        engine.scripting = Scripting(engine)
    return engine.scripting

"""The engine as scripts reach it: commands run in a session of their own, one script at a time."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command, accepts
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import (
    FLAG_DENY_BLOCKING,
    FLAG_LOADER,
    FLAG_SCRIPT,
    RESTRICTED,
)
from cython.cimports.carnelian.engine.parts.admission import Admission
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.effects import FOR_ALL
from cython.cimports.carnelian.scripting.api.script_host import OBEYED
from cython.cimports.cpython.exc import PyErr_CheckSignals

from carnelian.engine.catalogue.registry import FLAG_BITS, shown_word
from carnelian.resp.replies import Error

_NOSCRIPT = cython.declare(cython.longlong, FLAG_BITS["noscript"])
_WRITE = cython.declare(cython.longlong, FLAG_BITS["write"])
# What others may hear of counts as writing where nothing may be written.
_WRITES = cython.declare(cython.longlong, FLAG_BITS["write"] | FLAG_BITS["may_replicate"])
_DENYOOM = cython.declare(cython.longlong, FLAG_BITS["denyoom"])

_UNKNOWN = Error("ERR Unknown Redis command called from script")
_ARITY = Error("ERR Wrong number of args calling Redis command from script")
_FORBIDDEN = Error("ERR This Redis command is not allowed from script")
_READ_ONLY = Error("ERR Write commands are not allowed from read-only scripts.")
_NO_MEMORY = Error("OOM command not allowed when used memory > 'maxmemory'.")


@cython.cclass
class ScriptSession(Session):
    """The session in which scripts run their commands. Nothing is ever sent to it.

    ``caller`` is the session of whoever has called the script, while it runs.
    """

    @cython.ccall
    def send(self, value: object):
        pass

    @cython.ccall
    def close(self, after_replies: object = False):
        pass

    def peer(self) -> bytes:
        """Nobody is there."""
        return b"?:0"

    def describe(self) -> dict[str, object]:
        """What is logged of it concerns its caller."""
        return {} if self.caller is None else self.caller.describe()

    def origin(self) -> Client:
        """Whoever has called the script."""
        return self if self.caller is None else self.caller

    def is_local(self) -> bool:
        """What DEBUG and MODULE ask is asked of whoever called the script."""
        return False


@cython.final
@cython.cclass
class ScriptHost:
    """Runs the commands of scripts, and knows the script that is running.

    - ``wrote``: it has run a command that writes, so it is not to be ended half-way;
    - ``killed``: it is to end at the next occasion;
    - ``crosses_slots``: it may take keys of several slots of a cluster;
    - ``lets_all_run``: for tests, commands that are not for scripts are.
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.session = ScriptSession(engine)
        self.session.flags = FLAG_SCRIPT | FLAG_DENY_BLOCKING
        self.caller = None
        self.on_interval = self.registrar = None
        self.lets_all_run = self.crosses_slots = False

    # -- The time of one script --------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1)
    def begin(
        self, caller: Session, read_only: cython.bint, lacks_memory: cython.bint
    ) -> cython.int:
        """A script begins, called by a session."""
        engine: Engine = self.engine
        session: ScriptSession = self.session
        session.db = caller.db
        session.protocol = 2
        session.user, session.rights = caller.user, caller.rights
        session.caller = caller
        session.fieldsets = None
        session.gate = caller.gate & RESTRICTED
        session.flags = FLAG_SCRIPT | FLAG_DENY_BLOCKING | caller.flags & FLAG_LOADER
        self.caller = caller
        self.read_only, self.lacks_memory = read_only, lacks_memory
        self.suspicious = _NOSCRIPT | (_WRITES if read_only else 0)
        if lacks_memory:
            self.suspicious |= _DENYOOM
        self.wrote = self.killed = False
        self.now_ms = engine.clock.ms
        self.started_ns = engine.clock.ns
        engine.depth += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def end(self) -> cython.int:
        """It has ended."""
        engine: Engine = self.engine
        engine.effects.wanted = FOR_ALL
        engine.depth -= 1
        self.caller.commands += self.session.commands
        self.session.commands = 0
        self.caller = self.session.caller = None
        self.reply = None
        return 0

    # -- Commands ----------------------------------------------------------------------------------

    @cython.cfunc
    def execute(self, words: list):
        """The reply to a command of the script, or its :class:`Error`."""
        engine: Engine = self.engine
        session: ScriptSession = self.session
        command: Command = engine.registry.lookup(words)
        if command is None:
            return self.refuse(None, _UNKNOWN)
        if not accepts(command, len(words)):
            return self.refuse(command, _ARITY)
        if command.flags & self.suspicious or session.gate | engine.gate:
            error = self.objection(command, words)
            if error is not None:
                return self.refuse(command, error)
        if command.flags & _WRITE:
            self.wrote = True
        # What the script did until now is no time of this command. A script sees one time from its
        # beginning to its end.
        engine.clock.tick()
        engine.clock.ms = self.now_ms
        reply = engine.call(session, command, words)
        engine.clock.ms = self.now_ms
        return reply

    @cython.cfunc
    def objection(self, command: Command, words: list):
        """The error for a command that must not run now, or None."""
        flags: cython.longlong = command.flags
        if flags & _NOSCRIPT and not self.lets_all_run:
            return _FORBIDDEN
        admission: Admission = self.engine.admission
        obeyed: cython.bint = self.caller.flags & OBEYED != 0
        if not obeyed:
            error = admission.rights_objection(self.session, command, words)
            if error is not None:
                return error
        if flags & _WRITES and self.read_only:
            return _READ_ONLY
        if not obeyed:
            error = admission.state_objection(self.session, command, words, self.wrote)
            if error is not None:
                return error
        if flags & _DENYOOM and self.lacks_memory and not self.wrote:
            return _NO_MEMORY
        return None if obeyed else admission.place_objection(self.session, command, words)

    def refuse(self, command, error):
        """Count a command that does not run, or that there is not."""
        return self.engine.admission.reject(self.session, command, error)

    # -- What else scripts may ask for -------------------------------------------------------------

    def replicate(self, wanted: cython.int) -> None:
        """Pass on what is written from now on: to the log (1), to replicas (2), or to both (3)."""
        self.engine.effects.wanted = wanted

    def may_run(self, words: list) -> bool:
        """Whether the user who has called the script may run a command; nothing is noted.

        Raises Error if the words make none.
        """
        try:
            return self.engine.users.may(self.session, words)
        except Error:
            raise Error("ERR Invalid command passed to redis.acl_check_cmd()") from None

    def log(self, level: cython.int, text: bytes) -> None:
        """Write a line into the engine's log."""
        self.engine.log(_LEVELS[level], shown_word(text, len(text)).decode("utf-8", "replace"))

    def note_failure(self, failure: BaseException) -> None:
        """Keep what a function has raised that is no part of the engine, for when all has ended."""
        if self.engine.interrupts is None:
            self.failure = failure
        else:
            self.engine.interrupts.append(failure)

    # -- The end of a script before its time ------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1)
    def goes_on(self) -> cython.bint:
        """Whether the script may go on; asked every so many instructions."""
        with cython.nogil:
            pass  # others may have waited for it
        PyErr_CheckSignals()
        if self.on_interval is not None:
            self.on_interval()
            self.engine.clock.ms = self.now_ms
        return not self.killed


_LEVELS = ("debug", "verbose", "notice", "warning")

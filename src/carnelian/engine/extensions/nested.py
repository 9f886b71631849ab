"""Commands that a handler runs: ``session.call("GET", key)`` of user commands."""

from __future__ import annotations

from carnelian.engine.catalogue.registry import (
    FLAG_BITS,
    READONLY,
    WRITE,
    Command,
    unknown_command,
    wrong_arity,
)
from carnelian.engine.extensions.conversion import encode_all, plain
from carnelian.engine.ground.flags import FLAG_DENY_BLOCKING
from carnelian.engine.parts.admission import Admission
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.core import Core
from carnelian.resp.replies import Error

_NOSCRIPT = FLAG_BITS["noscript"]


def _runs_scripts(command: Command) -> bool:
    """Whether it is EVAL or one of its kind, which others than scripts may call."""
    return command.declaration.group == "scripting" and command.declaration.container is None


class Nested:
    """Runs commands within commands."""

    def __init__(self, core: Core, admission: Admission):
        self._core = core
        self._admission = admission

    def call(self, session: Client, words: tuple[object, ...]) -> object:
        """Run a command on behalf of the handler that the session runs, and return its reply.

        What it writes is propagated, in place of the command that called: a handler that changes
        keys this way must not change others directly. Nothing waits: a blocking command that
        cannot go on replies as if its time were over.

        Args:
            words: the name and the arguments, of types that
            :func:`carnelian.engine.extensions.conversion.encode`
                takes.

        Raises:
            Error: the command's own error, or that it must not run here.
        """
        core, outer = self._core, session.command
        args = encode_all(words)
        could_block = not session.flags & FLAG_DENY_BLOCKING
        rewritten, dirty = session.rewritten, session.keyspace.dirty
        session.rewritten = None
        session.flags |= FLAG_DENY_BLOCKING
        core.depth += 1
        try:
            reply = core.call(session, self._find(session, args), args)
        finally:
            core.depth -= 1
            if could_block:
                session.flags &= ~FLAG_DENY_BLOCKING
            session.command = outer
            session.rewritten = [] if session.keyspace.dirty != dirty else rewritten
        if core.interrupts:
            raise core.interrupts.pop()
        if isinstance(reply, Error):
            raise reply.fresh()
        return plain(reply)

    def _find(self, session: Client, args: list[bytes]) -> Command:
        """The command that the words call, if it may run inside of the session's current one."""
        outer = session.command
        command = self._core.registry.lookup(args)
        if command is None:
            raise unknown_command(args)
        if len(args) != command.arity if command.arity > 0 else len(args) < -command.arity:
            raise wrong_arity(command)
        scripted = command.flags & _NOSCRIPT and _runs_scripts(command)
        if command.flags & _NOSCRIPT and not scripted:
            raise Error(b"ERR '%s' is not allowed inside of a command" % command.name)
        writes = command.flags & WRITE or (scripted and not command.flags & READONLY)
        if writes and outer is not None and not outer.flags & WRITE:
            raise Error(
                b"ERR '%s' writes, and '%s' is not declared with the flag write"
                % (command.name, outer.name)
            )
        error = self._admission.inner_objection(session, command, args)
        if error is not None:
            raise error
        return command

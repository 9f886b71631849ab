"""Whether a command may run now: the checks between its lookup and its handler.

The execute pipeline comes here only when there is a reason to: a name or number of words that fits
no command, a command that is always checked, or a gate that is up on the session (not
authenticated, inside MULTI, subscribed in RESP2) or on the engine (PAUSED and its kind, see
:mod:`carnelian.engine.flags`).
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.engine import authentication
from carnelian.engine.blocking import Blocking
from carnelian.engine.client import Client
from carnelian.engine.core import Core
from carnelian.engine.flags import CHECKED, IN_MULTI, NEEDS_AUTH, SUBSCRIBED
from carnelian.engine.pause import Pause
from carnelian.engine.registry import (
    FLAG_BITS,
    Command,
    unknown_command,
    unknown_subcommand,
    wrong_arity,
)
from carnelian.engine.transactions import Watches
from carnelian.resp.replies import NO_REPLY, QUEUED, Error

_PROTECTED = FLAG_BITS["protected"]
_NO_AUTH = FLAG_BITS["no_auth"]
_NO_MULTI = FLAG_BITS["no_multi"]

# These run at once inside MULTI; all others are queued.
_NEVER_QUEUED = frozenset((b"exec", b"discard", b"multi", b"watch", b"quit", b"reset"))

_ALLOWED_WHILE_SUBSCRIBED = frozenset(
    (
        b"ping", b"subscribe", b"ssubscribe", b"unsubscribe", b"sunsubscribe", b"psubscribe",
        b"punsubscribe", b"quit", b"reset",
    )
)  # fmt: skip

# Requests that a browser can be made to send across protocols.
_HTTP_WORDS = frozenset((b"host:", b"post"))

_PROTECTING_DIRECTIVE = {b"debug": "enable-debug-command", b"module": "enable-module-command"}

Check = Callable[[Client, Command, list[bytes]], Error | None]


class Admission:
    """Refuses, queues or postpones commands; in Redis's order of checks."""

    def __init__(self, core: Core, blocking: Blocking, pause: Pause, watches: Watches):
        self._core = core
        self._blocking = blocking
        self._pause = pause
        self._watches = watches
        # Checks of features, in order: memory limit, disk errors, read-only replica, loading, ...
        # Each returns the error to refuse with, or None. The CHECKED gate is theirs to raise.
        self.checks: list[Check] = []

    def add_check(self, check: Check, *, first: bool = False) -> None:
        """Ask this function about every command from now on, perhaps before all others."""
        self.checks.insert(0 if first else len(self.checks), check)
        self._core.gate |= CHECKED

    def remove_check(self, check: Check) -> None:
        """Stop asking a function."""
        self.checks.remove(check)
        if not self.checks:
            self._core.gate &= ~CHECKED

    def refuse_malformed(
        self, session: Client, command: Command | None, args: list[bytes]
    ) -> object:
        """The error for words that make no command."""
        session.command = command
        if command is not None:
            return self.reject(session, command, wrong_arity(command))
        if args[0].lower() in _HTTP_WORDS:
            return self._cut_cross_protocol(session)
        container = self._core.registry.top.get(args[0].lower())
        if container is not None:
            return self.reject(session, None, unknown_subcommand(container, args))
        return self.reject(session, None, unknown_command(args))

    def reject(self, session: Client, command: Command | None, error: Error) -> Error:
        """Refuse a command: it spoils the transaction that it was meant for."""
        if session.transaction is not None:
            session.transaction.aborted = True
        if command is not None:
            command.rejected_calls += 1
            if command.name == b"exec":
                error = self._abort(session, error)
        self._core.stats.count_error(error.code)
        return error

    def judge(self, session: Client, command: Command, args: list[bytes]) -> object:
        """The reply in place of the command's own, or None if it may run."""
        session.command = command
        error = self._objection(session, command, args)
        if error is not None:
            return self.reject(session, command, error)
        if self._pause.active and self._pause.holds(session, command):
            self._blocking.postpone(session, command, args)
            return NO_REPLY
        transaction = session.transaction
        if transaction is not None and command.name not in _NEVER_QUEUED:
            transaction.add(command, args)
            return QUEUED
        return None

    def _objection(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        flags, gate = command.flags, session.gate
        if flags & _PROTECTED and not self._allows_protected(session, command):
            return _protected(command)
        if gate & NEEDS_AUTH and not flags & _NO_AUTH and authentication.required(self._core):
            return Error("NOAUTH Authentication required.")
        if gate & IN_MULTI and flags & _NO_MULTI:
            return Error("ERR Command not allowed inside a transaction")
        for check in self.checks:
            error = check(session, command, args)
            if error is not None:
                return error
        if (
            gate & SUBSCRIBED
            and session.protocol == 2
            and command.name not in _ALLOWED_WHILE_SUBSCRIBED
        ):
            return Error(
                b"ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
                b"RESET are allowed in this context" % command.name
            )
        return None

    def _allows_protected(self, session: Client, command: Command) -> bool:
        directive = _PROTECTING_DIRECTIVE[command.name.split(b"|")[0]]
        return self._core.config.allows(directive, session.is_local())

    def _abort(self, session: Client, error: Error) -> Error:
        self._watches.clear(session)
        session.transaction = None
        session.gate &= ~IN_MULTI
        reason = error.message.removeprefix(b"ERR ")
        return Error(b"EXECABORT Transaction discarded because of: " + reason)

    def _cut_cross_protocol(self, session: Client) -> object:
        self._core.log(
            "warning",
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
            "commands to Redis. This is likely due to an attacker attempting to use Cross Protocol "
            "Scripting to compromise your Redis instance. Connection from "
            f"{session.peer().decode()} aborted.",
        )
        session.close()
        return NO_REPLY


def _protected(command: Command) -> Error:
    family = command.name.split(b"|")[0]
    directive = _PROTECTING_DIRECTIVE[family]
    return Error(
        f"ERR {family.decode().upper()} command not allowed. If the {directive} option is set to "
        '"local", you can run it from a local connection, otherwise you need to set this option '
        "in the configuration file, and then restart the server."
    )

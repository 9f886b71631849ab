"""Whether a command may run now: the checks between its lookup and its handler.

The execute pipeline comes here only when there is a reason to: a name or number of words that fits
no command, a command that is always checked, or a gate that is up on the session (not
authenticated, inside MULTI, subscribed in RESP2, ...) or on the engine (CHECKED, see
:mod:`carnelian.engine.ground.flags`). The checks are asked in the order of
:mod:`carnelian.engine.ground.stages`, those of the engine itself and those of features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.ground.flags import CHECKED, IN_MULTI, SUBSCRIBED
from cython.cimports.carnelian.engine.ground.stages import (
    CLUSTER,
    DISK,
    LOADING,
    MEMORY,
    PROTECTED,
    QUEUE,
    REPLICAS,
    ROLE,
    STALE,
    SUBSCRIPTION,
    TRANSACTION,
    USERS,
)
from cython.cimports.carnelian.engine.parts.admission import (
    EVERYWHERE,
    GUARDED,
    GUARDED_ROW,
    ROWS,
    SESSION_GATES,
    Asked,
    first_asked,
)
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.core import Core
from cython.cimports.carnelian.engine.shared.failures import count_failure
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdlib import calloc, free

from carnelian.engine.catalogue.registry import (
    FLAG_BITS,
    unknown_command,
    unknown_subcommand,
    wrong_arity,
)
from carnelian.engine.parts.transactions import Watches
from carnelian.resp.replies import NO_REPLY, QUEUED, Error, Redirection

if TYPE_CHECKING:
    from carnelian.engine.ports import Judge

_PROTECTED = cython.declare(cython.longlong, FLAG_BITS["protected"])
_NO_MULTI = cython.declare(cython.longlong, FLAG_BITS["no_multi"])

# These run at once inside MULTI; all others are queued.
_NEVER_QUEUED = frozenset((b"exec", b"discard", b"multi", b"watch", b"quit", b"reset"))

_ALLOWED_WHILE_SUBSCRIBED = frozenset(
    (
        b"ping", b"subscribe", b"ssubscribe", b"unsubscribe", b"sunsubscribe", b"psubscribe",
        b"punsubscribe", b"quit", b"reset",
    )
)  # fmt: skip

# Asked about the commands within a command, too: what the client was let in with and what it has
# begun concerns the outer one alone, and nothing inside of it can wait.
# In this order, which is not that of the outer ones: where the keys are is told last.
_RIGHTS = (LOADING, STALE, USERS)
_STATE = (ROLE, DISK, REPLICAS, MEMORY)
# Asked again about a command that has waited; a cluster tells those who wait by itself.
_AGAIN = (USERS, MEMORY, DISK, REPLICAS, ROLE)
# What may come about while a script runs, which is not ended for it once it has written.
_UNFORESEEN = frozenset((DISK, REPLICAS, ROLE))

# Requests that a browser can be made to send across protocols.
_HTTP_WORDS = frozenset((b"host:", b"post"))

_PROTECTING_DIRECTIVE = {b"debug": "enable-debug-command", b"module": "enable-module-command"}


@cython.cclass
class Check:
    """One thing that is asked about commands: a function, or a compiled class that overrides
    :meth:`judge`.

    - ``stage``: when it is asked, a number of :mod:`carnelian.engine.ground.stages`;
    - ``gate``: bits of ``Session.gate``, one of which has to be up for it to be asked; EVERYWHERE
      if it is asked about every command, GUARDED about those that are protected.
    """

    def __init__(self, function: Judge | None = None):
        self.function: Judge | None = function
        self.stage = self.gate = 0

    def admits(self, session, command, args):
        """Whether a glance is enough to see that the command may run, so that it need not be
        judged; runs nothing that could change what is asked.
        """
        return False

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        """None if the command may run; the error to refuse it with; NO_REPLY if it is not to run
        now, and was given to who will run it later (``Blocking.postpone``).
        """
        if self.function is None:
            raise NotImplementedError
        return self.function(session, command, args)


@cython.final
@cython.cclass
class Order:
    """Checks as they are asked, one after the other; it never changes.

    There is a row of them for every set of gates, with those that are asked when these are up, so
    that nobody has to look for the few that concern a session. No check is where a row ends.
    """

    def __init__(self, checks: list):
        self.checks = checks
        self.count = len(checks) + 1
        self.asked = cython.cast(
            cython.pointer[Asked], calloc(ROWS * self.count, cython.sizeof(Asked))
        )
        if self.asked == cython.NULL:
            raise MemoryError
        row: cython.int
        for row in range(ROWS):
            self.fill(row)

    def __dealloc__(self):
        free(self.asked)

    def fill(self, row: cython.int):
        """Put down who is asked when these gates are up."""
        place: cython.pointer[Asked] = self.asked + row * self.count
        gates: cython.int = row & SESSION_GATES | EVERYWHERE
        check: Check
        if row & GUARDED_ROW:
            gates |= GUARDED
        for check in self.checks:
            if check.gate & gates:
                place.gate = check.gate
                place.check = cython.cast(cython.pointer[PyObject], check)
                place += 1


@cython.final
@cython.cclass
class Admission:
    """Refuses, queues or postpones commands; in Redis's order of checks."""

    def __init__(self, core: Core, watches: Watches):
        self.core = core
        self.watches = watches
        self.arrange(
            [
                _placed(Check(self._not_protected), PROTECTED, GUARDED),
                _placed(Check(_not_in_transaction), TRANSACTION, IN_MULTI),
                _placed(Check(_not_while_subscribed), SUBSCRIPTION, SUBSCRIBED),
                _placed(Check(_queue), QUEUE, IN_MULTI),
            ]
        )

    # -- Checks of features ----------------------------------------------------------------------

    def add_check(
        self,
        check: Check | Judge,
        *,
        stage: int,
        gate: int = 0,
    ) -> None:
        """Ask this from now on about every command, or those of sessions with this gate up.

        Of two of the same stage, the one that came first is asked first.
        """
        made = check if isinstance(check, Check) else Check(check)
        self.arrange([*self.order.checks, _placed(made, stage, gate or EVERYWHERE)])

    def remove_check(self, check: Check | Judge) -> None:
        """Stop asking it."""
        checks = self.order.checks
        left = [each for each in checks if each is not check and each.function != check]
        if len(left) == len(checks):
            raise ValueError("there is no such check")
        self.arrange(left)

    def switch_check(self, check: Check | Judge, wanted: bool, *, stage: int) -> None:
        """Ask it from now on, or stop asking it."""
        if wanted:
            self.add_check(check, stage=stage)
        else:
            self.remove_check(check)

    def arrange(self, checks: list):
        """Put the checks in order, and raise the gate if some concern all sessions."""
        # Orders are new ones: a check may come or go while it is asked.
        self.order = Order(sorted(checks, key=_stage_of))
        self.rights = self.only(_RIGHTS)
        self.state = self.only(_STATE)
        self.begun = self.only([stage for stage in _STATE if stage not in _UNFORESEEN])
        self.places = self.only([CLUSTER])
        self.again = self.only(_AGAIN)
        if any(check.gate == EVERYWHERE for check in checks):
            self.core.gate |= CHECKED
        else:
            self.core.gate &= ~CHECKED

    def only(self, stages) -> Order:
        """The checks of these stages, in the order of the stages."""
        checks = self.order.checks
        return Order([check for stage in stages for check in checks if check.stage == stage])

    # -- Judging ---------------------------------------------------------------------------------

    def judge(self, session, command, args):
        """The reply in place of the command's own, or None if it may run."""
        session.command = command
        answer = _first_answer(self.order, session, command, args)
        if answer is None or answer is QUEUED or answer is NO_REPLY:
            return answer
        return self.reject(session, command, answer)

    def inner_objection(self, session, command, args):
        """The error for a command within a command, or None if it may run."""
        error = self.rights_objection(session, command, args)
        if error is None:
            error = self.state_objection(session, command, args, False)
        if error is None:
            error = self.place_objection(session, command, args)
        return error

    def rights_objection(self, session, command, args):
        """The first part of that: by what the user may do."""
        return _first_answer(self.rights, session, command, args)

    def state_objection(self, session, command, args, begun):
        """The second part: by how the server is.

        What has ``begun`` to write is not to be left half-done: for want of replicas or of a disk,
        or for a role that came in the meantime.
        """
        return _first_answer(self.begun if begun else self.state, session, command, args)

    def place_objection(self, session, command, args):
        """The third part: by where the keys are."""
        return _first_answer(self.places, session, command, args)

    def waiter_objection(self, session, command, args):
        """The error for a command that has waited and goes on, or None if it may (Redis 7.2)."""
        return _first_answer(self.again, session, command, args)

    def refuse_malformed(self, session, command, args):
        """The error for words that make no command."""
        session.command = command
        if command is not None:
            return self.reject(session, command, wrong_arity(command))
        name = args[0].lower()
        if name in _HTTP_WORDS:
            return self._cut_cross_protocol(session)
        container = self.core.registry.top.get(name)
        if container is not None:
            return self.reject(session, None, unknown_subcommand(container, args))
        return self.reject(session, None, unknown_command(args))

    def reject(self, session, command, error):
        """Refuse a command: it spoils the transaction that it was meant for."""
        if session.transaction is not None:
            session.transaction.aborted = True
        if command is not None:
            command.rejected_calls += 1
            if command.name == b"exec":
                aborted = self._abort(session, error)
                error = error if isinstance(error, Redirection) else aborted
        count_failure(self.core.stats, error)
        return error

    def _abort(self, session: Client, error: Error) -> Error:
        self.watches.clear(session)
        session.transaction = None
        session.gate &= ~IN_MULTI
        reason = error.message.removeprefix(b"ERR ")
        return Error(b"EXECABORT Transaction discarded because of: " + reason)

    def _cut_cross_protocol(self, session: Client) -> object:
        self.core.log(
            "warning",
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
            "commands to Redis. This is likely due to an attacker attempting to use Cross Protocol "
            "Scripting to compromise your Redis instance. Connection from "
            f"{session.peer().decode()} aborted.",
        )
        session.close()
        return NO_REPLY

    # -- Checks of the engine --------------------------------------------------------------------

    def _not_protected(self, session: Client, command: Command, args: list) -> Error | None:
        family = command.name.partition(b"|")[0]
        directive = _PROTECTING_DIRECTIVE[family]
        if self.core.config.allows(directive, session.is_local()):
            return None
        return Error(
            f"ERR {family.decode().upper()} command not allowed. If the {directive} option is set "
            'to "local", you can run it from a local connection, otherwise you need to set this '
            "option in the configuration file, and then restart the server."
        )


@cython.cfunc
@cython.inline
def _first_answer(order: Order, session: Client, command: Command, args: list):
    """What the first check says that says anything."""
    place: cython.pointer[cython.const[Asked]] = first_asked(
        order.asked, order.count, session.gate, command.flags & _PROTECTED != 0
    )
    while place.check != cython.NULL:
        answer = cython.cast(Check, place.check).judge(session, command, args)
        if answer is not None:
            return answer
        place += 1
    return None


def judged_flags(session: Client, command: Command, args: list) -> cython.longlong:
    """The flags of a command; those of EXEC are the flags of all that it is going to run."""
    if command.flags_of is not None:
        return command.flags_of(session, args, command.flags)
    if session.transaction is not None and command.name == b"exec":
        return command.flags | session.transaction.flags
    return command.flags


def _placed(check: Check, stage: cython.int, gate: cython.int) -> Check:
    if gate & ~(SESSION_GATES | EVERYWHERE | GUARDED):
        raise ValueError("there is no such gate of sessions")
    check.stage = stage
    check.gate = gate
    return check


def _stage_of(check: Check) -> int:
    return check.stage


def _not_in_transaction(session: Client, command: Command, args: list) -> Error | None:
    if command.flags & _NO_MULTI:
        return Error("ERR Command not allowed inside a transaction")
    return None


def _not_while_subscribed(session: Client, command: Command, args: list) -> Error | None:
    if session.protocol != 2 or command.name in _ALLOWED_WHILE_SUBSCRIBED:
        return None
    return Error(
        b"ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
        b"RESET are allowed in this context" % command.name
    )


def _queue(session: Client, command: Command, args: list) -> object:
    if session.transaction is None or command.name in _NEVER_QUEUED:
        return None
    session.transaction.add(command, args, judged_flags(session, command, args))
    return QUEUED

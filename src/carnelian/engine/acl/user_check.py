"""Asks about every command of sessions whose user has limits."""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.engine.acl.permissions import ALLOWED, Objection, User
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyPositions
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.parts.admission import Check
from cython.cimports.carnelian.engine.shared.client_state import Client


@cython.final
@cython.cclass
class UserCheck(Check):
    """Refuses what the user of a session may not do.

    Args:
        denied: called with session, command, words, reason and position when it is refused;
            returns the error.
    """

    denied = cython.declare(object)
    found: KeyPositions

    def __init__(self, denied: Any):
        super().__init__()
        self.denied = denied
        self.found = KeyPositions()

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        """The error if the user of the session may not run this."""
        objection = cython.declare(Objection)
        if session.rights is None:
            return None
        user: User = session.rights
        if user.lets(command, args):
            return None
        if user.ask(command, args, self.found, cython.address(objection)) == ALLOWED:
            return None
        return self.denied(session, command, args, objection.reason, objection.position)

"""What a replica refuses: writes of clients, and answers while it does not hear its primary."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.ground.flags import FLAG_SCRIPT
from cython.cimports.carnelian.engine.parts.admission import Check, judged_flags
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.keyspace.sparing import APPLYING, FOLLOWING

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.resp.replies import Error

_WRITE = cython.declare(cython.longlong, FLAG_BITS["write"])
_STALE = cython.declare(cython.longlong, FLAG_BITS["stale"])
# Keys that clients have written, of which so many are remembered until the next look at them.
_MOST_WRITTEN = cython.declare(cython.Py_ssize_t, 100_000)

_READ_ONLY = "READONLY You can't write against a read only replica."
_STALE_IN_SCRIPT = "ERR Can not execute the command on a stale replica"
_DOWN = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."


@cython.final
@cython.cclass
class WriteCheck(Check):
    """Refuses what clients write, as ``replica-read-only`` says.

    Where clients may write, ``written`` are the keys that they did, of which some may expire: the
    primary does not know of them, and will not say when they go.
    """

    def __init__(self, keyspace: Keyspace):
        super().__init__()
        self.keyspace = keyspace
        self.read_only = True
        self.written: dict[tuple[int, bytes], None] = {}

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        keyspace: Keyspace = self.keyspace
        if keyspace.spared & APPLYING:
            return None  # the primary wants it so
        writes: cython.bint = judged_flags(session, command, args) & _WRITE != 0
        if self.read_only:
            return Error(_READ_ONLY) if writes else None
        # Who reads is told nothing of keys past their time; who writes finds them gone.
        if writes:
            keyspace.cease_sparing(FOLLOWING)
            self.note(session, command, args)
        else:
            keyspace.spare_overdue(FOLLOWING)
        return None

    def note(self, session: Client, command: Command, args: list) -> None:
        """Remember the keys of a command that writes."""
        if len(self.written) >= _MOST_WRITTEN:
            return
        try:
            found = command.key_finder().find(args)
        except Error:
            return
        for position, _access in found:
            self.written[session.db.index, args[position]] = None


@cython.final
@cython.cclass
class StaleCheck(Check):
    """Refuses to answer out of old data, as ``replica-serve-stale-data`` says.

    ``stale`` is whether the data are old, and that is not wanted.
    """

    def __init__(self):
        super().__init__()
        self.stale = False

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        if not self.stale:
            return None
        flags: cython.longlong = command.flags
        if command.flags_of is not None:
            flags = command.flags_of(session, args, flags)
        if not flags & _STALE:
            return Error(_STALE_IN_SCRIPT if session.flags & FLAG_SCRIPT else _DOWN)
        if session.transaction is None or command.name != b"exec":
            return None
        # It was queued before the data became old.
        for queued, _ in session.transaction.queue:
            if not queued.flags & _STALE:
                return Error(_DOWN)
        return None

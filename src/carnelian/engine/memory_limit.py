"""maxmemory: what may not run once the data takes more memory than it is allowed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.datatypes import memory
from carnelian.engine.registry import FLAG_BITS
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.engine.registry import Command
    from carnelian.engine.session import Session

_DENYOOM = FLAG_BITS["denyoom"]

# A transaction can be ended in any state of memory, but no further command is queued.
_ENDS_TRANSACTION = frozenset((b"exec", b"discard", b"quit", b"reset"))


class MemoryLimit:
    """Checks commands against ``maxmemory``, while there is one."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._limit = 0

    def set(self, limit: int) -> None:
        """Allow so many bytes; 0 for any number."""
        if limit and not self._limit:
            self._engine.admission.add_check(self.check)
        elif self._limit and not limit:
            self._engine.admission.remove_check(self.check)
        self._limit = limit

    def check(self, session: Session, command: Command, args: list[bytes]) -> Error | None:
        """The error for a command that needs memory where there is none left."""
        if memory.used() <= self._limit:
            return None
        flags, transaction = command.flags, session.transaction
        if transaction is not None:
            if command.name == b"exec":
                flags |= transaction.flags
            elif command.name not in _ENDS_TRANSACTION:
                flags |= _DENYOOM
        if flags & _DENYOOM:
            return Error("OOM command not allowed when used memory > 'maxmemory'.")
        return None

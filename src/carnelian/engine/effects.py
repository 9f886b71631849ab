"""The one place where writes leave the engine for the append-only file and for replicas."""

from __future__ import annotations

from collections.abc import Callable

import cython

Listener = Callable[[int, list[bytes]], None]


@cython.cclass
class Effects:
    """Collects what one command, or one transaction, did; then hands it on as one unit.

    A unit of more than one command goes out between MULTI and EXEC, so that whoever replays it
    never sees a part.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._pending: list[tuple[int, list[bytes]]] = []
        # Commands cost nothing here as long as nobody listens.
        self.listening = False

    def listen(self, listener: Listener) -> None:
        """Call ``listener(db_index, args)`` for each command of each unit from now on."""
        self._listeners.append(listener)
        self.listening = True

    def unlisten(self, listener: Listener) -> None:
        """Stop calling a listener."""
        self._listeners.remove(listener)
        self.listening = bool(self._listeners)

    @cython.ccall
    def add(self, db_index: cython.int, args: list):
        """Add a command to the unit; the database is -1 where it does not matter."""
        if self.listening:
            self._pending.append((db_index, args))

    @cython.ccall
    def flush(self):
        """End the unit."""
        if not self._pending:
            return
        unit, self._pending = self._pending, []
        if len(unit) > 1:
            first, last = unit[0][0], unit[len(unit) - 1][0]
            unit = [(first, [b"MULTI"]), *unit, (last, [b"EXEC"])]
        for db_index, args in unit:
            for listener in self._listeners:
                listener(db_index, args)

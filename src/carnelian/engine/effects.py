"""The one place where writes leave the engine for the append-only file and for replicas."""

from __future__ import annotations

from collections.abc import Callable

import cython

Function = Callable[[int, list[bytes]], None]


@cython.cclass
class Listener:
    """Who wants to know of writes; a subclass says what it does with them."""

    @cython.ccall
    def receive(self, db_index: cython.int, args: list):
        """Take one command of a unit. The list is not to be kept.

        The database is -1 where it does not matter.
        """

    @cython.ccall
    def commit(self):
        """Called before replies are sent, once for all that was received until then."""


@cython.cclass
class _Calling(Listener):
    """A listener that is a function."""

    function = cython.declare(object)

    def __init__(self, function: Function):
        self.function = function

    @cython.ccall
    def receive(self, db_index: cython.int, args: list):
        self.function(db_index, args)


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

    def listen(self, listener: Listener | Function) -> None:
        """Tell a listener of each command of each unit from now on.

        A function is called with the number of the database and the words of the command.
        """
        self._listeners.append(listener if isinstance(listener, Listener) else _Calling(listener))
        self.listening = True

    def unlisten(self, listener: Listener) -> None:
        """Stop telling a listener."""
        self._listeners.remove(listener)
        self.resume()
        if not self.listening:
            self._pending.clear()

    def suspend(self) -> None:
        """Tell nobody of anything until :meth:`resume`: what is run now is not new."""
        self.listening = False

    def resume(self) -> None:
        """Go on telling the listeners, if there are any."""
        self.listening = bool(self._listeners)

    @cython.ccall
    def add(self, db_index: cython.int, args: list):
        """Add a command to the unit; the database is -1 where it does not matter."""
        if self.listening:
            self._pending.append((db_index, args))

    @cython.ccall
    def flush(self, apart: cython.bint = False):
        """End the unit. ``apart``: its commands have nothing to do with each other."""
        if not self._pending:
            return
        unit, self._pending = self._pending, []
        if len(unit) > 1 and not apart:
            first, last = unit[0][0], unit[len(unit) - 1][0]
            unit = [(first, [b"MULTI"]), *unit, (last, [b"EXEC"])]
        for db_index, args in unit:
            self.hand_on(db_index, args)

    @cython.ccall
    def commit(self):
        """Let the listeners do what has to be done before replies are sent."""
        for listener in self._listeners:
            cython.cast(Listener, listener).commit()

    @cython.cfunc
    def hand_on(self, db_index: cython.int, args: list):
        for listener in self._listeners:
            cython.cast(Listener, listener).receive(db_index, args)

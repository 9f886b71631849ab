"""The one place where writes leave the engine for the append-only file and for replicas."""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.engine.shared.effects import FOR_ALL, FOR_LOG
from cython.cimports.carnelian.resp.command_buffer import CommandBuffer

from carnelian.resp.numbers import format_int

Function = Callable[[int, list[bytes]], None]


@cython.cclass
class Listener:
    """Who wants to have writes as bytes; a subclass says what it does with them.

    ``target`` is which writes it wants: those FOR_LOG, or those FOR_REPLICAS.
    """

    def __cinit__(self):
        self.target = FOR_LOG

    @cython.cfunc
    def receive(self, text: cython.pointer[cython.const[cython.char]], length: cython.Py_ssize_t):
        """Take one command of a unit, with a SELECT before it where that is needed.

        The bytes are good until this returns.
        """

    @cython.ccall
    def commit(self):
        """Called before replies are sent, once for all that was received until then."""


@cython.cclass
class Effects:
    """Collects what one command, or one transaction, did; then hands it on as one unit.

    A unit of more than one command goes out between MULTI and EXEC, so that whoever replays it
    never sees a part. It becomes bytes once, whoever listens: all of them get the same stream.
    """

    # Whom a command is for, where that has to be said.
    FOR_REPLICAS = 2
    FOR_ALL = 3

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._functions: list[Function] = []
        self.buffer = CommandBuffer()
        # The database that the stream is in; -1 if a SELECT has to come first.
        self.selected = -1
        # With whom each is for.
        self._pending: list[tuple[int, list[bytes], int]] = []
        # Whom commands are for that do not say it (redis.set_repl of scripts); 0 is nobody.
        self.wanted = FOR_ALL
        # How far the stream to replicas has come; kept by who sends it.
        self.position = 0
        # Commands cost nothing here as long as nobody listens.
        self.listening = False

    def listen(self, listener: Listener | Function) -> None:
        """Tell a listener of each command of each unit from now on.

        A function is called with the number of the database and the words of the command, which
        are not to be kept; the database is -1 where it does not matter.
        """
        if isinstance(listener, Listener):
            self._listeners.append(listener)
            self.forget_selection()
        else:
            self._functions.append(listener)
        self.listening = True

    def forget_selection(self) -> None:
        """Begin the next command with a SELECT: for somebody the stream begins there."""
        self.selected = -1

    def unlisten(self, listener: Listener | Function) -> None:
        """Stop telling a listener."""
        if isinstance(listener, Listener):
            self._listeners.remove(listener)
        else:
            # Another list, as this one may be being gone through.
            self._functions = [each for each in self._functions if each != listener]
        self.resume()
        if not self.listening:
            self._pending.clear()

    def abandon(self) -> None:
        """Tell nobody any more: what happens in this process concerns nobody else."""
        self._listeners.clear()
        self._functions.clear()
        self.listening = False

    def suspend(self) -> None:
        """Tell nobody of anything until :meth:`resume`: what is run now is not new."""
        self.listening = False

    def resume(self) -> None:
        """Go on telling the listeners, if there are any."""
        self.listening = bool(self._listeners or self._functions)

    @cython.ccall
    def add(self, db_index: cython.int, args: list, targets: cython.int = -1):
        """Add a command to the unit; the database is -1 where it does not matter.

        ``targets`` says whom it is for; ``wanted`` does where it is below 0.
        """
        if targets < 0:
            targets = self.wanted
        if self.listening and targets:
            self._pending.append((db_index, args, targets))

    @cython.ccall
    def flush(self, apart: cython.bint = False):
        """End the unit. ``apart``: its commands have nothing to do with each other."""
        if not self._pending:
            return
        unit, self._pending = self._pending, []
        if len(unit) > 1 and not apart:
            first, last = unit[0][0], unit[len(unit) - 1][0]
            unit = [(first, [b"MULTI"], FOR_ALL), *unit, (last, [b"EXEC"], FOR_ALL)]
        for db_index, args, targets in unit:
            self.hand_on(db_index, args, targets)

    @cython.ccall
    def commit(self):
        """Let the listeners do what has to be done before replies are sent."""
        for listener in self._listeners:
            cython.cast(Listener, listener).commit()

    @cython.cfunc
    def hand_on(self, db_index: cython.int, args: list, targets: cython.int):
        for function in self._functions:
            function(db_index, args)
        if not self._listeners:
            return
        buffer: CommandBuffer = self.buffer
        if db_index != self.selected and db_index >= 0:
            buffer.command([b"SELECT", format_int(db_index)])
            self.selected = db_index
            if targets != FOR_ALL:
                # Where the stream is holds for all of them.
                self.tell(FOR_ALL)
        buffer.command(args)
        self.tell(targets)

    @cython.cfunc
    def tell(self, targets: cython.int):
        """Give the listeners what is in the buffer."""
        buffer: CommandBuffer = self.buffer
        try:
            for listener in self._listeners:
                if cython.cast(Listener, listener).target & targets:
                    cython.cast(Listener, listener).receive(buffer.data, buffer.length)
        finally:
            buffer.clear()

"""What happens to the keys of some slots, as a stream of commands."""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import slot_of
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyFinder, KeyPositions
from cython.cimports.carnelian.engine.catalogue.registry import Command, Registry
from cython.cimports.carnelian.resp.command_buffer import CommandBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE


@cython.final
@cython.cclass
class SlotStream:
    """Picks out of all effects those that touch keys of the slots; transactions stay whole.

    :meth:`take` listens to ``Effects``. A command that has keys in these slots and in others, as
    scripts may bring about, is taken.

    Args:
        registry: knows where commands have their keys.
        slots: a byte for each slot, 1 for those that are wanted.
        sink: is given the bytes of whole units, never part of one.
        on_flush: called when all keys were deleted at once, with the name of the command.
    """

    def __init__(
        self,
        registry: Registry,
        slots: bytes,
        sink: Callable[[bytes], object],
        on_flush: Callable[[str], object],
    ):
        self.registry = registry
        self.slots = slots
        self.sink = sink
        self.on_flush = on_flush
        self.buffer = CommandBuffer()
        self.found = KeyPositions()
        self.within = self.begun = False

    @cython.ccall
    def take(self, db_index: cython.int, args: list):
        """Hear of a command."""
        name: bytes = args[0]
        if len(args) == 1 and name == b"MULTI":
            self.within, self.begun = True, False
            return
        if len(args) == 1 and name == b"EXEC":
            self.within = False
            if self.begun:
                self.buffer.command(args)
                self.hand_on()
            return
        command: Command = self.registry.lookup(args)
        if command is None:
            return
        if command.name == b"flushall" or command.name == b"flushdb":
            self.on_flush(name.decode())
            return
        if not self.touches(command, args):
            return
        if self.within and not self.begun:
            self.begun = True
            self.buffer.command([b"MULTI"])
        self.buffer.command(args)
        if not self.within:
            self.hand_on()

    def hand_on(self):
        """Give away what is whole."""
        data: bytes = self.buffer.value()
        self.buffer.clear()
        self.sink(data)

    def touches(self, command: Command, args: list) -> cython.bint:
        """Whether a command has a key in one of the slots."""
        finder: KeyFinder = command.key_finder()
        key: bytes
        i: cython.Py_ssize_t
        if not finder.any:
            return False
        finder.locate(args, self.found, False)
        for i in range(self.found.count):
            key = args[self.found.keys[i].position]
            if self.slots[slot_of(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))]:
                return True
        return False

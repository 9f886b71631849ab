"""The keys of some slots as commands that make them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import HASH_SLOTS, slot_of
from cython.cimports.carnelian.datatypes.tables.entry import key_length, key_of
from cython.cimports.carnelian.datatypes.tables.table import Found, forget
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.bytes.frozen import Output
from cython.cimports.carnelian.persistence.rdb.outputs import CommandOutput
from cython.cimports.carnelian.persistence.rdb.rewriting import Rewriter
from cython.cimports.cpython.bytes import PyBytes_AS_STRING
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memset

if TYPE_CHECKING:
    from carnelian.persistence.bytes.spool import Spool

_MOST = cython.declare(cython.Py_ssize_t, 1 << 40)


def write_slots(
    keyspace: Keyspace,
    slots: bytes,
    fd: cython.int,
    libraries: list[bytes],
    delay_us: int64_t,
    progress: Callable[[int], None] | None,
) -> None:
    """Write the keys of slots to a descriptor, while nothing changes: in a child process.

    Args:
        keyspace: lists its keys by slot.
        slots: a byte for each slot, 1 for those that are wanted.
        fd: where to, which blocks.
        libraries: functions that come first.
        delay_us: microseconds to sleep at each key.
        progress: called now and then with the number of keys written.

    Raises OSError. O(N) in the data.
    """
    rewriter: Rewriter = Rewriter(fd, False)
    rewriter.delay_us = delay_us
    rewriter.progress = progress
    rewriter.begin(0, libraries)
    db: Database = keyspace.databases[0]
    found = cython.declare(Found)
    slot: cython.int
    i: cython.Py_ssize_t
    for slot in range(HASH_SLOTS):
        if not PyBytes_AS_STRING(slots)[slot] or not db.slots.count(slot):
            continue
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            db.gather(slot, 0, _MOST, cython.address(found))
            for i in range(found.count):
                rewriter.write_key(found.items[i])
                if delay_us > 0:
                    # Who slows it down wants to see it come.
                    rewriter.flush(0)
        finally:
            forget(cython.address(found))
    rewriter.flush(0)


@cython.final
@cython.cclass
class SlotOutput(Output):
    """As :func:`write_slots`, for a data set that is handed out in slices.

    Args:
        slots: a byte for each slot, 1 for those that are wanted.
        libraries: functions that come first.
        spool: takes it.
    """

    def __init__(self, slots: bytes, libraries: list[bytes], spool: Spool):
        super().__init__(False)
        self.slots = slots
        self.commands = CommandOutput(spool)
        self.commands.begin(0, libraries)

    def end(self) -> None:
        """Write what is left."""
        self.commands.end()

    @property
    def held(self) -> int:
        """Bytes that wait for others to go before them."""
        return 0

    def put_key(self, index, entry):
        """Write the commands that make a key."""
        if not PyBytes_AS_STRING(self.slots)[slot_of(key_of(entry), key_length(entry))]:
            return 0
        self.keys += 1
        return self.commands.put_key(index, entry)

    def open_value(self, index, entry, value):
        """Begin a value, or pass over it."""
        value.record = None
        if not PyBytes_AS_STRING(self.slots)[slot_of(key_of(entry), key_length(entry))]:
            return 0
        self.keys += 1
        return self.commands.open_value(index, entry, value)

    def put_part(self, value, part):
        """Write the commands that add a part."""
        if value.record is None:
            return 0
        return self.commands.put_part(value, part)

    def close_value(self, value, following):
        """Let the key expire."""
        if value.record is None:
            return 0
        return self.commands.close_value(value, following)

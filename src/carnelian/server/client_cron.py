"""What is done for every client about once a second, a few of them in each tick."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.ground.flags import FLAG_PRIMARY, FLAG_REPLICA
from cython.cimports.carnelian.server.connection import Connection, Hub

from carnelian.server import client_info

# Clients looked at in each tick even if there are few.
_AT_LEAST = cython.declare(cython.Py_ssize_t, 5)

_SMALLEST_REPLY = cython.declare(cython.int, 1024)
_LARGEST_REPLY = cython.declare(cython.int, 16 * 1024)
_IDLE_MS = cython.declare(cython.longlong, 3000)
_NEVER_IDLE = cython.declare(cython.int, FLAG_PRIMARY | FLAG_REPLICA)

# Seconds whose highest buffers INFO's client_recent_max fields look back on.
PEAK_SLOTS = 8
DEFAULT_PEAK_RESET_MS = 5000


@cython.cclass
class Clients:
    """Tends the connections of a hub: idle ones end, unused room is given back.

    ``idle_timeout_ms`` is the directive ``timeout``; 0 is never. ``peak_reset_ms`` and
    ``resizing`` are what DEBUG REPLYBUFFER sets: how long the highest use of a reply buffer is
    remembered (-1: for ever), and whether such buffers change their size at all.
    """

    def __init__(self, hub: Hub):
        self.hub = hub
        self.cursor = 0
        self.input_peaks = [0] * PEAK_SLOTS
        self.output_peaks = [0] * PEAK_SLOTS
        self.idle_timeout_ms = 0
        self.peak_reset_ms = DEFAULT_PEAK_RESET_MS
        self.resizing = True
        self.shrinks = 0
        self.expands = 0

    @cython.ccall
    def tend_some(self, hz: cython.int):
        """Tend a share of the clients, so that ``hz`` calls a second reach all of them."""
        now: cython.longlong = self.hub.engine.clock.ms
        members: list = self.hub.members
        count: cython.Py_ssize_t = len(members)
        slot: cython.int = (now // 1000) % PEAK_SLOTS
        # The next second begins with a clean slate, however long ago this slot was written.
        self.input_peaks[(slot + 1) % PEAK_SLOTS] = 0
        self.output_peaks[(slot + 1) % PEAK_SLOTS] = 0
        for _ in range(min(count, max(_AT_LEAST, count // hz))):
            if not members:
                return
            self.cursor = (self.cursor + 1) % len(members)
            self.tend(members[self.cursor], now, slot)

    @cython.cfunc
    def tend(self, connection: Connection, now: cython.longlong, slot: cython.int):
        hub: Hub = self.hub
        if self.idle_timeout_ms and self.end_if_idle(connection, now):
            return
        connection.parser.trim(now - connection.active_ms >= _IDLE_MS)
        if self.resizing:
            self.resize_replies(connection, now)
        self.note_peaks(connection, slot)
        if hub.engine.client_eviction.limit:
            hub.engine.client_eviction.update(connection)
        if connection.output_memory() > 0 and connection.over_output_limit():
            hub.stats.output_limit_disconnections += 1
            described = client_info.line(connection)
            connection.finish()
            hub.log("warning", f"Client {described} closed for overcoming of output buffer limits.")

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def end_if_idle(self, connection: Connection, now: cython.longlong) -> cython.bint:
        """End a client that said nothing for too long, unless it waits for us."""
        if now - connection.active_ms <= self.idle_timeout_ms:
            return False
        if connection.flags & _NEVER_IDLE or connection.blocked is not None:
            return False
        if connection.channels or connection.patterns or connection.shard_channels:
            return False
        self.hub.log("verbose", "Closing idle client")
        connection.finish()
        return True

    @cython.cfunc
    def resize_replies(self, connection: Connection, now: cython.longlong):
        """Double or halve what a reply buffer may hold, by its highest use lately."""
        size: cython.int = connection.reply_size
        half: cython.int = size // 2
        if half >= _SMALLEST_REPLY and connection.reply_peak < half:
            connection.reply_size = max(_SMALLEST_REPLY, connection.reply_peak + 1)
            self.shrinks += 1
        elif size * 2 < _LARGEST_REPLY * 2 and connection.reply_peak == size:
            connection.reply_size = min(_LARGEST_REPLY, size * 2)
            self.expands += 1
        if 0 <= self.peak_reset_ms <= now - connection.reply_peak_reset_ms:
            connection.reply_peak = min(connection.output.pending(), connection.reply_size)
            connection.reply_peak_reset_ms = now

    @cython.cfunc
    def note_peaks(self, connection: Connection, slot: cython.int):
        received: cython.Py_ssize_t = connection.input_memory()
        unsent: cython.Py_ssize_t = connection.output_memory()
        if received > self.input_peaks[slot]:
            self.input_peaks[slot] = received
        if unsent > self.output_peaks[slot]:
            self.output_peaks[slot] = unsent

    def memory_by_class(self) -> list[int]:
        """Bytes that normal, replica and pub/sub clients take. O(n) in the number of clients."""
        totals = [0, 0, 0]
        connection: Connection
        for connection in self.hub.members:
            totals[connection.output_class()] += connection.memory()
        return totals

"""What the databases of one key space share: clock, counters, policies, and the hooks that
features attach to.
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import next_random
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.tables.entry import CLOCK_MASK
from cython.cimports.carnelian.keyspace.clock import Clock
from cython.cimports.carnelian.keyspace.sparing import APPLYING, DIGESTING, LOADING
from cython.cimports.carnelian.keyspace.state import DELETE, HIDE, IGNORE
from cython.cimports.carnelian.keyspace.trash import Trash
from cython.cimports.libc.stdint import int64_t, uint32_t

# What ``concealed_slots`` has for slots that are another node's now.
LEAVING = 2

# Frequency of a new key, so that it is not the first to be evicted.
NEW_FREQUENCY = cython.declare(cython.int, 5)


@cython.final
@cython.cclass
class Stats:
    """Counters since the start or since CONFIG RESETSTAT.

    ``expired_active`` and ``expired_fields_active`` are those that the expire cycle found, rather
    than a command. ``expired_stale_perc`` is the estimated percentage of keys past their time among
    those that expire.
    """

    def reset(self) -> None:
        """Back to zero."""
        self.hits = 0
        self.misses = 0
        self.expired = 0
        self.expired_active = 0
        self.expired_fields = 0
        self.expired_fields_active = 0
        self.evicted = 0
        self.expired_stale_perc = 0
        self.expired_time_cap_reached = 0
        self.expire_cycle_us = 0


@cython.cclass
class State:
    """Clock, counters, policies and hooks of a key space.

    Policies:

    - ``spared``: why keys past their time are spared, bits of ``keyspace.sparing``;
    - ``overdue``: what follows from that: DELETE (a key past its time is deleted when it is met),
      HIDE (it is reported missing but stays) or IGNORE (it is there like any other);
    - ``active_expire``: whether the expire cycle runs;
    - ``touching``: whether to look at a key renews its access clock (not under CLIENT NO-TOUCH, nor
      while a child process shares the memory, nor with ``lrm``);
    - ``lrm``: whether the access clock tells of the last change instead;
    - ``lfu``, ``lfu_log_factor``, ``lfu_decay_time``: what the access clock counts;
    - ``lazy_expire``, ``lazy_server_del``, ``lazy_user_del``: free big values later when they
      expire, are replaced, or are deleted by DEL;
    - ``limits``: up to where collections keep their compact forms;
    - ``max_string``: longest string in bytes (``proto-max-bulk-len``);
    - ``table_limit``: bytes of all data above which tables grow only when they are overfull;
    - ``by_slot``: whether the keys of a hash slot can be listed;
    - ``concealed_slots``: a byte for each hash slot, 1 where keys are there that are not to be seen
      yet, LEAVING where they are not any more: scans pass over them, they neither expire by
      themselves nor are evicted, and nobody is told that those that leave are deleted; None where
      there are none.

    Hooks, each None when nobody listens:

    - ``observer(db, key, kind, event)``: a key changed;
    - ``notifier(db, kind, event, key)``: an event that changes nothing (keymiss, new);
    - ``on_added(db, key)``: a key came to be;
    - ``on_expired(db, key)``: a key was deleted because its time was up;
    - ``on_fields_expired(db, key, fields, gone)``: fields of a hash were, and perhaps the hash with
      the last of them;
    - ``field_notifier(db, key, event, fields)``: which fields a change of a hash was about.
    """

    def __init__(self, clock: Clock):
        self.clock = clock
        self.stats = Stats()
        self.trash = Trash()
        self.limits = Limits()
        self.spared = 0
        self.overdue = DELETE
        self.active_expire = True
        self.touching = True
        self.lfu = False
        self.lrm = False
        self.lfu_log_factor = 10
        self.lfu_decay_time = 1
        self.max_string = 512 * 1024 * 1024
        self.table_limit = 0
        self.by_slot = False
        self.concealed_slots: bytes | None = None
        self.observer: Callable | None = None
        self.notifier: Callable | None = None
        self.on_added: Callable | None = None
        self.on_expired: Callable | None = None
        self.on_fields_expired: Callable | None = None
        self.field_notifier: Callable | None = None

    def notify(self, db: object, kind: cython.int, event: bytes, key: bytes):
        """Report an event that changes nothing; ``kind`` is one of ``keyspace.events``."""
        if self.notifier is not None:
            self.notifier(db, kind, event, key)

    # -- Keys past their time --------------------------------------------------------------------

    def spare_overdue(self, reason: cython.int):
        """Delete no key past its time while there is this reason, one of ``keyspace.sparing``."""
        self.spared |= reason
        self.combine_reasons()

    def cease_sparing(self, reason: cython.int):
        """There is this reason no longer; others hold as before."""
        self.spared &= ~reason
        self.combine_reasons()

    def combine_reasons(self):
        """Work out what lookups ask for, so that they have one number to compare."""
        if self.spared & (LOADING | DIGESTING | APPLYING):
            self.overdue = IGNORE
        else:
            self.overdue = HIDE if self.spared else DELETE
        return 0

    # -- The access clock: 24 bits, as OBJECT IDLETIME and OBJECT FREQ read them -----------------
    #
    # LRU: seconds. LFU: the minute of the last decrement (16 bits) and a logarithmic counter (8).

    def new_access(self):
        """The clock of a new entry."""
        if self.lfu:
            return minutes(self.clock.ms) << 8 | NEW_FREQUENCY
        return seconds(self.clock.ms)

    def next_access(self, access):
        """The clock of an entry that is accessed now."""
        if not self.lfu:
            return seconds(self.clock.ms)
        counter: cython.int = self.frequency(access)
        base: cython.int = max(counter - NEW_FREQUENCY, 0)
        chance: cython.double = 1.0 / (cython.cast(cython.double, base) * self.lfu_log_factor + 1)
        draw: cython.double = cython.cast(cython.double, next_random() >> 11) / (
            cython.cast(cython.longlong, 1) << 53
        )
        if counter < 255 and draw < chance:
            counter += 1
        return minutes(self.clock.ms) << 8 | counter

    def frequency(self, access):
        """The access counter (0 to 255), less what it lost since its last decrement."""
        counter: cython.int = access & 255
        then: cython.int = (access & CLOCK_MASK) >> 8
        now: cython.int = minutes(self.clock.ms)
        elapsed: cython.int = now - then if now >= then else 65535 - then + now
        if self.lfu_decay_time == 0:
            return counter
        return max(counter - elapsed // self.lfu_decay_time, 0)

    def idle_ms(self, access):
        """Milliseconds since the last access; the clock wraps after 194 days."""
        then: int64_t = access & CLOCK_MASK
        now: int64_t = seconds(self.clock.ms)
        if now >= then:
            return (now - then) * 1000
        return (now + CLOCK_MASK - then) * 1000

    def access_with_idle(self, idle_seconds):
        """The clock of an entry that was accessed so long ago."""
        then: int64_t = seconds(self.clock.ms) - idle_seconds
        if then < 0:
            then += CLOCK_MASK
        return cython.cast(uint32_t, max(then, 0))

    def access_with_frequency(self, frequency):
        """The clock of an entry with that counter."""
        return minutes(self.clock.ms) << 8 | frequency


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def seconds(ms: int64_t) -> uint32_t:
    """The LRU clock."""
    return cython.cast(uint32_t, (ms // 1000) & CLOCK_MASK)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def minutes(ms: int64_t) -> uint32_t:
    """The clock of LFU decrements."""
    return cython.cast(uint32_t, (ms // 60000) & 65535)

"""The active expire cycle: finds keys past their time that nobody asks for.

It samples the keys that expire, database by database, and goes on in one while more than an
acceptable share of a sample was past its time, within a limit of time. The constants and their
growth with ``active-expire-effort`` are those of Redis.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.keyspace.database import Database, Reaped
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.keyspace.removal.field_expiry import expire_next_hash
from cython.cimports.carnelian.keyspace.state import DELETE
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memset

KEYS_PER_LOOP = cython.declare(cython.int, 20)
FAST_DURATION_US = cython.declare(cython.int, 1000)
SLOW_TIME_PERCENT = cython.declare(cython.int, 25)
ACCEPTABLE_STALE_PERCENT = cython.declare(cython.int, 10)
DATABASES_PER_CALL = cython.declare(cython.int, 16)
# Buckets looked at for every key that is wanted: empty ones cost little.
BUCKETS_PER_KEY = cython.declare(cython.int, 20)
# Hashes whose fields are looked after at a time, and buckets of each.
HASHES_PER_LOOP = cython.declare(cython.int, 64)
BUCKETS_PER_HASH = cython.declare(cython.int, 64)
# Samples between two looks at the clock.
SAMPLES_PER_CHECK = cython.declare(cython.int, 16)


@cython.final
@cython.cclass
class ExpireCycle:
    """The cycle over all databases of a key space.

    The engine calls :meth:`run` at ``hz`` times per second, and with ``fast`` before it waits for
    input. ``effort`` is ``active-expire-effort``, 1 to 10.
    """

    def __init__(self, keyspace: Keyspace, effort: cython.int = 1, hz: cython.int = 10):
        self.keyspace = keyspace
        self.effort = effort
        self.hz = hz
        self.next_database = 0
        self.out_of_time = False
        self.last_fast_us = 0
        self.samples = 0

    def run(self, fast: cython.bint = False) -> int64_t:
        """Delete some of the keys that are past their time; returns microseconds spent.

        Does nothing while ``active_expire`` is off or keys past their time are not to be deleted.
        A fast run lasts 1 ms (more with effort), and takes place only if the last slow one ran out
        of time or many keys are thought to be stale.
        """
        keyspace: Keyspace = self.keyspace
        start: int64_t = keyspace.clock.monotonic_ns() // 1000
        sampled: int64_t = 0
        expired: int64_t = 0
        reaped = cython.declare(Reaped)
        if not keyspace.active_expire or keyspace.overdue != DELETE:
            return 0
        if fast and not self.may_run_fast(start):
            return 0
        limit: int64_t = start + self.time_limit(fast)
        calls: cython.Py_ssize_t = len(keyspace.databases)
        if not self.out_of_time:
            calls = min(calls, DATABASES_PER_CALL)
        self.out_of_time = False
        self.samples = 0
        keyspace.clock.tick()
        keys_before: int64_t = keyspace.stats.expired
        fields_before: int64_t = keyspace.stats.expired_fields
        while calls > 0 and not self.out_of_time:
            calls -= 1
            # First to the next: a cycle that runs out of time begins with another database.
            self.next_database %= len(keyspace.databases)
            db: Database = keyspace.databases[self.next_database]
            self.next_database += 1
            memset(cython.address(reaped), 0, cython.sizeof(Reaped))
            self.clean(db, limit, cython.address(reaped))
            if db.timed_hashes and keyspace.concealed_slots is None:
                self.clean_hashes(db, limit)
            sampled += reaped.sampled
            expired += reaped.expired
        keyspace.stats.expired_active += keyspace.stats.expired - keys_before
        keyspace.stats.expired_fields_active += keyspace.stats.expired_fields - fields_before
        elapsed: int64_t = keyspace.clock.monotonic_ns() // 1000 - start
        stale: cython.double = 100.0 * expired / sampled if sampled else 0.0
        keyspace.stats.expired_stale_perc *= 0.95
        keyspace.stats.expired_stale_perc += stale * 0.05
        keyspace.stats.expire_cycle_us += elapsed
        return elapsed

    def clean(self, db, limit, total):
        """Sample one database until few keys past their time are found, or time is up."""
        acceptable: int64_t = ACCEPTABLE_STALE_PERCENT - (self.effort - 1)
        wanted: cython.Py_ssize_t = KEYS_PER_LOOP + KEYS_PER_LOOP // 4 * (self.effort - 1)
        reaped = cython.declare(Reaped)
        while True:
            self.samples += 1
            if db.expiring.used == 0:
                db.avg_ttl = 0
                return 0
            memset(cython.address(reaped), 0, cython.sizeof(Reaped))
            wanted = min(wanted, db.expiring.used)
            db.reap(
                wanted,
                wanted * BUCKETS_PER_KEY,
                self.keyspace.clock.ms,
                cython.address(reaped),
            )
            total.sampled += reaped.sampled
            total.expired += reaped.expired
            if reaped.living:
                average_ttl(db, reaped.ttl_sum // reaped.living)
            if self.samples % SAMPLES_PER_CHECK == 0:
                self.keyspace.clock.tick()
                if self.keyspace.clock.monotonic_ns() // 1000 > limit:
                    self.out_of_time = True
                    self.keyspace.stats.expired_time_cap_reached += 1
                    return 0
            if reaped.sampled and reaped.expired * 100 // reaped.sampled <= acceptable:
                return 0

    def clean_hashes(self, db, limit):
        """Let fields of hashes go until few are past their time, or time is up."""
        visits: cython.Py_ssize_t
        found: cython.Py_ssize_t
        _visit: cython.Py_ssize_t
        while db.timed_hashes and not self.out_of_time:
            visits = min(len(db.timed_hashes), HASHES_PER_LOOP)
            found = 0
            for _visit in range(visits):
                found += expire_next_hash(db, BUCKETS_PER_HASH)
            if self.keyspace.clock.monotonic_ns() // 1000 > limit:
                self.out_of_time = True
                self.keyspace.stats.expired_time_cap_reached += 1
            if found * 100 // visits <= ACCEPTABLE_STALE_PERCENT:
                return 0
        return 0

    def time_limit(self, fast):
        """Microseconds that a run may take."""
        extra: int64_t = self.effort - 1
        if fast:
            return FAST_DURATION_US + FAST_DURATION_US // 4 * extra
        percent: int64_t = SLOW_TIME_PERCENT + 2 * extra
        return max(percent * 1000000 // self.hz // 100, 1)

    def may_run_fast(self, now_us):
        """Whether there is reason for a fast run, and the last one is long enough ago."""
        acceptable: cython.int = ACCEPTABLE_STALE_PERCENT - (self.effort - 1)
        if not self.out_of_time and self.keyspace.stats.expired_stale_perc < acceptable:
            return False
        if now_us < self.last_fast_us + 2 * self.time_limit(True):
            return False
        self.last_fast_us = now_us
        return True


@cython.cfunc
def average_ttl(db: Database, sample: int64_t):
    """Let a sample count for one fiftieth of the estimated average."""
    if db.avg_ttl == 0:
        db.avg_ttl = sample
    db.avg_ttl = db.avg_ttl // 50 * 49 + sample // 50

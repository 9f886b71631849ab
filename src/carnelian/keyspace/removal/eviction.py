"""Which key gives way when memory is short: the best of a few that are looked at.

To find the key that was unused for longest takes an order of all keys, which costs memory and
time on every access. A few random keys are looked at instead, and the best ones met so far are
remembered: with that the choice comes close to the exact one.
See https://redis.io/docs/latest/develop/reference/eviction/
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import random_below
from cython.cimports.carnelian.datatypes.tables.entry import (
    Entry,
    expires,
    expiry_of,
    read_key,
)
from cython.cimports.carnelian.datatypes.tables.table import Found, Table, forget
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.keyspace.store import hash_of
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memset

# Candidates that are remembered.
POOL = cython.declare(cython.Py_ssize_t, 16)
# How often is drawn again where some keys are not to go.
DRAWS = cython.declare(cython.Py_ssize_t, 16)

NOTHING = cython.declare(cython.int, 0)
LEAST_RECENTLY_USED = cython.declare(cython.int, 1)
LEAST_FREQUENTLY_USED = cython.declare(cython.int, 2)
RANDOM = cython.declare(cython.int, 3)
SOONEST = cython.declare(cython.int, 4)

_ORDERS = {
    "lru": LEAST_RECENTLY_USED,
    # The clock is that of the last change then.
    "lrm": LEAST_RECENTLY_USED,
    "lfu": LEAST_FREQUENTLY_USED,
    "random": RANDOM,
    "ttl": SOONEST,
}


@cython.final
@cython.cclass
class Eviction:
    """Chooses keys of a key space by a policy of ``maxmemory-policy``.

    ``samples`` keys of each database are looked at for one choice (``maxmemory-samples``).
    """

    scores: cython.p_longlong  # of the keys in the pool, in place
    places: cython.p_int

    def __init__(self, keyspace: Keyspace):
        self.keyspace = keyspace
        self.samples = 5
        self.next_database = 0
        self.set_policy("noeviction")

    def set_policy(self, policy: str) -> None:
        """Choose by this policy from now on, as the configuration names it."""
        scope, _, order = policy.partition("-")
        self.policy = policy
        self.expiring = scope == "volatile"
        self.order = _ORDERS.get(order, NOTHING)
        # What was remembered has been measured by another scale.
        self.keys: list[bytes] = []

    def choose(self):
        """``(database, key)`` of the next one to go; None if the policy has none to give.

        The key may be past its time without being deleted yet. The caller deletes it.
        """
        if self.order == NOTHING:
            return None
        return self.choose_any() if self.order == RANDOM else self.choose_best()

    def table_of(self, db):
        """Where the candidates of a database are."""
        return db.expiring if self.expiring else db.table

    def choose_any(self):
        """A random key, of another database each time."""
        databases: cython.Py_ssize_t = len(self.keyspace.databases)
        table: Table
        entry: cython.pointer[Entry]
        draws: cython.Py_ssize_t = databases
        if self.keyspace.concealed_slots is not None:
            draws *= DRAWS
        for _ in range(draws):
            self.next_database = (self.next_database + 1) % databases
            db: Database = self.keyspace.databases[self.next_database]
            table = self.table_of(db)
            if table.used:
                entry = table.random()
                if not db.concealed(entry):
                    return db, read_key(entry)
        return None

    def choose_best(self):
        """The best key of the pool, once samples of all databases have had their chance."""
        db: Database
        table: Table
        sampled: cython.bint = True
        rounds: cython.Py_ssize_t = 0
        while sampled and rounds < DRAWS:
            sampled = False
            rounds += self.keyspace.concealed_slots is not None
            for db in self.keyspace.databases:
                table = self.table_of(db)
                if table.used:
                    self.sample(db)
                    sampled = True
            while self.keys:
                key: bytes = self.keys.pop()
                db = self.keyspace.databases[self.places[len(self.keys)]]
                table = self.table_of(db)
                # It may have gone since it was put into the pool.
                if table.find(hash_of(key), PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)):
                    return db, key
        return None

    def sample(self, db):
        """Look at some keys of a database."""
        table: Table = self.table_of(db)
        found = cython.declare(Found)
        count: cython.Py_ssize_t
        first: cython.Py_ssize_t
        i: cython.Py_ssize_t
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            table.some(self.samples, cython.address(found))
            count = found.count
            # Whole buckets were collected: their first entries shall have no better chance.
            first = random_below(count) if count > self.samples else 0
            for i in range(min(count, self.samples)):
                if not db.concealed(found.items[(first + i) % count]):
                    self.consider(db.index, found.items[(first + i) % count])
        finally:
            forget(cython.address(found))
        return 0

    def consider(self, place, entry):
        """Remember an entry if there is room, or if it is better than the worst in the pool."""
        score: int64_t = self.score(entry)
        count: cython.Py_ssize_t = len(self.keys)
        at: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        while at < count and self.scores[at] < score:
            at += 1
        if count == POOL:
            if at == 0:
                return 0
            at -= 1
            del self.keys[0]
            for i in range(at):
                self.scores[i] = self.scores[i + 1]
                self.places[i] = self.places[i + 1]
        else:
            for i in range(count, at, -1):
                self.scores[i] = self.scores[i - 1]
                self.places[i] = self.places[i - 1]
        self.keys.insert(at, read_key(entry))
        self.scores[at] = score
        self.places[at] = place
        return 0

    def score(self, entry):
        """How good it would be to lose an entry; more is better."""
        if self.order == LEAST_RECENTLY_USED:
            return self.keyspace.idle_ms(entry.access)
        if self.order == LEAST_FREQUENTLY_USED:
            return 255 - self.keyspace.frequency(entry.access)
        return -expiry_of(entry) if expires(entry) else 0

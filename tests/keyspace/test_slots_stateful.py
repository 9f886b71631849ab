"""Whatever is done in whatever order, the keys of each hash slot are those that a dict has."""

from __future__ import annotations

import gc
from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.datatypes.base import memory
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.keyspace.removal.eviction import Eviction
from carnelian.keyspace.removal.expire_cycle import ExpireCycle

TAGS = (b"{a}", b"{b}", b"{c}")
SLOTS = tuple(map(hash_slot, TAGS))
KEYS = st.one_of(
    st.builds(
        lambda tag, number: b"%s%d" % (tag, number), st.sampled_from(TAGS), st.integers(0, 9)
    ),
    st.integers(0, 9).map(lambda number: b"%d" % number),
    st.sampled_from([b"", b"{a}" + b"k" * 255, b"{}a"]),
)
VALUES = st.sampled_from([b"1", b"text", b"v" * 100, b"v" * 1000])
INDEXES = st.integers(0, 1)
PICKS = st.integers(0, len(TAGS) - 1)
NEVER = -1


class KeysBySlot(RuleBasedStateMachine):
    """The model of a database has the expiry of each key."""

    @initialize()
    def begin(self) -> None:
        gc.collect()
        self.memory = memory.used()
        self.clock = ManualClock()
        self.keyspace = Keyspace(self.clock, 2, by_slot=True)
        self.models: list[dict[bytes, int]] = [{}, {}]
        # Of the scans that go on: the cursor, what was there all the while, and what was found.
        self.scans: dict[tuple[int, int], tuple[int, set[bytes], list[bytes]]] = {}

    def pair(self, index: int) -> tuple[Database, dict[bytes, int]]:
        return self.keyspace.databases[index], self.models[index]

    def live(self, index: int, key: bytes) -> bool:
        """Whether a key is there, which goes now if its time is over."""
        expiry = self.models[index].get(key)
        if expiry is not None and expiry != NEVER and self.clock.ms > expiry:
            self.drop(index, key)
            return False
        return expiry is not None

    def drop(self, index: int, key: bytes) -> None:
        del self.models[index][key]
        for (scanned, _), (_, stayed, _) in self.scans.items():
            if scanned == index:
                stayed.discard(key)

    @rule(index=INDEXES, key=KEYS, value=VALUES, ttl=st.integers(-1, 50))
    def set_string(self, index, key, value, ttl):
        db, model = self.pair(index)
        self.live(index, key)
        expiry = NEVER if ttl < 0 else self.clock.ms + ttl
        db.set_string(key, value, False, expiry)
        model[key] = expiry

    @rule(index=INDEXES, key=KEYS)
    def change(self, index, key):
        db, model = self.pair(index)
        self.live(index, key)
        db.append(key, b"more" * 50)
        model.setdefault(key, NEVER)

    @rule(index=INDEXES, tag=st.sampled_from(TAGS), first=st.integers(0, 900))
    def set_many(self, index, tag, first):
        db, model = self.pair(index)
        for number in range(first, first + 600):
            db.set_string(b"%s:%d" % (tag, number), b"")
            model[b"%s:%d" % (tag, number)] = NEVER

    @rule(index=INDEXES, tag=st.sampled_from(TAGS), first=st.integers(0, 900))
    def delete_many(self, index, tag, first):
        for number in range(first, first + 600):
            self.delete(index, b"%s:%d" % (tag, number))

    @rule(index=INDEXES, key=KEYS)
    def delete(self, index, key):
        expected = self.live(index, key)
        assert self.keyspace.databases[index].delete(key) == expected
        if expected:
            self.drop(index, key)

    @rule(index=INDEXES, key=KEYS, ttl=st.integers(-20, 50))
    def set_expiry(self, index, key, ttl):
        db, model = self.pair(index)
        expected = self.live(index, key)
        assert db.set_expiry(key, self.clock.ms + ttl) == expected
        if expected:
            model[key] = self.clock.ms + ttl

    @rule(index=INDEXES, key=KEYS, new_key=KEYS)
    def rename(self, index, key, new_key):
        db, model = self.pair(index)
        expected = self.live(index, key)
        assert db.rename(key, new_key) == expected
        if expected and key != new_key:
            model[new_key] = model[key]
            self.drop(index, key)
            self.forget_in_scans(index, new_key)

    @rule(index=INDEXES, key=KEYS)
    def move(self, index, key):
        db, model = self.pair(index)
        other, other_model = self.pair(1 - index)
        expected = self.live(index, key) and not self.live(1 - index, key)
        assert db.move(key, other) == expected
        if expected:
            other_model[key] = model[key]
            self.drop(index, key)

    @rule(index=INDEXES, to=INDEXES, key=KEYS, new_key=KEYS)
    def copy(self, index, to, key, new_key):
        if (index, key) == (to, new_key):
            return
        expected = self.live(index, key)
        self.live(to, new_key)
        db, model = self.pair(index)
        assert db.copy(key, self.keyspace.databases[to], new_key, True) == expected
        if expected:
            self.models[to][new_key] = model[key]
            self.forget_in_scans(to, new_key)

    def forget_in_scans(self, index: int, key: bytes) -> None:
        """A key that another one took the place of was not there all the while."""
        for (scanned, _), (_, stayed, _) in self.scans.items():
            if scanned == index:
                stayed.discard(key)

    @rule(index=INDEXES, pick=PICKS, count=st.integers(0, 300), lazy=st.booleans())
    def delete_slot(self, index, pick, count, lazy):
        db, _ = self.pair(index)
        expected = min(count, db.count_in_slot(SLOTS[pick]))
        deleted = db.delete_slot(SLOTS[pick], count, lazy)
        assert len(set(deleted)) == len(deleted) == expected
        for key in deleted:
            assert hash_slot(key) == SLOTS[pick]
            self.drop(index, key)

    @rule(index=INDEXES, pick=PICKS, count=st.integers(1, 300))
    def scan_on(self, index, pick, count):
        """Go on with a scan, or begin one."""
        db, model = self.pair(index)
        own = {key for key in list(model) if hash_slot(key) == SLOTS[pick]}
        cursor, stayed, found = self.scans.pop((index, pick), (0, own, []))
        cursor, keys = db.scan_slot(SLOTS[pick], cursor, count)
        # Those past their time that were met have gone.
        living = {key for key in keys if self.live(index, key)}
        assert living == set(keys) <= own
        if cursor:
            self.scans[index, pick] = (cursor, stayed, found + keys)
            return
        for key in stayed:
            assert (found + keys).count(key) == 1 or not self.live(index, key)

    @rule(index=INDEXES)
    def evict(self, index):
        eviction = Eviction(self.keyspace)
        eviction.set_policy("allkeys-random")
        choice = eviction.choose()
        if choice is not None:
            db, key = choice
            assert db.evict(key)
            self.drop(db.index, key)

    @rule(ms=st.integers(1, 60))
    def advance(self, ms):
        self.clock.advance(ms)

    @rule()
    def expire(self):
        ExpireCycle(self.keyspace, 10).run()

    @rule(budget=st.integers(0, 200))
    def background(self, budget):
        self.keyspace.background_step(budget)

    @rule()
    def swap(self):
        self.keyspace.swap(0, 1)
        self.models.reverse()
        self.scans = {(1 - index, pick): each for (index, pick), each in self.scans.items()}

    @rule(index=INDEXES, lazy=st.booleans())
    def flush(self, index, lazy):
        self.keyspace.databases[index].flush(lazy)
        for key in list(self.models[index]):
            self.drop(index, key)

    @invariant()
    def same_keys(self) -> None:
        for index in (0, 1):
            db, model = self.pair(index)
            for key in list(model):
                db.has(key)
                self.live(index, key)
            slots: dict[int, list[bytes]] = defaultdict(list)
            for key in model:
                slots[hash_slot(key)].append(key)
            assert len(db) == len(model)
            for slot in (*slots, *SLOTS):
                assert db.count_in_slot(slot) == len(slots[slot])
                assert sorted(db.keys_in_slot(slot, 10_000)) == sorted(slots[slot])

    def teardown(self) -> None:
        if not hasattr(self, "keyspace"):
            return
        self.keyspace.flush()
        while self.keyspace.background_step(10_000):
            pass
        gc.collect()
        assert memory.used() == self.memory


TestKeysBySlot = KeysBySlot.TestCase
TestKeysBySlot.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)

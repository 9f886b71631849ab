"""Whatever is done in whatever order, two databases hold what two dicts would."""

from __future__ import annotations

import gc

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.datatypes.base import memory
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.keyspace import Keyspace
from carnelian.keyspace.removal.expire_cycle import ExpireCycle
from carnelian.resp.replies import Error

KEYS = st.one_of(
    st.integers(0, 40).map(lambda number: b"%d" % number),
    st.sampled_from([b"", b"k" * 254, b"k" * 255, b"k" * 256, b"k" * 70_000]),
)
VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number),
    st.binary(max_size=60),
    st.sampled_from([0, 44, 45, 255, 256, 510, 511, 512, 513, 1024, 5000]).map(lambda n: b"v" * n),
)
INDEXES = st.integers(0, 1)
NEVER = -1


class Model:
    """A database as a dict of value and expiry."""

    def __init__(self, clock: ManualClock):
        self.clock = clock
        self.entries: dict[bytes, tuple[bytes, int]] = {}

    def live(self, key: bytes) -> tuple[bytes, int] | None:
        entry = self.entries.get(key)
        if entry is not None and entry[1] != NEVER and self.clock.ms > entry[1]:
            del self.entries[key]
            return None
        return entry

    def value(self, key: bytes) -> bytes:
        entry = self.live(key)
        return entry[0] if entry else b""

    def change(self, key: bytes, value: bytes) -> None:
        entry = self.live(key)
        self.entries[key] = (value, entry[1] if entry else NEVER)


class Databases(RuleBasedStateMachine):
    """Rules call a method and do the same to the model."""

    @initialize()
    def begin(self) -> None:
        gc.collect()
        self.memory = memory.used()
        self.clock = ManualClock()
        self.keyspace = Keyspace(self.clock, 2)
        self.models = [Model(self.clock), Model(self.clock)]

    def pair(self, index: int):
        return self.keyspace.databases[index], self.models[index]

    @rule(index=INDEXES, key=KEYS, value=VALUES, keep=st.booleans(), ttl=st.integers(-1, 50))
    def set_string(self, index, key, value, keep, ttl):
        db, model = self.pair(index)
        old = model.live(key)
        expiry = NEVER if ttl < 0 else self.clock.ms + ttl
        assert db.set_string(key, value, keep, expiry) == (old is not None)
        model.entries[key] = (value, old[1] if keep and old else expiry)

    @rule(index=INDEXES, first=st.integers(0, 2000), count=st.integers(1, 400))
    def set_many(self, index, first, count):
        db, model = self.pair(index)
        for number in range(first, first + count):
            db.set_string(b"many%d" % number, b"%d" % number)
            model.entries[b"many%d" % number] = (b"%d" % number, NEVER)

    @rule(index=INDEXES, first=st.integers(0, 2000), count=st.integers(1, 400))
    def delete_many(self, index, first, count):
        db, model = self.pair(index)
        for number in range(first, first + count):
            key = b"many%d" % number
            assert db.delete(key) == (model.entries.pop(key, None) is not None)

    @rule(index=INDEXES, key=KEYS, lazy=st.booleans())
    def delete(self, index, key, lazy):
        db, model = self.pair(index)
        expected = model.live(key) is not None
        model.entries.pop(key, None)
        assert (db.unlink(key) if lazy else db.delete(key)) == expected

    @rule(index=INDEXES, key=KEYS, delta=st.integers(-(2**63), 2**63 - 1))
    def increment(self, index, key, delta):
        db, model = self.pair(index)
        text = model.value(key) if model.live(key) else b"0"
        try:
            total = int(text) + delta
            valid = b"%d" % int(text) == text and -(2**63) <= total < 2**63
            valid = valid and -(2**63) <= int(text) < 2**63
        except ValueError:
            valid = False
        try:
            assert db.increment(key, delta) == total
        except Error:
            assert not valid
            return
        assert valid
        model.change(key, b"%d" % total)

    @rule(index=INDEXES, key=KEYS, tail=VALUES)
    def append(self, index, key, tail):
        db, model = self.pair(index)
        value = model.value(key) + tail
        assert db.append(key, tail) == len(value)
        model.change(key, value)

    @rule(index=INDEXES, key=KEYS, part=VALUES, offset=st.integers(0, 1500))
    def set_range(self, index, key, part, offset):
        db, model = self.pair(index)
        value = bytearray(model.value(key))
        if part:
            value = bytearray(value.ljust(offset, b"\0"))
            value[offset : offset + len(part)] = part
        assert db.set_range(key, offset, part) == len(value)
        if part:
            model.change(key, bytes(value))

    @rule(index=INDEXES, key=KEYS, ttl=st.integers(-20, 200))
    def set_expiry(self, index, key, ttl):
        db, model = self.pair(index)
        entry = model.live(key)
        assert db.set_expiry(key, self.clock.ms + ttl) == (entry is not None)
        if entry:
            model.entries[key] = (entry[0], self.clock.ms + ttl)

    @rule(index=INDEXES, key=KEYS)
    def persist(self, index, key):
        db, model = self.pair(index)
        entry = model.live(key)
        assert db.persist(key) == (entry is not None and entry[1] != NEVER)
        if entry:
            model.entries[key] = (entry[0], NEVER)

    @rule(index=INDEXES, key=KEYS, new_key=KEYS)
    def rename(self, index, key, new_key):
        db, model = self.pair(index)
        entry = model.live(key)
        assert db.rename(key, new_key) == (entry is not None)
        if entry:
            del model.entries[key]
            model.entries[new_key] = entry

    @rule(index=INDEXES, key=KEYS)
    def move(self, index, key):
        db, model = self.pair(index)
        to, to_model = self.pair(1 - index)
        entry = model.live(key)
        expected = entry is not None and to_model.live(key) is None
        assert db.move(key, to) == expected
        if expected:
            to_model.entries[key] = model.entries.pop(key)

    @rule(index=INDEXES, to=INDEXES, key=KEYS, new_key=KEYS, replace=st.booleans())
    def copy(self, index, to, key, new_key, replace):
        if (index, key) == (to, new_key):
            return
        (db, model), (to_db, to_model) = self.pair(index), self.pair(to)
        entry = model.live(key)
        expected = entry is not None and (replace or to_model.live(new_key) is None)
        assert db.copy(key, to_db, new_key, replace) == expected
        if expected:
            to_model.entries[new_key] = entry

    @rule(index=INDEXES, key=KEYS)
    def read(self, index, key):
        db, model = self.pair(index)
        entry = model.live(key)
        assert db.lookup(key) == (entry[0] if entry else None)
        assert db.string_length(key) == len(model.value(key))
        assert db.get_range(key, 5, -2) == model.value(key)[5 : max(len(model.value(key)) - 1, 0)]
        assert db.expiry(key) == (entry[1] if entry else -2)
        assert db.has(key) == (entry is not None)

    @rule(ms=st.integers(1, 100))
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

    @rule(index=INDEXES, lazy=st.booleans())
    def flush(self, index, lazy):
        db, model = self.pair(index)
        db.flush(lazy)
        model.entries.clear()

    @rule(index=INDEXES)
    def draw(self, index):
        db, model = self.pair(index)
        key = db.random_key()
        if key is None:
            assert not any(model.live(key) for key in list(model.entries))
        else:
            assert model.live(key) is not None

    @invariant()
    def same_keys(self) -> None:
        for index in (0, 1):
            db, model = self.pair(index)
            for key in list(model.entries):
                db.has(key)
            assert sorted(db.keys()) == sorted(
                key for key in list(model.entries) if model.live(key)
            )
            assert len(db) == len(model.entries)
            expiring = sum(expiry != NEVER for _, expiry in model.entries.values())
            assert db.expires_count == expiring

    def teardown(self) -> None:
        if not hasattr(self, "keyspace"):
            return
        self.same_keys()
        for index in (0, 1):
            db, model = self.pair(index)
            for key, (value, _) in model.entries.items():
                assert db.lookup(key) == value
        self.keyspace.flush()
        while self.keyspace.background_step(10_000):
            pass
        gc.collect()
        assert memory.used() == self.memory


TestDatabases = Databases.TestCase
TestDatabases.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)

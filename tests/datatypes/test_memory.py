"""Memory is counted to the byte, and slabs take and give it back."""

from __future__ import annotations

import gc
import random
import sys

import pytest

from carnelian.datatypes.base import memory, slabs
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from support.values import Bag

HEADER = 8  # of an entry
SLOT = 8


@pytest.fixture
def db() -> Database:
    db = Keyspace(ManualClock(), 1).databases[0]
    db.set_string(b"first", b"brings the table")
    return db


def cost(action) -> int:
    """What an action adds to the memory in use."""
    gc.collect()
    before = memory.used()
    action()
    return memory.used() - before


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (16, 64, 88),
        (16, 65, 96),
        (1, 0, 16),
        (0, 0, 8),
        (120, 0, 128),
        (121, 0, 144),
        (254, 0, 288),
        (255, 0, 288),
        (16, 512, 576),
        (16, 500, 576),
        (500, 512, 1024),
    ],
)
def test_an_entry_costs_its_cell(db: Database, key: int, value: int, expected: int):
    name = b"k" * key
    assert cost(lambda: db.set_string(name, b"v" * value)) == expected
    assert db.memory_usage(name) == expected + SLOT
    assert cost(lambda: db.set_string(name, b"w" * value)) == 0
    assert cost(lambda: db.delete(name)) == -expected


def test_an_expiry_costs_eight_bytes_and_a_place_in_the_index(db: Database):
    db.set_string(b"other", b"x", False, 2**50)
    db.set_string(b"k" * 16, b"v" * 64)
    assert cost(lambda: db.set_expiry(b"k" * 16, 2**50)) == 8
    assert db.memory_usage(b"k" * 16) == 96 + 2 * SLOT
    assert cost(lambda: db.persist(b"k" * 16)) == -8


def test_integers_take_eight_bytes(db: Database):
    assert cost(lambda: db.set_string(b"k" * 16, b"1")) == 32
    assert cost(lambda: db.set_string(b"k" * 16, b"-9223372036854775808")) == 0
    assert cost(lambda: db.increment(b"k" * 16, 5)) == 0


@pytest.mark.parametrize("size", [513, 1000, 100_000])
def test_objects_by_reference_count_with_their_own_size(db: Database, size: int):
    value = b"v" * size
    rounded = (sys.getsizeof(value) + 8 + 15) & ~15
    assert cost(lambda: db.set_string(b"k" * 16, value)) == 32 + rounded
    assert db.memory_usage(b"k" * 16) == 32 + rounded + SLOT
    assert cost(lambda: db.copy(b"k" * 16, db, b"l" * 16)) == 32 + rounded
    assert cost(lambda: db.set_string(b"k" * 16, b"1")) == -rounded


def test_growing_strings_keep_some_room(db: Database):
    db.set_string(b"k", b"v" * 1000)
    db.append(b"k", b"v" * 100)
    db.append(b"k", b"v" * 100)
    held = db.memory_usage(b"k")
    assert held is not None and 1200 < held < 3 * 1200
    assert cost(lambda: db.append(b"k", b"v" * 500)) == 0
    assert db.memory_usage(b"k") == held
    assert cost(lambda: db.delete(b"k")) == SLOT - held


def test_collections_count_themselves(db: Database):
    assert cost(lambda: db.add(b"k" * 8, Bag([]))) == 24
    assert db.memory_usage(b"k" * 8) == 24 + 1000 + SLOT


def test_slabs_go_back_when_they_are_empty():
    gc.collect()
    before = slabs.stats()["slabs"]
    db = Keyspace(ManualClock(), 1).databases[0]
    keys = [b"%08d" % number for number in range(100_000)]
    for key in keys:
        db.set_string(key, b"v" * 100)
    used = slabs.stats()["slabs"] - before
    assert 100_000 * 120 < used < 100_000 * 124 + 64 * 1024 * 3
    random.Random(1).shuffle(keys)
    for key in keys:
        db.delete(key)
    stats = slabs.stats()
    assert stats["slabs"] - before < 64 * 1024 * 8
    assert stats["kept"] <= 16 * 64 * 1024
    for key in keys:
        db.set_string(key, key)
    assert all(db.lookup(key) == key for key in keys)


def test_cells_do_not_overlap():
    """Blocks of all sizes, taken and given back at random, keep their content."""
    rnd = random.Random(7)
    db = Keyspace(ManualClock(), 1).databases[0]
    model = {}
    for _ in range(40_000):
        key = b"%d" % rnd.randrange(3000)
        if rnd.random() < 0.6:
            model[key] = bytes([rnd.randrange(58, 256)]) * rnd.randrange(513)
            db.set_string(key, model[key])
        else:
            model.pop(key, None)
            db.delete(key)
    assert {key: db.lookup(key) for key in db} == model

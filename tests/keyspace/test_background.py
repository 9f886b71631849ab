"""Work between commands: resizes in steps, and freeing what was unlinked."""

from __future__ import annotations

import gc
import weakref

import pytest

from carnelian.datatypes.base import memory
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from support.values import Bag


def begin_resize(db: Database) -> int:
    """Add keys until a resize is under way; their number."""
    number = 0
    while not db.table_stats["keys"]["rehashing_to"]:
        db.set_string(b"%d" % number, b"x")
        number += 1
        if number < 1000:
            while db.rehash(100):
                pass
    return number


def test_a_resize_ends_in_the_background(keyspace: Keyspace, db: Database):
    count = begin_resize(db)
    assert db.rehash(1)
    assert keyspace.background_step(0)
    while keyspace.background_step(1000):
        pass
    stats = db.table_stats["keys"]
    assert (stats["entries"], stats["rehashing_to"]) == (count, 0)
    assert all(db.has(b"%d" % number) for number in range(count))


def test_all_databases_get_their_turn(keyspace: Keyspace):
    for db in keyspace.databases:
        begin_resize(db)
    while keyspace.background_step(1000):
        pass
    assert not any(db.table_stats["keys"]["rehashing_to"] for db in keyspace.databases)


def test_tables_follow_the_number_of_keys(db: Database):
    sizes = []
    for number in range(50_000):
        db.set_string(b"%d" % number, b"x", False, 2**50)
    while db.rehash(1000):
        pass
    sizes.append(db.table_stats["keys"]["buckets"])
    assert 50_000 / 7 < sizes[0] < 50_000
    for number in range(49_990):
        db.delete(b"%d" % number)
    while db.rehash(1000):
        pass
    for table in db.table_stats.values():
        assert table["entries"] == 10
        assert table["buckets"] <= 64
    assert sorted(db.keys()) == [b"%d" % number for number in range(49_990, 50_000)]


def test_resizes_can_be_held_back(keyspace: Keyspace, db: Database):
    db.set_string(b"k", b"x")
    keyspace.hold_resizes(True)
    for number in range(29):
        db.set_string(b"%d" % number, b"x")
    assert db.table_stats["keys"]["buckets"] == 1
    for number in range(1000):
        db.set_string(b"%d" % number, b"x")
    assert 1000 / 30 / 2 <= db.table_stats["keys"]["buckets"] <= 64
    keyspace.hold_resizes(False)
    db.set_string(b"one more", b"x")
    assert db.table_stats["keys"]["rehashing_to"]


def test_room_can_be_made_at_once(db: Database):
    db.reserve(100_000, 1000)
    buckets = db.table_stats["keys"]["buckets"]
    assert buckets >= 100_000 / 6
    for number in range(100_000):
        db.set_string(b"%d" % number, b"x", False, 2**50 if number < 1000 else -1)
    assert db.table_stats["keys"]["buckets"] == buckets
    db.reserve(10_000_000)
    assert db.table_stats["keys"]["buckets"] == buckets


def test_big_values_are_freed_later(keyspace: Keyspace, db: Database):
    for effort, later in ((64, False), (65, True)):
        bag = Bag([b"x"], effort)
        gone = weakref.ref(bag)
        db.add(b"k", bag)
        del bag
        db.unlink(b"k")
        assert (gone() is not None) == later
        assert keyspace.lazyfree_pending_objects == int(later)
        keyspace.background_step(1000)
        assert gone() is None
        assert keyspace.lazyfree_pending_objects == 0
    assert keyspace.lazyfreed_objects == 1
    keyspace.reset_stats()
    assert keyspace.lazyfreed_objects == 0


class SlowBag(Bag):
    """Frees itself in steps."""

    def free_some(self) -> bool:
        self.items.pop()
        return bool(self.items)


def test_a_value_may_free_itself_in_steps(keyspace: Keyspace, db: Database):
    bag = SlowBag([b"x"] * 10, 100)
    db.add(b"k", bag)
    db.unlink(b"k")
    assert keyspace.background_step(0)
    assert 0 < len(bag.items) < 10
    assert keyspace.lazyfree_pending_objects == 1
    while keyspace.background_step(1000):
        pass
    assert bag.items == []


@pytest.mark.parametrize("lazy", [False, True])
def test_values_may_go_lazily_in_other_ways(
    keyspace: Keyspace, clock: ManualClock, db: Database, lazy: bool
):
    keyspace.lazy_expire = keyspace.lazy_server_del = lazy
    db.add(b"overwritten", Bag([], 100))
    db.add(b"renamed to", Bag([], 100))
    db.add(b"deleted", Bag([], 100))
    db.add(b"expired", Bag([], 100), clock.ms)
    db.set_string(b"source", b"x")
    clock.advance(1)
    db.set_string(b"overwritten", b"x")
    db.rename(b"source", b"renamed to")
    db.delete(b"deleted")
    assert db.lookup(b"expired") is None
    assert keyspace.lazyfree_pending_objects == (3 if lazy else 0)


def test_a_flushed_database_goes_in_steps(keyspace: Keyspace, db: Database):
    gc.collect()
    before = memory.used()
    for number in range(20_000):
        db.set_string(b"%d" % number, b"x" * 100, False, 2**50)
    db.flush(True)
    held = memory.used()
    assert keyspace.background_step(0)
    assert before < memory.used() < held
    pending = keyspace.lazyfree_pending_objects
    while keyspace.background_step(0):
        assert keyspace.lazyfree_pending_objects <= pending
        pending = keyspace.lazyfree_pending_objects
    assert keyspace.lazyfreed_objects == 20_000
    assert memory.used() == before


def test_a_database_flushed_while_it_is_resized(keyspace: Keyspace, db: Database, balance: None):
    for lazy in (False, True):
        begin_resize(db)
        db.rehash(3)
        db.flush(lazy)
        while keyspace.background_step(1000):
            pass

"""The keys of a hash slot are counted, listed, deleted and scanned, and cost what is said."""

from __future__ import annotations

import gc
import random

import pytest

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.datatypes.base import memory
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.keyspace.removal.eviction import Eviction
from carnelian.keyspace.removal.expire_cycle import ExpireCycle
from carnelian.keyspace.sparing import LOADING, PAUSED
from support.values import Bag

SLOTS = 16384
TAG = b"{tag}"
HERE = hash_slot(TAG)


@pytest.fixture
def keyspace(clock: ManualClock) -> Keyspace:
    return Keyspace(clock, 2, by_slot=True)


def fill(db: Database, count: int, prefix: bytes = TAG) -> set[bytes]:
    keys = {b"%s%d" % (prefix, number) for number in range(count)}
    for key in keys:
        db.set_string(key, b"x")
    return keys


def scan(db: Database, slot: int = HERE, count: int = 10) -> list[bytes]:
    found: list[bytes] = []
    cursor = 0
    while True:
        cursor, keys = db.scan_slot(slot, cursor, count)
        assert len(keys) <= count + 1
        found += keys
        if cursor == 0:
            return found


def by_slot(keys: set[bytes]) -> dict[int, list[bytes]]:
    slots: dict[int, list[bytes]] = {slot: [] for slot in range(SLOTS)}
    for key in keys:
        slots[hash_slot(key)].append(key)
    return slots


@pytest.mark.usefixtures("balance")
def test_keys_are_in_their_slots(db: Database):
    keys = fill(db, 20_000, b"") | fill(db, 500)
    for slot, own in by_slot(keys).items():
        assert db.count_in_slot(slot) == len(own)
        assert sorted(db.keys_in_slot(slot, 1000)) == sorted(own)


@pytest.mark.parametrize("count", [0, 1, 253, 254, 255, 256, 5000, 70_000])
def test_a_slot_may_have_many(db: Database, count: int):
    fill(db, 100, b"{other}")
    before = db.table_stats["slots"]["bytes"]
    keys = fill(db, count)
    assert db.count_in_slot(HERE) == count
    assert sorted(db.keys_in_slot(HERE, count + 1)) == sorted(keys)
    assert sorted(scan(db, count=1000)) == sorted(keys)
    order = sorted(keys)
    random.Random(count).shuffle(order)
    for number, key in enumerate(order):
        assert db.delete(key)
        if number % 997 == 0 or number > count - 300:
            assert db.count_in_slot(HERE) == count - number - 1
    assert db.keys_in_slot(HERE, 1) == []
    assert db.count_in_slot(hash_slot(b"{other}")) == 100
    assert db.table_stats["slots"]["bytes"] == before


def test_as_many_are_listed_as_are_wanted(db: Database):
    keys = fill(db, 1000)
    for count in (0, 1, 10, 999, 1000, 1001, 2**62):
        found = db.keys_in_slot(HERE, count)
        assert len(set(found)) == len(found) == min(count, 1000)
        assert set(found) <= keys


def test_keys_with_the_same_number_are_all_there(db: Database):
    """Only 32 bits of a hash are kept."""
    seen: dict[int, bytes] = {}
    alike: set[bytes] = set()
    number = 0
    while len(alike) < 4:
        key = b"%s%d" % (TAG, number)
        twin = seen.setdefault(hash(key) & 0xFFFFFFFF, key)
        if twin != key:
            alike |= {key, twin}
        number += 1
    keys = fill(db, 300) | alike
    for key in alike:
        db.set_string(key, b"x")
    assert db.count_in_slot(HERE) == len(keys)
    for count in (1, 7, 1000):
        assert sorted(scan(db, count=count)) == sorted(keys)
    for left, key in enumerate(sorted(alike, reverse=True), 1):
        assert db.delete(key)
        assert db.count_in_slot(HERE) == len(keys) - left
        assert sorted(db.keys_in_slot(HERE, 1000)) == sorted(keys - set(sorted(alike)[-left:]))


@pytest.mark.usefixtures("balance")
@pytest.mark.parametrize("lazy", [False, True])
def test_a_slot_is_deleted_in_parts(keyspace: Keyspace, db: Database, lazy: bool):
    keys = fill(db, 1000)
    others = fill(db, 1000, b"")
    db.replace(b"{tag}bag", Bag([], 1000))
    keys.add(b"{tag}bag")
    deleted: list[bytes] = []
    while part := db.delete_slot(HERE, 64, lazy):
        assert len(part) <= 64
        deleted += part
    assert sorted(deleted) == sorted(keys)
    assert sorted(db.keys()) == sorted(key for key in others if hash_slot(key) != HERE)
    while keyspace.background_step(1000):
        pass


def test_keys_past_their_time_are_counted_until_they_go(
    keyspace: Keyspace, db: Database, clock: ManualClock
):
    fill(db, 100)
    for number in range(50):
        db.set_expiry(b"{tag}%d" % number, clock.ms + 10)
    clock.advance(20)
    keyspace.spare_overdue(PAUSED)
    assert db.count_in_slot(HERE) == len(db.keys_in_slot(HERE, 1000)) == 100
    assert len(scan(db)) == 50
    assert db.count_in_slot(HERE) == 100
    keyspace.spare_overdue(LOADING)
    assert len(scan(db)) == 100
    keyspace.cease_sparing(PAUSED | LOADING)
    assert len(scan(db)) == 50
    assert db.count_in_slot(HERE) == 50


def test_the_expire_cycle_takes_them_out(keyspace: Keyspace, db: Database, clock: ManualClock):
    fill(db, 100)
    for number in range(100):
        db.set_expiry(b"{tag}%d" % number, clock.ms + 10)
    clock.advance(20)
    ExpireCycle(keyspace, 10).run()
    assert db.count_in_slot(HERE) == 0


def test_a_slot_is_deleted_with_keys_past_their_time(db: Database, clock: ManualClock):
    keys = fill(db, 10)
    for key in keys:
        db.set_expiry(key, clock.ms + 10)
    clock.advance(20)
    assert set(db.delete_slot(HERE, 100)) == keys
    assert len(db) == db.expires_count == 0


def test_what_is_evicted_goes(keyspace: Keyspace, db: Database):
    fill(db, 100)
    eviction = Eviction(keyspace)
    eviction.set_policy("allkeys-lru")
    for left in range(99, -1, -1):
        chosen, key = eviction.choose()
        assert chosen.evict(key)
        assert db.count_in_slot(HERE) == left


def test_values_may_change_size(db: Database):
    keys = fill(db, 300)
    for key in keys:
        db.append(key, b"y" * 700)
        db.set_expiry(key, 2**50)
        db.set_string(key, b"short")
        db.persist(key)
    assert sorted(db.keys_in_slot(HERE, 1000)) == sorted(keys)


def test_names_and_databases_change(keyspace: Keyspace, db: Database, other: Database):
    db.set_string(b"{tag}a", b"1")
    assert db.rename(b"{tag}a", b"{other}a")
    assert db.count_in_slot(HERE) == 0
    assert db.keys_in_slot(hash_slot(b"other"), 10) == [b"{other}a"]
    assert db.copy(b"{other}a", db, b"{tag}b")
    assert db.copy(b"{other}a", other, b"{tag}c")
    assert db.move(b"{tag}b", other)
    assert (db.count_in_slot(HERE), other.count_in_slot(HERE)) == (0, 2)
    keyspace.swap(0, 1)
    assert (db.count_in_slot(HERE), other.count_in_slot(HERE)) == (2, 0)


@pytest.mark.usefixtures("balance")
@pytest.mark.parametrize("lazy", [False, True])
def test_all_are_flushed(keyspace: Keyspace, db: Database, lazy: bool):
    fill(db, 5000)
    fill(db, 5000, b"")
    keyspace.flush(lazy=lazy)
    assert db.count_in_slot(HERE) == 0
    assert db.keys_in_slot(HERE, 10) == []
    again = fill(db, 10)
    assert sorted(db.keys_in_slot(HERE, 100)) == sorted(again)
    steps = 0
    while keyspace.background_step(0):
        steps += 1
    assert (steps > 100) == lazy
    assert keyspace.lazyfreed_objects == (10_000 if lazy else 0)
    assert db.count_in_slot(HERE) == 10


@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_scan_sees_once_what_stays(db: Database, count: int):
    """Whatever comes and goes between its steps, and however the table is resized."""
    chance = random.Random(count)
    stay = {b"{tag}stay:%d" % number for number in range(700)}
    for key in stay:
        db.set_string(key, b"x")
    passing: list[bytes] = []
    found: list[bytes] = []
    cursor = 0
    while True:
        cursor, keys = db.scan_slot(HERE, cursor, count)
        found += keys
        if cursor == 0:
            break
        if chance.random() < 0.7:
            new = [b"{tag}%d" % chance.randrange(10**6) for _ in range(30)]
            passing += new
            for key in new:
                db.set_string(key, b"x" * chance.randrange(600))
        else:
            while passing:
                db.delete(passing.pop())
    assert sorted(key for key in found if key in stay) == sorted(stay)


def test_any_number_is_a_cursor(db: Database):
    keys = fill(db, 100)
    for cursor in (1, 2**31, 2**32 - 1, 2**32, 2**40 + 1, 2**64 - 1):
        following, found = db.scan_slot(HERE, cursor, 1000)
        assert following == 0
        assert set(found) <= keys


def test_a_scan_by_type(db: Database):
    fill(db, 10)
    db.replace(b"{tag}bag", Bag([]))
    assert db.scan_slot(HERE, 0, 100, b"bag") == (0, [b"{tag}bag"])


def test_a_pattern_with_a_tag_walks_its_slot_only(db: Database):
    keys = fill(db, 20)
    fill(db, 20_000, b"")
    assert db.scan(0, 100, None, b"{tag}*") == (0, db.keys_in_slot(HERE, 100))
    assert db.scan(0, 100, None, b"{tag}7") == (0, [b"{tag}7"])
    assert db.scan(0, 100, None, b"12345") == (0, [b"12345"])
    assert {key for part in db.key_parts(b"{tag}*") for key in part} == keys
    assert sum(len(part) for part in db.key_parts(b"*")) == 20_020


def test_other_cursors_are_as_ever(db: Database):
    keys = fill(db, 1000) | fill(db, 1000, b"")
    found: set[bytes] = set()
    cursor = 0
    while True:
        cursor, part = db.scan(cursor, 10, None, b"*")
        found.update(part)
        if cursor == 0:
            break
    assert found == keys


def test_it_begins_with_the_keys_there_are(clock: ManualClock):
    keyspace = Keyspace(clock, 2)
    db = keyspace.databases[1]
    keys = fill(db, 3000, b"")
    keyspace.list_by_slot()
    for slot, own in by_slot(keys).items():
        assert sorted(db.keys_in_slot(slot, 100)) == sorted(own)
    db.flush()
    assert fill(db, 7) == set(db.keys_in_slot(HERE, 100))


def test_what_cannot_be_listed(clock: ManualClock, db: Database):
    for slot in (-1, SLOTS):
        with pytest.raises(ValueError, match=f"no hash slot {slot}"):
            db.count_in_slot(slot)
        with pytest.raises(ValueError, match=f"no hash slot {slot}"):
            db.scan_slot(slot, 0)
    plain = Keyspace(clock, 1).databases[0]
    with pytest.raises(RuntimeError, match="not listed by hash slot"):
        plain.keys_in_slot(1, 1)
    with pytest.raises(RuntimeError, match="not listed by hash slot"):
        plain.delete_slot(1, 1)


# -- Memory --------------------------------------------------------------------------------------


def used_by(keys: list[bytes], by_slot: bool) -> tuple[Keyspace, int]:
    gc.collect()
    before = memory.used()
    keyspace = Keyspace(ManualClock(), 1, by_slot)
    db = keyspace.databases[0]
    for key in keys:
        db.set_string(key, b"x")
    return keyspace, memory.used() - before


@pytest.mark.parametrize(
    ("name", "most"),
    [(b"%d", 6), (b"{tag}%d", 6)],
    ids=["in all slots", "in one slot"],
)
def test_what_a_key_costs(name: bytes, most: float):
    """Four bytes and some room, whether keys are spread or not; 128 KB for the slots themselves."""
    keys = [name % number for number in range(200_000)]
    table = 128 * 1024
    _plain, without = used_by(keys, False)
    keyspace, with_slots = used_by(keys, True)
    assert 4 <= (with_slots - without - table) / len(keys) < most
    stated = keyspace.databases[0].table_stats["slots"]["bytes"]
    assert abs(with_slots - without - stated) < 100


def test_usage_tells_of_it(db: Database, clock: ManualClock):
    plain = Keyspace(clock, 1).databases[0]
    for each in (db, plain):
        each.set_string(b"key", b"value")
    assert db.memory_usage(b"key") == plain.memory_usage(b"key") + 4
    assert "slots" not in plain.table_stats


class TestConcealedSlots:
    """Keys that do not count are passed over by all who did not name them."""

    @pytest.fixture(autouse=True)
    def conceal(self, keyspace: Keyspace) -> None:
        flags = bytearray(SLOTS)
        flags[HERE] = 1
        keyspace.concealed_slots = bytes(flags)

    def test_scans_do_not_show_them(self, db: Database) -> None:
        fill(db, 50)
        others = fill(db, 50, b"")
        shown: set[bytes] = set()
        cursor = 0
        while True:
            cursor, keys = db.scan(cursor, 10)
            shown |= set(keys)
            if cursor == 0:
                break
        assert shown == set(db.keys()) == others
        assert {db.random_key() for _ in range(200)} <= others | {None}
        assert db.size() == 100
        assert db.seen_size() == 50
        assert db.string(b"{tag}1") == b"x"

    def test_where_there_are_no_others_nothing_is_shown(self, db: Database) -> None:
        fill(db, 50)
        assert db.random_key() is None
        assert list(db.keys()) == []
        assert db.seen_size() == 0

    def test_they_do_not_expire_by_themselves(
        self, keyspace: Keyspace, db: Database, clock: ManualClock
    ) -> None:
        for key in (b"{tag}1", b"other"):
            db.set_string(key, b"x")
            db.set_expiry(key, clock.ms + 10)
        clock.advance(100)
        cycle = ExpireCycle(keyspace)
        for _ in range(10):
            cycle.run()
        assert db.size() == 1
        keyspace.concealed_slots = None
        for _ in range(10):
            cycle.run()
        assert db.size() == 0

    @pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "allkeys-lfu"])
    def test_they_are_not_evicted(self, keyspace: Keyspace, db: Database, policy: str) -> None:
        eviction = Eviction(keyspace)
        eviction.set_policy(policy)
        fill(db, 20)
        assert eviction.choose() is None
        others = fill(db, 20, b"")
        chosen = {eviction.choose()[1] for _ in range(5)}
        assert chosen <= others

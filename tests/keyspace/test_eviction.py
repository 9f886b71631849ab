"""Which keys are chosen to make room, by each policy."""

from __future__ import annotations

import pytest

from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.keyspace.removal.eviction import Eviction
from carnelian.persistence.background import children
from support.local import LocalClient

LATER = 2**50


@pytest.fixture
def eviction(keyspace: Keyspace) -> Eviction:
    # More than there are keys: the choice is exact.
    made = Eviction(keyspace)
    made.samples = 64
    return made


def order(eviction: Eviction, policy: str) -> list[bytes]:
    """All keys in the order in which they go."""
    eviction.set_policy(policy)
    gone = []
    while (choice := eviction.choose()) is not None:
        db, key = choice
        assert db.evict(key)
        gone.append(key)
    return gone


def test_nothing_goes_without_a_policy(db: Database, eviction: Eviction):
    db.set_string(b"k", b"v")
    assert eviction.choose() is None
    assert eviction.policy == "noeviction"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru"])
def test_what_was_unused_for_longest_goes_first(db: Database, eviction: Eviction, policy: str):
    idle = {b"a": 5, b"b": 500, b"c": 0, b"d": 70, b"e": 71}
    for key, seconds in idle.items():
        db.set_string(key, b"v", False, LATER)
        db.set_idle(key, seconds)
    assert order(eviction, policy) == [b"b", b"e", b"d", b"a", b"c"]


@pytest.mark.parametrize("policy", ["allkeys-lfu", "volatile-lfu"])
def test_what_is_used_least_often_goes_first(
    keyspace: Keyspace, db: Database, eviction: Eviction, policy: str
):
    keyspace.lfu = True
    for key, frequency in {b"a": 5, b"b": 255, b"c": 0, b"d": 70, b"e": 71}.items():
        db.set_string(key, b"v", False, LATER)
        db.set_frequency(key, frequency)
    assert order(eviction, policy) == [b"c", b"a", b"d", b"e", b"b"]


def test_what_was_used_often_but_long_ago_counts_less(
    keyspace: Keyspace, db: Database, eviction: Eviction, clock: ManualClock
):
    keyspace.lfu = True
    keyspace.lfu_decay_time = 1
    db.set_string(b"once", b"v")
    db.set_frequency(b"once", 30)
    clock.advance(25 * 60_000)
    db.set_string(b"now", b"v")
    db.set_frequency(b"now", 10)
    assert order(eviction, "allkeys-lfu") == [b"once", b"now"]


def test_what_expires_soonest_goes_first(db: Database, eviction: Eviction):
    for number in (3, 1, 2):
        db.set_string(b"%d" % number, b"v", False, LATER + number)
    db.set_string(b"stays", b"v")
    assert order(eviction, "volatile-ttl") == [b"1", b"2", b"3"]
    assert list(db) == [b"stays"]


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-random"])
def test_volatile_policies_leave_what_does_not_expire(
    db: Database, eviction: Eviction, policy: str
):
    for number in range(20):
        db.set_string(b"%d" % number, b"v", False, LATER if number % 2 else -1)
    assert sorted(map(int, order(eviction, policy))) == list(range(1, 20, 2))
    assert len(db) == 10


@pytest.mark.parametrize("policy", ["allkeys-random", "allkeys-lru", "allkeys-lfu"])
def test_all_databases_are_drawn_on(
    keyspace: Keyspace, db: Database, other: Database, eviction: Eviction, policy: str
):
    for number in range(50):
        db.set_string(b"a%d" % number, b"v")
        other.set_string(b"b%d" % number, b"v")
    gone = order(eviction, policy)
    assert len(gone) == len(set(gone)) == 100
    assert len(keyspace) == 0
    assert keyspace.stats.evicted == 100


def test_random_keys_come_from_one_database_after_the_other(
    db: Database, other: Database, eviction: Eviction
):
    for number in range(10):
        db.set_string(b"%d" % number, b"v")
        other.set_string(b"%d" % number, b"v")
    eviction.set_policy("allkeys-random")
    chosen = [eviction.choose()[0].index for _ in range(6)]
    assert chosen in ([0, 1] * 3, [1, 0] * 3)


def test_what_was_remembered_may_have_gone(db: Database, other: Database, eviction: Eviction):
    eviction.set_policy("allkeys-lru")
    for number in range(16):
        db.set_string(b"%d" % number, b"v")
        db.set_idle(b"%d" % number, 100 + number)
    assert eviction.choose() == (db, b"15")
    for number in range(16):
        db.delete(b"%d" % number)
    other.set_string(b"last", b"v")
    assert eviction.choose() == (other, b"last")
    other.delete(b"last")
    assert eviction.choose() is None


def test_a_few_samples_come_close_to_the_order_of_all(db: Database, eviction: Eviction):
    eviction.samples = 5
    for number in range(10_000):
        db.set_string(b"%d" % number, b"v")
        db.set_idle(b"%d" % number, number)
    eviction.set_policy("allkeys-lru")
    gone = []
    for _ in range(1000):
        _, key = eviction.choose()
        db.evict(key)
        gone.append(int(key))
    # Blindly chosen they would have been idle for 5,000 seconds on average.
    assert sum(gone) / len(gone) > 8000


def test_a_key_past_its_time_can_be_evicted(db: Database, clock: ManualClock):
    db.set_string(b"k", b"v", False, clock.ms + 10)
    clock.advance(1000)
    assert db.evict(b"k")
    assert not db.holds(b"k")
    assert not db.evict(b"k")
    assert (db.keyspace.stats.evicted, db.keyspace.stats.expired) == (1, 0)


def test_tables_do_not_grow_beyond_the_limit_before_they_are_crowded(
    keyspace: Keyspace, db: Database
):
    keyspace.limit_tables(1)
    buckets = []
    for number in range(400):
        db.set_string(b"%d" % number, b"v")
        buckets.append(db.table_stats["keys"]["buckets"])
    # Six entries fill a bucket; short of memory it takes 9.6.
    assert len(db) / buckets[-1] > 3
    assert max(number / held for number, held in enumerate(buckets, 1)) > 9
    keyspace.limit_tables(0)
    db.flush()
    for number in range(400):
        db.set_string(b"%d" % number, b"v")
        stats = db.table_stats["keys"]
        assert stats["entries"] <= 6 * max(stats["buckets"], stats["rehashing_to"]) + 1


# -- The least recently modified -------------------------------------------------------------------


def idle(client: LocalClient, key: str) -> int:
    return client("OBJECT", "IDLETIME", key)


def test_only_changes_count(client: LocalClient, clock: ManualClock) -> None:
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lrm")
    client("SET", "k", 1)
    client("RPUSH", "l", 1)
    client("HSET", "h", "f", 1)
    clock.advance(10_000)
    for words in ("GET k", "TOUCH k", "EXISTS k", "LRANGE l 0 -1", "HGET h f", "HDEL h none"):
        client(*words.split())
    assert [idle(client, key) for key in "klh"] == [10, 10, 10]
    client("APPEND", "k", 2)
    client("RPUSH", "l", 2)
    client("EXPIRE", "h", 1000)
    assert [idle(client, key) for key in "klh"] == [0, 0, 0]
    clock.advance(10_000)
    client("CLIENT", "NO-TOUCH", "on")
    client("INCR", "k")
    client("GET", "l")
    assert [idle(client, key) for key in "kl"] == [0, 10]
    client("CLIENT", "NO-TOUCH", "off")
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    client("LLEN", "l")
    assert idle(client, "l") == 0


@pytest.mark.parametrize("policy", ["allkeys-lrm", "volatile-lrm"])
def test_what_was_not_changed_for_longest_goes(
    client: LocalClient, clock: ManualClock, policy: str
) -> None:
    client("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory-samples", 64)
    client("SET", "old", 1, "EX", 100_000)
    client("SET", "lasting", 1)
    clock.advance(10_000)
    client("SET", "new", 1, "EX", 100_000)
    client("APPEND", "lasting", 1)
    clock.advance(10_000)
    client("GET", "old")
    db, key = client.engine.memory_limit.eviction.choose()
    assert (db.index, key) == (0, b"old")


def test_a_child_that_ends_leaves_it_so(client: LocalClient, clock: ManualClock) -> None:
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lrm")
    children.note_end(client.engine)
    client("SET", "k", 1)
    clock.advance(10_000)
    client("GET", "k")
    assert idle(client, "k") == 10

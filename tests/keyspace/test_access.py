"""Access clocks: idle time under LRU policies, frequency under LFU ones."""

from __future__ import annotations

import pytest

from carnelian.datatypes.algorithms import rng
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace

MINUTE = 60_000


@pytest.mark.parametrize(
    ("access", "renews"),
    [
        (lambda db: db.lookup(b"k"), True),
        (lambda db: db.string(b"k"), True),
        (lambda db: db.touch(b"k"), True),
        (lambda db: db.string_length(b"k"), True),
        (lambda db: db.increment(b"k", 1), True),
        (lambda db: db.append(b"k", b"1"), True),
        (lambda db: db.set_range(b"k", 0, b"1"), True),
        (lambda db: db.set_string(b"k", b"2"), True),
        (lambda db: db.value_to_change(b"k"), True),
        (lambda db: db.exists(b"k"), False),
        (lambda db: db.type_name(b"k"), False),
        (lambda db: db.peek(b"k"), False),
        (lambda db: db.encoding(b"k"), False),
        (lambda db: db.set_expiry(b"k", 2**50), False),
        (lambda db: db.persist(b"k"), False),
    ],
)
def test_what_ends_idleness(db: Database, clock: ManualClock, access, renews: bool):
    db.set_string(b"k", b"1", False, 2**49)
    clock.advance(10_000)
    assert db.idle_seconds(b"k") == 10
    access(db)
    assert db.idle_seconds(b"k") == (0 if renews else 10)


def test_nothing_is_renewed_while_touching_is_off(
    keyspace: Keyspace, db: Database, clock: ManualClock
):
    db.set_string(b"k", b"1")
    keyspace.touching = False
    clock.advance(10_000)
    db.lookup(b"k")
    db.touch(b"k")
    assert db.idle_seconds(b"k") == 10


def test_idleness_can_be_set(db: Database, clock: ManualClock):
    db.set_string(b"k", b"1")
    for seconds in (0, 1, 1000, 10_000_000):
        assert db.set_idle(b"k", seconds)
        assert db.idle_seconds(b"k") == seconds
    assert not db.set_idle(b"none", 1)
    assert db.idle_seconds(b"none") is None
    assert db.lookup(b"k") == b"1"


def test_the_clock_wraps():
    clock = ManualClock((2**24 - 3) * 1000)
    db = Keyspace(clock).databases[0]
    db.set_string(b"k", b"1")
    clock.advance(10_000)
    assert db.idle_seconds(b"k") == 9
    db.set_idle(b"k", 100)
    assert db.idle_seconds(b"k") == 100


# -- LFU -----------------------------------------------------------------------------------------


@pytest.fixture
def lfu(keyspace: Keyspace, db: Database) -> Database:
    keyspace.lfu = True
    rng.seed(1)
    return db


def test_a_new_key_starts_above_zero(lfu: Database):
    lfu.set_string(b"k", b"1")
    assert lfu.frequency(b"k") == 5
    assert lfu.frequency(b"none") is None


def test_the_first_accesses_count_fully_then_ever_less(lfu: Database):
    lfu.set_string(b"k", b"1")
    lfu.lookup(b"k")
    assert lfu.frequency(b"k") == 6
    for _ in range(1000):
        lfu.lookup(b"k")
    frequency = lfu.frequency(b"k")
    assert frequency is not None and 10 < frequency < 30


def test_without_a_factor_every_access_counts(lfu: Database, keyspace: Keyspace):
    keyspace.lfu_log_factor = 0
    lfu.set_string(b"k", b"1")
    for _ in range(300):
        lfu.lookup(b"k")
    assert lfu.frequency(b"k") == 255


def test_frequency_decays(lfu: Database, keyspace: Keyspace, clock: ManualClock):
    lfu.set_string(b"k", b"1")
    assert lfu.set_frequency(b"k", 100)
    clock.advance(10 * MINUTE)
    assert lfu.frequency(b"k") == 90
    keyspace.lfu_decay_time = 5
    assert lfu.frequency(b"k") == 98
    keyspace.lfu_decay_time = 0
    assert lfu.frequency(b"k") == 100
    keyspace.lfu_decay_time = 1
    clock.advance(1000 * MINUTE)
    assert lfu.frequency(b"k") == 0
    assert not lfu.set_frequency(b"none", 5)


def test_minutes_wrap(keyspace: Keyspace):
    clock = ManualClock(65_534 * MINUTE)
    keyspace = Keyspace(clock)
    keyspace.lfu = True
    db = keyspace.databases[0]
    db.set_string(b"k", b"1")
    db.set_frequency(b"k", 50)
    clock.advance(4 * MINUTE)
    assert db.frequency(b"k") == 47


def test_overwriting_keeps_the_frequency(lfu: Database):
    lfu.set_string(b"k", b"1")
    lfu.set_frequency(b"k", 77)
    lfu.set_string(b"k", b"2")
    lfu.set_string(b"k", b"3" * 1000)
    assert lfu.frequency(b"k") == 77
    lfu.rename(b"k", b"l")
    assert lfu.frequency(b"l") == 77

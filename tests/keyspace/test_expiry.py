"""Keys that expire: when they are met, and when the cycle finds them."""

from __future__ import annotations

import pytest

from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.keyspace.removal.expire_cycle import ExpireCycle
from carnelian.keyspace.sparing import DIGESTING, LOADING, PAUSED
from support.values import Bag, Recorder

VALUES = [b"", b"12", b"x" * 10, b"x" * 56, b"x" * 1000, Bag([])]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("key", [b"", b"k", b"k" * 255, b"k" * 70_000])
def test_an_expiry_comes_and_goes(db: Database, balance: None, key: bytes, value: object):
    now = db.keyspace.clock.ms
    db.replace(key, value)
    assert (db.expiry(key), db.read_expiry(key), db.expires_count) == (-1, -1, 0)
    assert not db.persist(key)
    for at in (now + 5, now + 10, 2**62):
        assert db.set_expiry(key, at)
        assert (db.expiry(key), db.read_expiry(key), db.expires_count) == (at, at, 1)
        assert db.peek(key) == value
    assert db.persist(key)
    assert (db.expiry(key), db.expires_count) == (-1, 0)
    assert db.peek(key) == value
    db.set_expiry(key, now + 5)
    db.delete(key)
    assert (db.expiry(key), db.read_expiry(key), db.expires_count) == (-2, -2, 0)
    assert not db.set_expiry(key, now + 5)
    assert not db.persist(key)


def test_setting_a_key_ends_its_expiry(db: Database):
    now = db.keyspace.clock.ms
    db.set_string(b"k", b"x", False, now + 5)
    assert db.expiry(b"k") == now + 5
    db.set_string(b"k", b"y", True)
    assert db.expiry(b"k") == now + 5
    db.set_string(b"k", b"y" * 1000, True, now + 9)
    assert db.expiry(b"k") == now + 5
    db.set_string(b"k", b"x", False, now + 7)
    assert db.expiry(b"k") == now + 7
    db.set_string(b"k", b"z")
    assert (db.expiry(b"k"), db.expires_count) == (-1, 0)
    db.set_string(b"k", b"z", True)
    assert db.expiry(b"k") == -1


def test_a_time_before_1970_is_long_ago(db: Database):
    db.set_string(b"k", b"x")
    db.set_expiry(b"k", -5)
    assert not db.has(b"k")


@pytest.mark.parametrize(
    "meet",
    [
        lambda db: db.lookup(b"k"),
        lambda db: db.peek(b"k"),
        lambda db: db.has(b"k"),
        lambda db: db.delete(b"k"),
        lambda db: db.persist(b"k"),
        lambda db: db.scan(0),
        lambda db: db.random_key(),
        lambda db: db.rename(b"k", b"l"),
        lambda db: db.copy(b"k", db, b"l"),
    ],
)
def test_a_key_is_deleted_when_it_is_met_past_its_time(
    keyspace: Keyspace, clock: ManualClock, db: Database, meet
):
    expired = keyspace.on_expired = Recorder()
    db.set_string(b"k", b"x", False, clock.ms + 100)
    clock.advance(100)
    assert db.lookup(b"k") == b"x"
    clock.advance(1)
    assert db.holds(b"k")
    assert db.is_overdue(b"k")
    assert len(db) == 1
    assert not meet(db) or meet(db) == (0, [])
    assert (len(db), db.expires_count) == (0, 0)
    assert expired.calls == [(db, b"k")]
    assert keyspace.stats.expired == 1
    assert keyspace.dirty == 0


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda db: db.set_string(b"k", b"new", True), b"new"),
        (lambda db: db.append(b"k", b"new"), b"new"),
        (lambda db: db.set_range(b"k", 2, b"new"), b"\0\0new"),
        (lambda db: db.increment(b"k", 2), b"2"),
        (lambda db: db.add(b"k", b"new"), b"new"),
    ],
)
def test_a_change_past_its_time_begins_anew(
    keyspace: Keyspace, clock: ManualClock, db: Database, change, left: bytes
):
    expired = keyspace.on_expired = Recorder()
    db.set_string(b"k", b"1", False, clock.ms)
    clock.advance(1)
    change(db)
    assert (db.lookup(b"k"), db.expiry(b"k")) == (left, -1)
    assert expired.calls == [(db, b"k")]


def test_hidden_keys_stay(keyspace: Keyspace, clock: ManualClock, db: Database):
    keyspace.spare_overdue(PAUSED)
    db.set_string(b"k", b"x", False, clock.ms)
    db.set_string(b"l", b"x")
    clock.advance(1)
    assert db.lookup(b"k") is None
    assert keyspace.stats.misses == 1
    assert db.expiry(b"k") == -2
    assert not db.delete(b"k")
    assert list(db.keys()) == [b"l"]
    assert {db.random_key() for _ in range(20)} == {b"l"}
    assert ExpireCycle(keyspace).run() == 0
    assert (len(db), keyspace.stats.expired) == (2, 0)
    db.delete(b"l")
    assert db.random_key() == b"k"
    keyspace.cease_sparing(PAUSED)
    assert db.random_key() is None
    assert len(db) == 0


def test_ignored_keys_live(keyspace: Keyspace, clock: ManualClock, db: Database):
    keyspace.spare_overdue(LOADING)
    db.set_string(b"k", b"x", False, clock.ms)
    clock.advance(1)
    assert db.lookup(b"k") == b"x"
    assert list(db.keys()) == [db.random_key()] == [b"k"]
    assert ExpireCycle(keyspace).run() == 0
    db.append(b"k", b"y")
    assert db.expiry(b"k") == clock.ms - 1


@pytest.mark.parametrize("first", [PAUSED, LOADING, DIGESTING])
@pytest.mark.parametrize("second", [PAUSED, LOADING, DIGESTING])
def test_a_reason_to_spare_keys_ends_no_other(
    keyspace: Keyspace, clock: ManualClock, db: Database, first: int, second: int
):
    db.set_string(b"k", b"x", False, clock.ms)
    clock.advance(1)
    keyspace.spare_overdue(first)
    keyspace.spare_overdue(second)
    assert (db.lookup(b"k") is None) == (first == second == PAUSED)
    keyspace.cease_sparing(second)
    if first != second:
        assert (db.lookup(b"k") is None) == (first == PAUSED)
        assert len(db) == 1
        keyspace.cease_sparing(first)
    assert db.lookup(b"k") is None
    assert len(db) == 0


# -- The cycle -----------------------------------------------------------------------------------


def fill(db: Database, count: int, at: int, prefix: bytes = b"") -> None:
    for number in range(count):
        db.set_string(b"%s%d" % (prefix, number), b"x", False, at)


def test_the_cycle_deletes_what_is_past_its_time(
    keyspace: Keyspace, clock: ManualClock, balance: None
):
    expired = keyspace.on_expired = Recorder()
    for db in keyspace.databases:
        fill(db, 300, clock.ms, b"short")
        fill(db, 20, clock.ms + 60_000, b"long")
        db.set_string(b"forever", b"x")
    cycle = ExpireCycle(keyspace)
    clock.advance(1)
    for _ in range(3):
        cycle.run()
    assert [len(db) for db in keyspace.databases] == [21] * 4
    assert keyspace.stats.expired == len(expired.calls) == 4 * 300
    assert {call[0] for call in expired.calls} == set(keyspace.databases)


def test_few_stale_keys_are_left_alone(keyspace: Keyspace, clock: ManualClock, db: Database):
    fill(db, 2000, clock.ms + 60_000, b"long")
    fill(db, 40, clock.ms, b"short")
    clock.advance(1)
    ExpireCycle(keyspace).run()
    assert len(db) > 2010


def test_the_cycle_may_be_switched_off(keyspace: Keyspace, clock: ManualClock, db: Database):
    fill(db, 100, clock.ms)
    clock.advance(1)
    keyspace.active_expire = False
    ExpireCycle(keyspace).run()
    assert len(db) == 100


def test_a_key_that_a_hook_deletes_is_no_trouble(
    keyspace: Keyspace, clock: ManualClock, db: Database
):
    keyspace.on_expired = lambda db, key: [db.delete(b"%d" % n) for n in range(0, 500, 7)]
    fill(db, 500, clock.ms)
    clock.advance(1)
    for _ in range(5):
        ExpireCycle(keyspace).run()
    assert (len(db), db.expires_count) == (0, 0)


def test_the_average_time_to_live_is_estimated(
    keyspace: Keyspace, clock: ManualClock, db: Database
):
    fill(db, 10, clock.ms + 60_000)
    cycle = ExpireCycle(keyspace)
    cycle.run()
    assert db.avg_ttl == 60_000
    clock.advance(30_000)
    for _ in range(200):
        cycle.run()
    assert 30_000 <= db.avg_ttl <= 33_000
    db.flush()
    cycle.run()
    assert db.avg_ttl == 0


class TiringClock(ManualClock):
    """Time goes on by a millisecond whenever somebody looks."""

    def monotonic_ns(self) -> int:
        self.looks = getattr(self, "looks", 0) + 1
        return self.looks * 1_000_000


@pytest.mark.parametrize(("effort", "ms"), [(1, 25), (10, 43)])
def test_a_slow_run_ends_in_time(effort: int, ms: int):
    clock = TiringClock()
    keyspace = Keyspace(clock, 1)
    fill(keyspace.databases[0], 50_000, 0)
    cycle = ExpireCycle(keyspace, effort, 10)
    spent = cycle.run()
    assert ms * 1000 < spent < (ms + 5) * 1000
    assert keyspace.stats.expired_time_cap_reached == 1
    assert keyspace.stats.expire_cycle_us == spent
    assert 0 < len(keyspace.databases[0]) < 50_000
    assert keyspace.stats.expired_stale_perc == pytest.approx(5)


def test_a_fast_run_needs_a_reason(keyspace: Keyspace, clock: ManualClock, db: Database):
    cycle = ExpireCycle(keyspace)
    fill(db, 100, clock.ms)
    clock.advance(1)
    cycle.run(True)
    assert len(db) == 100
    keyspace.stats.expired_stale_perc = 10
    clock.advance(5)
    cycle.run(True)
    assert len(db) == 0
    fill(db, 100, clock.ms - 1)
    keyspace.stats.expired_stale_perc = 10
    clock.advance_us(1900)
    cycle.run(True)
    assert len(db) == 100
    clock.advance_us(200)
    cycle.run(True)
    assert len(db) == 0


def test_the_estimate_of_stale_keys_fades(keyspace: Keyspace, clock: ManualClock):
    keyspace.stats.expired_stale_perc = 10
    ExpireCycle(keyspace).run()
    assert keyspace.stats.expired_stale_perc == pytest.approx(9.5)


def test_databases_take_turns_when_time_is_short():
    clock = TiringClock()
    keyspace = Keyspace(clock, 3)
    for db in keyspace.databases:
        fill(db, 20_000, 0)
    cycle = ExpireCycle(keyspace, 1, 500)
    for _ in range(3):
        cycle.run()
    assert all(len(db) < 20_000 for db in keyspace.databases)


def test_listing_all_keys_hides_what_is_past_its_time(clock: ManualClock, db: Database):
    db.set_string(b"k", b"x", False, clock.ms + 100)
    db.set_string(b"l", b"x")
    clock.advance(101)
    assert list(db.keys()) == [b"l"]
    assert db.holds(b"k")

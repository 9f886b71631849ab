"""Walking over all keys while the table changes, and drawing random ones."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.datatypes.algorithms import rng
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from support.values import Bag


def fill(db: Database, count: int, prefix: bytes = b"") -> set[bytes]:
    keys = {b"%s%d" % (prefix, number) for number in range(count)}
    for key in keys:
        db.set_string(key, b"x")
    return keys


def scan(db: Database, count: int = 10) -> list[bytes]:
    found: list[bytes] = []
    cursor = 0
    while True:
        cursor, keys = db.scan(cursor, count)
        found += keys
        if cursor == 0:
            return found


@pytest.mark.parametrize("count", [0, 1, 2, 6, 7, 8, 100, 5000])
@pytest.mark.parametrize("step", [1, 10, 1000])
def test_a_quiet_table_is_seen_once(db: Database, count: int, step: int):
    keys = fill(db, count)
    found = scan(db, step)
    assert len(found) == len(keys)
    assert set(found) == keys == set(db.keys())


def test_every_moment_of_a_resize(db: Database):
    seen_rehashing = False
    for number in range(3000):
        db.set_string(b"%d" % number, b"x")
        if db.table_stats["keys"]["rehashing_to"] and number % 7 == 0:
            seen_rehashing = True
            found = scan(db, 100)
            assert len(found) == number + 1
            assert set(found) == {b"%d" % n for n in range(number + 1)}
    for number in range(3000):
        db.delete(b"%d" % number)
        if db.table_stats["keys"]["rehashing_to"] and number % 5 == 0:
            assert sorted(scan(db, 100)) == sorted(b"%d" % n for n in range(number + 1, 3000))
    assert seen_rehashing


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    stable=st.integers(1, 300),
    count=st.integers(1, 60),
    changes=st.lists(
        st.tuples(st.booleans(), st.integers(0, 600), st.booleans()), min_size=1, max_size=40
    ),
)
def test_what_is_there_all_the_while_is_seen(seed, stable, count, changes):
    rnd = random.Random(seed)
    db = Keyspace(ManualClock(), 1).databases[0]
    others = fill(db, rnd.randrange(2000), b"other")
    keys = fill(db, stable, b"%d-" % seed)
    found: set[bytes] = set()
    cursor = 0
    steps = 0
    while True:
        cursor, some = db.scan(cursor, count)
        found.update(some)
        if cursor == 0:
            break
        adding, number, rehash = changes[steps % len(changes)]
        steps += 1
        if rehash:
            db.rehash(number)
        elif adding and steps < 200:
            others |= fill(db, number, b"other%d-" % steps)
        else:
            for key in list(others)[: number * 2]:
                others.discard(key)
                db.delete(key)
    assert keys <= found


def test_a_cursor_from_elsewhere_does_no_harm(db: Database):
    fill(db, 100)
    for cursor in (1, 2**32, 2**64 - 1, 12345678901234567890):
        following, _ = db.scan(cursor)
        assert 0 <= following < 2**64
    with pytest.raises(OverflowError):
        db.scan(2**64)
    with pytest.raises(OverflowError):
        db.scan(-1)


def test_one_type_only(db: Database):
    fill(db, 50)
    db.add(b"bag", Bag([]))
    assert db.scan(0, 1000, b"bag") == (0, [b"bag"])
    assert len(db.scan(0, 1000, b"string")[1]) == 50
    assert db.scan(0, 1000, b"hash") == (0, [])


def test_a_step_looks_at_a_limited_number_of_buckets(db: Database):
    db.reserve(100_000)
    db.set_string(b"k", b"x")
    cursor, keys = db.scan(0, 10)
    assert len(keys) <= 1
    assert cursor != 0 or keys
    assert scan(db) == [b"k"]


# -- Random keys ---------------------------------------------------------------------------------


def test_no_key_is_no_random_key(db: Database):
    assert db.random_key() is None
    db.set_string(b"k", b"x")
    assert {db.random_key() for _ in range(10)} == {b"k"}


def chi_square(draws: Counter[bytes | None], keys: set[bytes]) -> float:
    expected = draws.total() / len(keys)
    return sum((draws[key] - expected) ** 2 / expected for key in keys)


@pytest.mark.parametrize("count", [5, 50, 1000])
@pytest.mark.parametrize("resizing", [False, True])
def test_every_key_has_the_same_chance(db: Database, count: int, resizing: bool):
    rng.seed(42)
    keys = fill(db, count)
    number = 0
    while resizing and not db.table_stats["keys"]["rehashing_to"]:
        keys |= fill(db, 1, b"more%d-" % number)
        number += 1
    draws = Counter(db.random_key() for _ in range(50 * len(keys)))
    assert set(draws) <= keys
    # Mean is one less than the number of keys, standard deviation the root of twice that.
    degrees = len(keys) - 1
    assert chi_square(draws, keys) < degrees + 6 * (2 * degrees) ** 0.5 + 6


def test_random_keys_of_a_nearly_empty_table(keyspace: Keyspace, db: Database):
    keyspace.hold_resizes(True)
    fill(db, 50_000)
    for number in range(3, 50_000):
        db.delete(b"%d" % number)
    draws = {db.random_key() for _ in range(60)}
    assert len(draws) > 1
    assert draws <= {b"0", b"1", b"2"}

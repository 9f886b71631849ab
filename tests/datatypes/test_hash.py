"""The hash in all its forms, alone."""

from __future__ import annotations

import gc
import random

import pytest

from carnelian.datatypes.base import memory
from carnelian.datatypes.base.limits import Limits
from carnelian.datatypes.collections.hash import BOTH, ONLY_FIELDS, ONLY_VALUES, Hash

LIMITS = Limits()


def filled(pairs: dict[bytes, bytes]) -> Hash:
    made = Hash()
    for field, value in pairs.items():
        made.set(LIMITS, field, value)
    return made


def numbered(count: int) -> dict[bytes, bytes]:
    return {b"field:%d" % n: b"value:%d" % n for n in range(count)}


def test_it_is_a_listpack_up_to_its_limits() -> None:
    assert filled(numbered(512)).encoding() == b"listpack"
    assert filled(numbered(513)).encoding() == b"hashtable"
    assert filled({b"f" * 64: b"v" * 64}).encoding() == b"listpack"
    assert filled({b"f" * 65: b"v"}).encoding() == b"hashtable"
    assert filled({b"f": b"v" * 65}).encoding() == b"hashtable"


def test_the_bytes_of_a_listpack_are_those_of_redis() -> None:
    made = filled({b"a": b"1", b"b": b"xy"})
    assert made.listpack == bytes.fromhex("13000000 0400 8161 02 0101 8162 02 827879 03 ff")


def test_a_listpack_has_no_backward_lengths_in_memory() -> None:
    made = filled(numbered(100))
    assert made.listpack is not None
    shell = filled({}).memory() - 16
    # One for each field and value, and up to a thirty-second of it in reserve.
    assert made.memory() - shell <= (len(made.listpack) - 2 * 100 + 3) * 33 // 32 + 16
    made.set_expiry(b"field:1", 100)
    assert made.memory() - shell <= (len(made.listpack) - 3 * 100 + 3) * 33 // 32 + 16 + 64
    # malloc leaves a rest that is too small for anything else with the block before it.
    assert abs(made.copy().memory() - made.memory()) <= 16


def test_a_listpack_with_times_is_in_their_order() -> None:
    made = filled({b"a": b"1", b"b": b"2", b"c": b"3"})
    made.set_expiry(b"c", 100)
    assert made.encoding() == b"listpackex"
    assert list(made) == [b"c", b"a", b"b"]
    made.set_expiry(b"b", 50)
    assert made.items() == [(b"b", b"2"), (b"c", b"3"), (b"a", b"1")]
    made.set_expiry(b"b", 0)
    assert list(made) == [b"c", b"a", b"b"]
    assert [made.expiry(field) for field in (b"a", b"b", b"c", b"d")] == [-1, -1, 100, -2]


def test_setting_a_field_lets_it_live_unless_its_time_is_kept() -> None:
    for count in (3, 600):
        made = filled(numbered(count))
        made.set_expiry(b"field:1", 100)
        assert not made.set(LIMITS, b"field:1", b"x", True)
        assert made.expiry(b"field:1") == 100
        assert not made.set(LIMITS, b"field:1", b"y")
        assert made.expiry(b"field:1") == -1
        assert made.get(b"field:1") == b"y"


@pytest.mark.parametrize("count", [3, 600])
def test_fields_past_their_time_are_not_seen(count: int) -> None:
    made = filled(numbered(count))
    made.set_expiry(b"field:1", 100)
    made.look(100)
    assert made.get(b"field:1") == b"value:1"
    made.look(101)
    assert made.get(b"field:1") is None
    assert b"field:1" not in made
    assert made.length_of(b"field:1") == 0
    assert made.expiry(b"field:1") == -2
    assert not made.set_expiry(b"field:1", 500)
    assert len(made) == count
    assert sorted(made) == sorted(set(numbered(count)) - {b"field:1"})
    assert b"field:1" not in made.sample(count - 1, ONLY_FIELDS)
    assert all(made.random(ONLY_FIELDS) != [b"field:1"] for _ in range(30))
    assert made.set(LIMITS, b"field:1", b"again")
    assert made.expiry(b"field:1") == -1


@pytest.mark.parametrize("count", [3, 600])
def test_a_field_past_its_time_is_removed_unseen(count: int) -> None:
    made = filled(numbered(count))
    made.set_expiry(b"field:1", 100)
    made.look(101)
    assert not made.remove(b"field:1")
    assert len(made) == count - 1


@pytest.mark.parametrize("count", [5, 2000])
def test_fields_are_expired_in_steps(count: int) -> None:
    made = filled(numbered(count))
    for number in range(count):
        made.set_expiry(b"field:%d" % number, 1000 + number)
    assert made.soonest == 1000
    gone: list[bytes] = []
    middle = 1000 + count // 2
    while made.soonest < middle:
        gone += made.expire(middle, 16)
    assert sorted(gone) == sorted(b"field:%d" % number for number in range(count // 2))
    assert made.soonest == middle
    assert len(made) == count - count // 2
    for number in range(count):
        made.set_expiry(b"field:%d" % number, 0)
    while made.soonest is not None:
        assert made.expire(1 << 60, 16) == []


@pytest.mark.parametrize("seed", range(60))
def test_it_holds_what_a_dict_would(seed: int) -> None:
    rnd = random.Random(seed)
    made = Hash()
    model: dict[bytes, bytes] = {}
    times: dict[bytes, int] = {}
    longest = rnd.choice([8, 8, 90, 700])
    for _ in range(rnd.choice([5, 100, 600, 3000])):
        field = b"%d" % rnd.randrange(2000) if rnd.random() < 0.5 else text(rnd, 4)
        value = b"%d" % rnd.randrange(-(10**9), 10**9) if rnd.random() < 0.5 else text(rnd, longest)
        draw = rnd.random()
        if draw < 0.6:
            assert made.set(LIMITS, field, value) == (field not in model)
            model[field] = value
            times.pop(field, None)
        elif draw < 0.8:
            assert made.remove(field) == (model.pop(field, None) is not None)
            times.pop(field, None)
        elif seed % 2:
            ms = rnd.choice([0, rnd.randrange(1, 1000)])
            assert made.set_expiry(field, ms) == (field in model)
            if field in model:
                times[field] = ms
        assert len(made) == len(model)
        assert made.get(field) == model.get(field)
        assert made.length_of(field) == len(model.get(field, b""))
    for holder in (made, made.copy()):
        assert dict(holder.items()) == model
        assert holder.encoding() == made.encoding()
        assert all(holder.expiry(field) == (times.get(field) or -1) for field in model)
    assert sorted(made.collect(ONLY_VALUES)) == sorted(model.values())
    assert scanned(made) == model
    count = rnd.randrange(len(model) + 1)
    sample = made.sample(count, BOTH)
    chosen = dict(zip(sample[::2], sample[1::2], strict=True))
    assert len(chosen) == count
    assert chosen.items() <= model.items()
    late = sorted(field for field, ms in times.items() if 0 < ms < 500)
    assert sorted(made.expire(500, 1 << 20)) == late
    assert sorted(made) == sorted(set(model) - set(late))


def text(rnd: random.Random, longest: int) -> bytes:
    return bytes(rnd.choices(b"abcxyz019", k=rnd.randrange(longest)))


def scanned(made: Hash) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    cursor = 0
    while True:
        cursor, some = made.scan(cursor, 10, BOTH)
        found.update(zip(some[::2], some[1::2], strict=True))
        if cursor == 0:
            return found


@pytest.mark.parametrize("count", [3, 100, 2000])
@pytest.mark.parametrize("length", [10, 1000])
def test_all_memory_comes_back(count: int, length: int) -> None:
    gc.collect()
    before = memory.used()
    made = filled({b"field:%d" % n: b"%d" % n * length for n in range(count)})
    for number in range(0, count, 3):
        made.set_expiry(b"field:%d" % number, 100)
        made.set(LIMITS, b"field:%d" % (number + 1), b"new")
    # Up to two arrays of a table begin at a multiple of 64 bytes.
    assert 0 <= memory.used() - before - made.memory() < 256
    twin = made.copy()
    made.expire(1000, 1 << 20)
    del made, twin
    assert memory.used() == before


def test_random_fields_are_equally_likely() -> None:
    for count in (200, 600):
        made = filled(numbered(count))
        seen: dict[bytes, int] = {}
        for _ in range(100 * count):
            field, value = made.random(BOTH)
            assert value == field.replace(b"field", b"value")
            seen[field] = seen.get(field, 0) + 1
        assert len(seen) == count
        assert max(seen.values()) < 200


def test_a_large_hash_is_freed_in_steps() -> None:
    made = filled(numbered(5000))
    steps = 0
    while made.free_some():
        steps += 1
    assert steps > 5
    assert len(made) == 0

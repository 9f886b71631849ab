"""The set in all its forms, alone."""

from __future__ import annotations

import gc
import random

import pytest

from carnelian.datatypes.base import memory
from carnelian.datatypes.base.limits import Limits
from carnelian.datatypes.collections.set import Set

LIMITS = Limits()


def filled(*members: bytes) -> Set:
    made = Set()
    for member in members:
        made.add(LIMITS, member)
    return made


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def test_integers_stay_in_an_intset_up_to_its_limit() -> None:
    assert filled(*numbers(512)).encoding() == b"intset"
    assert filled(*numbers(513)).encoding() == b"hashtable"


def test_a_small_set_of_strings_is_a_listpack() -> None:
    assert filled(b"a", b"1").encoding() == b"listpack"
    assert filled(b"1", b"2", b"a").encoding() == b"listpack"
    assert filled(*[b"m%d" % n for n in range(128)]).encoding() == b"listpack"
    assert filled(*[b"m%d" % n for n in range(129)]).encoding() == b"hashtable"
    assert filled(b"x" * 64).encoding() == b"listpack"
    assert filled(b"x" * 65).encoding() == b"hashtable"


def test_a_string_turns_a_large_intset_into_a_table() -> None:
    assert filled(*numbers(127), b"a").encoding() == b"listpack"
    assert filled(*numbers(128), b"a").encoding() == b"hashtable"


def test_the_bytes_of_an_intset_are_those_of_redis() -> None:
    assert filled(b"3", b"-1").intset == bytes.fromhex("02000000 02000000 ffff 0300")
    wide = filled(b"1", b"70000")
    assert wide.intset == bytes.fromhex("04000000 02000000 01000000 70110100")
    widest = filled(b"1", b"-9223372036854775808")
    assert widest.intset == bytes.fromhex("08000000 02000000 0000000000000080 0100000000000000")


@pytest.mark.parametrize("text", [b"01", b"+1", b" 1", b"", b"9223372036854775808", b"-0"])
def test_what_is_not_the_text_of_an_integer_is_no_integer(text: bytes) -> None:
    made = filled(text, b"1")
    assert made.encoding() == b"listpack"
    assert sorted(made) == sorted([text, b"1"])


def test_a_packed_set_of_integers_settles_as_an_intset() -> None:
    made = Set(True)
    for member in (b"3", b"1", b"2"):
        made.add(LIMITS, member)
    assert made.encoding() == b"listpack"
    made.compact(LIMITS)
    assert made.encoding() == b"intset"
    assert list(made) == [b"1", b"2", b"3"]


def any_member(rnd: random.Random, kind: int) -> bytes:
    if kind == 0 or (kind == 1 and rnd.random() < 0.98):
        return b"%d" % rnd.randrange(*rnd.choice([(-50, 1000), (-(10**6), 10**6)]))
    return bytes(rnd.choices(b"abcxyz019", k=rnd.randrange(8)))


@pytest.mark.parametrize("seed", range(60))
def test_it_holds_what_a_set_would(seed: int) -> None:
    rnd = random.Random(seed)
    made, model = Set(), set()
    kind = rnd.choice([0, 1, 2])
    for _ in range(rnd.choice([5, 100, 200, 600, 3000])):
        member = any_member(rnd, kind)
        if rnd.random() < 0.7:
            assert made.add(LIMITS, member) == (member not in model)
            model.add(member)
        else:
            assert made.remove(member) == (member in model)
            model.discard(member)
        assert len(made) == len(model)
    assert sorted(made) == sorted(model)
    assert sorted(made.copy()) == sorted(model)
    assert made.copy().encoding() == made.encoding()
    assert all(member in made for member in model)
    assert b"nope" not in made
    assert scanned(made) == model
    half = filled(*rnd.sample(sorted(model), len(model) // 2))
    assert sorted(made.common([half])) == sorted(half.common([made])) == sorted(half)
    count = rnd.randrange(len(model) + 1)
    sample = made.sample(count)
    assert len(set(sample)) == len(sample) == count
    assert set(sample) <= model
    while len(made):
        model.remove(made.pop())
    assert not model


def scanned(made: Set) -> set[bytes]:
    found: set[bytes] = set()
    cursor = 0
    while True:
        cursor, some = made.scan(cursor, 10)
        found.update(some)
        if cursor == 0:
            return found


@pytest.mark.parametrize("count", [3, 100, 2000])
def test_all_memory_comes_back(count: int) -> None:
    gc.collect()
    before = memory.used()
    made = filled(*[b"member:%d" % number for number in range(count)])
    # The table is an object of its own, of about a hundred bytes.
    assert 0 <= memory.used() - before - made.memory() < 128
    del made
    assert memory.used() == before


def test_random_members_are_equally_likely() -> None:
    made = filled(*[b"m%d" % number for number in range(200)])
    seen: dict[bytes, int] = {}
    for _ in range(20_000):
        member = made.random()
        seen[member] = seen.get(member, 0) + 1
    assert len(seen) == 200
    assert max(seen.values()) < 400


def test_a_large_set_is_freed_in_steps() -> None:
    made = filled(*[b"m%d" % number for number in range(5000)])
    steps = 0
    while made.free_some():
        steps += 1
    assert steps > 5
    assert len(made) == 0


def test_renewing_takes_the_form_of_a_new_set() -> None:
    made = filled(*numbers(600))
    for member in numbers(590):
        made.remove(member)
    assert made.encoding() == b"hashtable"
    made.renew(LIMITS)
    assert made.encoding() == b"intset"
    assert sorted(made.members()) == [b"%d" % number for number in range(590, 600)]
    gc.collect()
    before = memory.used()
    made.renew(LIMITS)
    assert memory.used() == before


def test_an_intset_has_little_room_to_spare() -> None:
    for count in (10, 300, 509, 512):
        made = Set()
        for number in range(count):
            made.add(LIMITS, b"%d" % number)
        assert made.encoding() == b"intset"
        assert made.memory() <= 48 + 8 + 2 * count + 64

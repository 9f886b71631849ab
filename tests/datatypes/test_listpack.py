"""Listpacks: against a Python list, against known bytes, and against those of redis-server."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from carnelian.datatypes.base import memory
from carnelian.datatypes.packs.packed import Listpack
from support.servers import ReferenceServer, StartRedis

# The integers at the limits of each encoding.
EDGES = sorted(
    edge + step
    for power in (0, 7, 12, 15, 23, 31, 62)
    for edge in (1 << power, -(1 << power))
    for step in (-1, 0, 1)
) + [2**63 - 1, -(2**63), 0]
# The lengths at the limits of each string encoding and of each backlen.
LENGTHS = [0, 1, 63, 64, 125, 126, 127, 4095, 4096, 16377, 16378, 16379, 16383, 20000]

texts = st.binary(max_size=12) | st.sampled_from(LENGTHS).map(lambda n: b"x" * n)
numbers = st.sampled_from(EDGES) | st.integers(-(2**63), 2**63 - 1)
elements = texts | numbers.map(lambda n: b"%d" % n)


def normal(value: bytes) -> bytes | int:
    """The element that a text becomes."""
    try:
        number = int(value)
    except ValueError:
        return value
    return number if b"%d" % number == value and -(2**63) <= number < 2**63 else value


def packed(*values: bytes | int) -> Listpack:
    listpack = Listpack()
    for value in values:
        listpack.append(value)
    return listpack


class AgainstList(RuleBasedStateMachine):
    """Every change on a listpack and on a list."""

    def __init__(self) -> None:
        super().__init__()
        self.listpack = Listpack()
        self.model: list[bytes | int] = []

    @rule(value=elements)
    def append(self, value: bytes) -> None:
        self.listpack.append(value)
        self.model.append(normal(value))

    @rule(value=elements | numbers, data=st.data())
    def insert(self, value: bytes | int, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.model)))
        self.listpack.insert(index, value)
        self.model.insert(index, normal(value) if isinstance(value, bytes) else value)

    @rule(value=elements | numbers, data=st.data())
    def replace(self, value: bytes | int, data: st.DataObject) -> None:
        if not self.model:
            return
        index = data.draw(st.integers(-len(self.model), len(self.model) - 1))
        self.listpack[index] = value
        self.model[index] = normal(value) if isinstance(value, bytes) else value

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(-len(self.model), len(self.model)))
        count = data.draw(st.integers(0, len(self.model) + 1))
        self.listpack.delete(index, count)
        start = index if index >= 0 else index + len(self.model)
        del self.model[start : start + count]

    @rule(data=st.data(), swapped=st.booleans())
    def cut_and_join(self, data: st.DataObject, swapped: bool) -> None:
        if not self.model:
            return
        index = data.draw(st.integers(0, len(self.model) - 1))
        tail = self.listpack.split(index)
        assert list(tail) == self.model[index:]
        assert list(self.listpack) == self.model[:index]
        Listpack(bytes(tail))
        if swapped:
            tail.extend(self.listpack)
            self.listpack = tail
            self.model = self.model[index:] + self.model[:index]
        else:
            self.listpack.extend(tail)

    @rule(value=elements, skip=st.integers(0, 2))
    def find(self, value: bytes, skip: int) -> None:
        places = [
            index
            for index in range(0, len(self.model), skip + 1)
            if self.model[index] == normal(value)
        ]
        assert self.listpack.find(value, skip) == (places[0] if places else None)

    @rule(slim=st.booleans())
    def change_form(self, slim: bool) -> None:
        self.listpack.slim = slim
        assert self.listpack.slim == slim

    @invariant()
    def same(self) -> None:
        assert list(self.listpack) == self.model
        assert list(reversed(self.listpack)) == self.model[::-1]
        assert len(self.listpack) == len(self.model)
        for index in (0, len(self.model) // 2, -1):
            if self.model:
                assert self.listpack[index] == self.model[index]
        # What is kept is valid, and depends on the elements only.
        raw = bytes(self.listpack)
        assert bytes(Listpack(raw)) == raw == bytes(packed(*self.model))
        assert self.listpack.full_size == len(raw)
        assert self.listpack.slim or self.listpack.memory() >= len(raw)


TestAgainstList = AgainstList.TestCase
TestAgainstList.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "07000000 0000 ff"),
        ([5], "09000000 0100 0501 ff"),
        ([127, 128], "0c000000 0200 7f01 c08002 ff"),
        ([-1], "0a000000 0100 dfff02 ff"),
        ([4096], "0b000000 0100 f1001003 ff"),
        ([-32769], "0c000000 0100 f2ff7fff04 ff"),
        ([8388608], "0d000000 0100 f30000800005 ff"),
        ([-(2**63)], "11000000 0100 f4000000000000008009 ff"),
        ([b"hi"], "0b000000 0100 8268 6903 ff"),
        ([b"007"], "0c000000 0100 83303037 04 ff"),
        ([b""], "09000000 0100 8001 ff"),
    ],
)
def test_bytes_of_each_encoding(values: list[bytes | int], expected: str) -> None:
    assert bytes(packed(*values)) == bytes.fromhex(expected)


@given(st.lists(elements, max_size=8), st.data())
def test_damaged_bytes_are_refused_or_read_safely(values: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(bytes(packed(*values)))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    try:
        listpack = Listpack(bytes(raw))
    except ValueError:
        return
    assert len(list(listpack)) == len(listpack)


def test_more_elements_than_the_header_counts() -> None:
    listpack = Listpack()
    for number in range(65534):
        listpack.append(number % 100)
    assert bytes(listpack)[4:6] == b"\xfe\xff"
    listpack.append(1)
    listpack.append(2)
    assert bytes(listpack)[4:6] == b"\xff\xff"
    assert len(listpack) == 65536
    assert listpack[-1] == 2
    assert listpack[65534] == 1
    listpack.delete(0, 2)
    assert bytes(listpack)[4:6] == b"\xff\xff"
    # Counting them puts the number back where it fits.
    assert len(listpack) == 65534
    assert bytes(listpack)[4:6] == b"\xfe\xff"
    tail = listpack.split(65000)
    assert (len(listpack), len(tail)) == (65000, 534)


def test_memory_is_given_back() -> None:
    gc.collect()
    before = memory.used()
    listpack = packed(*[b"x" * 50] * 100)
    assert memory.used() - before == listpack.memory()
    assert len(bytes(listpack)) <= listpack.memory() <= len(bytes(listpack)) * 9 // 8
    listpack.delete(1, 100)
    assert listpack.memory() <= 64
    del listpack
    assert memory.used() == before


def test_the_slim_form_is_smaller_by_the_backward_lengths() -> None:
    listpack = packed(*[b"%dx" % (n % 10) for n in range(300)])
    raw, full = bytes(listpack), listpack.memory()
    listpack.slim = True
    assert listpack.memory() <= full - 300 + 64
    assert (bytes(listpack), listpack.full_size, len(listpack)) == (raw, len(raw), 300)
    tail = listpack.split(100)
    assert (listpack.slim, tail.slim) == (True, True)
    assert len(bytes(listpack)) + len(bytes(tail)) == len(raw) + 7
    tail.slim = False
    with pytest.raises(ValueError, match="different forms"):
        listpack.extend(tail)


@given(st.lists(elements, max_size=40))
def test_the_slim_form_of_all_lengths(values: list[bytes]) -> None:
    listpack = Listpack(bytes(packed(*values)))
    raw = bytes(listpack)
    listpack.slim = True
    assert bytes(listpack) == raw
    assert list(listpack) == [normal(value) for value in values]
    listpack.slim = False
    assert bytes(listpack) == raw


def test_what_is_not_there() -> None:
    listpack = packed(1, 2)
    for index in (2, -3):
        with pytest.raises(IndexError):
            listpack[index]
        with pytest.raises(IndexError):
            listpack[index] = b"x"
    listpack.delete(5, 1)
    assert list(listpack) == [1, 2]
    assert packed().find(b"x") is None


# -- The same bytes as redis-server's --------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_redis(start_redis: StartRedis) -> ReferenceServer:
    """A redis-server whose payloads are not compressed."""
    return start_redis(
        "--save", "", "--rdbcompression", "no", "--hash-max-listpack-value", "100000",
        "--list-max-listpack-size", "-5",
    )  # fmt: skip


def length_at(payload: bytes, at: int) -> tuple[int, int]:
    """A length of the RDB format, and where what follows it starts."""
    kind = payload[at] >> 6
    if kind == 0:
        return payload[at] & 63, at + 1
    if kind == 1:
        return (payload[at] & 63) << 8 | payload[at + 1], at + 2
    return int.from_bytes(payload[at + 1 : at + 5], "big"), at + 5


def blob(payload: bytes, at: int) -> bytes:
    size, start = length_at(payload, at)
    return payload[start : start + size]


@settings(max_examples=60, deadline=None)
@given(values=st.lists(elements, min_size=1, max_size=20))
def test_lists_of_redis_have_these_bytes(plain_redis: ReferenceServer, values: list[bytes]) -> None:
    plain_redis.call("DEL", "k")
    plain_redis.call("RPUSH", "k", *values)
    payload = plain_redis.call("DUMP", "k")
    assert isinstance(payload, bytes)
    # A quicklist of one node, which is packed.
    if payload[:3] == b"\x12\x01\x02":
        assert blob(payload, 3) == bytes(packed(*values))
    else:
        assert sum(map(len, values)) > 60000


@settings(max_examples=60, deadline=None)
@given(fields=st.dictionaries(elements, elements, min_size=1, max_size=10))
def test_hashes_of_redis_have_these_bytes(
    plain_redis: ReferenceServer, fields: dict[bytes, bytes]
) -> None:
    plain_redis.call("DEL", "k")
    flat = [word for pair in fields.items() for word in pair]
    plain_redis.call("HSET", "k", *flat)
    payload = plain_redis.call("DUMP", "k")
    assert isinstance(payload, bytes)
    assert payload[0] == 16
    assert blob(payload, 1) == bytes(packed(*flat))

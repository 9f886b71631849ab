"""The stream as a structure, against a list of entries, and its bytes against redis-server."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.datatypes.base import memory
from carnelian.datatypes.base.digest import Digest
from carnelian.datatypes.base.limits import Limits
from carnelian.datatypes.packs.packed import Listpack
from carnelian.datatypes.streams.stream import Stream
from support.servers import ReferenceServer

Pair = tuple[int, int]
Entry = tuple[Pair, list[bytes]]

MOST = 2**64 - 1
TEXTS = st.sampled_from(
    [
        b"",
        b"a",
        b"name",
        b"0",
        b"127",
        b"-1",
        b"12345678",
        b"007",
        b"x" * 63,
        b"y" * 70,
        b"z" * 4100,
    ]
)
CONTENTS = st.one_of(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4),
    st.lists(TEXTS, min_size=2, max_size=2).map(lambda v: [(b"f", v[0]), (b"g", v[1])]),
)
STEPS = st.tuples(st.integers(0, 3), st.one_of(st.integers(0, 300), st.just(2**40)))


def limits(size: int = 4096, entries: int = 100) -> Limits:
    made = Limits()
    made.stream_node_max_bytes = size
    made.stream_node_max_entries = entries
    return made


def filled(contents: list[tuple[Pair, list[tuple[bytes, bytes]]]], chosen: Limits) -> list[Entry]:
    """Entries with ids that rise by those steps."""
    ms, seq = 1, 0
    entries: list[Entry] = []
    for (by_ms, by_seq), pairs in contents:
        ms, seq = (ms + by_ms, by_seq) if by_ms else (ms, seq + by_seq + 1)
        entries.append(((ms, seq), [word for pair in pairs for word in pair]))
    return entries


def stream_of(entries: list[Entry], chosen: Limits) -> Stream:
    stream = Stream()
    for id, words in entries:
        stream.add(chosen, id, words)
    return stream


ENTRIES = st.lists(st.tuples(STEPS, CONTENTS), max_size=40)
FORMS = st.builds(limits, st.sampled_from([0, 60, 200, 4096]), st.sampled_from([0, 1, 3, 100]))


@given(ENTRIES, FORMS, st.data())
def test_it_is_a_list_of_entries(contents: list, chosen: Limits, data: st.DataObject) -> None:
    entries = filled(contents, chosen)
    stream = stream_of(entries, chosen)
    assert list(stream) == entries
    assert stream.entries(back=True) == entries[::-1]
    ids = [id for id, _ in entries]
    for id in data.draw(st.lists(st.sampled_from(ids or [(0, 1)]), max_size=20)):
        there = id in ids
        assert stream.remove(id) is there
        entries = [entry for entry in entries if entry[0] != id]
        ids = [left for left, _ in entries]
        assert len(stream) == len(entries)
        assert stream.first_id == (ids[0] if ids else (0, 0))
    assert list(stream) == entries
    assert stream.entries(back=True) == entries[::-1]
    start, end = data.draw(st.tuples(*[st.sampled_from([*ids, (0, 0), (2, 1), (MOST, MOST)])] * 2))
    inside = [entry for entry in entries if start <= entry[0] <= end]
    assert stream.entries(start, end) == inside
    assert stream.entries(start, end, 3, True) == inside[::-1][:3]


@given(ENTRIES, FORMS, st.sets(st.integers(0, 39)))
def test_files_bring_it_back(contents: list, chosen: Limits, removed: set[int]) -> None:
    entries = filled(contents, chosen)
    stream = stream_of(entries, chosen)
    for index, (id, _) in enumerate(entries):
        if index in removed:
            stream.remove(id)
    other = Stream()
    for ms, seq, pack in stream.packs():
        other.add_pack((ms, seq), pack)
    other.restore(
        len(stream), stream.last_id, stream.first_id, stream.max_deleted_id, stream.entries_added
    )
    old = Stream()
    for ms, seq, pack in stream.packs():
        old.add_pack((ms, seq), pack)
    old.restore(len(stream), stream.last_id)
    for twin in (other, old, stream.copy()):
        assert list(twin) == list(stream)
        assert twin.last_id == stream.last_id
        assert twin.first_id == stream.first_id
        twin.add(chosen, (2**50, 0), [b"f", b"v"])
        assert twin.entries((2**50, 0)) == [((2**50, 0), [b"f", b"v"])]


def test_the_layout_of_a_node() -> None:
    stream = Stream()
    stream.add(limits(), (5, 1), [b"name", b"x", b"age", b"7"])
    stream.add(limits(), (5, 9), [b"name", b"y", b"age", b"8"])
    stream.add(limits(), (9, 0), [b"other", b"z"])
    stream.remove((5, 9))
    ((ms, seq, pack),) = stream.packs()
    assert (ms, seq) == (5, 1)
    assert list(Listpack(pack)) == [
        2, 1, 2, b"name", b"age", 0,
        2, 0, 0, b"x", 7, 5,
        3, 0, 8, b"y", 8, 5,
        0, 4, -1, 1, b"other", b"z", 6,
    ]  # fmt: skip


def damaged() -> list[bytes]:
    good = Listpack()
    for element in (1, 0, 1, b"f", 0, 2, 0, 0, b"v", 4):
        good.append(b"%d" % element if isinstance(element, int) else element)
    assert bytes(good)
    packs = []
    for index, value in ((0, 2), (1, 1), (2, 5), (4, 1), (5, 9), (9, 3)):
        other = Listpack(bytes(good))
        other[index] = b"%d" % value
        packs.append(bytes(other))
    return [*packs, b"", b"junk", bytes(Listpack()), bytes(good)[:-1]]


@pytest.mark.parametrize("pack", damaged())
def test_what_is_no_node_is_refused(pack: bytes) -> None:
    with pytest.raises(ValueError, match="not a"):
        Stream().add_pack((1, 1), pack)


def test_nodes_have_to_come_in_order() -> None:
    stream = stream_of([((1, 1), [b"f", b"v"]), ((2, 0), [b"f", b"v"])], limits())
    (first,) = stream.packs()
    with pytest.raises(ValueError, match="order"):
        stream.add_pack((2, 0), first[2])
    with pytest.raises(ValueError, match="number of entries"):
        stream.restore(1, (5, 0))


def test_memory_is_counted_and_given_back() -> None:
    gc.collect()
    before = memory.used()
    stream = Stream()
    for i in range(5000):
        stream.add(limits(), (i + 1, 0), [b"field", b"value %d" % i])
    group = stream.add_group(b"g", (0, 0), 0)
    consumers = [group.add_consumer(b"c%d" % i, 0) for i in range(3)]
    for i in range(5000):
        group.add_pending((i + 1, 0), 7, 1)
        group.assign_pending((i + 1, 0), consumers[i % 3])
    assert stream.memory() == memory.used() - before
    twin = stream.copy()
    assert twin.memory() < stream.memory() + 8192
    while stream.free_some():
        pass
    assert stream.free_effort() == 1
    del group, consumers, stream, twin
    assert memory.used() == before


def test_a_million_pending_entries_take_little() -> None:
    before = memory.used()
    group = Stream().add_group(b"g", (0, 0), 0)
    consumer = group.add_consumer(b"c", 0)
    for i in range(100_000):
        group.add_pending((1, i), 7, 1)
        group.assign_pending((1, i), consumer)
    assert memory.used() - before < 100_000 * 62
    assert group.released == 0


def test_groups() -> None:
    stream = Stream()
    stream.entries_added = 7
    assert stream.add_group(b"c", (0, 0), 8).entries_read == 7
    stream.remove_group(b"c")
    group = stream.add_group(b"b", (3, 4), 7)
    assert stream.add_group(b"b", (0, 0), 0) is None
    stream.add_group(b"a", (0, 0), -1)
    assert [each.name for each in stream.groups()] == [b"a", b"b"]
    assert (group.last_id, group.entries_read) == ((3, 4), 7)
    one, two = group.add_consumer(b"one", 5), group.add_consumer(b"two", 6)
    assert group.add_consumer(b"one", 9) is one
    for i in range(600):
        group.add_pending((1, i), 100 + i, 2)
        group.assign_pending((1, i), one if i % 2 else two)
    assert list(one) == [(1, i) for i in range(1, 600, 2)]
    assert list(group)[599] == (1, 599, 699, 2)
    with pytest.raises(ValueError, match="pending"):
        group.add_pending((1, 5), 0, 0)
    with pytest.raises(ValueError, match="pending"):
        group.assign_pending((1, 5), two)
    twin = stream.copy().group(b"b")
    assert list(twin) == list(group)
    assert [list(each) for each in twin.in_order()] == [list(one), list(two)]
    assert group.remove_consumer(b"one") == 300
    assert list(group) == [(1, i, 100 + i, 2) for i in range(0, 600, 2)]
    assert stream.remove_group(b"b") is group
    assert stream.remove_group(b"b") is None


def test_the_digest_takes_ids_fields_and_values() -> None:
    stream = stream_of([((1, 2), [b"f", b"v"])], limits())
    expected, taken = Digest(), Digest()
    for word in (b"1.2", b"f", b"v"):
        expected.chain(word)
    stream.digest(taken)
    assert taken.value() == expected.value()


PAYLOADS = st.lists(st.tuples(STEPS, CONTENTS), min_size=1, max_size=15)


@settings(max_examples=60, deadline=None)
@given(
    PAYLOADS,
    st.sampled_from([0, 90, 4096]),
    st.sampled_from([0, 2, 100]),
    st.sets(st.integers(0, 14)),
)
def test_the_bytes_are_those_of_redis(
    redis_server: ReferenceServer, contents: list, size: int, most: int, removed: set[int]
) -> None:
    chosen = limits(size, most)
    entries = filled(contents, chosen)
    redis_server.call("CONFIG", "SET", "stream-node-max-bytes", size)
    redis_server.call("CONFIG", "SET", "stream-node-max-entries", most)
    # What is dumped must not be compressed.
    redis_server.call("CONFIG", "SET", "rdbcompression", "no")
    redis_server.call("DEL", "s")
    stream = Stream()
    for (ms, seq), words in entries:
        stream.add(chosen, (ms, seq), words)
        redis_server.call("XADD", "s", f"{ms}-{seq}", *words)
    for index, ((ms, seq), _) in enumerate(entries):
        if index in removed:
            stream.remove((ms, seq))
            redis_server.call("XDEL", "s", f"{ms}-{seq}")
    dump = redis_server.call("DUMP", "s")
    assert isinstance(dump, bytes)
    at = 0
    for ms, seq, pack in stream.packs():
        at = dump.index(ms.to_bytes(8, "big") + seq.to_bytes(8, "big"), at)
        at = dump.index(pack, at)
        assert at > 0

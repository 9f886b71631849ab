"""Keys: adding, deleting, renaming, moving and copying them, and the hooks that hear of it."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from carnelian.keyspace import events
from carnelian.keyspace.clock import Clock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.resp.replies import WrongType
from support.values import Bag, Recorder

VALUES = [b"12", b"x" * 10, b"x" * 1000, Bag([b"a"])]


def at(db: Database, ms: int) -> int:
    """A time from now."""
    return db.keyspace.clock.ms + ms


def test_a_database_counts_its_keys(db: Database, other: Database, keyspace: Keyspace):
    for number in range(100):
        db.set_string(b"%d" % number, b"x")
    other.set_string(b"0", b"x")
    assert (len(db), db.size(), len(other), len(keyspace)) == (100, 100, 1, 101)
    assert [database.index for database in keyspace.databases] == [0, 1, 2, 3]


@pytest.mark.parametrize("value", VALUES)
def test_add_and_replace(db: Database, value: object):
    assert db.add(b"k", value)
    assert db.peek(b"k") == value
    assert not db.add(b"k", b"other")
    assert db.peek(b"k") == value
    assert db.replace(b"k", b"other", False, at(db, 5))
    assert (db.peek(b"k"), db.expiry(b"k")) == (b"other", at(db, 5))
    assert db.replace(b"k", value, True)
    assert (db.peek(b"k"), db.expiry(b"k")) == (value, at(db, 5))
    assert db.replace(b"k", value)
    assert db.expiry(b"k") == -1
    assert not db.replace(b"new", value)
    assert db.add(b"third", value, at(db, 7))
    assert db.expiry(b"third") == at(db, 7)


def test_delete(db: Database):
    db.set_string(b"k", b"x")
    assert b"k" in db
    assert db.has(b"k")
    assert db.delete(b"k")
    assert not db.delete(b"k")
    assert not db.unlink(b"k")
    assert b"k" not in db


def test_collections_are_held_and_let_go(db: Database, other: Database):
    bag = Bag([b"a"])
    gone = weakref.ref(bag)
    before = sys.getrefcount(bag)
    db.add(b"k", bag)
    assert db.lookup(b"k") is bag
    assert db.collection(b"k", Bag) is bag
    assert db.collection_to_change(b"k", Bag) is bag
    assert db.value_to_change(b"k") is bag
    assert (db.type_name(b"k"), db.encoding(b"k")) == (b"bag", b"listpack")
    assert db.memory_usage(b"k") == 1000 + 24 + 8
    db.rename(b"k", b"longer than before")
    db.set_expiry(b"longer than before", at(db, 5))
    db.move(b"longer than before", other)
    other.persist(b"longer than before")
    assert other.lookup(b"longer than before") is bag
    assert sys.getrefcount(bag) == before + 1
    other.set_string(b"longer than before", b"x")
    assert sys.getrefcount(bag) == before
    del bag
    assert gone() is None


def test_a_collection_of_another_class(db: Database):
    db.add(b"bag", Bag([]))
    db.set_string(b"string", b"x")
    assert db.collection(b"none", Bag) is None
    for key, cls in ((b"bag", dict), (b"string", Bag)):
        with pytest.raises(WrongType):
            db.collection(key, cls)
        with pytest.raises(WrongType):
            db.collection_to_change(key, cls)


# -- rename, move, copy --------------------------------------------------------------------------


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("expiring", [False, True])
@pytest.mark.parametrize("replaced", [None, b"x", b"y" * 1000])
def test_rename(db: Database, value: object, expiring: bool, replaced: bytes | None):
    expiry = at(db, 1000) if expiring else -1
    if replaced is not None:
        db.set_string(b"new name", replaced, False, at(db, 5))
    db.replace(b"k", value, False, expiry)
    db.set_idle(b"k", 100)
    assert db.rename(b"k", b"new name")
    assert db.peek(b"new name") == value
    assert db.expiry(b"new name") == expiry
    assert db.idle_seconds(b"new name") == 100
    assert (len(db), db.expires_count) == (1, int(expiring))
    assert not db.rename(b"k", b"new name")
    assert db.rename(b"new name", b"new name")
    assert db.peek(b"new name") == value


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("expiring", [False, True])
def test_move(db: Database, other: Database, value: object, expiring: bool):
    expiry = at(db, 1000) if expiring else -1
    db.replace(b"k", value, False, expiry)
    assert db.move(b"k", other)
    assert (len(db), db.expires_count) == (0, 0)
    assert (other.peek(b"k"), other.expiry(b"k")) == (value, expiry)
    assert (len(other), other.expires_count) == (1, int(expiring))
    assert not db.move(b"k", other)
    db.set_string(b"k", b"mine")
    assert not db.move(b"k", other)
    assert (db.peek(b"k"), other.peek(b"k")) == (b"mine", value)


@pytest.mark.parametrize("value", [b"12", b"x" * 10, b"x" * 1000])
@pytest.mark.parametrize("expiring", [False, True])
def test_copies_share_nothing(db: Database, other: Database, value: bytes, expiring: bool):
    expiry = at(db, 1000) if expiring else -1
    for change in (lambda db: None, lambda db: db.append(b"k", b"more")):
        db.set_string(b"k", value, False, expiry)
        change(db)
        kept = db.peek(b"k")
        encoding = db.encoding(b"k")
        assert db.copy(b"k", other, b"copy", True)
        assert (other.peek(b"copy"), other.expiry(b"copy")) == (kept, expiry)
        assert other.encoding(b"copy") == encoding
        db.set_range(b"k", 0, b"#####")
        assert other.peek(b"copy") == kept
        other.append(b"copy", b"!")
        assert db.peek(b"k") == b"#####" + kept[5:]


def test_a_collection_copies_itself(db: Database):
    bag = Bag([b"a"])
    db.add(b"k", bag)
    assert db.copy(b"k", db, b"copy")
    copy = db.peek(b"copy")
    assert copy is not bag
    assert copy.items == [b"a"]
    assert not db.copy(b"k", db, b"copy")
    assert db.copy(b"k", db, b"copy", True)
    assert db.peek(b"copy") is not copy
    assert not db.copy(b"none", db, b"copy", True)
    assert db.has(b"copy")


# -- Counting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "counted"),
    [
        (lambda db, key: db.lookup(key), True),
        (lambda db, key: db.string(key), True),
        (lambda db, key: db.exists(key), True),
        (lambda db, key: db.type_name(key), True),
        (lambda db, key: db.read_expiry(key), True),
        (lambda db, key: db.string_length(key), True),
        (lambda db, key: db.get_range(key, 0, 1), True),
        (lambda db, key: db.touch(key), True),
        (lambda db, key: db.peek(key), False),
        (lambda db, key: db.has(key), False),
        (lambda db, key: db.holds(key), False),
        (lambda db, key: db.expiry(key), False),
        (lambda db, key: db.encoding(key), False),
        (lambda db, key: db.idle_seconds(key), False),
        (lambda db, key: db.memory_usage(key), False),
        (lambda db, key: db.value_to_change(key), False),
        (lambda db, key: db.string_to_change(key), False),
        (lambda db, key: db.persist(key), False),
        (lambda db, key: db.delete(key), False),
    ],
)
def test_reads_count_hits_and_misses(keyspace: Keyspace, db: Database, read, counted: bool):
    notifier = keyspace.notifier = Recorder()
    read(db, b"none")
    assert (keyspace.stats.hits, keyspace.stats.misses) == (0, int(counted))
    expected = [(db, events.KEY_MISS, b"keymiss", b"none")] if counted else []
    assert notifier.calls == expected
    keyspace.notifier = None
    db.set_string(b"k", b"x")
    read(db, b"k")
    assert (keyspace.stats.hits, keyspace.stats.misses) == (int(counted), int(counted))
    keyspace.reset_stats()
    assert (keyspace.stats.hits, keyspace.stats.misses) == (0, 0)


def test_changes_are_counted_and_reported(keyspace: Keyspace, db: Database):
    db.changed(b"k", events.STRING, b"set")
    observer = keyspace.observer = Recorder()
    db.changed(b"k", events.STRING, b"set")
    assert keyspace.dirty == 2
    assert observer.calls == [(db, b"k", events.STRING, b"set")]


@pytest.mark.parametrize(
    "add",
    [
        lambda db: db.set_string(b"new", b"x"),
        lambda db: db.set_string(b"new", b"x" * 600),
        lambda db: db.set_integer(b"new", 5),
        lambda db: db.increment(b"new", 5),
        lambda db: db.append(b"new", b"x"),
        lambda db: db.set_range(b"new", 5, b"x"),
        lambda db: db.add(b"new", Bag([])),
        lambda db: db.replace(b"new", Bag([])),
        lambda db: db.rename(b"old", b"new"),
        lambda db: db.copy(b"old", db, b"new"),
        lambda db: db.keyspace.databases[1].move(b"new", db),
    ],
)
def test_new_keys_are_reported_once(keyspace: Keyspace, db: Database, add):
    db.set_string(b"old", b"x")
    keyspace.databases[1].set_string(b"new", b"x")
    added = keyspace.on_added = Recorder()
    notifier = keyspace.notifier = Recorder()
    add(db)
    assert added.calls == [(db, b"new")]
    assert notifier.calls == [(db, events.NEW, b"new", b"new")]


def test_errors_of_hooks_reach_the_caller(keyspace: Keyspace, db: Database):
    def fail(*args: object) -> None:
        raise LookupError("hook")

    keyspace.on_added = fail
    with pytest.raises(LookupError):
        db.set_string(b"k", b"x")
    keyspace.on_added = None
    assert db.lookup(b"k") == b"x"
    keyspace.notifier = fail
    with pytest.raises(LookupError):
        db.lookup(b"none")
    keyspace.notifier = None
    keyspace.on_expired = fail
    db.set_string(b"k", b"x", False, 0)
    with pytest.raises(LookupError):
        db.lookup(b"k")
    assert not db.holds(b"k")


# -- All keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lazy", [False, True])
def test_flush(keyspace: Keyspace, db: Database, other: Database, balance: None, lazy: bool):
    for database in (db, other):
        for number in range(1000):
            database.set_string(b"%d" % number, b"x" * number)
            database.set_expiry(b"%d" % number, at(db, number))
    assert keyspace.flush(db, lazy) == 1000
    assert (len(db), db.expires_count, len(other)) == (0, 0, 1000)
    assert keyspace.flush(lazy=lazy) == 1000
    assert keyspace.lazyfree_pending_objects == (2000 if lazy else 0)
    assert list(db.keys()) == []
    db.set_string(b"k", b"x")
    assert list(db.keys()) == [b"k"]
    while keyspace.background_step(1000):
        pass
    assert keyspace.lazyfree_pending_objects == 0
    assert keyspace.lazyfreed_objects == (2000 if lazy else 0)


def test_swap(keyspace: Keyspace, db: Database, other: Database):
    db.set_string(b"k", b"zero", False, at(db, 5))
    other.set_string(b"k", b"one")
    keyspace.swap(0, 1)
    assert (db.lookup(b"k"), other.lookup(b"k")) == (b"one", b"zero")
    assert (db.expires_count, other.expires_count) == (0, 1)
    assert keyspace.databases[0] is db
    keyspace.swap(1, 1)
    assert other.lookup(b"k") == b"zero"


def test_a_key_space_can_go_with_all_it_holds():
    keyspace = Keyspace(Clock())
    bag = Bag([])
    gone = weakref.ref(bag)
    keyspace.databases[3].add(b"k", bag)
    del bag, keyspace
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("length", [0, 1, 2, 20, 84, 512])
def test_texts_that_somebody_has_are_his(db: Database, length: int):
    first, second = b"x" * length, b"y" * length
    db.set_string(b"first", first)
    db.set_string(b"second", second)
    db.set_string(b"longer", b"z" * (length + 64))
    held = db.string(b"first")
    assert (db.string(b"second"), held) == (second, first)
    assert db.string(b"longer") == b"z" * (length + 64)
    # One that nobody has is written over, hash and all.
    for _ in range(3):
        assert db.string(b"first") in {first}
        assert db.string(b"second") in {second}
    assert [db.string(b"first") for _ in range(3)] == [first] * 3
    assert held == first

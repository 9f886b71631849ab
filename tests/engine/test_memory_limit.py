"""maxmemory: what goes, what is refused, and what is told of it."""

from __future__ import annotations

import gc

import pytest

from carnelian.commands import declare_all
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder

OOM = "OOM command not allowed when used memory > 'maxmemory'."
VALUE = "x" * 1000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000_000)


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    declare_all()
    # Engines of other tests go now rather than in the middle of this one.
    gc.collect()
    made = Engine(Config(), clock)
    # What other tests have left behind.
    made.memory_limit.foreign = made.memory_limit.used()
    return made


@pytest.fixture
def client(engine: Engine) -> LocalClient:
    return LocalClient(engine)


def info(client: LocalClient, field: str) -> str:
    text = client("INFO", "everything").text.decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)[field]


def fill(client: LocalClient, keys: int = 100) -> int:
    """Add keys ``0``, ``1``, ... of a kilobyte; returns the memory that is used then."""
    for number in range(keys):
        client("SETEX", number, 1000 + number, VALUE)
    return client.engine.memory_limit.used()


def settle(engine: Engine) -> None:
    """Let evictions that need more than one cycle come to their end."""
    for _ in range(1000):
        if not engine.memory_limit.evicting:
            return
        assert engine.next_deadline_ms() <= engine.clock.ms
        engine.on_deadline()
    raise AssertionError("still evicting")


POLICIES = [
    "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
def test_the_limit_is_kept(client: LocalClient, engine: Engine, policy: str):
    used = fill(client)
    client("CONFIG", "SET", "maxmemory", used, "maxmemory-policy", policy)
    # Or else a cycle ends after half a millisecond, which a busy machine may take for nothing.
    client("CONFIG", "SET", "maxmemory-eviction-tenacity", 100)
    for number in range(200):
        assert client("SETEX", f"more:{number}", 1000, VALUE) == b"OK"
        assert engine.memory_limit.used() <= used + 2048
    settle(engine)
    evicted = int(info(client, "evicted_keys"))
    assert evicted > 150
    assert client("DBSIZE") == 300 - evicted


def test_a_lower_limit_takes_effect_by_itself(client: LocalClient, engine: Engine):
    lines: list[str] = []
    engine.log = lambda level, message: lines.append(message)
    used = fill(client)
    client("CONFIG", "SET", "maxmemory-policy", "volatile-ttl", "maxmemory-samples", 64)
    client("CONFIG", "SET", "maxmemory", used // 2)
    assert lines == [
        f"WARNING: the new maxmemory value set via CONFIG SET ({used // 2}) is smaller than the "
        f"current memory usage ({used}). This will result in key eviction and/or the inability to "
        "accept new write commands depending on the maxmemory-policy."
    ]
    assert client.engine.timed
    settle(engine)
    assert engine.memory_limit.used() <= used // 2
    left = client("DBSIZE")
    assert 40 < left < 60
    # Nearly all of those that go first have gone.
    assert client("EXISTS", *range(100 - left, 100)) >= left - 5


def test_nothing_is_evicted_without_a_policy(client: LocalClient, engine: Engine):
    used = fill(client)
    client("CONFIG", "SET", "maxmemory", used - 1)
    assert client.error("SET", "k", "v") == OOM
    assert client("GET", "1") == VALUE.encode()
    assert client("DEL", "1") == 1
    assert client("SET", "k", "v") == b"OK"
    assert info(client, "evicted_keys") == "0"


def test_volatile_policies_refuse_when_nothing_expires(client: LocalClient, engine: Engine):
    client("SET", "stays", VALUE)
    client("SETEX", "goes", 100, VALUE)
    client("CONFIG", "SET", "maxmemory-policy", "volatile-lru", "maxmemory", 1)
    assert client.error("APPEND", "stays", "x") == OOM
    assert client("KEYS", "*") == [b"stays"]
    assert client("CONFIG", "SET", "maxmemory", 0) == b"OK"
    assert client("APPEND", "stays", "x") == 1001


def test_what_is_queued_when_memory_is_out(client: LocalClient, engine: Engine):
    client("SET", "stays", VALUE)
    client("MULTI")
    client("CONFIG", "SET", "maxmemory", 1)
    assert client("EXEC") == [b"OK"]
    client("MULTI")
    assert client("GET", "stays") == b"QUEUED"
    assert client("DEL", "none") == b"QUEUED"
    assert client("EXEC") == [VALUE.encode(), 0]
    client("MULTI")
    assert client.error("APPEND", "stays", "x") == OOM
    assert client.error("EXEC") == "EXECABORT Transaction discarded because of previous errors."
    client("MULTI")
    assert client("DISCARD") == b"OK"


def test_exec_is_refused_when_it_needs_memory(client: LocalClient, engine: Engine):
    other = LocalClient(engine)
    client("SET", "stays", VALUE)
    client("MULTI")
    client("SET", "k", "v")
    other("MULTI")
    other("GET", "stays")
    LocalClient(engine)("CONFIG", "SET", "maxmemory", 1)
    assert client.error("EXEC") == (
        "EXECABORT Transaction discarded because of: "
        "OOM command not allowed when used memory > 'maxmemory'.".replace("OOM ", "OOM ")
    )
    assert other("EXEC") == [VALUE.encode()]


def test_what_is_told_of_an_eviction(client: LocalClient, engine: Engine):
    client("SELECT", 3)
    fill(client, 3)
    watcher, listener = LocalClient(engine), LocalClient(engine)
    watcher("SELECT", 3)
    watcher("WATCH", 1)
    client("CONFIG", "SET", "notify-keyspace-events", "Ee", "maxmemory-policy", "volatile-ttl")
    listener("SUBSCRIBE", "__keyevent@3__:evicted")
    listener.messages()
    recorder = Recorder(engine)
    dirty = engine.keyspace.dirty
    client("CONFIG", "SET", "maxmemory", 1)
    settle(engine)
    client("PING")
    assert [message.items[2].text for message in listener.messages()] == [b"0", b"1", b"2"]
    assert recorder.commands == [(3, [b"DEL", b"%d" % number]) for number in range(3)]
    assert engine.keyspace.dirty == dirty
    watcher("MULTI")
    assert watcher.call("EXEC").value is None


def test_evictions_are_no_transaction(client: LocalClient, engine: Engine):
    recorder = Recorder(engine)
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    client("MULTI")
    client("INCR", "x")
    client("CONFIG", "SET", "maxmemory", 1)
    client("INCR", "x")
    assert client("EXEC") == [1, b"OK", 2]
    settle(engine)
    assert recorder.take() == [b"MULTI", b"INCR x", b"INCR x", b"EXEC", b"DEL x"]


def test_big_values_are_freed_in_steps(client: LocalClient, engine: Engine):
    client("CONFIG", "SET", "lazyfree-lazy-eviction", "yes", "maxmemory-policy", "allkeys-random")
    client("CONFIG", "SET", "maxmemory-eviction-tenacity", 0)
    small = fill(client, 20)
    client("SADD", "big", *(f"member:{number}" for number in range(20_000)))
    client("DEL", *range(20))
    used = engine.memory_limit.used()
    fill(client, 20)
    recorder = Recorder(engine)
    client("CONFIG", "SET", "maxmemory", used - small)
    while client("EXISTS", "big"):
        client("PING")
    evicted = int(info(client, "evicted_keys"))
    settle(engine)
    # What is being freed counts as gone: nothing more has to go for it.
    assert engine.memory_limit.used() <= used - small
    assert int(info(client, "evicted_keys")) == evicted
    assert recorder.take()[-1] == b"UNLINK big"
    while engine.keyspace.background_step(1000):
        pass
    assert info(client, "lazyfreed_objects") == "1"


def test_a_cycle_ends_when_its_time_is_over():
    declare_all()
    engine = Engine()
    engine.memory_limit.foreign = engine.memory_limit.used()
    client = LocalClient(engine)
    client("CONFIG", "SET", "maxmemory-eviction-tenacity", 0, "maxmemory-policy", "allkeys-lru")
    used = fill(client)
    client("CONFIG", "SET", "maxmemory", used // 2)
    assert client("SET", "k", "v") == b"OK"
    assert engine.memory_limit.evicting
    # One cycle of 16 keys, and then the next command.
    assert client("DBSIZE") >= 101 - 2 * 16
    settle(engine)
    assert engine.memory_limit.used() <= used // 2


def test_a_pause_evicts_and_refuses_nothing(client: LocalClient, engine: Engine):
    used = fill(client)
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    client("CLIENT", "PAUSE", 1000, "WRITE")
    client("CONFIG", "SET", "maxmemory", used // 2)
    client("GET", "1")
    assert client("DBSIZE") == 100
    client("CLIENT", "UNPAUSE")
    client("PING")
    settle(engine)
    assert client("DBSIZE") < 60


def test_what_is_no_data_is_not_held_against_it(client: LocalClient, engine: Engine):
    used = fill(client)
    engine.memory_limit.uncounted.append(lambda: 5000)
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", used - 4000)
    client("PING")
    assert client("DBSIZE") == 100
    assert info(client, "mem_not_counted_for_evict") == "5000"


def test_time_above_the_limit_is_counted(client: LocalClient, engine: Engine):
    client("SET", "stays", VALUE)
    assert engine.memory_limit.exceeded_ms == (0, 0)
    client("CONFIG", "SET", "maxmemory", 1)
    client("PING")
    assert engine.memory_limit.exceeded
    client("CONFIG", "SET", "maxmemory", 0)
    assert not engine.memory_limit.exceeded
    total, current = engine.memory_limit.exceeded_ms
    assert current == 0
    assert info(client, "total_eviction_exceeded_time") == str(total)
    assert info(client, "current_eviction_exceeded_time") == "0"
    client("CONFIG", "RESETSTAT")
    assert engine.memory_limit.exceeded_ms == (0, 0)


def test_cycles_are_watched_by_the_latency_monitor(
    client: LocalClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    fill(client, 3)
    engine.latency.threshold_ms = 1
    noted: list[str] = []
    monkeypatch.setattr(engine.latency, "add", lambda event, *_: noted.append(event))
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", 1)
    settle(engine)
    assert noted == ["eviction-del"] * 3 + ["eviction-cycle"]


def test_what_keys_count_depends_on_the_policy(client: LocalClient, engine: Engine):
    client("SET", "k", "v")
    assert client("OBJECT", "IDLETIME", "k") == 0
    assert client.error("OBJECT", "FREQ", "k").startswith("ERR An LFU maxmemory policy is not")
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "lfu-log-factor", 0)
    client("SET", "new", "v")
    assert client("OBJECT", "FREQ", "new") == 5
    client("GET", "new")
    assert client("OBJECT", "FREQ", "new") == 6
    assert client.error("OBJECT", "IDLETIME", "k").startswith("ERR An LFU maxmemory policy is sel")

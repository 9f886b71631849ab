"""CLIENT TRACKING within a process: redis-py's own cache, and messages of sessions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from redis.cache import CacheConfig

import carnelian


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        yield made


@pytest.fixture
def cached(engine: carnelian.Engine) -> Iterator[carnelian.Redis]:
    with carnelian.Redis(engine=engine, protocol=3, cache_config=CacheConfig()) as made:
        yield made


def calls(engine: carnelian.Engine, name: str) -> int:
    """How often a command has run."""
    fields = engine.execute("INFO", "commandstats")
    for line in fields.splitlines():
        if line.startswith(f"cmdstat_{name}:".encode()):
            return int(line.partition(b"calls=")[2].partition(b",")[0])
    return 0


def test_what_is_read_twice_is_asked_for_once(
    engine: carnelian.Engine, cached: carnelian.Redis
) -> None:
    engine.execute("SET", "k", "v")
    assert [cached.get("k") for _ in range(5)] == [b"v"] * 5
    assert calls(engine, "get") == 1
    cache = cached.get_cache()
    assert cache is not None
    assert cache.size == 1


def test_changes_of_others_are_seen(engine: carnelian.Engine, cached: carnelian.Redis) -> None:
    for value in (b"a", b"b", b"c"):
        engine.execute("SET", "k", value)
        assert cached.get("k") == value
        assert cached.get("k") == value
    engine.execute("HSET", "h", "f", 1)
    assert cached.hget("h", "f") == b"1"
    engine.execute("HINCRBY", "h", "f", 1)
    assert cached.hget("h", "f") == b"2"
    engine.execute("FLUSHALL")
    assert cached.get("k") is None


def test_own_changes_are_seen(cached: carnelian.Redis) -> None:
    for number in range(5):
        cached.set("k", number)
        assert cached.get("k") == b"%d" % number
        assert cached.get("k") == b"%d" % number


def test_what_expires_is_seen(engine: carnelian.Engine, cached: carnelian.Redis) -> None:
    cached.set("k", "v", px=30)
    assert cached.get("k") == b"v"
    session = engine.session()
    session.execute("CLIENT", "TRACKING", "ON")
    session.execute("GET", "k")
    # Whoever is told of it, both are.
    assert session.get_message(timeout=10) == [b"invalidate", [b"k"]]
    assert cached.get("k") is None


def test_two_clients_share_what_one_changes(engine: carnelian.Engine) -> None:
    def client() -> carnelian.Redis:
        return carnelian.Redis(engine=engine, protocol=3, cache_config=CacheConfig())

    with client() as first, client() as second:
        first.set("k", 1)
        assert first.get("k") == second.get("k") == b"1"
        second.incr("k")
        assert first.get("k") == second.get("k") == b"2"
        with first.pipeline() as pipeline:
            assert pipeline.incr("k").get("k").execute() == [3, b"3"]
        assert first.get("k") == second.get("k") == b"3"


def test_the_cache_needs_the_new_protocol(engine: carnelian.Engine) -> None:
    with pytest.raises(redis.RedisError):
        carnelian.Redis(engine=engine, protocol=2, cache_config=CacheConfig()).get("k")


def test_sessions_get_messages(engine: carnelian.Engine) -> None:
    session, other = engine.session(), engine.session()
    session.execute("CLIENT", "TRACKING", "ON")
    session.execute("MGET", "a", "b")
    other.execute("MSET", "a", 1, "b", 2)
    assert session.get_message(timeout=0) == [b"invalidate", [b"a"]]
    assert session.get_message(timeout=0) == [b"invalidate", [b"b"]]
    assert session.get_message(timeout=0) is None
    session.execute("GET", "a")
    session.execute("SET", "a", 3)
    assert session.get_message(timeout=0) == [b"invalidate", [b"a"]]
    other.execute("FLUSHALL")
    assert session.get_message(timeout=0) == [b"invalidate", None]


def test_broadcasting_to_sessions(engine: carnelian.Engine) -> None:
    session = engine.session()
    session.execute("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "u:")
    engine.execute("MSET", "u:2", 1, "u:1", 1, "x", 1)
    assert session.get_message(timeout=0) == [b"invalidate", [b"u:1", b"u:2"]]
    session.execute("SET", "u:3", 1)
    assert session.get_message(timeout=0) == [b"invalidate", [b"u:3"]]
    session.close()
    engine.execute("SET", "u:1", 2)


def test_commands_in_python_count_for_their_caller(tmp_path, engine: carnelian.Engine) -> None:
    module = tmp_path / "twice.py"
    module.write_text(
        "import carnelian\n\n\n"
        '@carnelian.command("READ.TWICE key other", "readonly", keys=(1, 2, 1))\n'
        "def read(session, args):\n"
        '    """Reads one of its keys.\n\n    Since 1.0.0, O(1)\n    """\n'
        '    return session.call("GET", args[1])\n\n\n'
        '@carnelian.command("WRITE.IT key", "write", keys=1)\n'
        "def write(session, args):\n"
        '    """Writes its key.\n\n    Since 1.0.0, O(1)\n    """\n'
        '    return session.call("SET", args[1], 1)\n'
    )
    engine.load_module(module)
    session = engine.session()
    session.execute("CLIENT", "TRACKING", "ON", "NOLOOP")
    session.execute("READ.TWICE", "a", "b")
    engine.execute("WRITE.IT", "a")
    assert session.get_message(timeout=0) == [b"invalidate", [b"a"]]
    session.execute("GET", "a")
    session.execute("WRITE.IT", "a")
    assert session.get_message(timeout=0) is None

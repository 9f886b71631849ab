"""What commands of scripts cost and keep: words, time, errors."""

from __future__ import annotations

from carnelian.engine.engine import Engine
from support.local import LocalClient, Recorder


def test_words_of_a_call_are_not_those_of_the_next(client: LocalClient) -> None:
    client("CONFIG", "SET", "slowlog-log-slower-than", 0)
    written = Recorder(client.engine)
    client(
        "EVAL",
        "redis.call('set', KEYS[1], 'aa') redis.call('set', KEYS[1], 'bb') "
        "redis.call('set', KEYS[2], 'bb') return 1",
        2, "k1", "k2",
    )  # fmt: skip
    assert written.take() == [b"MULTI", b"set k1 aa", b"set k1 bb", b"set k2 bb", b"EXEC"]
    logged = [entry[3] for entry in client("SLOWLOG", "GET", 4)]
    assert logged[1:] == [
        [b"set", b"k2", b"bb"],
        [b"set", b"k1", b"bb"],
        [b"set", b"k1", b"aa"],
    ]


def test_words_of_many_lengths_and_kinds(client: LocalClient) -> None:
    script = """
    local found = {}
    for i = 1, 40 do
        local words = {}
        for j = 1, i do words[j] = (i + j) % 3 == 0 and j or string.rep('x', j) end
        redis.call('rpush', KEYS[1], unpack(words))
        local read = redis.call('lrange', KEYS[1], 0, -1)
        found[i] = table.concat(read, ',') == table.concat(words, ',')
        redis.call('del', KEYS[1])
    end
    for i = 1, 40 do if not found[i] then return i end end
    return 'OK'
    """
    assert client("EVAL", script, 1, "list") == b"OK"


def test_a_call_that_is_refused_leaves_nothing_behind(client: LocalClient) -> None:
    assert client.error("EVAL", "redis.call('set', KEYS[1], {})", 1, "k").startswith(
        "ERR Lua redis lib command arguments must be strings or integers"
    )
    assert client("EVAL", "return redis.call('set', KEYS[1], 'v')", 1, "k") == b"OK"
    assert client("GET", "k") == b"v"


def test_an_echoed_word_stays_what_it_is(client: LocalClient) -> None:
    script = "local a = redis.call('echo', 'one') local b = redis.call('echo', 'two') return a .. b"
    assert client("EVAL", script, 0) == b"onetwo"


def test_caught_errors_are_counted_once(client: LocalClient, engine: Engine) -> None:
    client("SET", "k", "v")
    script = (
        "local e for i = 1, 10 do e = redis.pcall('lpush', KEYS[1], 'x') end "
        "return {e.err, e.ignore_error_stats_update and 1 or 0}"
    )
    assert client("EVAL", script, 1, "k") == [
        b"WRONGTYPE Operation against a key holding the wrong kind of value",
        1,
    ]
    assert engine.stats.errors == {"WRONGTYPE": 10}


def test_time_of_the_script_is_not_that_of_its_commands() -> None:
    client = LocalClient(Engine())  # with the time of the system
    script = "local t = os.clock() while os.clock() - t < 0.2 do end return redis.call('get', 'k')"
    client("EVAL", script, 0)
    get, evaluate = (client.engine.registry.find(name) for name in ("get", "eval"))
    assert get is not None
    assert evaluate is not None
    assert get.calls == 1
    assert get.microseconds < 100_000
    assert evaluate.microseconds >= 200_000

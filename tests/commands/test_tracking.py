"""CLIENT TRACKING: who hears of which changes."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient


@pytest.fixture
def reader(engine: Engine) -> LocalClient:
    """A client with a cache, which talks RESP3."""
    return LocalClient(engine, 3)


def told(client: LocalClient) -> list:
    """The keys of the messages that a client got: a list for each, None for all keys."""
    messages, client.session.sent = client.session.sent, []
    assert all(message[0] == b"invalidate" for message in messages), messages
    return [message[1] for message in messages]


def info(client: LocalClient, field: str) -> int:
    lines = client("INFO").text.decode().splitlines()
    return int(dict(line.split(":", 1) for line in lines if ":" in line)[field])


# -- The default mode ----------------------------------------------------------------------------


def test_one_message_for_what_was_read(client: LocalClient, reader: LocalClient) -> None:
    assert reader("CLIENT", "TRACKING", "ON") == b"OK"
    reader("GET", "a")
    client("SET", "a", 1)
    assert told(reader) == [[b"a"]]
    client("SET", "a", 2)
    client("SET", "b", 2)
    assert told(reader) == []


def test_all_keys_of_a_command_count(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("MGET", "a", "b", "c")
    reader("SINTERCARD", 2, "d", "e", "LIMIT", 5)
    reader("XREAD", "STREAMS", "f", "g", "0", "0")
    client("MSET", *[word for key in "gfedcbaz" for word in (key, 1)])
    assert told(reader) == [[key.encode()] for key in "gfedcba"]


@pytest.mark.parametrize("words", [("RANDOMKEY",), ("KEYS", "*"), ("SCAN", 0), ("GETEX", "a")])
def test_what_is_not_remembered(client: LocalClient, reader: LocalClient, words: tuple) -> None:
    client("SET", "a", 1)
    reader("CLIENT", "TRACKING", "ON")
    reader(*words)
    client("SET", "a", 2)
    assert told(reader) == []


def test_a_read_that_fails_counts(client: LocalClient, reader: LocalClient) -> None:
    client("RPUSH", "a", 1)
    reader("CLIENT", "TRACKING", "ON")
    assert reader.error("GET", "a").startswith("WRONGTYPE")
    client("DEL", "a")
    assert told(reader) == [[b"a"]]


def test_databases_are_not_told_apart(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    client("SELECT", 3)
    client("SET", "a", 1)
    assert told(reader) == [[b"a"]]
    reader("GET", "a")
    client("SWAPDB", 0, 3)
    assert told(reader) == []


def test_many_readers_of_one_key(client: LocalClient, engine: Engine) -> None:
    readers = [LocalClient(engine, 3) for _ in range(20)]
    for reader in [*readers[10:], *readers[:10]]:
        reader("CLIENT", "TRACKING", "ON")
        reader("GET", "a")
        reader("GET", "a")
    assert info(client, "tracking_total_items") == 20
    assert info(client, "tracking_total_keys") == 1
    client("SET", "a", 1)
    assert [told(reader) for reader in readers] == [[[b"a"]]] * 20
    assert info(client, "tracking_total_items") == info(client, "tracking_total_keys") == 0


@pytest.mark.parametrize(
    "words",
    [
        ("RENAME", "a", "z"), ("EXPIRE", "a", 10), ("MOVE", "a", 1), ("APPEND", "a", "x"),
        ("COPY", "z", "a", "REPLACE"), ("GETDEL", "a"), ("UNLINK", "a"), ("INCR", "a"),
    ],
)  # fmt: skip
def test_changes(client: LocalClient, reader: LocalClient, words: tuple) -> None:
    client("MSET", "a", 1, "z", 1)
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    client(*words)
    assert told(reader) == [[b"a"]]


def test_expiry(client: LocalClient, reader: LocalClient, clock: ManualClock) -> None:
    client("SET", "a", 1, "PX", 100)
    client("SET", "b", 1, "PX", 100)
    reader("CLIENT", "TRACKING", "ON")
    reader("MGET", "a", "b")
    clock.advance(200)
    client("GET", "a")
    assert told(reader) == [[b"a"]]
    client.engine.cron()
    assert told(reader) == [[b"b"]]


def test_fields_that_expire(client: LocalClient, reader: LocalClient, clock: ManualClock) -> None:
    client("HSET", "a", "f", 1, "g", 2)
    client("HPEXPIRE", "a", 100, "FIELDS", 1, "f")
    reader("CLIENT", "TRACKING", "ON")
    reader("HGETALL", "a")
    clock.advance(200)
    client.engine.cron()
    assert told(reader) == [[b"a"]]


def test_eviction(client: LocalClient, reader: LocalClient) -> None:
    client("SET", "a", "x" * 1000)
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    client("CONFIG", "SET", "maxmemory", 1)
    client("PING")
    assert told(reader) == [[b"a"]]


def test_flushes(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    client("FLUSHDB")
    client("FLUSHALL", "ASYNC")
    assert told(reader) == [None, None]
    client("SET", "a", 1)
    assert told(reader) == []


# -- One's own changes ---------------------------------------------------------------------------


def test_own_changes(reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("MGET", "a", "b")
    reader("MSET", "b", 1, "a", 2)
    assert told(reader) == [[b"b"], [b"a"]]
    reader("FLUSHALL")
    assert told(reader) == [None]


def test_noloop(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "NOLOOP")
    reader("GET", "a")
    reader("SET", "a", 1)
    client("SET", "a", 1)
    assert told(reader) == []
    reader("GET", "a")
    client("SET", "a", 1)
    assert told(reader) == [[b"a"]]
    reader("FLUSHALL")
    assert told(reader) == [None]


def test_in_transactions(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("MULTI")
    reader("GET", "a")
    reader("SET", "a", 1)
    reader("GET", "b")
    assert told(reader) == []
    reader("EXEC")
    assert told(reader) == [[b"a"]]
    client("SET", "b", 1)
    assert told(reader) == [[b"b"]]


def test_turned_on_in_a_transaction(client: LocalClient, reader: LocalClient) -> None:
    reader("MULTI")
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    reader("SET", "a", 1)
    reader("EXEC")
    assert told(reader) == [[b"a"]]


def test_turned_off_in_a_transaction(reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    reader("MULTI")
    reader("SET", "a", 1)
    reader("CLIENT", "TRACKING", "OFF")
    reader("EXEC")
    assert told(reader) == []


# -- OPTIN and OPTOUT ----------------------------------------------------------------------------


def test_optin(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "OPTIN")
    reader("GET", "a")
    reader("CLIENT", "CACHING", "YES")
    reader("CLIENT", "ID")
    reader("GET", "b")
    reader("GET", "c")
    client("MSET", "a", 1, "b", 1, "c", 1)
    assert told(reader) == [[b"b"]]


def test_optout(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "OPTOUT")
    reader("GET", "a")
    reader("CLIENT", "CACHING", "NO")
    reader("GET", "b")
    reader("GET", "c")
    client("MSET", "a", 1, "b", 1, "c", 1)
    assert told(reader) == [[b"a"], [b"c"]]


def test_caching_is_for_a_whole_transaction(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "OPTIN")
    reader("CLIENT", "CACHING", "YES")
    for words in (("MULTI",), ("GET", "a"), ("GET", "b"), ("EXEC",), ("GET", "c")):
        reader(*words)
    client("MSET", "a", 1, "b", 1, "c", 1)
    assert told(reader) == [[b"a"], [b"b"]]


@pytest.mark.parametrize("words", [("NOSUCH",), ("GET",), ("CLIENT",), ("CLIENT", "NOSUCH")])
def test_what_ends_caching(reader: LocalClient, words: tuple) -> None:
    reader("CLIENT", "TRACKING", "ON", "OPTIN")
    reader("CLIENT", "CACHING", "YES")
    assert b"caching-yes" in reader("CLIENT", "TRACKINGINFO")[1]
    reader(*words)
    assert b"caching-yes" not in reader("CLIENT", "TRACKINGINFO")[1]


# -- Broadcasting --------------------------------------------------------------------------------


def test_broadcasting(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "BCAST")
    client("MSET", "b", 1, "a", 1)
    client("SET", "b", 2)
    assert told(reader) == []
    client.engine.before_sleep()
    assert told(reader) == [[b"a", b"b"]]
    client.engine.before_sleep()
    assert told(reader) == []
    assert info(client, "tracking_total_keys") == 0
    assert info(client, "tracking_total_prefixes") == 1


def test_prefixes(client: LocalClient, engine: Engine) -> None:
    first, second = LocalClient(engine, 3), LocalClient(engine, 3)
    first("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "u:", "PREFIX", "o:", "NOLOOP")
    second("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "u:")
    first("SET", "u:1", 1)
    client("MSET", "u:2", 1, "o:2", 1, "x:2", 1, "u", 1)
    engine.before_sleep()
    assert told(first) == [[b"o:2"], [b"u:2"]]
    assert told(second) == [[b"u:1", b"u:2"]]
    first("SET", "u:1", 1)
    engine.before_sleep()
    assert told(first) == []


def test_who_expires_is_nobody(
    client: LocalClient, reader: LocalClient, clock: ManualClock
) -> None:
    reader("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP")
    reader("SET", "a", 1, "PX", 100)
    clock.advance(200)
    reader("GET", "a")
    client.engine.before_sleep()
    assert told(reader) == [[b"a"]]


def test_prefixes_add_up(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "b")
    reader("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a")
    assert reader("CLIENT", "TRACKINGINFO") == [
        b"flags", [b"on", b"bcast"], b"redirect", 0, b"prefixes", [b"a", b"b"]
    ]  # fmt: skip
    client("SET", "b", 1)
    reader("CLIENT", "TRACKING", "OFF")
    client.engine.before_sleep()
    assert told(reader) == []
    assert info(client, "tracking_total_prefixes") == 0


# -- Redirection ---------------------------------------------------------------------------------


def test_redirection_to_an_old_client(client: LocalClient, engine: Engine) -> None:
    reader, receiver = LocalClient(engine), LocalClient(engine)
    reader("CLIENT", "TRACKING", "ON", "REDIRECT", receiver.session.id)
    assert reader("CLIENT", "GETREDIR") == receiver.session.id
    reader("GET", "a")
    client("SET", "a", 1)
    assert receiver.session.sent == []
    receiver("SUBSCRIBE", "__redis__:invalidate")
    reader("GET", "a")
    client("SET", "a", 1)
    client("FLUSHALL")
    channel = b"__redis__:invalidate"
    assert receiver.session.sent == [[b"message", channel, [b"a"]], [b"message", channel, None]]
    assert reader.session.sent == []


def test_redirection_to_a_new_client(
    client: LocalClient, engine: Engine, reader: LocalClient
) -> None:
    receiver = LocalClient(engine, 3)
    reader("CLIENT", "TRACKING", "ON", "REDIRECT", receiver.session.id)
    reader("MGET", "a", "b")
    reader("MSET", "a", 1, "b", 1)
    assert told(receiver) == [[b"a"], [b"b"]]
    assert told(reader) == []


def test_a_broken_redirection(client: LocalClient, engine: Engine, reader: LocalClient) -> None:
    receiver = LocalClient(engine, 3)
    number = receiver.session.id
    reader("CLIENT", "TRACKING", "ON", "REDIRECT", number)
    reader("GET", "a")
    receiver.session.close()
    reader("SET", "a", 1)
    client("FLUSHALL")
    assert reader.session.sent == [[b"tracking-redir-broken", number]] * 2
    assert reader("CLIENT", "TRACKINGINFO")[:4] == [
        b"flags", [b"on", b"broken_redirect"], b"redirect", number
    ]  # fmt: skip
    assert b" flags=tR " in reader("CLIENT", "INFO").text
    reader("CLIENT", "TRACKING", "ON")
    assert b" flags=t " in reader("CLIENT", "INFO").text


# -- The limit -----------------------------------------------------------------------------------


def test_the_table_is_limited(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    for number in range(350):
        reader("GET", f"k{number}")
    client("CONFIG", "SET", "tracking-table-max-keys", 50)
    assert told(reader) == []
    client("PING")
    assert len(told(reader)) == 100
    client("PING")
    assert len(told(reader)) == 200
    assert info(client, "tracking_total_keys") == 50
    client("CONFIG", "SET", "tracking-table-max-keys", 10)
    client.engine.cron()
    assert info(client, "tracking_total_keys") == 10


# -- Beginning and end ---------------------------------------------------------------------------


def test_off_and_on_again(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON")
    reader("MGET", "a", "b")
    assert reader("CLIENT", "TRACKING", "OFF") == b"OK"
    assert reader("CLIENT", "TRACKING", "OFF") == b"OK"
    client("SET", "a", 1)
    reader("CLIENT", "TRACKING", "ON")
    client("MSET", "a", 1, "b", 1)
    assert told(reader) == [[b"b"]]


def test_reset(client: LocalClient, reader: LocalClient) -> None:
    reader("CLIENT", "TRACKING", "ON", "BCAST")
    reader("RESET")
    assert reader("CLIENT", "GETREDIR") == -1
    client("SET", "a", 1)
    client.engine.before_sleep()
    assert told(reader) == []


def test_nothing_is_left_of_clients_that_go(client: LocalClient, engine: Engine) -> None:
    readers = [LocalClient(engine, 3) for _ in range(3)]
    for reader in readers:
        reader("CLIENT", "TRACKING", "ON")
        reader("GET", "a")
    assert info(client, "tracking_clients") == 3
    assert engine.keyspace.observer is not None
    for reader in readers:
        reader.session.close()
    assert info(client, "tracking_clients") == info(client, "tracking_total_keys") == 0
    assert engine.keyspace.observer is None
    client("SET", "a", 1)


def test_a_client_killed_by_the_one_that_tracks(engine: Engine, reader: LocalClient) -> None:
    other = LocalClient(engine, 3)
    other("CLIENT", "TRACKING", "ON")
    other("GET", "a")
    reader("CLIENT", "TRACKING", "ON")
    reader("GET", "a")
    assert reader("CLIENT", "KILL", "ID", other.session.id) == 1
    reader("SET", "a", 1)
    assert told(reader) == [[b"a"]]


# -- What is refused -----------------------------------------------------------------------------

SWITCH = "before disabling tracking for this client, and then re-enabling it with a different mode."


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("maybe", "ERR syntax error"),
        ("ON foo", "ERR syntax error"),
        ("ON REDIRECT", "ERR syntax error"),
        ("OFF x", "ERR syntax error"),
        ("ON BCAST PREFIX", "ERR syntax error"),
        ("ON REDIRECT x", "ERR value is not an integer or out of range"),
        ("ON REDIRECT 0", "ERR The client ID you want redirect to does not exist"),
        ("maybe REDIRECT 77", "ERR The client ID you want redirect to does not exist"),
        ("ON REDIRECT 1 REDIRECT 1", "ERR A client can only redirect to a single other client"),
        ("ON PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"),
        ("ON BCAST OPTIN", "ERR OPTIN and OPTOUT are not compatible with BCAST"),
        ("ON OPTIN OPTOUT", "ERR You can't specify both OPTIN mode and OPTOUT mode"),
        (
            "ON BCAST PREFIX FOOBAR PREFIX FOO",
            "ERR Prefix 'FOOBAR' overlaps with another provided prefix 'FOO'. Prefixes for a "
            "single client must not overlap.",
        ),
    ],
)
def test_refused(reader: LocalClient, words: str, error: str) -> None:
    assert reader.error("CLIENT", "TRACKING", *words.split()) == error


def test_modes_that_cannot_be_switched(reader: LocalClient) -> None:
    track = ("CLIENT", "TRACKING", "ON")
    reader(*track, "OPTIN")
    assert reader.error(*track, "BCAST") == f"ERR You can't switch BCAST mode on/off {SWITCH}"
    assert reader.error(*track, "OPTOUT") == f"ERR You can't switch OPTIN/OPTOUT mode {SWITCH}"
    assert reader(*track) == b"OK"
    assert reader(*track, "OPTOUT") == b"OK"
    reader("CLIENT", "TRACKING", "OFF")
    reader(*track, "BCAST", "PREFIX", "FOO")
    assert reader.error(*track, "BCAST", "PREFIX", "F") == (
        "ERR Prefix 'F' overlaps with an existing prefix 'FOO'. Prefixes for a single client must "
        "not overlap."
    )
    assert reader.error(*track) == f"ERR You can't switch BCAST mode on/off {SWITCH}"


def test_caching_that_makes_no_sense(reader: LocalClient) -> None:
    caching = ("CLIENT", "CACHING")
    assert reader.error(*caching, "YES") == (
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled"
    )
    reader("CLIENT", "TRACKING", "ON", "OPTIN")
    assert reader.error(*caching, "NO") == (
        "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
    )
    assert reader.error(*caching, "maybe") == "ERR syntax error"
    reader("CLIENT", "TRACKING", "OFF")
    reader("CLIENT", "TRACKING", "ON")
    assert reader.error(*caching, "YES") == (
        "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
    )


def test_info_without_tracking(client: LocalClient) -> None:
    assert client("CLIENT", "TRACKINGINFO") == [
        b"flags", [b"off"], b"redirect", -1, b"prefixes", []
    ]  # fmt: skip
    assert client("CLIENT", "GETREDIR") == -1
    assert b" redir=-1 " in client("CLIENT", "INFO").text

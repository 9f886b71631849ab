"""DEL, UNLINK, EXISTS, TOUCH, TYPE and OBJECT."""

import pytest

from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder


@pytest.mark.parametrize("name", ["DEL", "UNLINK"])
def test_deleting(client: LocalClient, name: str) -> None:
    client("MSET", "a", 1, "b", 2, "c", 3)
    assert client(name, "a", "none", "c", "a") == 2
    assert client("KEYS", "*") == [b"b"]


def test_an_expired_key_is_not_deleted_again(client: LocalClient, clock: ManualClock) -> None:
    client("SET", "k", "v", "PX", 10)
    clock.advance(11)
    assert client("DEL", "k") == 0


def test_exists(client: LocalClient) -> None:
    client("SET", "k", "v")
    assert client("EXISTS", "k", "none", "k") == 2


def test_type(client: LocalClient) -> None:
    client("SET", "k", "v")
    assert client("TYPE", "k") == b"string"
    assert client("TYPE", "none") == b"none"


def test_exists_leaves_the_access_clock_and_touch_renews_it(
    client: LocalClient, clock: ManualClock
) -> None:
    client("SET", "k", "v")
    clock.advance(5000)
    for words in (("EXISTS", "k"), ("TYPE", "k"), ("TTL", "k"), ("OBJECT", "ENCODING", "k")):
        client(*words)
        assert client("OBJECT", "IDLETIME", "k") == 5, words
    assert client("TOUCH", "k", "none") == 1
    assert client("OBJECT", "IDLETIME", "k") == 0


def test_reads_are_counted_and_writes_are_not(client: LocalClient) -> None:
    stats = client.engine.keyspace.stats
    client("SET", "k", "v", "NX")
    client("INCR", "n")
    client("EXPIRE", "none", 1)
    assert (stats.hits, stats.misses) == (0, 0)
    client("MGET", "k", "none")
    client("EXISTS", "k", "none")
    client("TTL", "k")
    assert (stats.hits, stats.misses) == (3, 2)


def test_object_of_what_is_not_there(client: LocalClient) -> None:
    for subcommand in ("ENCODING", "FREQ", "IDLETIME", "REFCOUNT"):
        assert client("OBJECT", subcommand, "none") is None


def test_object_encoding(client: LocalClient) -> None:
    for value, encoding in [("1", b"int"), ("a" * 44, b"embstr"), ("a" * 45, b"raw")]:
        client("SET", "k", value)
        assert client("OBJECT", "ENCODING", "k") == encoding


def test_object_refcount(client: LocalClient) -> None:
    client("SET", "k", "v")
    assert client("OBJECT", "REFCOUNT", "k") == 1
    client("SET", "k", 9999)
    assert client("OBJECT", "REFCOUNT", "k") == 2147483647
    client("INCR", "k")
    assert client("OBJECT", "REFCOUNT", "k") == 1


def test_object_freq_and_idletime_go_with_the_policy(client: LocalClient) -> None:
    client("SET", "k", "v")
    note = (
        "Please note that when switching between policies at runtime LRU and LFU data will take "
        "some time to adjust."
    )
    assert client.error("OBJECT", "FREQ", "k") == (
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. " + note
    )
    client.engine.keyspace.lfu = True
    assert client.error("OBJECT", "IDLETIME", "k") == (
        "ERR An LFU maxmemory policy is selected, idle time not tracked. " + note
    )
    client("SET", "l", "v")
    assert client("OBJECT", "FREQ", "l") == 5


def test_object_help(client: LocalClient) -> None:
    reply = client("OBJECT", "HELP")
    assert isinstance(reply, list)
    assert reply[0] == b"OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    assert b"ENCODING <key>" in reply
    assert reply[-2] == b"HELP"


def test_object_refuses(client: LocalClient) -> None:
    assert client.error("OBJECT") == "ERR wrong number of arguments for 'object' command"
    assert client.error("OBJECT", "ENCODING") == (
        "ERR wrong number of arguments for 'object|encoding' command"
    )
    assert client.error("OBJECT", "FOO", "k") == "ERR unknown subcommand 'FOO'. Try OBJECT HELP."


def test_what_leaves_the_engine(client: LocalClient) -> None:
    client("MSET", "a", 1, "b", 2)
    recorder = Recorder(client.engine)
    client("DEL", "none")
    client("DEL", "a", "none")
    client("UNLINK", "b")
    client("TOUCH", "a")
    assert recorder.take() == [b"DEL a none", b"UNLINK b"]


def test_lazyfree_lazy_user_del(client: LocalClient) -> None:
    client("CONFIG", "SET", "lazyfree-lazy-user-del", "yes")
    client("MSET", "a", 1, "b", 2)
    recorder = Recorder(client.engine)
    assert client("DEL", "a") == 1
    assert client("GETDEL", "b") == b"2"
    assert recorder.take() == [b"DEL a", b"UNLINK b"]

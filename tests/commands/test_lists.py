"""The list commands: replies, errors, events, propagation."""

from __future__ import annotations

import pytest

import carnelian.commands.administration.debug
import carnelian.commands.lists  # noqa: F401
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.resp.replies import NULL_ARRAY, OK
from support.local import LocalClient, Recorder

NOT_INTEGER = "ERR value is not an integer or out of range"
NOT_POSITIVE = "ERR value is out of range, must be positive"
SYNTAX = "ERR syntax error"
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture
def recorder(engine: Engine) -> Recorder:
    return Recorder(engine)


@pytest.fixture
def events(engine: Engine, client: LocalClient):
    """Take the events since the last look: ``event key``."""
    client("CONFIG", "SET", "notify-keyspace-events", "EA")
    listener = LocalClient(engine)
    listener("PSUBSCRIBE", "__keyevent@*__:*")
    listener.messages()

    def take() -> list[str]:
        found = []
        for message in listener.messages():
            words = [part.value.decode() for part in message.value]  # type: ignore[union-attr]
            found.append(f"{words[2].partition(':')[2]} {words[3]}")
        return found

    return take


def test_pushing_at_both_ends(client: LocalClient) -> None:
    assert client("RPUSH", "k", "a", "b") == 2
    assert client("LPUSH", "k", "1", "2") == 4
    assert client("LRANGE", "k", 0, -1) == [b"2", b"1", b"a", b"b"]
    assert client("LLEN", "k") == 4
    assert client("TYPE", "k") == b"list"


def test_pushing_only_on_what_is_there(client: LocalClient) -> None:
    assert client("LPUSHX", "k", "a") == 0
    assert client("RPUSHX", "k", "a") == 0
    assert client("EXISTS", "k") == 0
    client("RPUSH", "k", "x")
    assert client("LPUSHX", "k", "a", "b") == 3
    assert client("RPUSHX", "k", "c") == 4
    assert client("LRANGE", "k", 0, -1) == [b"b", b"a", b"x", b"c"]


def test_popping(client: LocalClient) -> None:
    client("RPUSH", "k", *"abcdef")
    assert client("LPOP", "k") == b"a"
    assert client("RPOP", "k") == b"f"
    assert client("LPOP", "k", 2) == [b"b", b"c"]
    assert client("RPOP", "k", 10) == [b"e", b"d"]
    assert client("EXISTS", "k") == 0


def test_popping_nothing(client: LocalClient) -> None:
    assert client("LPOP", "k") is None
    assert client("RPOP", "k", 3) is NULL_ARRAY
    assert client("LPOP", "k", 0) is NULL_ARRAY
    client("RPUSH", "k", "a")
    assert client("LPOP", "k", 0) == []
    assert client("LLEN", "k") == 1
    assert client.error("LPOP", "k", -1) == NOT_POSITIVE
    assert client.error("LPOP", "k", "x") == NOT_POSITIVE
    assert client.error("RPOP", "k", 1, 2) == "ERR wrong number of arguments for 'rpop' command"


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (0, -1, "abcde"), (1, 2, "bc"), (-2, -1, "de"), (-100, 1, "ab"), (3, 100, "de"),
        (3, 2, ""), (5, 9, ""), (0, -6, ""), (2**63 - 1, 2**63 - 1, ""),
        (-(2**63), 2**63 - 1, "abcde"),
    ],
)  # fmt: skip
def test_ranges(client: LocalClient, start: int, stop: int, expected: str) -> None:
    client("RPUSH", "k", *"abcde")
    assert b"".join(client("LRANGE", "k", start, stop)).decode() == expected
    # What LTRIM keeps is what LRANGE shows.
    assert client("LTRIM", "k", start, stop) is OK
    assert b"".join(client("LRANGE", "k", 0, -1)).decode() == expected
    assert client("EXISTS", "k") == bool(expected)


LEAST, MOST = -(2**63), 2**63 - 1


@pytest.mark.parametrize("start", [0, 2, 3, 100, MOST, -1, LEAST])
@pytest.mark.parametrize("stop", [LEAST, LEAST + 1, -100])
def test_a_range_that_ends_before_the_first(client: LocalClient, start: int, stop: int) -> None:
    client("RPUSH", "k", "a", "b", "c")
    assert client("LRANGE", "k", start, stop) == []


def test_by_index(client: LocalClient) -> None:
    client("RPUSH", "k", *"abc")
    assert [client("LINDEX", "k", index) for index in (0, 2, 3, -1, -3, -4)] == [
        b"a", b"c", None, b"c", b"a", None,
    ]  # fmt: skip
    assert client("LSET", "k", -1, "z") is OK
    assert client("LSET", "k", 0, "17") is OK
    assert client("LRANGE", "k", 0, -1) == [b"17", b"b", b"z"]
    assert client.error("LSET", "k", 3, "x") == "ERR index out of range"
    assert client.error("LSET", "k", "x", "x") == NOT_INTEGER
    assert client.error("LSET", "none", "x", "x") == "ERR no such key"
    # Without a key the index is not looked at.
    assert client("LINDEX", "none", "x") is None
    assert client.error("LINDEX", "k", "1.5") == NOT_INTEGER


def test_inserting(client: LocalClient) -> None:
    client("RPUSH", "k", *"aba")
    assert client("LINSERT", "k", "before", "a", "1") == 4
    assert client("LINSERT", "k", "AFTER", "a", "2") == 5
    assert client("LINSERT", "k", "AFTER", "x", "3") == -1
    assert client("LINSERT", "none", "AFTER", "x", "3") == 0
    assert client.error("LINSERT", "none", "BESIDE", "x", "3") == SYNTAX
    assert client("LRANGE", "k", 0, -1) == [b"1", b"a", b"2", b"b", b"a"]


def test_removing(client: LocalClient) -> None:
    client("RPUSH", "k", *"abacada1")
    assert client("LREM", "k", 1, "a") == 1
    assert client("LREM", "k", -2, "a") == 2
    assert client("LRANGE", "k", 0, -1) == [b"b", b"a", b"c", b"d", b"1"]
    assert client("LREM", "k", 0, "1") == 1
    assert client("LREM", "k", -(2**63), "b") == 1
    assert client("LREM", "k", 0, "nothing") == 0
    assert client("LREM", "none", 0, "a") == 0
    assert client.error("LREM", "none", "x", "a") == NOT_INTEGER
    for element in "acd":
        assert client("LREM", "k", 0, element) == 1
    assert client("EXISTS", "k") == 0


def test_positions(client: LocalClient) -> None:
    client("RPUSH", "k", *"abcabcab")
    assert client("LPOS", "k", "b") == 1
    assert client("LPOS", "k", "b", "RANK", 2) == 4
    assert client("LPOS", "k", "b", "RANK", -1) == 7
    assert client("LPOS", "k", "b", "RANK", 4) is None
    assert client("LPOS", "k", "b", "COUNT", 0) == [1, 4, 7]
    assert client("LPOS", "k", "b", "COUNT", 2, "RANK", -2) == [4, 1]
    assert client("LPOS", "k", "b", "COUNT", 0, "MAXLEN", 5) == [1, 4]
    assert client("LPOS", "k", "b", "MAXLEN", 1) is None
    assert client("LPOS", "k", "x", "COUNT", 0) == []
    assert client("LPOS", "none", "x") is None
    assert client("LPOS", "none", "x", "COUNT", 1) == []


def test_errors_of_lpos(client: LocalClient) -> None:
    assert client.error("LPOS", "k", "b", "COUNT") == SYNTAX
    assert client.error("LPOS", "k", "b", "LIMIT", 1) == SYNTAX
    assert client.error("LPOS", "k", "b", "COUNT", -1) == "ERR COUNT can't be negative"
    assert client.error("LPOS", "k", "b", "COUNT", "x") == "ERR COUNT can't be negative"
    assert client.error("LPOS", "k", "b", "MAXLEN", -1) == "ERR MAXLEN can't be negative"
    assert client.error("LPOS", "k", "b", "RANK", "x") == NOT_INTEGER
    assert client.error("LPOS", "k", "b", "RANK", -(2**63)).startswith("ERR value is out of range,")
    assert client.error("LPOS", "k", "b", "RANK", 0) == (
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
        "or use negative to start from the end of the list"
    )


def test_moving(client: LocalClient) -> None:
    client("RPUSH", "k", *"abcd")
    assert client("LMOVE", "k", "m", "left", "RIGHT") == b"a"
    assert client("LMOVE", "k", "m", "RIGHT", "left") == b"d"
    assert client("RPOPLPUSH", "k", "m") == b"c"
    assert client("LRANGE", "m", 0, -1) == [b"c", b"d", b"a"]
    assert client("LMOVE", "m", "m", "LEFT", "RIGHT") == b"c"
    assert client("LRANGE", "m", 0, -1) == [b"d", b"a", b"c"]
    assert client("LMOVE", "k", "k", "LEFT", "LEFT") == b"b"
    assert client("RPOPLPUSH", "k", "m") == b"b"
    assert client("EXISTS", "k") == 0
    assert client("LMOVE", "none", "m", "LEFT", "LEFT") is None
    assert client.error("LMOVE", "m", "m", "LEFT", "UP") == SYNTAX


def test_moving_between_types(client: LocalClient) -> None:
    client("RPUSH", "k", "a")
    client("SET", "s", "text")
    assert client.error("LMOVE", "k", "s", "LEFT", "LEFT") == WRONG_TYPE
    assert client.error("RPOPLPUSH", "s", "k") == WRONG_TYPE
    assert client("LRANGE", "k", 0, -1) == [b"a"]
    # Without a source the destination is not looked at.
    assert client("RPOPLPUSH", "none", "s") is None


def test_popping_from_several(client: LocalClient) -> None:
    client("RPUSH", "k", *"abcd")
    assert client("LMPOP", 2, "none", "k", "left") == [b"k", [b"a"]]
    assert client("LMPOP", 1, "k", "RIGHT", "count", 2) == [b"k", [b"d", b"c"]]
    assert client("LMPOP", 1, "k", "RIGHT", "COUNT", 9) == [b"k", [b"b"]]
    assert client("LMPOP", 1, "k", "RIGHT") is NULL_ARRAY
    assert client.error("LMPOP", 0, "k", "LEFT") == "ERR numkeys should be greater than 0"
    assert client.error("LMPOP", "x", "k", "LEFT") == "ERR numkeys should be greater than 0"
    assert client.error("LMPOP", 2, "k", "LEFT") == SYNTAX
    assert client.error("LMPOP", 2**63 - 1, "k", "LEFT") == SYNTAX
    assert client.error("LMPOP", 1, "k", "MIDDLE") == SYNTAX
    assert client.error("LMPOP", 1, "k", "LEFT", "COUNT") == SYNTAX
    assert client.error("LMPOP", 1, "k", "LEFT", "COUNT", 0) == "ERR count should be greater than 0"
    assert client.error("LMPOP", 1, "k", "LEFT", "COUNT", 1, "COUNT", 2) == SYNTAX


@pytest.mark.parametrize(
    "words",
    [
        "LPUSH s a", "RPUSH s a", "LPUSHX s a", "RPUSHX s a", "LPOP s", "RPOP s 1", "LLEN s",
        "LINDEX s 0", "LSET s 0 a", "LRANGE s 0 -1", "LTRIM s 0 1", "LREM s 0 a", "LPOS s a",
        "LINSERT s BEFORE a b", "LMPOP 1 s LEFT", "BLPOP s 0", "BRPOP s 0", "BLMPOP 0 1 s LEFT",
        "BLMOVE s k LEFT LEFT 0", "BRPOPLPUSH s k 0",
    ],
)  # fmt: skip
def test_other_types_are_refused(client: LocalClient, words: str) -> None:
    client("SET", "s", "text")
    assert client.error(*words.split()) == WRONG_TYPE


def test_encodings(client: LocalClient) -> None:
    client("CONFIG", "SET", "list-max-listpack-size", 3)
    client("RPUSH", "k", "a", "b", "c")
    assert client("OBJECT", "ENCODING", "k") == b"listpack"
    client("RPUSH", "k", "d")
    assert client("OBJECT", "ENCODING", "k") == b"quicklist"
    client("LPOP", "k", 3)
    assert client("OBJECT", "ENCODING", "k") == b"listpack"


def test_copies_are_independent(client: LocalClient) -> None:
    client("RPUSH", "k", *range(1000), "x" * 20000)
    assert client("COPY", "k", "copy") == 1
    client("LTRIM", "k", 0, 1)
    assert client("LLEN", "copy") == 1001
    assert client("LINDEX", "copy", 999) == b"999"
    assert client("LINDEX", "copy", -1) == b"x" * 20000


def test_changes_are_counted_as_redis_does(client: LocalClient, engine: Engine) -> None:
    def changes(*words: str | int) -> int:
        before = engine.keyspace.dirty
        client(*words)
        return engine.keyspace.dirty - before

    assert changes("RPUSH", "k", *"abcabc") == 6
    assert changes("LREM", "k", 0, "a") == 2
    assert changes("LSET", "k", 0, "x") == 1
    assert changes("LINSERT", "k", "BEFORE", "none", "x") == 0
    assert changes("LMOVE", "k", "m", "LEFT", "LEFT") == 1
    assert changes("LPOP", "m") == 1
    assert changes("LPOP", "k", 2) == 2
    assert changes("RPUSH", "k", *"abc") == 3
    assert changes("LTRIM", "k", 0, 100) == 0
    assert changes("LTRIM", "k", 1, 2) == 2
    assert changes("LTRIM", "k", 5, 2) == 2


def test_events(client: LocalClient, events) -> None:
    client("RPUSH", "k", "a", "b")
    client("LPUSH", "k", "c")
    assert events() == ["rpush k", "lpush k"]
    client("LINSERT", "k", "BEFORE", "a", "x")
    client("LSET", "k", 0, "y")
    client("LREM", "k", 0, "x")
    assert events() == ["linsert k", "lset k", "lrem k"]
    client("LMOVE", "k", "m", "LEFT", "RIGHT")
    client("RPOPLPUSH", "m", "k")
    assert events() == ["rpush m", "lpop k", "lpush k", "rpop m", "del m"]
    client("LPOP", "k")
    client("LMPOP", 1, "k", "RIGHT")
    client("LTRIM", "k", 1, 0)
    assert events() == ["lpop k", "rpop k", "ltrim k", "del k"]
    client("RPUSH", "k", "a")
    client("LREM", "k", 0, "a")
    client("LREM", "k", 0, "a")
    assert events() == ["rpush k", "lrem k", "del k"]


def test_propagation(client: LocalClient, recorder: Recorder) -> None:
    client("RPUSH", "k", *"abcd")
    client("LMPOP", 1, "k", "LEFT", "COUNT", 2)
    client("BLPOP", "k", 0)
    client("BLMOVE", "k", "m", "LEFT", "RIGHT", 0)
    client("BRPOPLPUSH", "m", "k", 1)
    client("BLMPOP", 0, 1, "k", "RIGHT", "COUNT", 5)
    client("LPUSHX", "k", "a")
    assert recorder.take() == [
        b"RPUSH k a b c d", b"LPOP k 2", b"LPOP k", b"LMOVE k m LEFT RIGHT", b"RPOPLPUSH m k",
        b"RPOP k 1",
    ]  # fmt: skip


def debugging() -> LocalClient:
    config = Config()
    config.load_text("enable-debug-command yes")
    return LocalClient(Engine(config))


def test_digests_tell_lists_apart() -> None:
    client = debugging()
    client("RPUSH", "a", *"abc")
    client("RPUSH", "b", *"abc")
    client("RPUSH", "c", *"acb")
    one, two, three = client("DEBUG", "DIGEST-VALUE", "a", "b", "c")
    assert one == two != three


def test_debug_shows_the_nodes() -> None:
    client = debugging()
    client("CONFIG", "SET", "list-max-listpack-size", 2)
    client("RPUSH", "small", "a")
    assert b"ql_nodes" not in client("DEBUG", "OBJECT", "small")
    client("RPUSH", "k", *"abcde")
    assert client("DEBUG", "OBJECT", "k").endswith(
        b" ql_nodes:3 ql_avg_node:1.67 ql_listpack_max:2 ql_compressed:0 ql_uncompressed_size:36"
    )
    assert client("DEBUG", "LISTPACK", "small") == b"Listpack structure printed on stdout"
    assert client("DEBUG", "QUICKLIST", "k", 1) == b"Quicklist structure printed on stdout"
    assert client.error("DEBUG", "LISTPACK", "k") == "ERR Not a listpack encoded object."
    assert client.error("DEBUG", "QUICKLIST", "small") == "ERR Not a quicklist encoded object."
    assert client.error("DEBUG", "QUICKLIST", "none") == "ERR no such key"


def test_large_elements_from_a_threshold_on() -> None:
    client = debugging()
    client("CONFIG", "SET", "list-max-listpack-size", 4)
    try:
        assert client("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "2b") is OK
        client("RPUSH", "k", "a", "bb", "c", "ddd", "eeee")
        assert b" ql_nodes:5 " in client("DEBUG", "OBJECT", "k")
        assert client.error("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "4gb").startswith(
            "ERR argument must be a memory value"
        )
    finally:
        client("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "0")

"""LMOVEM and BLMOVEM."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NULL_ARRAY
from support.local import LocalClient, Recorder

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def elements(client: LocalClient, key: str) -> str:
    return b"".join(client("LRANGE", key, 0, -1)).decode()


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("ends", "how_many", "block", "left"),
    [
        ("LEFT LEFT", "COUNT 3 OBO", "cba", "de"),
        ("LEFT LEFT", "COUNT 3 BULK", "abc", "de"),
        ("LEFT RIGHT", "count 3 obo", "abc", "de"),
        ("LEFT RIGHT", "COUNT 3 BULK", "abc", "de"),
        ("RIGHT RIGHT", "COUNT 3 OBO", "edc", "ab"),
        ("RIGHT RIGHT", "COUNT 3 BULK", "cde", "ab"),
        ("RIGHT LEFT", "COUNT 3 OBO", "cde", "ab"),
        ("right left", "EXACTLY 3 BULK", "cde", "ab"),
        ("LEFT RIGHT", "", "a", "bcde"),
        ("LEFT RIGHT", "EXACTLY 5 BULK", "abcde", ""),
        ("LEFT RIGHT", "COUNT 9223372036854775807 OBO", "abcde", ""),
    ],
)
def test_moving(
    client: LocalClient, wide: bool, ends: str, how_many: str, block: str, left: str
) -> None:
    if wide:
        client("CONFIG", "SET", "list-max-listpack-size", 2)
    client("RPUSH", "s", *"abcde")
    client("RPUSH", "d", *"xy")
    reply = client("LMOVEM", "s", "d", *ends.split(), *how_many.split())
    assert b"".join(reply).decode() == block
    assert elements(client, "s") == left
    at_start = ends.upper().endswith("LEFT")
    assert elements(client, "d") == (block + "xy" if at_start else "xy" + block)
    assert client("EXISTS", "s") == (left != "")


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("LEFT LEFT EXACTLY 2 OBO", "bac"),
        ("LEFT LEFT EXACTLY 2 BULK", "abc"),
        ("LEFT RIGHT COUNT 2 BULK", "cab"),
        ("RIGHT LEFT COUNT 3 OBO", "abc"),
        ("RIGHT RIGHT COUNT 3 OBO", "cba"),
    ],
)
def test_within_one_list(client: LocalClient, words: str, after: str) -> None:
    client("RPUSH", "k", *"abc")
    client("LMOVEM", "k", "k", *words.split())
    assert elements(client, "k") == after


def test_too_few(client: LocalClient) -> None:
    assert client("LMOVEM", "s", "d", "LEFT", "RIGHT") == []
    assert client("LMOVEM", "s", "d", "LEFT", "RIGHT", "COUNT", 5, "BULK") == []
    assert client("LMOVEM", "s", "d", "LEFT", "RIGHT", "EXACTLY", 1, "BULK") is NULL_ARRAY
    client("RPUSH", "s", *"ab")
    assert client("LMOVEM", "s", "d", "LEFT", "RIGHT", "EXACTLY", 3, "OBO") is NULL_ARRAY
    assert (elements(client, "s"), client("EXISTS", "d")) == ("ab", 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("LEFT", "wrong number of arguments for 'lmovem' command"),
        ("LEFT RIGHT COUNT 0 BULK", "count should be greater than 0"),
        ("LEFT RIGHT EXACTLY 0 BULK", "count should be greater than 0"),
        ("LEFT RIGHT COUNT -1 BULK", "count should be greater than 0"),
        ("LEFT RIGHT COUNT a BULK", "count should be greater than 0"),
        ("LEFT RIGHT COUNT 2", "syntax error"),
        ("LEFT RIGHT COUNT 2 OBO extra", "syntax error"),
        ("LEFT RIGHT bad 2 OBO", "syntax error"),
        ("LEFT RIGHT COUNT 2 bad", "syntax error"),
        ("bad RIGHT COUNT 2 OBO", "syntax error"),
        ("LEFT bad COUNT 2 OBO", "syntax error"),
    ],
)
def test_errors(client: LocalClient, words: str, message: str) -> None:
    client("RPUSH", "s", *"abc")
    assert client.error("LMOVEM", "s", "d", *words.split()) == f"ERR {message}"


def test_other_types(client: LocalClient) -> None:
    client("SET", "t", "x")
    assert client.error("LMOVEM", "t", "d", "LEFT", "RIGHT") == WRONGTYPE
    client("RPUSH", "s", *"ab")
    assert client.error("LMOVEM", "s", "t", "LEFT", "RIGHT", "COUNT", 2, "BULK") == WRONGTYPE
    assert elements(client, "s") == "ab"


def test_events(client: LocalClient, engine: Engine) -> None:
    client("RPUSH", "s", *"ab")
    listener = LocalClient(engine)
    listener("CONFIG", "SET", "notify-keyspace-events", "EA")
    listener("PSUBSCRIBE", "*")
    listener.messages()
    before = engine.keyspace.dirty
    client("LMOVEM", "s", "d", "LEFT", "RIGHT", "COUNT", 5, "BULK")
    events = [message.value[2].value.rpartition(b":")[2] for message in listener.messages()]
    assert events == [b"rpush", b"lpop", b"del"]
    assert engine.keyspace.dirty == before + 1


# -- Waiting ---------------------------------------------------------------------------------------


def wait(client: LocalClient, *words: str | int) -> None:
    client("BLMOVEM", "s", "d", "LEFT", "RIGHT", *words)
    assert client.session.blocked is not None


def test_elements_that_are_there(client: LocalClient, engine: Engine) -> None:
    recorder = Recorder(engine)
    client("RPUSH", "s", *"abcd")
    assert client("BLMOVEM", "s", "d", "LEFT", "LEFT", 0, "COUNT", 2, "OBO") == [b"b", b"a"]
    assert client("BLMOVEM", "s", "d", "LEFT", "RIGHT", 0) == [b"c"]
    assert client("LMOVEM", "s", "d", "LEFT", "RIGHT", "count", 5, "bulk") == [b"d"]
    assert recorder.take()[1:] == [
        b"LMOVEM s d LEFT LEFT EXACTLY 2 OBO",
        b"LMOVEM s d LEFT RIGHT EXACTLY 1 BULK",
        b"LMOVEM s d LEFT RIGHT count 5 bulk",
    ]


def test_count_waits_for_the_first(client: LocalClient, engine: Engine) -> None:
    waiting = LocalClient(engine)
    wait(waiting, 0, "COUNT", 5, "BULK")
    client("RPUSH", "s", *"ab")
    assert waiting.session.sent == [[b"a", b"b"]]
    assert elements(client, "d") == "ab"


@pytest.mark.parametrize(
    "words",
    [
        "RPUSH s 3",
        "LINSERT s BEFORE 2 x",
        "LMOVE feed s LEFT RIGHT",
        "SORT numbers STORE s",
        "RENAME numbers s",
    ],
)
def test_exactly_waits_for_all(client: LocalClient, engine: Engine, words: str) -> None:
    waiting = LocalClient(engine)
    client("RPUSH", "feed", "f")
    client("RPUSH", "numbers", 3, 1, 2)
    wait(waiting, 0, "EXACTLY", 3, "BULK")
    client("RPUSH", "s", 1, 2)
    assert waiting.session.sent == []
    assert (client("LLEN", "s"), client("EXISTS", "d")) == (2, 0)
    client(*words.split())
    [moved] = waiting.session.sent
    assert len(moved) == 3
    assert client("LRANGE", "d", 0, -1) == moved
    assert client("EXISTS", "s") == 0


def test_others_are_served_while_one_needs_more(client: LocalClient, engine: Engine) -> None:
    greedy, modest = LocalClient(engine), LocalClient(engine)
    wait(greedy, 0, "EXACTLY", 3, "BULK")
    wait(modest, 0, "EXACTLY", 2, "BULK")
    client("RPUSH", "s", *"ab")
    assert (greedy.session.sent, modest.session.sent) == ([], [[b"a", b"b"]])
    client("RPUSH", "s", *"cde")
    assert greedy.session.sent == [[b"c", b"d", b"e"]]


def test_the_time_is_over(client: LocalClient, engine: Engine, clock: ManualClock) -> None:
    waiting = LocalClient(engine)
    wait(waiting, "0.5", "EXACTLY", 3, "BULK")
    clock.advance(501)
    engine.on_deadline()
    assert waiting.session.sent == [NULL_ARRAY]


def test_nothing_waits_in_a_transaction(client: LocalClient) -> None:
    client("MULTI")
    client("BLMOVEM", "s", "d", "LEFT", "RIGHT", 0, "EXACTLY", 3, "BULK")
    client("BLMOVEM", "s", "d", "LEFT", "RIGHT", 0)
    assert client("EXEC") == [NULL_ARRAY, NULL_ARRAY]


def test_errors_of_the_timeout(client: LocalClient) -> None:
    assert client.error("BLMOVEM", "s", "d", "LEFT", "RIGHT", -1) == "ERR timeout is negative"
    assert client.error("BLMOVEM", "s", "d", "LEFT", "RIGHT", "x") == (
        "ERR timeout is not a float or out of range"
    )
    assert client.error("BLMOVEM", "s", "d", "LEFT", "RIGHT", "x", "COUNT") == "ERR syntax error"

"""Arrays: replies, errors, and what commands on all types do with them."""

from __future__ import annotations

import random

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.writer import encode
from support.local import LocalClient, Recorder

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
NO_INDEX = "ERR invalid array index"
TOP = 2**64 - 2


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


# -- By index --------------------------------------------------------------------------------------


def test_elements(client: LocalClient) -> None:
    assert client("ARSET", "a", 0, "hello") == 1
    assert client("ARSET", "a", 0, "world") == 0
    assert client("ARGET", "a", 0) == b"world"
    assert client("ARGET", "a", 1) is None
    assert client("ARGET", "none", 0) is None
    assert client("ARSET", "a", 5, "x", "12", "3.5") == 3
    assert client("ARMSET", "a", 5, "y", 100, "q", 100, "r") == 1
    assert client("ARMGET", "a", 0, 1, 5, 100) == [b"world", None, b"y", b"r"]
    assert client("ARMGET", "none", 0, 1) == [None, None]
    assert client("ARLEN", "a") == 101
    assert client("ARCOUNT", "a") == 5
    assert client("ARLEN", "none") == client("ARCOUNT", "none") == 0


@pytest.mark.parametrize(
    "text", ["", "1", "-7", "007", "1.50", "-0.0", "3.25", "abcdefg", "x" * 999]
)
def test_texts_come_back_as_they_were(client: LocalClient, text: str) -> None:
    client("ARSET", "a", 3, text)
    assert client("ARGET", "a", 3) == text.encode()


@pytest.mark.parametrize(
    "index", ["-1", "x", "", "1.0", "1 ", "-05x", str(2**64 - 1), str(2**64), "9" * 30]
)
def test_what_is_no_index(client: LocalClient, index: str) -> None:
    client("ARSET", "a", 0, "v")
    for words in (
        ("ARGET", "a", index), ("ARGET", "none", index), ("ARMGET", "a", 0, index),
        ("ARSET", "a", index, "v"), ("ARMSET", "a", 1, "v", index, "v"), ("ARDEL", "a", 0, index),
        ("ARDEL", "none", index), ("ARDELRANGE", "a", 0, index), ("ARGETRANGE", "a", index, 0),
        ("ARSCAN", "a", 0, index), ("AROP", "a", index, 0, "SUM"),
        ("ARGREP", "a", index, "+", "RE", "x"),
    ):  # fmt: skip
        assert client.error(*words) == NO_INDEX
    assert client("ARSCAN", "a", 0, TOP) == [[0, b"v"]]


def test_the_highest_index(client: LocalClient) -> None:
    assert client("ARSET", "a", TOP, "v") == 1
    assert client("ARLEN", "a") == TOP + 1
    assert client.error("ARSET", "a", TOP, "v", "w") == "ERR array index overflow"
    assert client("ARSCAN", "a", TOP, 0) == [[TOP, b"v"]]
    for protocol in (2, 3):
        assert encode(client("ARLEN", "a"), protocol) == b":18446744073709551615\r\n"


def test_ranges(client: LocalClient) -> None:
    client("ARMSET", "a", 1, "b", 2, "c", 4, "e", 5000, "f")
    assert client("ARGETRANGE", "a", 0, 4) == [None, b"b", b"c", None, b"e"]
    assert client("ARGETRANGE", "a", 4, 0) == [b"e", None, b"c", b"b", None]
    assert client("ARGETRANGE", "a", 5000, 5000) == [b"f"]
    assert client("ARGETRANGE", "none", 0, 2) == [None, None, None]
    whole = client("ARGETRANGE", "a", 0, 9999)
    assert [i for i, text in enumerate(whole) if text] == [1, 2, 4, 5000]
    assert client("ARGETRANGE", "a", 9999, 0) == whole[::-1]
    assert len(client("ARGETRANGE", "a", 0, 999_999)) == 1_000_000
    refused = "ERR range exceeds maximum of 1000000 items"
    assert client.error("ARGETRANGE", "a", 0, 1_000_000) == refused
    assert client.error("ARGETRANGE", "none", 1_000_000, 0) == refused
    assert client.error("ARGETRANGE", "a", 0, TOP) == refused


def test_what_is_streamed_is_the_same(client: LocalClient) -> None:
    """Replies to a connection that are made while they are written."""
    numbers = [str(number) for number in range(20_000)]
    client("ARSET", "a", 3, *numbers)
    client("ARDEL", "a", 7)
    session = client.session
    for words in (
        ("ARGETRANGE", "a", 0, 19_999), ("ARGETRANGE", "a", 19_999, 5), ("ARSCAN", "a", 0, TOP),
        ("ARSCAN", "a", TOP, 0, "LIMIT", 15_000), ("ARSCAN", "a", 0, 19_999, "LIMIT", 12_000),
    ):  # fmt: skip
        session.takes_rows = False
        whole = encode(client(*words), 2)
        session.takes_rows = True
        assert encode(client(*words), 2) == whole


def test_removing(client: LocalClient) -> None:
    client("ARSET", "a", 0, *"abcdefgh")
    assert client("ARDEL", "a", 1, 1, 99) == 1
    assert client("ARDELRANGE", "a", 3, 2, 6, 6) == 3
    assert client("ARSCAN", "a", 0, 99) == [[0, b"a"], [4, b"e"], [5, b"f"], [7, b"h"]]
    assert client("ARDEL", "a", 7) == 1
    assert client("ARLEN", "a") == 6
    assert client("ARDELRANGE", "a", 0, TOP) == 3
    assert client("EXISTS", "a") == 0
    assert client("ARDEL", "a", 0) == client("ARDELRANGE", "a", 0, 5) == 0


@pytest.mark.parametrize(
    "name", ["ARMSET a 0", "ARMSET a 0 v 1", "ARDELRANGE a 0 1 2", "ARDELRANGE a 0"]
)
def test_pairs(client: LocalClient, name: str) -> None:
    verb = name.split()[0].lower()
    assert client.error(*name.split()) == f"ERR wrong number of arguments for '{verb}' command"


@pytest.mark.parametrize("index", ["5", "05", "+5", " 5", "00000000000000000000005"])
def test_indexes_as_the_c_library_reads_them(client: LocalClient, index: str) -> None:
    client("ARSET", "a", index, "v")
    assert client("ARSCAN", "a", 0, 9) == [[5, b"v"]]


# -- Scans -----------------------------------------------------------------------------------------


def test_arscan(client: LocalClient) -> None:
    client("ARMSET", "a", 0, "a", 5, "b", 9, "c")
    assert client("ARSCAN", "a", 1, 9) == [[5, b"b"], [9, b"c"]]
    assert client("ARSCAN", "a", 9, 0, "limit", 2) == [[9, b"c"], [5, b"b"]]
    assert client("ARSCAN", "a", 6, 8) == client("ARSCAN", "none", 0, 8) == []
    assert client.error("ARSCAN", "a", 0, 9, "LIMIT", 0) == "ERR LIMIT must be positive"
    assert client.error("ARSCAN", "a", 0, 9, "LIMIT", "x") == (
        "ERR value is not an integer or out of range"
    )
    assert client.error("ARSCAN", "a", 0, 9, "COUNT", 1) == "ERR syntax error"
    assert client.error("ARSCAN", "a", 0, 9, "LIMIT") == (
        "ERR wrong number of arguments for 'arscan' command"
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("- + MATCH alpha", [0, 2]),
        ("+ - MATCH alpha", [2, 0]),
        ("3 0 MATCH ALPHA NOCASE WITHVALUES", [[2, b"alphabet"], [0, b"alpha"]]),
        ("- + EXACT alpha", [0]),
        ("- + EXACT ALPHA", []),
        ("- + exact ALPHA nocase", [0]),
        ("- + GLOB *a", [0, 1, 5]),
        ("- + GLOB *A NOCASE LIMIT 2", [0, 1]),
        ("- + RE ^.{4}$", [1, 7]),
        ("- + RE ^B NOCASE", [1]),
        ("- + RE ^b RE a$ AND", [1]),
        ("- + RE ^b OR RE a$ LIMIT 9", [0, 1, 5]),
        ("- + MATCH ph MATCH bet AND OR AND", [2]),
        ("1 4 MATCH a LIMIT 1", [1]),
        ("6 99 MATCH .5", [7]),
        ("- + MATCH 1", [7]),
        ("- + RE ^[0-9.]+$", [7]),
    ],
)
def test_argrep(client: LocalClient, words: str, found: list) -> None:
    client("ARMSET", "a", 0, "alpha", 1, "beta", 2, "alphabet", 5, "gamma", 7, "12.5")
    assert client("ARGREP", "a", *words.split()) == found
    assert client("ARGREP", "none", *words.split()) == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("LIMIT", 1), "ERR syntax error"),
        (("RE", "x", "MATCH"), "ERR syntax error"),
        (("RE", "x", "LIMIT"), "ERR syntax error"),
        (("RE", "x", "FOO"), "ERR syntax error"),
        (("RE", "x", "LIMIT", 0), "ERR LIMIT must be positive"),
        (("RE", "x", "LIMIT", "y"), "ERR value is not an integer or out of range"),
        (("RE", ""), "ERR regular expression is empty"),
        (("RE", "("), "ERR invalid regular expression: Missing ')'"),
        (("RE", r"(a)\1"), "ERR regular expression backreferences are not supported"),
        (("RE", "a" * 2049), "ERR regular expression is too long, maximum is 2048 bytes"),
        (("MATCH", "x") * 251, "ERR too many predicates, maximum is 250"),
    ],
)
def test_what_argrep_refuses(client: LocalClient, words: tuple, error: str) -> None:
    assert client.error("ARGREP", "none", "-", "+", *words) == error


def test_argrep_of_the_most(client: LocalClient) -> None:
    client("ARSET", "a", 0, "a" * 2048)
    assert client("ARGREP", "a", "-", "+", "RE", "a" * 2048) == [0]
    assert client("ARGREP", "a", "-", "+", *("MATCH", "a") * 250, "AND") == [0]


@pytest.mark.parametrize(
    ("values", "operation", "result"),
    [
        ("10 20 30", "SUM", b"60"), ("30 10 20", "MIN", b"10"), ("30 10 20", "max", b"30"),
        ("1.5 x 2", "SUM", b"3.5"), ("0.1 0.2", "SUM", b"0.3"),
        ("1e3 0x10 5", "SUM", b"1021"), ("x y", "SUM", None),
        ("inf 1", "SUM", b"inf"), ("inf -inf", "MIN", b"-inf"), ("1e20 1", "MAX", b"1e+20"),
        ("9223372036854775807 1", "SUM", b"9.2233720368547758e+18"),
        ("255 15 240", "AND", 0), ("255 15 240", "OR", 255), ("255 15 240", "XOR", 0),
        ("7.9 3.2 1.8", "AND", 1), ("7.9 3.2 1.8", "OR", 7), ("7.9 3.2 1.8", "XOR", 5),
        ("-1 5", "AND", 5), ("1e30 x", "OR", None), ("-7.9", "OR", -7),
        ("a b a", "USED", 3), ("a b a", "MATCH a", 2), ("1 1.0 01", "MATCH 1", 1),
    ],
)  # fmt: skip
def test_arop(client: LocalClient, values: str, operation: str, result: object) -> None:
    client("ARSET", "a", 10, *values.split())
    assert client("AROP", "a", 0, 99, *operation.split()) == result
    assert client("AROP", "a", 99, 0, *operation.split()) == result
    nothing = 0 if operation[0] in "U" or operation.startswith("MATCH") else None
    assert client("AROP", "a", 0, 9, *operation.split()) == nothing
    assert client("AROP", "none", 0, 9, *operation.split()) == nothing


def test_what_arop_refuses(client: LocalClient) -> None:
    assert client.error("AROP", "a", 0, 1, "AVG") == "ERR unknown operation"
    assert client.error("AROP", "a", 0, 1, "MATCH") == "ERR MATCH requires a value argument"
    assert client.error("AROP", "a", 0, 1, "SUM", 1) == (
        "ERR wrong number of arguments for 'arop' command"
    )


# -- Appending -------------------------------------------------------------------------------------


def test_appending(client: LocalClient) -> None:
    assert client("ARNEXT", "a") == 0
    assert client("ARSEEK", "a", 5) == 0
    assert client("ARINSERT", "a", "x") == 0
    assert client("ARINSERT", "a", "y", "z") == 2
    assert client("ARNEXT", "a") == 3
    client("ARSET", "a", 50, "far")
    assert client("ARNEXT", "a") == 3
    assert client("ARSEEK", "a", 10) == 1
    assert client("ARINSERT", "a", "w") == 10
    assert client("ARSEEK", "a", 0) == 1
    assert client("ARNEXT", "a") == 0
    assert client("ARINSERT", "a", "v") == 0
    assert client("ARSCAN", "a", 0, 99) == [
        [0, b"v"], [1, b"y"], [2, b"z"], [10, b"w"], [50, b"far"]
    ]  # fmt: skip


def test_the_end_of_all_indexes(client: LocalClient) -> None:
    client("ARINSERT", "a", "x")
    assert client("ARSEEK", "a", TOP) == 1
    assert client("ARNEXT", "a") == TOP
    assert client.error("ARINSERT", "a", "y", "z") == "ERR insert index overflow"
    assert client("ARINSERT", "a", "y") == TOP
    assert client("ARNEXT", "a") is None
    assert client.error("ARINSERT", "a", "z") == "ERR insert index overflow"
    assert client("ARINFO", "a")[b"next-insert-index"] == 0
    assert client("ARSEEK", "a", TOP + 1) == 1
    assert client("ARNEXT", "a") is None
    assert client.error("ARSEEK", "a", TOP + 2) == NO_INDEX


def test_a_ring(client: LocalClient) -> None:
    assert client("ARRING", "r", 5, *"1234567") == 1
    assert client("ARGETRANGE", "r", 0, 4) == [b"6", b"7", b"3", b"4", b"5"]
    assert client("ARLASTITEMS", "r", 99) == [b"3", b"4", b"5", b"6", b"7"]
    assert client("ARLASTITEMS", "r", 99, "REV") == [b"7", b"6", b"5", b"4", b"3"]
    assert client("ARLASTITEMS", "r", 2) == [b"6", b"7"]
    assert client("ARLASTITEMS", "r", 3, "rev") == [b"7", b"6", b"5"]


def test_a_ring_of_another_size(client: LocalClient) -> None:
    client("ARRING", "r", 5, *"1234567")
    assert client("ARRING", "r", 3, "8") == 0
    assert client("ARGETRANGE", "r", 0, 4) == [b"8", b"6", b"7", None, None]
    assert client("ARRING", "r", 6, "9") == 3
    assert client("ARGETRANGE", "r", 0, 5) == [b"6", b"7", b"8", b"9", None, None]
    # Where it had not turned round, or was told where to go on, nothing has to move.
    assert client("ARRING", "r", 8, "x", "y") == 5
    client("ARSEEK", "r", 0)
    assert client("ARRING", "r", 9, "z") == 0
    assert client("ARGETRANGE", "r", 0, 5) == [b"z", b"7", b"8", b"9", b"x", b"y"]
    # What is behind a free place is not kept.
    client("ARDEL", "r", 3)
    client("ARSEEK", "r", 0)
    assert client("ARRING", "r", 4, "!") == 2
    assert client("ARSCAN", "r", 0, 99) == [[0, b"x"], [1, b"y"], [2, b"!"]]


def test_rings_against_a_model(client: LocalClient) -> None:
    dice = random.Random(3)
    for _ in range(60):
        size = dice.randrange(1, 9)
        kept: list[bytes] = []
        client("DEL", "r")
        for number in range(40):
            if dice.random() < 0.1:
                size = dice.randrange(1, 9)
            client("ARRING", "r", size, number)
            kept = [*kept, b"%d" % number][-size:]
            if client("ARLEN", "r") == len(kept):
                assert client("ARLASTITEMS", "r", 99) == kept
            assert client("ARLASTITEMS", "r", 1) == [b"%d" % number]


def test_last_items(client: LocalClient) -> None:
    client("ARINSERT", "a", *"abcde")
    assert client("ARLASTITEMS", "a", 0) == client("ARLASTITEMS", "a", -5, "x", "y") == []
    client("ARDEL", "a", 1)
    assert client("ARLASTITEMS", "a", 10) == [b"a", None, b"c", b"d", b"e"]
    client("ARDEL", "a", 4)
    assert client("ARLASTITEMS", "a", 10, "REV") == [b"d", b"c", None, b"a"]
    client("ARSEEK", "a", 0)
    assert client("ARLASTITEMS", "a", 2) == [b"c", b"d"]
    assert client.error("ARLASTITEMS", "a", "x") == "ERR invalid COUNT"
    assert client.error("ARLASTITEMS", "a", 1, "BACK") == "ERR syntax error"
    assert client.error("ARLASTITEMS", "a", 1, "REV", 1) == (
        "ERR wrong number of arguments for 'arlastitems' command"
    )
    client("ARSET", "a", 2_000_000, "z")
    assert (
        client.error("ARLASTITEMS", "a", 1_000_001) == "ERR count exceeds maximum of 1000000 items"
    )
    assert client("ARLASTITEMS", "none", 5) == []


def test_sizes_of_rings(client: LocalClient) -> None:
    assert client.error("ARRING", "r", 0, "v") == "ERR size must be positive"
    assert client.error("ARRING", "r", "x", "v") == "ERR invalid size"
    assert client("EXISTS", "r") == 0


# -- As a value ------------------------------------------------------------------------------------


def test_arinfo(client: LocalClient) -> None:
    client("ARMSET", "a", 0, "a", 100, "c")
    client("ARSET", "a", 5000, *range(20))
    facts = client("ARINFO", "a")
    assert list(facts) == [
        b"count", b"len", b"next-insert-index", b"slices", b"directory-size",
        b"super-dir-entries", b"slice-size",
    ]  # fmt: skip
    assert facts[b"count"] == 22
    assert facts[b"len"] == 5020
    assert facts[b"slices"] == 2
    assert facts[b"slice-size"] == 4096
    full = client("ARINFO", "a", "full")
    assert (full[b"dense-slices"], full[b"sparse-slices"]) == (1, 1)
    assert full[b"avg-dense-size"] == 24.0
    assert full[b"avg-dense-fill"] == 20 / 24
    assert full[b"avg-sparse-size"] == 2.0
    assert client.error("ARINFO", "none") == "ERR no such key"
    assert client.error("ARINFO", "a", "SHORT") == "ERR syntax error"
    assert client.error("ARINFO", "a", "FULL", "FULL") == "ERR syntax error"


@pytest.mark.parametrize(
    "words",
    lines(
        """
    ARGET s 0 | ARMGET s 0 | ARGETRANGE s 0 1 | ARLEN s | ARCOUNT s | ARINFO s | ARSET s 0 v
    ARMSET s 0 v | ARDEL s 0 | ARDELRANGE s 0 1 | ARSCAN s 0 1 | ARGREP s - + RE x | AROP s 0 1 SUM
    ARINSERT s v | ARRING s 5 v | ARNEXT s | ARSEEK s 0 | ARLASTITEMS s 1
    GET a | LLEN a | HGET a f
    SORT a | SADD a m | ZADD a 1 m | XLEN a
    """.replace("|", "\n")
    ),
)
def test_wrong_types(client: LocalClient, words: str) -> None:
    client("SET", "s", "x")
    client("ARSET", "a", 0, "v")
    assert client.error(*words.split()) == WRONGTYPE


def test_commands_on_all_types(client: LocalClient) -> None:
    client("ARMSET", "a", 0, "x", 5, "a longer text")
    client("ARINSERT", "a", "y")
    assert client("TYPE", "a") == b"array"
    assert client("OBJECT", "ENCODING", "a") == b"sliced-array"
    assert client("SCAN", 0, "TYPE", "array") == [b"0", [b"a"]]
    assert 150 < client("MEMORY", "USAGE", "a") < 400
    assert client("COPY", "a", "b") == 1
    client("ARSET", "b", 0, "other")
    assert client("ARGET", "a", 0) == b"y"
    assert client("ARNEXT", "b") == 1
    client("RENAME", "b", "c")
    payload = client("DUMP", "a")
    assert client("RESTORE", "d", 0, payload) == b"OK"
    assert client("DUMP", "d") == payload
    assert b"db0_distrib_arrays_items:2=3" in client("INFO", "keysizes").text


def test_what_is_passed_on(client: LocalClient) -> None:
    written = Recorder(client.engine)
    client("ARSET", "a", 0, "v")
    client("ARDEL", "a", 9)
    client("ARSEEK", "a", 3)
    client("ARRING", "a", 2, "w")
    client("ARDELRANGE", "a", 5, 9)
    client("ARDELRANGE", "a", 0, 9)
    client("ARSEEK", "a", 3)
    assert written.take() == [
        b"ARSET a 0 v", b"ARSEEK a 3", b"ARRING a 2 w", b"ARDELRANGE a 0 9"
    ]  # fmt: skip


def test_events(client: LocalClient, engine: Engine) -> None:
    listener = LocalClient(engine)
    listener("PSUBSCRIBE", "__keyspace@0__:*")
    listener.messages()
    client("CONFIG", "SET", "notify-keyspace-events", "Kag")
    client("ARSET", "a", 0, "v")
    client("ARMSET", "a", 1, "v")
    client("ARINSERT", "a", "v")
    client("ARRING", "a", 9, "v")
    client("ARSEEK", "a", 0)
    client("ARDEL", "a", 0, 5)
    client("ARDELRANGE", "a", 0, 9)
    events = [message.value[3].value for message in listener.messages()]
    assert events == [
        b"arset", b"armset", b"arinsert", b"arring", b"arseek", b"ardel", b"ardelrange", b"del"
    ]  # fmt: skip


def test_a_category_of_its_own(client: LocalClient) -> None:
    assert len(client("ACL", "CAT", "array")) == 18
    assert client("COMMAND", "INFO", "ARSET")[0][6] == [b"@write", b"@array", b"@fast"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("array-slice-size 300", "array-slice-size must be a power of two"),
        ("array-slice-size 128", "argument must be between 256 and 65536 inclusive"),
        (
            "array-sparse-kmax 5",
            "array-sparse-kmax must be greater than array-sparse-kmin when non-zero",
        ),
        ("array-sparse-kmin 10", "array-sparse-kmin must be less than array-sparse-kmax"),
    ],
)
def test_directives_that_are_refused(client: LocalClient, words: str, error: str) -> None:
    name = words.split()[0]
    assert client.error("CONFIG", "SET", *words.split()) == (
        f"ERR CONFIG SET failed (possibly related to argument '{name}') - {error}"
    )


def test_directives(client: LocalClient) -> None:
    assert client("CONFIG", "SET", "array-slice-size", 256) == b"OK"
    client("ARSET", "a", 255, "x", "y")
    assert client("ARINFO", "a")[b"slices"] == 2
    assert client("CONFIG", "SET", "array-sparse-kmax", 0) == b"OK"
    client("ARSET", "b", 0, "x")
    assert client("ARINFO", "b", "FULL")[b"dense-slices"] == 1


def test_digests_tell_arrays_apart() -> None:
    config = Config()
    config.load_text("enable-debug-command local")
    client = LocalClient(Engine(config, ManualClock()))
    client("ARSET", "a", 1, "x")
    client("ARSET", "b", 2, "x")
    client("ARSET", "c", 1, "x")
    first, second, third = client("DEBUG", "DIGEST-VALUE", "a", "b", "c")
    assert first == third != second
    client("ARSEEK", "c", 9)
    assert client("DEBUG", "DIGEST-VALUE", "c") != [first]

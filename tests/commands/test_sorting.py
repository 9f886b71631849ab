"""SORT and SORT_RO."""

import pytest

from support.local import LocalClient, Recorder

NOT_A_NUMBER = "ERR One or more scores can't be converted into double"


def test_numbers(client: LocalClient) -> None:
    client("RPUSH", "l", 3, 10, "-1.5", "0x10", "inf", 2)
    assert client("SORT", "l") == [b"-1.5", b"2", b"3", b"10", b"0x10", b"inf"]
    assert client("SORT", "l", "desc", "LIMIT", 1, 2) == [b"0x10", b"10"]
    assert client("SORT", "l", "LIMIT", 10, 2) == []
    assert client("SORT", "l", "LIMIT", -5, 1) == [b"-1.5"]
    assert client("SORT", "l", "LIMIT", 4, -1) == [b"0x10", b"inf"]
    assert client("SORT_RO", "none") == []


@pytest.mark.parametrize("word", ["x", "1x", "nan", "1e999", "1 "])
def test_what_is_no_number(client: LocalClient, word: str) -> None:
    client("RPUSH", "l", 1, word)
    assert client.error("SORT", "l") == NOT_A_NUMBER
    assert client.error("SORT", "l", "STORE", "out") == NOT_A_NUMBER
    assert len(client("SORT", "l", "ALPHA")) == 2


def test_texts(client: LocalClient) -> None:
    client("SADD", "s", "b", "a", "", "aa")
    assert client("SORT", "s", "ALPHA") == [b"", b"a", b"aa", b"b"]
    assert client("SORT", "s", "ALPHA", "DESC") == [b"b", b"aa", b"a", b""]


def test_keys_and_fields_of_hashes(client: LocalClient) -> None:
    client("RPUSH", "l", 1, 2, 3)
    for number, weight in ((1, 30), (2, 20), (3, 10)):
        client("SET", f"w_{number}", weight)
        client("HSET", f"h_{number}", "weight", weight, "name", f"n{number}")
    assert client("SORT", "l", "BY", "w_*") == [b"3", b"2", b"1"]
    assert client("SORT", "l", "BY", "h_*->weight", "GET", "h_*->name", "GET", "#") == [
        b"n3", b"3", b"n2", b"2", b"n1", b"1",
    ]  # fmt: skip
    assert client("SORT", "l", "GET", "none_*", "GET", "constant", "GET", "h_*") == [None] * 9
    client("SET", "x:1->", "odd")
    assert client("SORT", "l", "LIMIT", 0, 1, "GET", "x:*->") == [b"odd"]


def test_elements_without_a_text_come_first(client: LocalClient) -> None:
    client("RPUSH", "l", "a", "b", "c")
    client("SET", "w_a", "z")
    client("SET", "w_b", "y")
    assert client("SORT", "l", "ALPHA", "BY", "w_*") == [b"c", b"b", b"a"]
    assert client("SORT", "l", "BY", "w_*", "ALPHA", "DESC") == [b"a", b"b", b"c"]


def test_without_sorting(client: LocalClient) -> None:
    client("RPUSH", "l", 2, 1, 3)
    assert client("SORT", "l", "BY", "nosort") == [b"2", b"1", b"3"]
    assert client("SORT", "l", "BY", "nosort", "DESC", "LIMIT", 0, 2) == [b"3", b"1"]
    client("SADD", "s", "b", "c", "a", "10")
    assert client("SORT", "s", "BY", "nosort", "STORE", "out") == 4
    assert client("LRANGE", "out", 0, -1) == [b"10", b"a", b"b", b"c"]


def test_store(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("RPUSH", "l", 2, 1)
    client("SET", "out", "x", "EX", 100)
    assert client("SORT", "l", "STORE", "out") == 2
    assert client("LRANGE", "out", 0, -1) == [b"1", b"2"]
    assert client("TTL", "out") == -1
    assert client("SORT", "l", "GET", "none_*", "STORE", "out") == 2
    assert client("LRANGE", "out", 0, -1) == [b"", b""]
    assert client("SORT", "none", "STORE", "out") == 0
    assert client("EXISTS", "out") == 0
    assert len(recorder.take()) == 5


def test_errors(client: LocalClient) -> None:
    client("RPUSH", "l", 1)
    client("SET", "string", 1)
    client("HSET", "hash", "f", 1)
    for words in (("LIMIT", 1), ("BY",), ("GET",), ("STORE",), ("UP",)):
        assert client.error("SORT", "l", *words) == "ERR syntax error"
    assert client.error("SORT_RO", "l", "STORE", "out") == "ERR syntax error"
    assert client.error("SORT", "l", "LIMIT", 0, "x") == (
        "ERR value is not an integer or out of range"
    )
    for key in ("string", "hash"):
        assert client.error("SORT", key).startswith("WRONGTYPE")


def test_keys_of_the_command(client: LocalClient) -> None:
    words = ("SORT", "l", "BY", "store", "GET", "store", "STORE", "a", "STORE", "b")
    assert client("COMMAND", "GETKEYS", *words) == [b"l", b"b"]
    assert client("COMMAND", "GETKEYS", "SORT_RO", "l", "BY", "x") == [b"l"]

"""SUNIONCARD and SDIFFCARD."""

from __future__ import annotations

import random

import pytest

from support.local import LocalClient

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture
def client(client: LocalClient) -> LocalClient:
    client("SADD", "a", 1, 2, 3)
    client("SADD", "b", 3, 4, "x")
    client("SADD", "c", *[f"member{number}" for number in range(300)])
    client("SET", "s", 1)
    return client


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("2 a b", 5),
        ("2 a b LIMIT 3", 3),
        ("2 a b LIMIT 5", 5),
        ("2 a b LIMIT 6", 5),
        ("2 a b limit 0", 5),
        ("1 a LIMIT 2", 2),
        ("4 a b c no", 305),
        ("4 a b c no LIMIT 300", 300),
        ("3 a a a", 3),
        ("1 no", 0),
        ("2 a b APPROX", 5),
        ("2 a b LIMIT 4 APPROX", 4),
        ("2 a b APPROX LIMIT 9", 5),
        ("1 c approx", 300),
    ],
)
def test_union(client: LocalClient, words: str, size: int) -> None:
    assert client("SUNIONCARD", *words.split()) == size


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("1 a", 3),
        ("1 a LIMIT 2", 2),
        ("2 a b", 2),
        ("2 a b LIMIT 1", 1),
        ("2 a b LIMIT 2", 2),
        ("2 b a", 2),
        ("2 a a", 0),
        ("2 a no", 3),
        ("2 no a", 0),
        ("3 c a b", 300),
        ("3 c a c", 0),
    ],
)
def test_difference(client: LocalClient, words: str, size: int) -> None:
    assert client("SDIFFCARD", *words.split()) == size


@pytest.mark.parametrize("name", ["SUNIONCARD", "SDIFFCARD"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("0 a", "ERR numkeys should be greater than 0"),
        ("x a", "ERR numkeys should be greater than 0"),
        ("3 a b", "ERR Number of keys can't be greater than number of args"),
        ("9223372036854775807 a", "ERR Number of keys can't be greater than number of args"),
        ("1 a LIMIT -1", "ERR LIMIT can't be negative"),
        ("1 a LIMIT x", "ERR LIMIT can't be negative"),
        ("1 a LIMIT", "ERR syntax error"),
        ("1 a b", "ERR syntax error"),
        ("2 a s", WRONGTYPE),
        ("2 s a", WRONGTYPE),
        ("2 no s", WRONGTYPE),
    ],
)
def test_errors(client: LocalClient, name: str, words: str, message: str) -> None:
    assert client.error(name, *words.split()) == message


def test_a_difference_is_never_approximate(client: LocalClient) -> None:
    assert client.error("SDIFFCARD", 1, "a", "APPROX") == "ERR syntax error"


def test_the_estimate_is_near(client: LocalClient) -> None:
    chance = random.Random(7)
    for key in ("x", "y"):
        client("SADD", key, *{chance.randrange(30_000) for _ in range(15_000)})
    exact = client("SUNIONCARD", 2, "x", "y")
    assert exact == len(client("SUNION", "x", "y"))
    assert abs(client("SUNIONCARD", 2, "x", "y", "APPROX") - exact) < exact * 0.04


def test_keys_are_found(client: LocalClient) -> None:
    for name in ("SUNIONCARD", "SDIFFCARD"):
        assert client("COMMAND", "GETKEYS", name, 2, "a", "b", "LIMIT", 3) == [b"a", b"b"]

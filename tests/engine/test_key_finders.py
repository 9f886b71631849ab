"""Where the keys of each command stand, as it was when each question was answered in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.engine.catalogue.key_positions import (
    ACCESS_FLAGS,
    KeyFinder,
    KeySpec,
    access_of,
    after,
    at,
    counted,
    flag_names,
    unknown,
)
from carnelian.engine.engine import Engine
from carnelian.engine.ground import access

TABLE = Path(__file__).with_name("key_positions.txt").read_text().splitlines()
REGISTRY = Engine().registry


def places(finder: KeyFinder, line: str, exactly: bool = True) -> list[int]:
    return [key.position for key in finder.find(line.encode().split(), exactly)]


def shown(line: str) -> str:
    """A line of the table as the finder of today would have it."""
    name, *words = line.partition(" ->")[0].split()
    command = REGISTRY.find(name)
    assert command is not None
    found = command.key_finder().find([name.encode(), *(word.encode() for word in words)])
    keys = [" ".join([str(key.position), *flag_names(key.access)]) for key in found]
    return f"{name} {' '.join(words)} -> {', '.join(keys)}".rstrip()


@pytest.mark.parametrize("line", TABLE)
def test_positions_and_access(line: str) -> None:
    assert shown(line) == line


def test_the_table_has_every_command_with_keys() -> None:
    with_keys = {one.name.decode().upper() for one in REGISTRY.every() if one.key_finder().any}
    assert {line.split()[0] for line in TABLE} == with_keys


@pytest.mark.parametrize("line", TABLE)
def test_a_rough_look_finds_the_same_places_and_allows_no_less(line: str) -> None:
    name, *words = line.partition(" ->")[0].encode().split()
    command = REGISTRY.find(name)
    assert command is not None
    exact = command.key_finder().find([name, *words])
    rough = command.key_finder().find([name, *words], False)
    assert [key.position for key in rough] == [key.position for key in exact]
    reading, writing = access.RO | access.RW | access.ACCESS, access.RW | access.OW | access.UPDATE
    for one, other in zip(exact, rough, strict=True):
        assert bool(one.access & reading) <= bool(other.access & reading)
        assert bool(one.access & writing) <= bool(other.access & writing)


def test_a_finder_is_made_once() -> None:
    command = REGISTRY.find("get")
    assert command is not None
    assert command.key_finder() is command.key_finder()


def test_the_bits_of_words() -> None:
    numbers = [getattr(access, name.upper()) for name in ACCESS_FLAGS]
    assert [access_of(name) for name in ACCESS_FLAGS] == numbers
    assert access_of("update rw UPDATE nonsense") == access.RW | access.UPDATE
    assert flag_names(access.UPDATE | access.RW) == ["RW", "update"]


@pytest.mark.parametrize(
    ("spec", "line", "found"),
    [
        (at(1, "RO", last=-1, step=2), "x a 1 b 2", [1, 3]),
        (at(2, "RO", last=-1), "x a", []),
        (at(3, "RO"), "x a", []),
        (at(1, "RO", step=0), "x a", []),
        (at(-1, "RO"), "x a", []),
        (at(2**70, "RO", last=2**70, step=2**70), "x a", []),
        (at(1, "RO incomplete"), "x a", []),
        (at(1, "not_key"), "x a", []),
        (counted(1, "RO", step=2), "x 2 a 1 b 2", [2, 4]),
        (counted(1, "RO"), "x 0 a", []),
        (counted(1, "RO"), "x -1 a", []),
        (counted(1, "RO"), "x 9223372036854775807 a", []),
        (counted(1, "RO"), "x one a", []),
        (counted(7, "RO"), "x a", []),
        (after("KEYS", "RO", last=-1), "x keys a b", [2, 3]),
        (after("KEYS", "RO"), "x y keys", []),
        (after("KEYS", "RO", start=-2), "x keys keys a", [3]),
        (after("KEYS", "RO", start=0), "x y z", []),
        (KeySpec("RO", begin="N", keynum=(0, 1, 1)), "x n 2 a b", [3, 4]),
        (KeySpec("RO", begin="N"), "x n 2 a b", []),
        (unknown("RO"), "x a", []),
    ],
)
def test_key_specs(spec: KeySpec, line: str, found: list[int]) -> None:
    assert places(KeyFinder((spec,), None), line) == found


def test_many_keys() -> None:
    finder = KeyFinder((at(1, "RO", last=-1),), None)
    assert places(finder, "x" + " k" * 5000) == list(range(1, 5001))
    assert places(finder, "x k") == [1]


def test_a_function_is_asked_where_specs_cannot_tell() -> None:
    finder = KeyFinder((at(1, "RO"), unknown("RO")), lambda words: [(2, ""), (3, "OW update")])
    assert finder.find([b"x", b"a", b"b", b"c"]) == [(2, 0), (3, access.OW | access.UPDATE)]
    with pytest.raises(IndexError):
        finder.find([b"x", b"a", b"b"])


def test_a_function_is_asked_where_access_varies_and_matters() -> None:
    finder = KeyFinder((at(1, "RW variable_flags"),), lambda words: [(1, "RO")])
    assert finder.find([b"x", b"a"]) == [(1, access.RO)]
    assert finder.find([b"x", b"a"], False) == [(1, access.RW | access.VARIABLE_FLAGS)]

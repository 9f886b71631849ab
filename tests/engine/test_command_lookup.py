"""How commands are found by their names: the same answer however often, and however it is spelt."""

from __future__ import annotations

import itertools

import pytest

from carnelian import commands
from carnelian.engine.catalogue.registry import Registry


@pytest.fixture
def registry() -> Registry:
    commands.declare_all()
    return Registry()


def test_a_name_that_is_met_again_calls_the_same(registry: Registry) -> None:
    get, put = b"GET", b"SeT"
    for _ in range(3):
        assert registry.lookup([get, b"key"]) is registry.top[b"get"]
        assert registry.lookup([put, b"key", b"value"]) is registry.top[b"set"]


def test_an_equal_name_that_is_another_object_calls_the_same(registry: Registry) -> None:
    for spelling in map(bytes, itertools.product(b"gG", b"eE", b"tT")):
        for _ in range(2):
            assert registry.lookup([bytes(bytearray(spelling)), b"key"]) is registry.top[b"get"]


def test_more_names_than_are_remembered(registry: Registry) -> None:
    names = list(registry.top)
    assert len(names) > 200
    for _ in range(3):
        for name in names:
            assert registry.lookup([name]) is registry.top[name]


def test_no_words_are_no_command(registry: Registry) -> None:
    with pytest.raises(IndexError, match="a command has a name at least"):
        registry.lookup([])


def test_subcommands_are_told_apart_however_often_their_container_is_met(
    registry: Registry,
) -> None:
    config = b"config"
    container = registry.top[config]
    for _ in range(3):
        assert registry.lookup([config]) is container
        assert registry.lookup([config, b"GET", b"*"]) is container.subcommands[b"get"]
        assert registry.lookup([config, b"set", b"a", b"b"]) is container.subcommands[b"set"]
        assert registry.lookup([config, b"nope"]) is None


def test_what_is_gone_is_not_found_by_a_name_that_was_met(registry: Registry) -> None:
    name, other = b"get", b"set"
    old = registry.lookup([name, b"key"])
    assert old is not None and registry.lookup([other, b"key", b"value"]) is not None
    registry.remove("GET")
    assert registry.lookup([name, b"key"]) is None
    again = registry.add(old.declaration)
    assert again is not old
    assert registry.lookup([name, b"key"]) is again
    registry.rename(other, b"put")
    assert registry.lookup([other, b"key", b"value"]) is None
    found = registry.lookup([b"PUT", b"key", b"value"])
    assert found is registry.top[b"put"]


def test_no_name_is_none(registry: Registry) -> None:
    for name in (b"", b"nope", b"get\0", b"GET "):
        assert registry.lookup([name]) is None

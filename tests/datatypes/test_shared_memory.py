"""What is handed out while a child process shares the memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carnelian.datatypes.tables.entry import share_memory
from carnelian.keyspace.clock import Clock
from carnelian.keyspace.keyspace import Keyspace


@pytest.fixture
def shared() -> Iterator[None]:
    share_memory(True)
    yield
    share_memory(False)


def held(length: int) -> tuple[object, bytes]:
    """A string as it was stored, and what a reader gets."""
    db = Keyspace(Clock(), 1).databases[0]
    text = b"x" * length
    db.set_string(b"key", text)
    return text, db.lookup(b"key")


@pytest.mark.parametrize("length", [513, 2000, 32 * 1024])
def test_a_string_is_copied(shared: None, length: int):
    text, found = held(length)
    assert found == text
    assert found is not text


def test_a_very_long_one_is_not(shared: None):
    text, found = held(32 * 1024 + 1)
    assert found is text


def test_usually_no_long_string_is_copied():
    text, found = held(2000)
    assert found is text

"""A key space whose time stands still."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from carnelian.datatypes.base import memory
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000_000)


@pytest.fixture
def keyspace(clock: ManualClock) -> Keyspace:
    return Keyspace(clock, 4)


@pytest.fixture
def db(keyspace: Keyspace) -> Database:
    return keyspace.databases[0]


@pytest.fixture
def other(keyspace: Keyspace) -> Database:
    return keyspace.databases[1]


@pytest.fixture
def balance(keyspace: Keyspace) -> Iterator[None]:
    """Once the key space is empty, the test has given back all the memory that it took."""
    gc.collect()
    before = memory.used()
    yield
    keyspace.flush()
    gc.collect()
    assert memory.used() == before

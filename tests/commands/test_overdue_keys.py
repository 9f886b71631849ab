"""What DEBUG and MEMORY say of keys whose time is over, but which are still there."""

from __future__ import annotations

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient


@pytest.fixture
def overdue(clock: ManualClock) -> LocalClient:
    config = Config()
    config.load_text("enable-debug-command yes")
    client = LocalClient(Engine(config, clock))
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    client("SET", "text", "some text", "PX", 1)
    client("RPUSH", "list", "a")
    client("PEXPIRE", "list", 1)
    clock.advance(10)
    return client


def test_they_are_there(overdue: LocalClient) -> None:
    assert b" encoding:embstr " in overdue("DEBUG", "OBJECT", "text")
    assert b" encoding:listpack " in overdue("DEBUG", "OBJECT", "list")
    assert overdue("DEBUG", "SDSLEN", "text").startswith(b"key_sds_len:4,")
    assert overdue("DEBUG", "DIGEST-VALUE", "list") != [b"0" * 40]
    assert overdue("MEMORY", "USAGE", "text") > 0
    assert overdue("EXISTS", "text") == 0
    assert overdue.error("DEBUG", "OBJECT", "text") == "ERR no such key"


def test_they_are_not_there(overdue: LocalClient) -> None:
    assert overdue.error("DEBUG", "LISTPACK", "list") == "ERR no such key"
    assert overdue.error("DEBUG", "QUICKLIST", "list") == "ERR no such key"
    assert overdue("OBJECT", "ENCODING", "list") is None

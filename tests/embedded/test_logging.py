"""An engine in one's own process that logs its writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import carnelian
from support.waiting import wait_for


def test_writes_are_in_the_file_before_their_replies_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with carnelian.Engine() as engine:
        engine.execute("CONFIG", "SET", "appendonly", "yes")
        engine.execute("SET", "a", 1)
        log = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
        wait_for(log.exists)
        assert log.read_bytes().endswith(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n")

"""CONFIG; what directives do is tested with the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.resp.replies import OK
from support.local import LocalClient


@pytest.fixture
def client() -> LocalClient:
    return LocalClient(Engine(), protocol=3)


def test_get_is_a_map(client: LocalClient) -> None:
    assert client.call("CONFIG", "GET", "maxmemory").kind == b"%"
    assert client("CONFIG", "GET", "maxmemory", "MAXMEMORY-P*", "nothing") == [
        b"maxmemory", b"0", b"maxmemory-policy", b"noeviction"
    ]  # fmt: skip


def test_set(client: LocalClient) -> None:
    assert client("CONFIG", "SET", "maxmemory", "1mb", "hz", 20) is OK
    assert client("CONFIG", "GET", "hz", "maxmemory") == [
        b"hz", b"20", b"maxmemory", b"1048576"
    ]  # fmt: skip


def test_set_is_all_or_nothing(client: LocalClient) -> None:
    assert client.error("CONFIG", "SET", "maxmemory", "2mb", "hz", "often") == (
        "ERR CONFIG SET failed (possibly related to argument 'hz') - "
        "argument couldn't be parsed into an integer"
    )
    assert client("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"0"]
    assert client.error("CONFIG", "SET", "hz", 1, "maxmemory") == "ERR syntax error"
    assert client.error("CONFIG", "SET", "no-such", 1) == (
        "ERR Unknown option or number of arguments for CONFIG SET - 'no-such'"
    )


def test_rewrite(client: LocalClient, tmp_path: Path) -> None:
    assert client.error("CONFIG", "REWRITE") == "ERR The server is running without a config file"
    path = tmp_path / "redis.conf"
    path.write_text("# mine\nhz 10\n")
    config = Config()
    config.load_file(str(path))
    engine = Engine(config)
    lines: list[str] = []
    engine.log = lambda level, message: lines.append(message)
    configured = LocalClient(engine)
    configured("CONFIG", "SET", "hz", 50)
    assert configured("CONFIG", "REWRITE") is OK
    assert path.read_text().startswith("# mine\nhz 50\n")
    assert lines == ["CONFIG REWRITE executed with success."]


def test_resetstat(client: LocalClient) -> None:
    client("GET", "k")
    client("NO-SUCH")
    assert client("CONFIG", "RESETSTAT") is OK
    info = client.engine.info.fields
    assert info("stats")["keyspace_misses"] == 0
    assert info("stats")["total_commands_processed"] == 1
    assert list(info("commandstats")) == ["cmdstat_config|resetstat"]
    assert info("errorstats") == {}

"""Arrays in payloads, snapshots and append-only files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from carnelian.datatypes.arrays.array import Array
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.persistence.bytes import crc64
from carnelian.persistence.saving.snapshots import snapshots_of
from persistence.appended import DIRECTORY, STEM, Logged, commands_of
from support.local import LocalClient

TOP = 2**64 - 2


def new_client(directory: Path, **directives: str) -> LocalClient:
    config = Config()
    lines = {"dir": str(directory), "enable-debug-command": "local", **directives}
    config.load_text("\n".join(f"{name} {value}" for name, value in lines.items()))
    return LocalClient(Engine(config, ManualClock()))


def fill(client: LocalClient) -> None:
    client("ARSET", "dense", 0, *range(100), "1.5", "short", "a longer text", "", "2" * 19)
    client("ARMSET", "sparse", 0, "a", 4096, "b", 2**40, "c", TOP, "d")
    client("ARINSERT", "appended", "a", "b")
    client("ARINSERT", "ended", "a")
    client("ARSEEK", "ended", TOP + 1)
    client("ARSET", "timed", 5, "x")
    client("PEXPIREAT", "timed", 4_000_000_000_000)


def content(client: LocalClient) -> dict[bytes, object]:
    return {
        key: (client("ARSCAN", key, 0, TOP), client("ARNEXT", key), client("PEXPIRETIME", key))
        for key in client("KEYS", "*")
    }


def sealed(payload: bytes, version: int = 14) -> bytes:
    body = payload + struct.pack("<H", version)
    return body + struct.pack("<Q", crc64.of(body))


def test_the_form(client: LocalClient) -> None:
    client("ARSET", "a", 0, "7", "1.5", "ab", "a longer text")
    client("ARSEEK", "a", 3)
    assert client("DUMP", "a") == sealed(
        b"\x1c\x04\x01\x02"
        + b"\x00\x01" + struct.pack("<q", 7)
        + b"\x01\x02" + struct.pack("<d", 1.5)
        + b"\x02\x03\x02ab"
        + b"\x03\x00\x0da longer text"
    )  # fmt: skip


def test_any_order_is_read(client: LocalClient) -> None:
    far = b"\x81" + struct.pack(">Q", TOP)
    body = (
        b"\x1c\x03\x00" + far + b"\x03\x01z" + b"\x05\x01" + struct.pack("<q", -1) + b"\x00\x00\x00"
    )
    assert client("RESTORE", "a", 0, sealed(body)) == b"OK"
    assert client("ARSCAN", "a", 0, TOP) == [[0, b""], [5, b"-1"], [TOP, b"z"]]


@pytest.mark.parametrize(
    "body",
    [
        b"\x00\x00",
        b"\x01\x00\x00\x04\x01a",
        b"\x01\x00" + b"\x81" + b"\xff" * 8 + b"\x03\x01a",
        b"\x01\x01" + b"\x81" + b"\xff" * 8 + b"\x00\x03\x01a",
        b"\x02\x00\x00\x03\x01a\x00\x03\x01b",
        b"\x02\x00\x00\x03\x01a",
        b"\x01\x00\x00\x01abc",
    ],
)
def test_damage_is_refused(client: LocalClient, body: bytes) -> None:
    assert client.error("RESTORE", "a", 0, sealed(b"\x1c" + body)) == "ERR Bad data format"
    assert client("EXISTS", "a") == 0


def test_payloads_come_back(client: LocalClient) -> None:
    fill(client)
    before = content(client)
    for key in before:
        payload = client("DUMP", key)
        expiry = max(client("PEXPIRETIME", key), 0)
        assert client("RESTORE", key, expiry, payload, "REPLACE", "ABSTTL") == b"OK"
    assert content(client) == before


def test_snapshots(tmp_path: Path) -> None:
    client = new_client(tmp_path)
    fill(client)
    before = content(client)
    digest = client("DEBUG", "DIGEST")
    assert client("SAVE") == b"OK"
    assert (tmp_path / "dump.rdb").read_bytes()[:9] == b"REDIS0014"
    other = new_client(tmp_path)
    assert snapshots_of(other.engine).load()
    assert content(other) == before
    assert other("DEBUG", "DIGEST") == digest
    assert client("DEBUG", "RELOAD") == b"OK"
    assert content(client) == before


def test_without_arrays_files_are_as_old_as_before(tmp_path: Path) -> None:
    elsewhere = Array(new_client(tmp_path).engine.keyspace.limits)
    client = new_client(tmp_path)
    client("SET", "k", "v")
    client("SAVE")
    assert (tmp_path / "dump.rdb").read_bytes()[:9] < b"REDIS0014"
    assert elsewhere.count == 0


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_append_only_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preamble: str) -> None:
    monkeypatch.chdir(tmp_path)
    logged = Logged(aof_use_rdb_preamble=preamble)
    fill(logged.client)
    logged("BGREWRITEAOF")
    if preamble == "no":
        base = commands_of((DIRECTORY / f"{STEM}.2.base.aof").read_bytes())
        assert [b"ARSEEK", b"ended", b"%d" % (TOP + 1)] in base
        assert max(len(words) for words in base if words[0] == b"ARMSET") == 2 + 2 * 64
    logged("ARSET", "later", 3, "x")
    before = content(logged.client)
    logged.close()
    again = Logged(aof_use_rdb_preamble=preamble)
    assert content(again.client) == before
    again.close()


def test_files_need_the_version_of_arrays_while_there_are_some(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other, client = new_client(tmp_path / "other"), new_client(tmp_path)
    other("ARSET", "a", 0, "v")

    def version() -> bytes:
        assert client("SAVE") == b"OK"
        return (tmp_path / "dump.rdb").read_bytes()[5:9]

    client("MSET", *(word for number in range(5000) for word in (f"key:{number}", "v")))
    wanted = version()
    assert wanted < b"0014"
    client("ARSET", "a", 0, "v")
    client("COPY", "a", "b")
    client("DEL", "a")
    client("RENAME", "b", "c")
    client("MOVE", "c", 1)
    assert version() == b"0014"
    client("FLUSHALL")
    assert version() == wanted
    assert client("RESTORE", "r", 0, other("DUMP", "a")) == b"OK"
    assert version() == b"0014"

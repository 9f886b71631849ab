"""Snapshot files of an engine: written whole or not at all, and damaged ones refused."""

from __future__ import annotations

import errno
import os
import random
import re
from pathlib import Path

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.persistence.bytes import crc64
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import file_reader, files
from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from support.local import LocalClient


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class LoggingClient(LocalClient):
    """A client of an engine whose log is kept."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self.lines: list[str] = []
        engine.log = lambda level, message: self.lines.append(f"{level}: {message}")


def new_client(*directives: str) -> LoggingClient:
    config = Config()
    config.load_text("\n".join(["enable-debug-command yes", *directives]))
    return LoggingClient(Engine(config))


def fill(client: LocalClient) -> None:
    for index in (0, 3):
        client("SELECT", index)
        client("MSET", "a", 1, "b", "text", "c", "x" * 5000)
        client("RPUSH", "list", *range(500), "y" * 9000)
        client("SADD", "numbers", 1, 2, 3)
        client("SADD", "texts", *[f"t{number}" for number in range(500)])
        client(
            "ZADD", "scores", *[word for number in range(300) for word in (number, f"m{number}")]
        )
        client("HSET", "hash", "f", "v")
        client("XADD", "stream", "1-1", "f", "v")
        client("PEXPIRE", "b", 10**8)
    client("SELECT", 0)


def content(client: LocalClient) -> bytes:
    assert client("SAVE") == b"OK"
    return Path("dump.rdb").read_bytes()


def test_save_and_reload(here: Path) -> None:
    client = new_client()
    fill(client)
    digest = client("DEBUG", "DIGEST")
    assert client("DEBUG", "RELOAD") == b"OK"
    assert client("DEBUG", "DIGEST") == digest
    assert client.engine.keyspace.dirty == 0
    assert os.listdir(here) == ["dump.rdb"]
    assert client("LASTSAVE") > 0
    assert 0 < client("PTTL", "b") <= 10**8


def test_header_and_end(here: Path) -> None:
    data = content(new_client())
    assert data.startswith(b"REDIS0010\xfa\x09redis-ver")
    assert data[-9] == 255
    assert crc64.of(data[:-8]).to_bytes(8, "little") == data[-8:]


def test_the_version_follows_the_content(here: Path) -> None:
    client = new_client()
    client("HSET", "hash", "f", "v", "g", "w")
    client("HPEXPIRE", "hash", 10**6, "FIELDS", 1, "f")
    assert content(client).startswith(b"REDIS0012")
    client("DEBUG", "RELOAD")
    assert client("HPTTL", "hash", "FIELDS", 2, "f", "g")[1] == -1
    client("HPERSIST", "hash", "FIELDS", 1, "f")
    assert content(client).startswith(b"REDIS0010")
    client("CONFIG", "SET", "rdb-version", 11)
    assert content(client).startswith(b"REDIS0011")


def test_without_check_sum(here: Path) -> None:
    client = new_client("rdbchecksum no")
    fill(client)
    assert content(client).endswith(b"\xff" + bytes(8))
    assert client("DEBUG", "RELOAD") == b"OK"


def test_save_fails(here: Path) -> None:
    client = new_client()
    fill(client)
    before = content(client)
    client("SET", "k", "v")
    client.engine.config["dbfilename"] = "no/such/directory.rdb"
    error = client.error("SAVE")
    assert re.fullmatch(
        r"ERR Error moving temp DB file temp-\d+.rdb on the final destination directory.rdb "
        r"\(in server root dir .*\): No such file or directory",
        error,
    )
    assert client.lines[-1] == f"warning: {error.removeprefix('ERR ')}"
    assert Path("dump.rdb").read_bytes() == before
    assert not [name for name in os.listdir(here) if name.startswith("temp-")]


def test_a_full_disk(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = new_client()
    before = content(client)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    client("SET", "k", "v")
    expected = "Write error saving DB on disk(fsync): No space left on device"
    assert client.error("SAVE") == f"ERR {expected}"
    assert client.lines[-1] == f"warning: {expected}"
    assert client.error("DEBUG", "RELOAD") == f"ERR {expected}"
    assert os.listdir(here) == ["dump.rdb"]
    assert Path("dump.rdb").read_bytes() == before


def loaded(data: bytes) -> Engine:
    engine = Engine()
    file_reader.read_bytes(data, engine.keyspace).read()
    return engine


def test_every_cut_is_noticed(here: Path) -> None:
    client = new_client("rdbcompression no")
    client("SET", "a", 1)
    client("RPUSH", "list", 1, 2)
    client("XADD", "stream", "1-1", "f", "v")
    data = content(client)
    for length in range(len(data)):
        with pytest.raises(FormatError):
            loaded(data[:length])


def test_flipped_bits_are_noticed_or_harmless(here: Path) -> None:
    client = new_client()
    fill(client)
    data = content(client)
    chance = random.Random(3)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            loaded(bytes(damaged))
        except FormatError:
            continue
        # What takes the check sum off, or is the part of it that says that there is none.
        assert bytes(damaged[:9]) != data[:9] or damaged[-8:] == bytes(8)


def test_damage_is_told(here: Path) -> None:
    client = new_client()
    data = bytearray(content(client))
    data[-1] ^= 1
    Path("dump.rdb").write_bytes(data)
    with pytest.raises(LoadError):
        snapshots_of(client.engine).load()
    assert any("Wrong RDB checksum expected" in line for line in client.lines)
    assert any("RDB CRC error" in line for line in client.lines)
    assert snapshots_of(client.engine).loading is None


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "The RDB file is empty: it is not a Redis snapshot."),
        (b"RODIS0010", "Wrong signature trying to load DB from file: it is not a Redis snapshot."),
        (b"RED", "Short read or OOM loading DB. Unrecoverable error, aborting now."),
        (b"REDIS0015", "Can't handle RDB format version 15"),
        (b"REDIS000x", "Can't handle RDB format version 0"),
        (b"REDIS0010\xfe\x10", "FATAL: Data file was created with a Redis server configured"),
        (b"REDIS0010\xf0", "Unknown RDB encoding type 240"),
    ],
)
def test_what_is_no_file(here: Path, data: bytes, line: str) -> None:
    client = new_client()
    Path("dump.rdb").write_bytes(data)
    with pytest.raises(LoadError):
        snapshots_of(client.engine).load()
    assert any(line in logged for logged in client.lines)


def test_what_redis_7_0_cannot_read_is_said_once(here: Path) -> None:
    client = new_client()
    client("HSET", "h", "f", "v")
    client("SAVE")
    said = "warning: There are hashes with fields that expire: snapshots and bases of append-only "
    assert not any(line.startswith(said) for line in client.lines)
    client("HPEXPIRE", "h", 100_000, "FIELDS", 1, "f")
    for _ in range(2):
        client("SAVE")
        client("BGSAVE")
    assert sum(line.startswith(said) for line in client.lines) == 1


def test_who_asks_for_a_later_version_is_not_told(here: Path) -> None:
    client = new_client()
    client("CONFIG", "SET", "rdb-version", 12)
    client("HSET", "h", "f", "v")
    client("HPEXPIRE", "h", 100_000, "FIELDS", 1, "f")
    client("SAVE")
    assert not any("fields that expire" in line for line in client.lines)


def head(version: int) -> bytes:
    return b"REDIS%04d" % version


def test_what_is_between_keys() -> None:
    """Opcodes of all ages, in a file without a check sum."""
    data = head(4) + b"\xfe\0\xfb\x01\x01"
    data += b"\xfa\x05%infobe".replace(b"be", b"\x01b")
    data += b"\xf5\x04code" + b"\xf6\x03lib\x03LUA\x00\x04body"
    data += b"\xf4\x01\x02\x03"
    data += b"\xf7\x81\0\0\0\0\0\0\0\x01\x02\x01\x05\x03abc\x02\x05\x03\0\0\0\0\x00"
    data += b"\xfd\xff\xff\xff\x7f\0\x01a\x01x" + b"\xf8\x05\0\x01b\x01y" + b"\xf9\x07\0\x01c\x01z"
    engine = Engine()
    facts: list[tuple[bytes, bytes]] = []
    warnings: list[str] = []
    file = file_reader.read_bytes(data + b"\xff", engine.keyspace)
    file.on_aux = lambda name, value: facts.append((name, value))
    file.warn = warnings.append
    file.read()
    assert file.keys_loaded == 3
    assert facts == [(b"%info", b"b")]
    assert file.functions == [b"code", b"#!LUA name=lib\nbody"]
    assert len(warnings) == 1 and "which is not loaded: skipped" in warnings[0]
    assert engine.keyspace.databases[0].expiry(b"a") == 0x7FFFFFFF * 1000
    assert engine.keyspace.databases[0].idle_seconds(b"b") == 5


def test_keys_past_their_time_are_left_out() -> None:
    engine = Engine()
    file = file_reader.read_bytes(
        head(4) + b"\xfd\x01\0\0\0\0\x01a\x01x" + b"\0\x01b\x01y\xff", engine.keyspace
    )
    file.read()
    assert (file.keys_loaded, file.keys_expired) == (1, 1)
    assert list(engine.keyspace.databases[0].keys()) == [b"b"]


def test_a_key_that_is_there_twice() -> None:
    data = head(4) + b"\0\x01a\x01x" * 2 + b"\xff"
    with pytest.raises(file_reader.DuplicateKey, match="RDB has duplicated key 'a' in DB 0"):
        loaded(data)


def test_functions_are_kept(here: Path) -> None:
    client = new_client()
    Path("dump.rdb").write_bytes(head(4) + b"\xf5\x04code\xff")
    snapshots_of(client.engine).load()
    assert b"\xf5\x04code" in content(client)


def test_files_stay_in_dir_wherever_the_process_goes(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = new_client()
    client("SET", "k", "v")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert client("DEBUG", "RELOAD") == b"OK"
    assert client("CONFIG", "SET", "appendonly", "yes") == b"OK"
    assert client("BGREWRITEAOF") == b"Background append only file rewriting started"
    assert sorted(os.listdir(here)) == ["appendonlydir", "dump.rdb"]
    assert not os.listdir(elsewhere)

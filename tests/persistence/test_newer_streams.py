"""Streams with what Redis 8.6 and 8.8 brought: through files, payloads and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carnelian import commands
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import payloads
from support.local import LocalClient

from .appended import Logged

commands.declare_all()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def new_client(*directives: str) -> LocalClient:
    config = Config()
    config.load_text("\n".join(["enable-debug-command yes", 'save ""', *directives]))
    return LocalClient(Engine(config, ManualClock()))


def give_back(client: LocalClient | Logged, key: str = "s") -> None:
    """A stream with two groups, in one of which entries are nobody's."""
    for i in range(1, 8):
        client("XADD", key, f"{i}-0", "f", i)
    for group in ("g", "h"):
        client("XGROUP", "CREATE", key, group, 0)
        client("XREADGROUP", "GROUP", group, "c", "COUNT", 6, "STREAMS", key, ">")
    client("XNACK", key, "g", "FAIL", "IDS", 3, "5-0", "2-0", "3-0")
    client("XNACK", key, "g", "FATAL", "IDS", 1, "1-0")


def name_entries(client: LocalClient | Logged, key: str = "s") -> None:
    """A stream that knows entries by their names."""
    client("XADD", key, "*", "f", "v")
    client("XCFGSET", key, "IDMP-DURATION", 500, "IDMP-MAXSIZE", 2)
    for producer, name in ("pa", "pb", "pc", "qa", "qa", "pc"):
        client("XADD", key, "IDMP", producer, name, "*", "f", "v")
    client("XADD", key, "IDMPAUTO", "r", "*", "f", "v")


def about(client: LocalClient | Logged, key: str = "s") -> object:
    return client("XINFO", "STREAM", key, "FULL", "COUNT", 0)


def order(client: LocalClient | Logged, key: str = "s") -> list[bytes]:
    """In which order what is nobody's is given out."""
    reply: Any = client(
        "XREADGROUP", "GROUP", "g", "d", "COUNT", 4, "CLAIM", 10**9, "STREAMS", key, ">"
    )
    return [entry[0] for entry in reply[0][1]]


# The end of a payload: a version and a check sum that nobody looks at.
END = b"\x0e\x00" + bytes(8)
ORDER = [b"5-0", b"2-0", b"3-0", b"1-0"]
MAKERS = {"released": give_back, "named": name_entries}


@pytest.mark.parametrize("maker", MAKERS)
def test_files_keep_them(maker: str) -> None:
    client = new_client()
    MAKERS[maker](client)
    client("XADD", "old", "1-1", "f", "v")
    before = about(client)
    assert client("DEBUG", "RELOAD") == b"OK"
    assert about(client) == before
    if maker == "released":
        assert order(client) == ORDER
    client("DEL", "s")
    assert client("SAVE") == b"OK"
    assert Path("dump.rdb").read_bytes().startswith(b"REDIS0010")


@pytest.mark.parametrize(("maker", "version"), [("released", 14), ("named", 13)])
def test_the_version_is_as_late_as_it_has_to_be(maker: str, version: int) -> None:
    client = new_client()
    MAKERS[maker](client, "s")
    client("RENAME", "s", "t")
    client("HSET", "hash", "f", "v")
    client("HPEXPIRE", "hash", 10**6, "FIELDS", 1, "f")
    client("COPY", "t", "u")
    client("DEL", "t")
    client("MOVE", "u", 3)
    client("SWAPDB", 3, 4)
    client("SAVE")
    assert Path("dump.rdb").read_bytes().startswith(b"REDIS%04d" % version)
    client("SELECT", 4)
    dump = client("DUMP", "u")
    assert dump[0] == {13: 26, 14: 27}[version]
    assert dump[-10] == version
    client("RESTORE", "v", 0, dump)
    client("DEL", "u")
    client("SAVE")
    assert Path("dump.rdb").read_bytes().startswith(b"REDIS%04d" % version)
    client("FLUSHALL")
    client("SAVE")
    assert Path("dump.rdb").read_bytes().startswith(b"REDIS0010")


def test_what_is_nobodys_any_longer_needs_no_later_version() -> None:
    client = new_client()
    give_back(client)
    client("XAUTOCLAIM", "s", "g", "d", 0, 0)
    client("SAVE")
    assert Path("dump.rdb").read_bytes().startswith(b"REDIS0010")
    assert client("DUMP", "s")[0] == 19


@pytest.mark.parametrize("maker", MAKERS)
def test_payloads_keep_them(maker: str) -> None:
    client = new_client()
    MAKERS[maker](client)
    before = about(client)
    dump = client("DUMP", "s")
    assert client("RESTORE", "t", 0, dump) == b"OK"
    assert about(client, "t") == before
    assert client("DEBUG", "DIGEST-VALUE", "s") == client("DEBUG", "DIGEST-VALUE", "t")
    for length in range(1, len(dump) - 10):
        cut = dump[:length] + dump[-10:]
        with pytest.raises(FormatError):
            payloads.value_of(cut, client.engine.keyspace.limits, True)


def test_what_was_written_by_redis_is_read() -> None:
    """Payloads put together as Redis 8.6 and 8.8 write them."""
    client = new_client()
    limits = client.engine.keyspace.limits
    client("XADD", "plain", "1-0", "f", "v")
    plain = client("DUMP", "plain")
    assert plain[0] == 19
    # Nodes and the whole are as they were; there are no groups in it.
    content = plain[1:-11]
    idempotency = b"\x40\x64\x40\xc8\x01\x01p\x01\x02id\x01\x00\x05\x03"
    value = payloads.value_of(b"\x1a" + content + b"\x00" + idempotency + END, limits, True)
    assert value.idempotency.duration_s == 100
    assert value.idempotency.most == 200
    assert list(value.idempotency) == [(b"p", b"id", 1 << 64)]
    assert (value.idempotency.added, value.idempotency.duplicates) == (5, 3)
    usual = b"\x40\x64\x40\x64\x00\x00\x00"
    value = payloads.value_of(b"\x1b" + content + b"\x00" + usual + END, limits, True)
    assert value.idempotency is None
    one = (1).to_bytes(8, "big") + bytes(8)
    group = b"\x01\x01g\x01\x00\x01\x01" + one + bytes(8) + b"\x02\x00"
    value = payloads.value_of(b"\x1b" + content + group + b"\x01" + one + usual + END, limits, True)
    assert value.group(b"g").released == 1
    assert value.group(b"g").without_consumer() == [(1, 0)]
    with pytest.raises(FormatError):
        payloads.value_of(b"\x1b" + content + group + b"\x00" + usual + END, limits, True)


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("maker", MAKERS)
def test_logs_keep_them(maker: str, preamble: str) -> None:
    clock = ManualClock()
    logged = Logged(clock, aof_use_rdb_preamble=preamble)
    MAKERS[maker](logged)
    logged("XADD", "empty", "MAXLEN", 0, "1-1", "f", "v")
    before = comparable(about(logged))
    logged.close()
    later = Logged(clock, aof_use_rdb_preamble=preamble)
    assert comparable(about(later)) == before
    assert later("BGREWRITEAOF") is not None
    later.log.syncer.wait()
    assert later.content() == []
    later.close()
    again = Logged(clock, aof_use_rdb_preamble=preamble)
    found = comparable(about(again))
    if preamble == "no" and maker == "named":
        # What was counted once is not among the commands.
        place = found.index(b"iids-added")
        found[place + 1], found[place + 3] = before[place + 1], before[place + 3]
    assert found == before
    assert again("XINFO", "STREAM", "empty") is not None
    if maker == "released":
        assert order(again) == ORDER
    again.close()


def test_a_log_is_replayed_however_late() -> None:
    clock = ManualClock()
    logged = Logged(clock)
    name_entries(logged)
    now: Any = logged("XINFO", "STREAM", "s")
    logged.close()
    late = ManualClock()
    late.advance(10**9)
    later = Logged(late)
    found: Any = later("XINFO", "STREAM", "s")
    place = found.index(b"iids-added")
    assert found[place : place + 4] == now[place : place + 4]
    assert later("XLEN", "s") == 6
    later.close()


def comparable(reply: Any) -> Any:
    """What XINFO says without what the commands of a log do not carry."""
    if not isinstance(reply, list):
        return reply
    parts = [comparable(part) for part in reply]
    hidden = (b"seen-time", b"active-time", b"entries-read", b"lag")
    return [0 if place and parts[place - 1] in hidden else part for place, part in enumerate(parts)]

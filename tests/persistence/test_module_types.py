"""Types that files know by a name: the form of one is registered, and used wherever files are."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from carnelian.datatypes.base.digest import Digest
from carnelian.datatypes.base.value import Value
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.persistence.background.freezing import Freezer
from carnelian.persistence.bytes.file_errors import Corrupt
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import BaseTarget
from carnelian.persistence.forms.module_types import (
    FieldSink,
    FieldSource,
    ModuleForm,
    module_name,
    module_number,
    register_module,
)
from carnelian.persistence.rdb import payloads
from carnelian.persistence.rdb.outputs import CommandOutput
from carnelian.persistence.rdb.rewriting import Rewriter
from carnelian.persistence.saving.snapshots import snapshots_of
from support.local import LocalClient


class Point(Value):
    """A named point, in a version without and one with a height."""

    type_name = b"point"

    def __init__(self, name: bytes, x: float, y: float, level: int, height: int = 0):
        self.content = (name, x, y, level, height)

    def encoding(self) -> bytes:
        return b"raw"

    def memory(self) -> int:
        return 100

    def copy(self) -> Point:
        return Point(*self.content)

    def digest(self, digest: Digest) -> None:
        digest.chain(repr(self.content).encode())


class PointForm(ModuleForm):
    def save(self, fields: FieldSink, value: Point) -> None:
        name, x, y, level, height = value.content
        fields.put_text(name)
        fields.put_double(x)
        fields.put_float(y)
        fields.put_signed(level)
        fields.put_unsigned(height)

    def load(self, fields: FieldSource, version: int) -> Point | None:
        name, x, y = fields.read_text(), fields.read_double(), fields.read_float()
        level = fields.read_signed()
        height = fields.read_unsigned() if version else 0
        return Point(name, x, y, level, height) if level < 100 else None

    def commands(self, key: bytes, value: Point) -> list[list[bytes]]:
        return [[b"SET", key, value.content[0]], [b"APPEND", key, b"!"]]


class Nameless(Point):
    """A value that no form is known of."""


register_module(Point, PointForm("testpoint", 1))

POINT = Point(b"here", 1.25, -0.5, -3, 7)
TYPE = b"\x07\x81" + module_number("testpoint", 1).to_bytes(8, "big")
OLD_TYPE = b"\x07\x81" + module_number("testpoint", 0).to_bytes(8, "big")
# What is common to both versions: name, x, y; level.
FRONT = b"\x05\x04here\x04" + struct.pack("<d", 1.25) + b"\x03" + struct.pack("<f", -0.5)
FIELDS = FRONT + b"\x02\x81" + (2**64 - 3).to_bytes(8, "big")
END = b"\x0a\x00" + bytes(8)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalClient:
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.load_text('enable-debug-command yes\nsave ""\nrdb-version 10\n')
    client = LocalClient(Engine(config))
    client.session.db.add(b"p", POINT.copy(), -1)
    return client


def restored(data: bytes) -> object:
    return payloads.value_of(data + END, Engine(Config()).keyspace.limits, True)


def test_payloads_are_as_other_servers_write_them(client: LocalClient) -> None:
    payload = client("DUMP", "p")
    assert payload[:-10] == TYPE + FIELDS + b"\x02\x07\x00"
    assert client("RESTORE", "q", 0, payload) == b"OK"
    assert client.session.db.peek(b"q").content == POINT.content
    assert client("TYPE", "q") == b"point"
    assert client("DEBUG", "DIGEST-VALUE", "q") == client("DEBUG", "DIGEST-VALUE", "p")


def test_files_keep_them(client: LocalClient) -> None:
    before = client("DEBUG", "DIGEST")
    assert client("DEBUG", "RELOAD") == b"OK"
    assert client("DEBUG", "DIGEST") == before
    assert client("COPY", "p", "q") == 1
    assert client.session.db.peek(b"q").content == POINT.content
    assert client("MEMORY", "USAGE", "q") > 100
    assert client.engine.keyspace.databases[0].sizes() == {}


def test_snapshots_without_a_fork_keep_them(client: LocalClient, tmp_path: Path) -> None:
    client("CONFIG", "SET", "snapshot-method", "sliced")
    client("SADD", "others", *range(500))
    assert client("SAVE") == b"OK"
    other = LocalClient(Engine(Config()))
    assert snapshots_of(other.engine).load()
    assert other.session.db.peek(b"p").content == POINT.content


def test_logs_have_the_commands_that_it_names(client: LocalClient, tmp_path: Path) -> None:
    wanted = b"".join(
        b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        for words in ([b"SELECT", b"0"], [b"SET", b"p", b"here"], [b"APPEND", b"p", b"!"])
    )
    fd = os.open(tmp_path / "whole.aof", os.O_CREAT | os.O_WRONLY)
    Rewriter(fd, False).write(client.engine.keyspace, 0, [])
    os.close(fd)
    assert (tmp_path / "whole.aof").read_bytes() == wanted
    target = BaseTarget(client.engine, "temporary.aof", str(tmp_path / "sliced.aof"))
    spool = Spool(target.open(), None, False, target)
    output = CommandOutput(spool)
    freezer = Freezer(client.engine.keyspace, output, 1, 1)
    while not freezer.over:
        freezer.step(0)
    output.end()
    spool.finish()
    assert spool.ended.wait(10) and spool.placed
    assert (tmp_path / "sliced.aof").read_bytes() == wanted


def test_what_an_older_version_wrote_is_read() -> None:
    point = restored(OLD_TYPE + FIELDS + b"\x00")
    assert isinstance(point, Point)
    assert point.content == (b"here", 1.25, -0.5, -3, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\x07\x81" + b"\x01" * 8 + b"\x00",
            "The RDB file contains module data I can't load: no matching module type 'AQEBAQEBA'",
        ),
        (
            OLD_TYPE + FIELDS + b"\x02\x07\x00",
            "The RDB file contains module data for the module 'testpoint' that is not terminated "
            "by the proper module value EOF marker",
        ),
        (
            OLD_TYPE + FRONT + b"\x02\x40\x64\x00",
            "The RDB file contains module data for the module type 'testpoint', that the "
            "responsible module is not able to load.",
        ),
        (
            TYPE + b"\x04" + bytes(8),
            "Error loading data from RDB: a field of kind 5 was expected for the module "
            "'testpoint', and one of kind 4 found",
        ),
        (b"\x06", "Values of modules in the form of Redis 4.0 betas cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, message: str) -> None:
    with pytest.raises(Corrupt) as fault:
        restored(data)
    assert str(fault.value) == message


def test_a_value_without_a_form(client: LocalClient) -> None:
    value = Nameless(b"x", 0, 0, 0)
    with pytest.raises(TypeError, match="a value of type Nameless has no RDB form"):
        payloads.of_value(value, 10, False)


def test_names_are_numbers() -> None:
    assert module_name(module_number("ReJSON-RL", 3)) == "ReJSON-RL"
    assert module_number("MBbloom--", 4) & 1023 == 4


@pytest.mark.parametrize(("name", "version"), [("short", 1), ("no spaces", 1), ("testpoint", 1024)])
def test_names_that_no_type_can_have(name: str, version: int) -> None:
    with pytest.raises(ValueError):
        PointForm(name, version)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="already"):
        register_module(Nameless, PointForm("testpoint", 2))

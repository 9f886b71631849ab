"""carnelian-check-aof and carnelian-check-rdb say what redis-check-aof and redis-check-rdb say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from carnelian.tools import check_aof, check_rdb
from support.local import LocalClient
from support.servers import require
from support.wire import request

from .appended import DIRECTORY, STEM, Logged, put, put_log, put_manifest

SET = request("SET", "a", 1)
MULTI, EXEC = request("MULTI"), request("EXEC")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reference(program: str, *words: str, answer: str = "") -> tuple[int, str]:
    """Exit status and output of the program of Redis."""
    require(program, "redis-tools")
    done = subprocess.run([program, *words], input=answer.encode(), capture_output=True)
    text = done.stdout.decode("utf-8", "backslashreplace")
    # Before it has read any type, it shows the number that its memory begins with.
    text = text.replace("start\n[additional info] Reading type 0 (string)\n", "start\n")
    return done.returncode, text.replace("redis-check-", "carnelian-check-")


def ours(tool: str, *words: str, answer: str = "") -> tuple[int, str]:
    """The same of ours."""
    done = subprocess.run(
        [sys.executable, "-m", f"carnelian.tools.{tool}", *words],
        input=answer.encode(),
        capture_output=True,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.decode("utf-8", "backslashreplace")


def alike(*words: str, answer: str = "", tool: str = "check_aof") -> None:
    """Both say and do the same, each with its own copy of the files."""
    here = Path.cwd()
    saved = here.with_name("saved")
    shutil.copytree(here, saved)
    expected = reference(f"redis-{tool.replace('_', '-')}", *words, answer=answer)
    after = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    for path in saved.rglob("*"):
        if path.is_file():
            (here / path.relative_to(saved)).write_bytes(path.read_bytes())
    shutil.rmtree(saved)
    assert ours(tool, *words, answer=answer) == expected
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == after


@pytest.mark.parametrize(
    "text",
    [
        b"", SET, SET * 3, MULTI + SET + EXEC, b"#TS:5\r\n" + SET, SET + b"#x",
        SET + SET[:-1], SET + SET[:5], SET + b"!!!", SET + MULTI + SET,
        SET + MULTI + SET[:-3], MULTI + MULTI, EXEC, b"*1\n", b"*1\r\n*", b"*x\r\n",
        b"*1\r\n$-1\r\n", b"*1\r\n$9999\r\nab", b"*1\r\n$1\r\nabc\r\n", b"*0\r\n" + SET,
        b"*2\r\n$4\r\nEXEC\r\n$99", SET + b"\x80" * 5, SET + b"*1\x80\x81",
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", [(), ("--fix",), ("--truncate-to-timestamp", "4")])
def test_single_files(text: bytes, words: tuple[str, ...]) -> None:
    Path("log").write_bytes(text)
    alike(*words, "log", answer="y\n")


@pytest.mark.parametrize("end", [b"*", b"*3", b"*3\r"])
def test_a_cut_head(end: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("log").write_bytes(SET + end)
    assert check_aof.main(["log"]) == 1
    assert capsys.readouterr().out.splitlines()[1:3] == [
        f"0x              1b: Expected \\r\\n, got: {'0d' if end[2:] else '00'}00",
        f"AOF analyzed: filename=log, size={27 + len(end)}, ok_up_to=27, ok_up_to_line=8, "
        f"diff={len(end)}",
    ]


STAMPED = b"".join(b"#TS:%d\r\n" % second + SET for second in (10, 20, 30))


@pytest.mark.parametrize("second", ["5", "10", "19", "20", "29", "30", "31", "x", ""])
def test_times(second: str) -> None:
    put_log(STAMPED)
    alike("--truncate-to-timestamp", second, f"{DIRECTORY}/{STEM}.manifest")


@pytest.mark.parametrize("base", [SET, SET + b"!!!", STAMPED, MULTI + SET])
@pytest.mark.parametrize("increment", [SET, SET[:-1], b""])
@pytest.mark.parametrize("words", [(), ("--fix",), ("--truncate-to-timestamp", "15")])
def test_several_files(base: bytes, increment: bytes, words: tuple[str, ...]) -> None:
    put(f"{STEM}.1.base.aof", base)
    put(f"{STEM}.1.incr.aof", increment)
    put_manifest(f"file {STEM}.1.base.aof seq 1 type b", f"file {STEM}.1.incr.aof seq 1 type i")
    alike(*words, f"{DIRECTORY}/{STEM}.manifest", answer="n\n")


def test_what_is_missing() -> None:
    put_manifest(f"file {STEM}.1.incr.aof seq 1 type i")
    alike(f"{DIRECTORY}/{STEM}.manifest")
    alike("none")
    Path("directory").mkdir()
    alike("directory")
    alike("--fix", "directory")
    alike("directory", tool="check_rdb")
    alike()
    alike("--fix", "a", "b", "c")


def test_our_own_files() -> None:
    logged = Logged(rdb_version="10")
    logged("SET", "a", 1)
    logged("RPUSH", "l", *range(1000))
    logged("BGREWRITEAOF")
    logged("SET", "b", 1, "PXAT", 1 << 45)
    logged.close()
    alike(f"{DIRECTORY}/{STEM}.manifest")


def snapshot(client: LocalClient) -> bytes:
    client("SET", "a", "x" * 100)
    client("SET", "late", 1, "PXAT", 1 << 45)
    client("RPUSH", "l", *range(1000))
    client("HSET", "h", "f", 1)
    client("SELECT", 3)
    client("ZADD", "z", 1, "m")
    client("CONFIG", "SET", "rdb-version", 10)
    assert client("SAVE") == b"OK"
    return Path("dump.rdb").read_bytes()


def test_snapshots(client: LocalClient) -> None:
    text = snapshot(client)
    alike("dump.rdb", tool="check_rdb")
    Path("dump.rdb").write_bytes(b"SIDER" + text[5:])
    alike("dump.rdb", tool="check_rdb")
    Path("dump.rdb").write_bytes(b"REDIS0099" + text[9:])
    alike("dump.rdb", tool="check_rdb")
    Path("dump.rdb").write_bytes(text[:-1] + bytes([text[-1] ^ 1]))
    alike("dump.rdb", tool="check_rdb")


@pytest.mark.parametrize("flipped", range(0, 200, 7))
def test_damaged_snapshots(
    client: LocalClient, flipped: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = bytearray(snapshot(client))
    text[min(flipped, len(text) - 9)] ^= 0x41
    Path("dump.rdb").write_bytes(text)
    assert check_rdb.main(["dump.rdb"]) == 1
    assert "--- RDB ERROR DETECTED ---" in capsys.readouterr().out


def test_versions_and_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_rdb.main([]) == 1
    assert capsys.readouterr().err == "Usage: carnelian-check-rdb <rdb-file-name>\n"
    assert check_rdb.main(["-v"]) == 0
    assert check_aof.main(["a", "b"]) == 1


def test_a_key_that_is_there_twice_is_found() -> None:
    """redis-check-rdb does not look for it, but a server would not start."""
    key = b"\0\x01a\x01x"
    Path("dump.rdb").write_bytes(b"REDIS0004" + key + b"\xfe\x40\x63" + key * 2 + b"\xff")
    status, output = ours("check_rdb", "dump.rdb")
    assert status == 1
    assert output == (
        "[offset 0] Checking RDB file dump.rdb\n"
        "[offset 17] Selecting DB ID 99\n"
        "--- RDB ERROR DETECTED ---\n"
        "[offset 27] RDB has duplicated key 'a' in DB 99\n"
        "[additional info] While doing: read-object-value\n"
        "[additional info] Reading key 'a'\n"
        "[additional info] Reading type 0 (string)\n"
        "[info] 3 keys read\n"
        "[info] 0 expires\n"
        "[info] 0 already expired\n"
    )


def test_keys_that_a_load_leaves_out_may_be_there_twice() -> None:
    key = b"\xfd\x01\0\0\0\0\x01a\x01x"
    content = b"REDIS0004" + key * 2 + b"\xff"
    Path("dump.rdb").write_bytes(content)
    assert ours("check_rdb", "dump.rdb")[0] == 0
    # Before the commands of a log, they are not left out.
    put_manifest(f"file {STEM}.1.base.rdb seq 1 type b")
    (DIRECTORY / f"{STEM}.1.base.rdb").write_bytes(content)
    status, output = ours("check_aof", str(DIRECTORY / f"{STEM}.manifest"))
    assert status == 1
    assert "RDB has duplicated key 'a' in DB 0" in output

"""The tasks beside redis-cli, on the same data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.peers import ServerProcess
from support.servers import ReferenceServer

from .programs import OURS, THEIRS, Echo, Outcome, run


def both(server: ReferenceServer, *words: str, stdin: bytes = b"") -> list[Outcome]:
    place = ("-p", str(server.port))
    return [run(program, *place, *words, stdin=stdin) for program in (OURS, THEIRS)]


@pytest.mark.parametrize(
    "words",
    [
        ("--bigkeys",),
        ("--bigkeys", "--pattern", "list:*"),
        ("--bigkeys", "-n", "7"),
        ("--memkeys",),
        ("--memkeys-samples", "2"),
        ("--memkeys", "-i", "0.01"),
    ],
)
def test_largest_keys(redis_server: ReferenceServer, words: tuple[str, ...]) -> None:
    """Types come in an order of their own; a first portion of SCAN has all keys or not."""
    ours, theirs = both(redis_server, *words)
    assert ours.status == theirs.status == 0
    assert ours.err == theirs.err == b""
    head = ours.out.split(b"-------- summary")[0]
    assert head.count(b"\n") == theirs.out.split(b"-------- summary")[0].count(b"\n")
    assert sorted(ours.out.split(b"\n")) == sorted(theirs.out.split(b"\n"))


def test_the_largest_key_may_be_empty_and_so_may_its_name(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, "--save", "").wait_until_ready()
    client = server.connect()
    client.call("SET", "foo", "")
    client.call("RPUSH", "", "x")
    done = run(OURS, "-p", str(server.port), "--bigkeys")
    lines = done.out.decode().splitlines()
    so_far = "] Biggest string found so far '\"foo\"' with 0 bytes"
    assert any(line.endswith(so_far) for line in lines)
    assert "Biggest string found '\"foo\"' has 0 bytes" in lines
    assert "Biggest   list found '\"\"' has 1 items" in lines
    server.stop()


def test_hottest_keys(redis_server: ReferenceServer) -> None:
    ours, theirs = both(redis_server, "--hotkeys")
    assert ours == theirs
    assert b"An LFU maxmemory policy is not selected" in ours.err
    redis_server.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    try:
        ours, theirs = both(redis_server, "--hotkeys")
    finally:
        redis_server.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert ours.status == 0
    assert _summary(ours) == _summary(theirs)


def _summary(outcome: Outcome) -> list[bytes]:
    return sorted(outcome.out.split(b"-------- summary")[1].split(b"\n"))


def test_key_statistics(redis_server: ReferenceServer) -> None:
    done = run(OURS, "-p", str(redis_server.port), "--keystats", "--top", "3")
    assert done.status == 0
    text = done.out.decode()
    assert "--- Top 3 key sizes ---" in text
    assert re.search(r"^stream +1 +\d+\.\d\d% .* 1$", text, re.MULTILINE)
    assert re.search(r"^string +6 ", text, re.MULTILINE)
    assert 'list       "list:5" has 5 items' in text
    assert re.search(r"^total +15 ", text, re.MULTILINE)
    assert re.search(r" 100\.000% +15$", text, re.MULTILINE)


def test_looking_at_keys_is_no_use_of_them(tmp_path: Path) -> None:
    server = ServerProcess(
        tmp_path, "--save", "", "--maxmemory-policy", "allkeys-lfu", "--lfu-log-factor", "0"
    ).wait_until_ready()
    client = server.connect()
    client.call("SET", "k", "v")
    client.call("ACL", "SETUSER", "u", "on", "nopass", "~*", "+@all", "-client")
    before = client.call("OBJECT", "FREQ", "k")
    place = ("-p", str(server.port))
    for mode in ("--bigkeys", "--memkeys", "--keystats", "--hotkeys"):
        assert run(OURS, *place, mode).status == 0
        assert client.call("OBJECT", "FREQ", "k") == before
    # Who may not ask for that sees them all the same.
    done = run(OURS, *place, "--user", "u", "--pass", "x", "--no-auth-warning", "--bigkeys")
    assert (done.status, done.err) == (0, b"")
    assert b"Sampled 1 keys in the keyspace!" in done.out
    server.stop()


@pytest.mark.parametrize(
    "stdin",
    [
        b"",
        b"PING\r\n" * 3,
        b"*1\r\n$4\r\nPING\r\n*1\r\n$3\r\nFOO\r\nset piped 2\r\n",
        b"PING",
    ],
)
def test_pipe(redis_server: ReferenceServer, stdin: bytes) -> None:
    ours, theirs = both(redis_server, "--pipe", stdin=stdin)
    assert ours == theirs


def test_pipe_carries_much(redis_server: ReferenceServer) -> None:
    count = 50_000
    stdin = b"".join(b"SET piped:%d %d\r\n" % (number, number) for number in range(count))
    done = run(OURS, "-p", str(redis_server.port), "-n", "5", "--pipe", stdin=stdin)
    assert done.out.endswith(b"errors: 0, replies: %d\n" % count)
    names = run(OURS, "-p", str(redis_server.port), "-n", "5", "--scan", "--count", "1000")
    assert len(set(names.out.split())) == count
    redis_server.call("SWAPDB", 5, 15)


def test_pipe_counts_replies_of_all_kinds(redis_server: ReferenceServer) -> None:
    count = 3000
    stdin = b"".join(
        b"SET counted %d\r\nGET counted\r\nGET nokey\r\nSADD counted 1\r\nLRANGE list:3 0 -1\r\n"
        % number
        for number in range(count)
    )
    done = run(OURS, "-p", str(redis_server.port), "-n", "5", "--pipe", stdin=stdin)
    assert done.out.endswith(b"errors: %d, replies: %d\n" % (count, count * 5))
    assert done.err.count(b"WRONGTYPE ") == count
    redis_server.call("EVAL", "redis.call('SELECT', 5) redis.call('FLUSHDB')", 0)


@pytest.mark.parametrize(
    ("options", "count"),
    [((), b"100"), (("-i", "0.001"), b"10"), (("--count", "7"), b"7"), (("--count", "0"), b"0")],
)
def test_how_much_a_scan_asks_for(echo: Echo, options: tuple[str, ...], count: bytes) -> None:
    echo.says[b"scan"] = b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"
    done = run(OURS, "-p", str(echo.port), "--scan", "--pattern", "a*", *options)
    assert done == (0, b"a\n", b"")
    assert echo.heard == [[b"SCAN", b"0", b"MATCH", b"a*", b"COUNT", count]]


def test_pipe_gives_up(redis_server: ReferenceServer) -> None:
    stdin = b"*2\r\n$4\r\nECHO\r\n$999\r\nhalf"
    done = run(OURS, "-p", str(redis_server.port), "--pipe", "--pipe-timeout", "1", stdin=stdin)
    assert done.status == 1
    assert b"No replies for 1 seconds: exiting.\n" in done.err
    assert done.out.endswith(b"errors: 1, replies: 0\n")


@pytest.mark.parametrize("option", ["--rdb", "--functions-rdb"])
def test_snapshots(redis_server: ReferenceServer, option: str, tmp_path: Path) -> None:
    redis_server.call(
        "FUNCTION", "LOAD", "REPLACE",
        "#!lua name=lib\nredis.register_function('f', function() return 1 end)",
    )  # fmt: skip
    files = [tmp_path / name for name in ("ours.rdb", "theirs.rdb")]
    place = ("-p", str(redis_server.port), option)
    ours, theirs = (
        run(program, *place, str(file)) for program, file in zip((OURS, THEIRS), files, strict=True)
    )
    assert ours.status == theirs.status == 0
    without = re.compile(rb"'.*'|\d+ bytes$", re.MULTILINE)
    assert without.sub(b"", ours.err) == without.sub(b"", theirs.err)
    found = run(OURS, "--scan", str(files[0]))
    assert (b"hash\n" in found.out) == (option == "--rdb")
    assert run(OURS, str(files[0]), "fcall", "f", "0") == Outcome(0, b"1\n", b"")


def test_a_snapshot_goes_to_standard_output(redis_server: ReferenceServer) -> None:
    done = run(OURS, "-p", str(redis_server.port), "--rdb", "-")
    assert done.out.startswith(b"REDIS00")
    assert b"Transfer finished with success after %d bytes" % len(done.out) in done.err


def test_a_snapshot_goes_nowhere(redis_server: ReferenceServer) -> None:
    ours, theirs = both(redis_server, "--rdb", "/nosuchfolder/x")
    assert ours == theirs


def test_latency(redis_server: ReferenceServer) -> None:
    for words, form in (
        (("--latency",), rb"\d+ \d+ \d+\.\d\d \d+\n"),
        (("--latency", "--csv"), rb"\d+,\d+,\d+\.\d\d,\d+\n"),
        (
            ("--latency", "--json"),
            rb'\{"min": \d+, "max": \d+, "avg": \d+\.\d\d, "count": \d+\}\n',
        ),
    ):
        ours, theirs = both(redis_server, *words, "-i", "0.1")
        assert ours.status == theirs.status == 0
        assert re.fullmatch(form, ours.out) and re.fullmatch(form, theirs.out)


def test_intrinsic_latency() -> None:
    done = run(OURS, "--intrinsic-latency", "0.2")
    assert done.status == 0
    assert re.match(rb"Max latency so far: \d+ microseconds\.\n", done.out)
    assert re.search(
        rb"\n\n\d+ total runs \(avg latency: \d+\.\d{4} microseconds / \d+\.\d\d nanoseconds per "
        rb"run\)\.\nWorst run took \d+x longer than the average latency\.\n$",
        done.out,
    )


def test_stat(redis_server: ReferenceServer) -> None:
    done = run(OURS, "-p", str(redis_server.port), "--stat", "-r", "2", "-i", "0.05")
    lines = done.out.decode().split("\n")
    assert (
        lines[0] == "------- data ------ --------------------- load -------------------- - child -"
    )
    assert (
        lines[1] == "keys       mem      clients blocked requests            connections          "
    )
    assert re.fullmatch(r"\d+ +\d+\.\d\d[KM] +\d {7}0 {7}\d+ \(\+1\) +\d+ +", lines[3]), lines[3]


def test_clusters_are_handed_over() -> None:
    ours, theirs = (run(program, "--cluster", "help") for program in (OURS, THEIRS))
    assert ours == theirs
    alone = run(OURS, "--cluster", "help", PATH="/nosuchfolder")
    assert alone.status == 1
    assert b"carnelian-fleet starts, grows" in alone.err

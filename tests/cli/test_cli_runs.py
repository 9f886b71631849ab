"""Whole runs beside redis-cli: what they print, where, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.servers import ReferenceServer
from support.waiting import free_port

from .programs import OURS, THEIRS, Outcome, run

RUNS: dict[str, list[str | bytes]] = {
    "raw": ["get", "string:1"],
    "no-raw": ["--no-raw", "hgetall", "hash"],
    "csv": ["--csv", "lrange", "list:3", "0", "-1"],
    "json": ["--json", "hgetall", "hash"],
    "json of RESP2": ["-2", "--json", "hgetall", "hash"],
    "quoted JSON": ["--quoted-json", "get", b'odd \xff"key'],
    "delimiters": ["-d", ";", "-D", "|", "-r", "2", "mget", "string:1", "string:2"],
    "RESP3": ["-3", "--no-raw", "hgetall", "hash"],
    "set of RESP3": ["-3", "--no-raw", "zrange", "zset", "0", "-1", "withscores"],
    "error": ["nosuchcommand"],
    "error without raw": ["--no-raw", "nosuchcommand"],
    "error with status": ["-e", "nosuchcommand"],
    "error of CSV with status": ["-e", "--csv", "nosuchcommand"],
    "no error with status": ["-e", "ping"],
    "text": ["--no-raw", "info", "nosuchsection"],
    "text in JSON": ["--json", "memory", "doctor"],
    "text of clients": ["--no-raw", "latency", "doctor"],
    "database": ["-n", "3", "dbsize"],
    "no such database": ["-n", "99", "ping"],
    "wrong password": ["-a", "x", "ping"],
    "wrong password without a warning": ["-a", "x", "--no-auth-warning", "ping"],
    "wrong user": ["--user", "x", "--pass", "y", "ping"],
    "user without a password": ["--user", "x", "ping"],
    "quoted input": ["--quoted-input", "set", r'"q\x00"', "1"],
    "wrong quotes": ["--quoted-input", "set", '"q', "1"],
    "tag": ["-X", "tag", "set", "tagged", "tag"],
    "missing tag": ["-X", "tag", "set", "tagged", "1"],
    "last": ["-x", "set", "last"],
    "both": ["-x", "-X", "tag", "set", "tagged", "tag"],
    "scan with a pattern": ["--scan", "--pattern", "list:3"],
    "scan with a quoted pattern": ["--scan", "--quoted-pattern", r'"odd \xff*"'],
    "scan for people": ["--no-raw", "--scan", "--pattern", "odd*"],
    "unknown option": ["--nosuchoption"],
    "option without a value": ["-p"],
    "wrong pushes": ["--show-pushes", "x"],
    "pushes": ["-3", "--show-pushes", "yes", "debug", "protocol", "push"],
    "no pushes": ["-3", "debug", "protocol", "push"],
    "stepping without a script": ["--ldb"],
    "shutdown that is refused": ["shutdown", "now", "wrong"],
}  # fmt: skip


def both(server: ReferenceServer, *words: str | bytes, stdin: bytes = b"") -> list[Outcome]:
    """What both programs do."""
    place = ("-p", str(server.port))
    return [run(program, *place, *words, stdin=stdin) for program in (OURS, THEIRS)]


@pytest.mark.parametrize("name", RUNS)
def test_runs(redis_server: ReferenceServer, name: str) -> None:
    ours, theirs = both(redis_server, *RUNS[name], stdin=b"from outside\n")
    assert ours == theirs._replace(err=theirs.err.replace(b"redis-cli", b"carnelian-cli"))


LINES = b"""\
set line 1
get line
"unbalanced

3 incr line
select 2
get line
select 0
multi
get line
exec
'quoted' word
-1 ping
0 ping
auth x y
lrange list:3 0 -1
debug protocol verbatim
quit
get line
"""


@pytest.mark.parametrize("form", ["--raw", "--no-raw", "--csv"])
def test_lines(redis_server: ReferenceServer, form: str) -> None:
    ours, theirs = both(redis_server, form, stdin=LINES)
    assert ours.status == theirs.status == 0
    assert ours.out == theirs.out.replace(b"redis-cli", b"carnelian-cli")
    assert ours.err == theirs.err


@pytest.mark.parametrize(
    "words",
    [("get", "a"), ("-r", "2", "get", "a"), ("--scan",), ("--bigkeys",), ("--pipe",)],
)
def test_nobody_is_there(words: tuple[str, ...]) -> None:
    place = ("-p", str(free_port()))
    ours, theirs = (run(program, *place, *words) for program in (OURS, THEIRS))
    assert (ours.status, ours.err) == (theirs.status, theirs.err)


@pytest.mark.parametrize("words", [("-s", "/nosuchsocket"), ("-h", "nosuch.invalid")])
def test_nowhere(words: tuple[str, ...]) -> None:
    ours, theirs = (run(program, *words, "ping") for program in (OURS, THEIRS))
    assert ours == theirs


def test_urls(redis_server: ReferenceServer) -> None:
    port = redis_server.port
    for url in (f"redis://127.0.0.1:{port}/2", f"redis://u:p@127.0.0.1:{port}", "http://x"):
        ours, theirs = (run(program, "-u", url, "dbsize") for program in (OURS, THEIRS))
        assert ours == theirs


def test_a_password_of_the_environment(redis_server: ReferenceServer) -> None:
    port = str(redis_server.port)
    ours, theirs = (
        run(program, "-p", port, "ping", REDISCLI_AUTH="x") for program in (OURS, THEIRS)
    )
    assert ours == theirs
    assert ours.err.startswith(b"AUTH failed: ERR AUTH <password> called without")


def test_a_script(redis_server: ReferenceServer, tmp_path: Path) -> None:
    script = tmp_path / "script.lua"
    script.write_text("return {KEYS[1], ARGV[1], ARGV[2]}")
    ours, theirs = both(redis_server, "--eval", str(script), "a", "b", ",", "c", "d")
    assert ours == theirs == Outcome(0, b"a\nc\nd\n", b"")
    ours, theirs = both(redis_server, "--eval", "/nosuchscript")
    assert (
        ours
        == theirs
        == Outcome(1, b"", b"Can't open file '/nosuchscript': No such file or directory\n")
    )


def test_nobody_reads(redis_server: ReferenceServer) -> None:
    import subprocess

    words = [*OURS, "-p", str(redis_server.port), "-r", "100000", "ping"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"PONG\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_the_server_goes(tmp_path: Path) -> None:
    server = ReferenceServer(tmp_path, ("--save", ""))
    try:
        ours = run(OURS, "-p", str(server.port), "client", "kill", "type", "normal", "skipme", "no")
        assert ours == Outcome(0, b"1\n", b"")
        assert run(OURS, "-p", str(server.port), "shutdown", "nosave") == Outcome(0, b"", b"")
    finally:
        server.stop()

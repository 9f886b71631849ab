"""How servers are reached: redirections, TLS, sockets, replication."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.peers import ServerProcess
from support import certificates
from support.servers import ReferenceServer
from support.waiting import free_port

from .programs import OURS, THEIRS, Echo, Outcome, run

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start carnelian-server with arguments."""
    servers: list[ServerProcess] = []

    def begin(*arguments: str) -> ServerProcess:
        servers.append(ServerProcess(tmp_path, "--save", "", *arguments))
        return servers[-1].wait_until_ready()

    yield begin
    for server in servers:
        server.stop()


def test_redirections() -> None:
    there = Echo(get=b"$5\r\nthere\r\n", asking=b"+OK\r\n")
    moved = Echo(get=b"-MOVED 7 127.0.0.1:%d\r\n" % there.port)
    asked = Echo(get=b"-ASK 7 127.0.0.1:%d\r\n" % there.port)
    place = ("-p", str(moved.port))
    assert run(OURS, *place, "-c", "get", "x") == Outcome(0, b"there\n", b"")
    assert run(OURS, *place, "-c", "--no-raw", "get", "x").out == (
        b'-> Redirected to slot [7] located at 127.0.0.1:%d\n"there"\n' % there.port
    )
    assert run(OURS, *place, "get", "x").out.startswith(b"MOVED 7 127.0.0.1:")
    there.heard.clear()
    assert run(OURS, "-p", str(asked.port), "-c", "get", "x").out == b"there\n"
    assert there.heard == [[b"ASKING"], [b"get", b"x"]]
    for each in (there, moved, asked):
        each.close()


def test_redirections_without_an_end() -> None:
    here = Echo()
    here.says[b"get"] = b"-MOVED 7 127.0.0.1:%d\r\n" % here.port
    done = run(OURS, "-p", str(here.port), "-c", "get", "x")
    assert done.out == b"MOVED 7 127.0.0.1:%d\n\n" % here.port
    here.close()


def test_tls_and_a_socket(start: Start, tmp_path: Path) -> None:
    folder = certificates.make(tmp_path)
    port = free_port()
    start(
        "--tls-port", str(port), "--unixsocket", str(tmp_path / "s"),
        "--tls-cert-file", str(folder / "server.crt"), "--tls-key-file", str(folder / "server.key"),
        "--tls-ca-cert-file", str(folder / "ca.crt"),
    )  # fmt: skip
    identity = ("--cert", str(folder / "client.crt"), "--key", str(folder / "client.key"))
    place = ("-p", str(port), "--tls")
    trust = ("--cacert", str(folder / "ca.crt"))
    assert run(OURS, *place, *trust, *identity, "ping") == Outcome(0, b"PONG\n", b"")
    assert run(OURS, *place, "--insecure", *identity, "ping").out == b"PONG\n"
    url = f"rediss://127.0.0.1:{port}"
    assert run(OURS, "-u", url, *trust, *identity, "ping").out == b"PONG\n"
    refused = run(OURS, *place, *identity, "ping")
    assert refused.status == 1
    connecting = b"Could not connect to Redis at 127.0.0.1:%d: SSL_connect failed: " % port
    assert refused.err.startswith(connecting + b"certificate verify failed: ")
    assert b"_ssl.c" not in refused.err and b"[" not in refused.err
    nobody = run(OURS, *place, *trust, "ping")
    assert nobody.status == 1
    assert nobody.err == b"Error: tlsv13 alert certificate required\n"
    wrong = run(OURS, *place, "--cacert", str(folder / "server.key"), "ping")
    assert (wrong.status, wrong.err) == (
        1,
        b"Could not negotiate a TLS connection: authorities in %s: no certificate or crl found\n"
        % os.fsencode(folder / "server.key"),
    )
    missing = run(OURS, *place, *trust, "--cert", "/nosuch", "--key", "/nosuch", "ping")
    assert missing.status == 1
    assert b"No such file or directory" in missing.err
    assert run(OURS, *place, *trust, *identity, "--pipe", stdin=b"ping\r\n" * 1000).out.endswith(
        b"errors: 0, replies: 1000\n"
    )
    assert run(OURS, "-s", str(tmp_path / "s"), "ping").out == b"PONG\n"
    assert run(OURS, "-u", f"unix://{tmp_path}/s", "ping").out == b"PONG\n"


@pytest.mark.parametrize("form", ["--raw", "--no-raw", "--csv", "--json"])
def test_messages(redis_server: ReferenceServer, form: str) -> None:
    """What a subscriber writes until it is ended."""
    written = []
    for program in (OURS, THEIRS):
        words = [*program, "-p", str(redis_server.port), form, "subscribe", "a", "b"]
        # Standard output of a C program is not written before it is full.
        words = ["stdbuf", "-oL", *words]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            stop = threading.Timer(30, process.kill)
            stop.start()
            lines = _until(process, b"2")
            redis_server.call("PUBLISH", "b", "news")
            lines += _until(process, b"news")
            stop.cancel()
            process.terminate()
        written.append(lines)
    assert written[0] == written[1]


def _until(process: subprocess.Popen[bytes], end: bytes) -> list[bytes]:
    assert process.stdout is not None
    lines: list[bytes] = []
    while not lines or end not in lines[-1].rstrip(b"\n]"):
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    return lines


def test_a_replica(redis_server: ReferenceServer) -> None:
    words = [*OURS, "-p", str(redis_server.port), "--replica"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None and process.stdout is not None
        stop = threading.Timer(30, process.kill)
        stop.start()
        while b"REPLCONF ACK" not in (line := process.stderr.readline()):
            assert line
        redis_server.call("SET", "replicated", "1")
        lines = [b""]
        while b"replicated" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1]
        stop.cancel()
        process.terminate()


def test_input_that_is_asked_for() -> None:
    server = Echo(auth=b"+OK\r\n", ping=b"+PONG\r\n")
    done = run(OURS, "-p", str(server.port), "--askpass", "ping", stdin=b"secret\n")
    assert (done.status, done.out) == (0, b"PONG\n")
    assert server.heard[0] == [b"AUTH", b"secret"]
    server.close()


def test_what_is_not_loaded() -> None:
    """A command is answered without what only other tasks need."""
    server = Echo(ping=b"+PONG\r\n")
    program = (
        "import sys\nfrom carnelian.tools.cli.cli_program import main\n"
        f"main(['-p', '{server.port}', 'ping'])\nprint(*sys.modules)"
    )
    run_ = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = run_.stdout.split()
    heavy = ("ssl", "json", "argparse", "prompt_toolkit", "readline", "dataclasses", "logging")
    assert "carnelian.tools.cli.one_command" in loaded
    assert [name for name in (*heavy, "carnelian.engine", "lupa") if name in loaded] == []
    server.close()

"""The console as a process beside the server, and as a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.peers import ServerProcess
from support import certificates
from support.waiting import free_port, wait_for

from .browsing import Browser
from .conftest import Console, StartConsole
from .programs import MODULE, program


def child_of(pid: int) -> int:
    """The process of the console that a server has started; 0 if there is none."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0
    for child in children:
        if MODULE.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def answers(port: int) -> bool:
    try:
        return Browser(port).get("/health").status == 200
    except OSError:
        return False


def test_it_is_started_again_when_it_dies(console: Console) -> None:
    pid = child_of(console.server.process.pid)
    os.kill(pid, signal.SIGKILL)
    # Nobody finds the port closed meanwhile: who comes now is served by the next one.
    wait_for(lambda: child_of(console.server.process.pid) not in (0, pid))
    wait_for(lambda: answers(console.port))
    log = console.server.log
    assert "The console has ended (status -9), and is started again in 0.5 seconds" in log


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_server(start: StartConsole, end: signal.Signals) -> None:
    console = start()
    pid = child_of(console.server.process.pid)
    assert alive(pid)
    os.kill(console.server.process.pid, end)
    wait_for(lambda: not alive(pid))


def test_it_is_turned_on_moved_and_turned_off(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, "--save", "").wait_until_ready()
    try:
        client = server.connect()
        first, second = free_port(), free_port()
        assert child_of(server.process.pid) == 0
        assert client.call("CONFIG", "SET", "console-port", first) == b"+OK"
        wait_for(lambda: answers(first))
        # An alias names the same.
        assert client.call("CONFIG", "SET", "console", second) == b"+OK"
        wait_for(lambda: answers(second))
        assert not answers(first)
        reply = client.call("CONFIG", "SET", "console-port", server.port)
        assert reply.endswith(b"Unable to listen on this port. Check server logs.")
        wait_for(lambda: answers(second))
        assert client.call("CONFIG", "SET", "console-port", 0) == b"+OK"
        assert not answers(second)
        assert child_of(server.process.pid) == 0
    finally:
        server.stop()


def test_a_port_that_is_taken_keeps_the_server_from_starting(
    console: Console, tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path, "--save", "", "--console", str(console.port))
    assert server.process.wait(20) == 1
    assert f"Failed listening on port {console.port} (console), aborting." in server.log


def test_it_follows_the_server_to_another_port(start: StartConsole) -> None:
    console = start()
    client = console.client()
    port = free_port()
    assert client.call("CONFIG", "SET", "port", port) == b"+OK"
    wait_for(lambda: answers(console.port))
    assert console.entered().call("/api/about")["address"] == f"127.0.0.1:{port}"


def test_it_comes_by_the_unix_socket_if_there_is_one(start: StartConsole, tmp_path: Path) -> None:
    console = start("--unixsocket", str(tmp_path / "s"))
    assert console.entered().call("/api/about")["address"] == str(tmp_path / "s")


def test_it_comes_by_tls_where_there_is_nothing_else(tmp_path: Path) -> None:
    files = certificates.make(tmp_path)
    secure, port = free_port(), free_port()
    server = ServerProcess(
        tmp_path,
        "--save", "", "--tls-port", str(secure), "--console-port", str(port),
        "--tls-cert-file", str(files / "server.crt"), "--tls-key-file", str(files / "server.key"),
        "--tls-ca-cert-file", str(files / "ca.crt"),
        port=0,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(port))
        browser = Browser(port)
        assert browser.log_in().status == 200
        assert browser.call("/api/about")["address"] == f"127.0.0.1:{secure}"
    finally:
        server.stop()


def test_a_server_without_a_console_knows_nothing_of_it(tmp_path: Path) -> None:
    program = (
        "import sys; from carnelian.server import server; "
        "print([name for name in sys.modules if 'console' in name.replace('web_console', '')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_it_looks_at_any_redis(redis_server) -> None:
    with program(f"redis://127.0.0.1:{redis_server.port}") as (browser, line):
        assert line == (
            f"127.0.0.1:{redis_server.port} is shown at http://127.0.0.1:{browser.port}/ "
            "(Ctrl-C ends it)\n"
        )
        browser.log_in()
        told = browser.call("/api/about")
        assert (told["name"], told["version"]) == ("redis", told["redis_version"])
        assert browser.edit("key.create", "k", type="hash", field="f", value="v").status == 200
        # It knows no fields that expire.
        (item,) = browser.value("k")["items"]
        assert (item["field"], item["value"], item["ttl"]) == ("f", "v", None)
        settings = {s["name"]: s for s in browser.call("/api/settings")["settings"]}
        assert settings["maxmemory"]["summary"]
        assert "default" not in settings["maxmemory"]
        browser.call("/api/figures")
        assert browser.get("/ready").text == "ready\n"
        assert "redis_up 1\n" in browser.get("/metrics").text


def test_the_link_that_is_printed_logs_in(start: StartConsole) -> None:
    port = start("--requirepass", "sesame").server.port
    for arguments, environment in (
        ((f"redis://:sesame@127.0.0.1:{port}",), {}),
        ((f"127.0.0.1:{port}",), {"REDISCLI_AUTH": "sesame"}),
    ):
        with program(*arguments, **environment) as (browser, line):
            assert "sesame" not in line
            assert browser.log_in().status == 401
            assert browser.post("/api/login", {"key": "x"}).status == 401
            key = line.partition("#key=")[2].partition(" ")[0]
            answer = browser.post("/api/login", {"key": key})
            assert (answer.status, answer.json["user"]) == (200, "default")


def test_a_server_that_is_away_is_told_of() -> None:
    with program(f"127.0.0.1:{free_port()}") as (browser, _):
        assert browser.get("/health").status == 503
        assert browser.get("/ready").status == 503
        assert browser.log_in().status == 502
        answer = browser.get("/metrics")
        assert answer.status == 200
        assert "\nredis_up 0\n" in answer.text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://x", "http:// is none of redis://, rediss://, unix://"),
        ("redis://h:99999", "the port is no number from 0 to 65535"),
        ("unix://", "unix:// needs the path of a socket"),
    ],
)
def test_urls_that_are_none(url: str, reason: str) -> None:
    run = subprocess.run([sys.executable, "-m", MODULE, url], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (2, f"carnelian console: {url}: {reason}\n")


def test_a_silent_server_does_not_hold_the_console_up(console: Console) -> None:
    client = console.client()
    client.send(b"DEBUG SLEEP 1\r\n")
    began = time.monotonic()
    assert console.browser().get("/app.js").status == 200
    assert time.monotonic() - began < 0.9
    assert client.reply() == b"+OK"

"""Checks the Carnelian that is installed where it runs: a few seconds' use of all of it.

    python scripts/check_install.py

Needed are redis-py and pytest. With $REDIS_CLI, a path, the server is asked by redis-cli as well.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(sysconfig.get_path("scripts"))
PREFIX = Path(sysconfig.get_path("data"))

PYTEST = """
def test_session(carnelian_engine, carnelian_redis):
    carnelian_redis.set("session", "x", ex=1800)
    carnelian_engine.clock.advance(1_800_001)
    assert carnelian_redis.get("session") is None
"""


def main() -> int:
    """Run the checks; an assertion that does not hold ends them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for check in (check_files, check_readme, check_plugin, check_programs, check_server):
            check()
            print(f"{check.__name__.removeprefix('check_')}: ok", flush=True)
    return 0


def check_files() -> None:
    """Manual pages and completions are where shells and man look; units are there to be copied."""
    for name in (
        "share/carnelian/carnelian.conf",
        "share/carnelian/carnelian-server.service",
        "share/man/man1/carnelian-server.1",
        "share/man/man5/carnelian.conf.5",
        "share/bash-completion/completions/carnelian-server",
        "share/zsh/site-functions/_carnelian-server",
        "share/fish/vendor_completions.d/carnelian-server.fish",
    ):
        assert (PREFIX / name).is_file(), name


def check_readme() -> None:
    """The first examples of the README, which stands in the metadata of the package."""
    text = importlib.metadata.metadata("carnelian").json["description"]
    blocks = re.findall(r"^```python\n(.*?)^```$", str(text), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks[:2]:
        exec(block, {"__name__": "readme"})
    assert Path("app.db").exists()


def check_plugin() -> None:
    """pytest finds the plugin by itself."""
    Path("test_plugin.py").write_text(PYTEST)
    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_plugin.py")


def check_programs() -> None:
    """Each program of the package starts."""
    entries = importlib.metadata.distribution("carnelian").entry_points
    programs = sorted(entry.name for entry in entries if entry.group == "console_scripts")
    assert "carnelian-server" in programs
    for program in programs:
        run(str(SCRIPTS / program), "--version")


def check_server() -> None:
    """A server serves, saves, and goes on with what it has saved."""
    for starter in ([str(SCRIPTS / "carnelian-server")], [sys.executable, "-m", "carnelian"]):
        with server(starter) as port:
            greet(port)
    with server([str(SCRIPTS / "carnelian"), "server"]) as port:
        assert ask(port, b"EXISTS greeting\r\n") == b":1\r\n"


def greet(port: int) -> None:
    """Set and get a key, and run a script."""
    if client := os.environ.get("REDIS_CLI"):
        cli = (client, "-p", str(port))
        assert run(*cli, "set", "greeting", "hello") == "OK\n"
        assert run(*cli, "get", "greeting") == "hello\n"
    assert ask(port, b"SET greeting hello\r\n") == b"+OK\r\n"
    assert ask(port, b"GET greeting\r\n") == b"$5\r\nhello\r\n"
    assert ask(port, b'EVAL "return 6 * 7" 0\r\n') == b":42\r\n"


@contextlib.contextmanager
def server(starter: list[str]) -> Iterator[int]:
    """A server of this folder, with its port; at the end it has to go in peace."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [*starter, "--port", str(port), "--bind", "127.0.0.1", "--loglevel", "warning"]
    process = subprocess.Popen(words)
    try:
        wait(process, port)
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when it answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        with contextlib.suppress(OSError):
            assert ask(port, b"PING\r\n") == b"+PONG\r\n"
            return
        time.sleep(0.05)
    raise AssertionError("the server does not answer")


def ask(port: int, request: bytes) -> bytes:
    """The reply to one request."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(1024)


def run(*command: str) -> str:
    """What a program prints, which has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())

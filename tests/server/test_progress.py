"""How far a load has come, on a terminal and in the log."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from carnelian.server.system import progress
from carnelian.server.system.progress import Progress
from support.waiting import free_port, wait_for

from .conftest import Start

KEYS = 2000
# Microseconds to load one of them, so that it takes a second.
DELAY = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"]
# A bar is drawn over after the line was cleared; colours are of no interest.
CLEARED = re.compile(rb"\r?\x1b\[2K|\r\n")
COLOURS = re.compile(rb"\x1b\[[\d;]*m|\x1b\[\d*A|\x1b\[\?25[lh]")
LOG_LINE = re.compile(rb"\d+:[MC] \d\d \w{3} \d{4} [\d:.]+ [.*#-] ")


@pytest.fixture
def snapshot(start: Start, tmp_path: Path) -> Path:
    """A file of so many keys."""
    server = start()
    client = server.connect()
    for number in range(KEYS):
        client.call("SET", b"key:%d" % number, b"x" * 20)
    assert client.call("SAVE") == b"+OK"
    return server.directory / "dump.rdb"


def run_on_terminal(arguments: list[str], folder: Path, until: bytes) -> bytes:
    """What a program writes to a terminal until it has written something; it is ended then."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    output = b""
    try:
        while True:
            data = os.read(ours, 65536)
            output += data
            if until in output and program.poll() is None:
                program.terminate()
    except OSError:
        pass  # The other end is closed.
    finally:
        program.wait(20)
        os.close(ours)
    return output


def lines(output: bytes) -> list[bytes]:
    """The lines of a terminal, with each state of those that were written over."""
    return [COLOURS.sub(b"", line).strip(b"\r") for line in CLEARED.split(output)]


def test_a_terminal_has_a_bar_that_spoils_no_line(snapshot: Path):
    output = run_on_terminal(
        ["carnelian", "--port", str(free_port()), "--save", "", *DELAY],
        snapshot.parent,
        b"Ready to accept",
    )
    shown = lines(output)
    bars = [line for line in shown if line.startswith(b"Loading ") and b"%" in line]
    assert bars
    (end,) = [line for line in shown if b"DB loaded from disk" in line]
    assert LOG_LINE.match(end)
    assert all(LOG_LINE.match(line) for line in shown if b" * " in line)
    # The cursor is there again.
    assert output.rindex(b"\x1b[?25h") > output.rindex(b"\x1b[?25l")


def test_without_rich_lines_take_the_place_of_the_bar(
    monkeypatch: pytest.MonkeyPatch,
):
    told: list[str] = []
    monkeypatch.setattr(progress, "_terminal", lambda: sys.stdout)
    monkeypatch.setattr(progress, "_SOON", 0.0)
    monkeypatch.setattr(progress, "_LINE_INTERVAL", 0.0)
    monkeypatch.setitem(sys.modules, "rich", None)
    with Progress("Loading", told.append) as shown:
        shown.show(1 << 20, 4 << 20)
        shown.show(2 << 20, 4 << 20)
    assert told == ["Loading: 50.0% of 4.0 MB after 0 seconds, 0 seconds left"]


def test_what_takes_no_time_is_not_shown():
    told: list[str] = []
    with Progress("Loading", told.append) as shown:
        shown.show(1, 2)
    assert told == []


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "dumb")
    with os.fdopen(theirs, "w") as terminal:
        assert progress._make_bar(terminal, "Loading") is None
        monkeypatch.setenv("TERM", "xterm")
        assert progress._make_bar(terminal, "Loading") is not None
    os.close(ours)


def test_info_tells_of_a_load(snapshot: Path, start: Start):
    server = start("--dir", str(snapshot.parent), *DELAY, wait=False)
    wait_for(lambda: "Loading RDB produced by" in server.log)
    text = server.connect().call("INFO", "persistence").decode()
    fields = dict(line.split(":") for line in text.splitlines() if ":" in line)
    assert fields["loading"] == "1"
    assert fields["async_loading"] == "0"
    names = [name for name in fields if name.startswith("loading_")]
    assert names == [
        "loading_start_time",
        "loading_total_bytes",
        "loading_rdb_used_mem",
        "loading_loaded_bytes",
        "loading_loaded_perc",
        "loading_eta_seconds",
    ]
    assert int(fields["loading_total_bytes"]) == snapshot.stat().st_size

"""Commands that are typed while others run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.waiting import wait_for

from .browsing import Browser
from .conftest import Console


class Typed:
    """A command that was typed, and has not been answered yet."""

    def __init__(self, browser: Browser, line: str):
        self.reply: Any = None
        self._thread = threading.Thread(target=self._run, args=(browser, line))
        self._thread.start()

    def _run(self, browser: Browser, line: str) -> None:
        self.reply = browser.call("/api/typed", line=line)["reply"]

    def answered(self) -> Any:
        """The reply, once it is there."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.reply


@pytest.fixture
def waiting(console: Console, browser: Browser) -> Iterator[Typed]:
    """A BLPOP that waits for an element of ``l``."""
    typed = Typed(browser, "BLPOP l 0")
    client = console.client()
    wait_for(lambda: b"blocked_clients:1" in client.call("INFO", "clients"))
    yield typed
    client.call("RPUSH", "l", "end")
    typed.answered()


@pytest.mark.parametrize(
    ("line", "kill", "killed"),
    [
        ("EVAL 'while true do end' 0", "SCRIPT KILL", "ERR Error running script: Script killed"),
        ("FCALL forever 0", "function kill", "ERR Error running script: Script killed"),
    ],
)
def test_a_script_is_killed_where_it_was_typed(
    console: Console, browser: Browser, line: str, kill: str, killed: str
) -> None:
    client = console.client()
    code = "#!lua name=l\nredis.register_function('forever', function() while true do end end)"
    client.call("FUNCTION", "LOAD", "REPLACE", code)
    typed = Typed(browser, line)
    wait_for(lambda: str(client.call("PING")).startswith("b'-BUSY"))
    began = time.monotonic()
    assert browser.call("/api/typed", line=kill)["reply"] == {"status": "OK"}
    assert time.monotonic() - began < 5
    assert "killed" in typed.answered()["error"]


def test_others_do_not_wait(browser: Browser, waiting: Typed) -> None:
    began = time.monotonic()
    assert browser.call("/api/typed", line="SET k 1")["reply"] == {"status": "OK"}
    assert time.monotonic() - began < 5
    assert browser.call("/api/typed", line="RPUSH l a")["reply"] == 1
    assert waiting.answered() == ["l", "a"]


def test_they_are_in_the_same_database(console: Console, browser: Browser) -> None:
    client = console.client()
    assert browser.call("/api/typed", line="SELECT 3")["db"] == 3
    typed = Typed(browser, "BLPOP l 0")
    wait_for(lambda: b"blocked_clients:1" in client.call("INFO", "clients"))
    told = browser.call("/api/typed", line="RPUSH l a")
    assert (told["reply"], told["db"]) == (1, 3)
    assert typed.answered() == ["l", "a"]


def test_what_a_connection_remembers_waits_for_it(
    console: Console, browser: Browser, waiting: Typed
) -> None:
    later = Typed(browser, "SELECT 2")
    time.sleep(1.5)
    assert later.reply is None
    assert browser.call("/api/typed", line="RPUSH l a")["reply"] == 1
    assert later.answered() == {"status": "OK"}
    assert browser.call("/api/typed", line="PING")["db"] == 2


def test_a_transaction_goes_on_where_it_began(console: Console, browser: Browser) -> None:
    """The server is busy for longer than the next command waits for its turn."""
    client = console.client()
    browser.call("/api/typed", line="PING")
    client.send(b"DEBUG SLEEP 2\r\n")
    lines = ["MULTI", "SET k 1", "INCR k", "EXEC"]
    typed = []
    for line in lines:
        typed.append(Typed(browser, line))
        time.sleep(0.1)
    assert [one.answered() for one in typed[:3]] == [
        {"status": "OK"}, {"status": "QUEUED"}, {"status": "QUEUED"},
    ]  # fmt: skip
    assert typed[3].answered() == [{"status": "OK"}, 2]


def test_not_too_many_at_a_time(console: Console, browser: Browser) -> None:
    client = console.client()
    typed = [Typed(browser, "BLPOP l 0") for _ in range(9)]
    wait_for(lambda: b"blocked_clients:9" in client.call("INFO", "clients"))
    answer = browser.post("/api/typed", {"line": "PING"})
    assert (answer.status, answer.json["error"]) == (
        502,
        "9 commands are running that were typed here.",
    )
    for _ in typed:
        client.call("RPUSH", "l", "x")
    assert [one.answered() for one in typed] == [["l", "x"]] * 9

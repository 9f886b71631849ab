"""What the console does when its own connections to the server end, and with odd requests."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest

from carnelian.tools.console import console_server
from carnelian.tools.console.link.server_address import parse_url

from .browsing import Browser
from .conftest import Console
from .test_console_access import SECRET
from .test_console_access import guarded as guarded  # a server with a password


def test_a_connection_made_anew_is_in_no_other_database(guarded: Console) -> None:
    client = guarded.client()
    client.call("AUTH", SECRET)
    client.call("FLUSHALL")
    client.call("ACL", "SETUSER", "keeper", "on", ">secret", "~*", "&*", "+@all")
    client.call("SET", "k", "of 0")
    browser = guarded.browser()
    assert browser.log_in("keeper", "secret").status == 200
    assert browser.call("/api/keys", match="*", db=5)["keys"] == []
    client.call("ACL", "SETUSER", "keeper", "-select")
    client.call("CLIENT", "KILL", "USER", "keeper")
    answer = browser.edit("key.delete", "k", db=5)
    assert answer.status != 200
    assert client.call("GET", "k") == b"of 0"


def test_a_transaction_ends_with_its_connection(console: Console, browser: Browser) -> None:
    client = console.client()
    assert browser.call("/api/typed", line="MULTI")["reply"] == {"status": "OK"}
    assert browser.call("/api/typed", line="SET k 1")["reply"] == {"status": "QUEUED"}
    client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert browser.post("/api/typed", {"line": "SET k 2"}).status == 502
    assert client.call("EXISTS", "k") == 0
    assert browser.call("/api/typed", line="SET k 3")["reply"] == {"status": "OK"}


def test_a_select_that_is_discarded_selects_nothing(browser: Browser) -> None:
    for line in ("MULTI", "SELECT 5", "DISCARD"):
        browser.call("/api/typed", line=line)
    assert browser.call("/api/typed", line="PING")["db"] == 0
    for line in ("MULTI", "SELECT 5"):
        browser.call("/api/typed", line=line)
    assert browser.call("/api/typed", line="EXEC")["db"] == 5


def test_the_last_element_is_renamed_without_the_end_of_its_key(
    console: Console, browser: Browser
) -> None:
    client = console.client()
    client.call("HSET", "h", "f", "v")
    client.call("SADD", "s", "a")
    for key in ("h", "s"):
        client.call("EXPIRE", key, 100)
    [item] = browser.value("h")["items"]
    version = item["version"]
    edited = browser.edit("hash.set", "h", field="g", value="v", old="f", version=version)
    assert edited.status == 200, edited.text
    assert browser.edit("set.add", "s", value="b", old="a").status == 200
    assert client.call("HGETALL", "h") == [b"g", b"v"]
    assert client.call("SMEMBERS", "s") == [b"b"]
    for key in ("h", "s"):
        assert 90 <= client.call("TTL", key) <= 100  # type: ignore[operator]


def test_cookies_of_others_do_not_hide_ours(browser: Browser) -> None:
    browser.cookie = f'prefs={{"a": 1}}; {browser.cookie}; broken'
    assert browser.call("/api/typed", line="PING")["reply"] == {"status": "PONG"}


@pytest.mark.parametrize("length", ["\u00b2", "9" * 5000])
def test_lengths_that_are_no_numbers(browser: Browser, length: str) -> None:
    answer = browser.request(
        "POST", "/api/typed", headers={"Content-Length": length, "Content-Type": "application/json"}
    )
    assert answer.status in (411, 413)


def test_a_request_that_comes_drop_by_drop(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server in this process, whose patience ends soon."""
    monkeypatch.setattr(console_server, "_PATIENCE", 1.0)
    monkeypatch.setattr(console_server.ConsoleHandler, "timeout", 30.0)
    listening = socket.create_server(("127.0.0.1", 0))
    state = console_server.ConsoleState(parse_url(f"redis://127.0.0.1:{console.server.port}")[0])
    server = console_server.ConsoleServer(listening, state)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        with socket.create_connection(listening.getsockname(), timeout=10) as slow:
            began = time.monotonic()
            slow.sendall(b"GET / HTTP/1.1\r\nX: ")
            with suppress(OSError):
                while time.monotonic() < began + 10:
                    slow.sendall(b"x")
                    slow.settimeout(0.1)
                    with suppress(TimeoutError):
                        if not slow.recv(1000):
                            break
            assert 0.9 < time.monotonic() - began < 9
    finally:
        server.shutdown()
        server.server_close()


def test_strangers_may_send_little(console: Console) -> None:
    body = b'{"password": "%b"}' % (b"x" * 200_000)
    assert console.browser().post("/api/login", body).status == 401

"""Connections that say nothing, and requests without an end: there is a place for probes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from carnelian.tools.console.access.connection_slots import ConnectionSlots
from carnelian.tools.console.console_server import MOST_CONNECTIONS

from .browsing import Browser
from .conftest import Console


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Connections, from both sides."""
    made = [socket.socketpair() for _ in range(5)]
    yield made
    for pair in made:
        for sock in pair:
            sock.close()


def test_the_longest_silent_makes_room(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    ours = [pair[0] for pair in pairs]
    now = 0.0
    slots = ConnectionSlots(2, 1, lambda: now)
    for sock in ours[:3]:
        now += 1
        assert slots.take(sock)
    now += 1
    slots.await_request(ours[0])
    assert slots.take(ours[3])
    assert pairs[1][1].recv(1) == b""
    pairs[0][1].setblocking(False)
    with pytest.raises(BlockingIOError):
        pairs[0][1].recv(1)


def test_the_last_places_are_for_probes(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    ours = [pair[0] for pair in pairs]
    slots = ConnectionSlots(2, 1)
    assert [slots.take(sock) for sock in ours[:3]] == [True] * 3
    assert [slots.begin_answer(sock) for sock in ours[:3]] == [True, True, False]
    assert not slots.take(ours[3])
    slots.leave(ours[0])
    assert slots.take(ours[3])
    slots.await_request(ours[1])
    assert slots.begin_answer(ours[3])


def test_probes_are_answered_beside_silent_connections(console: Console) -> None:
    with ExitStack() as silent:
        for _ in range(200):
            sock = socket.create_connection(("127.0.0.1", console.port), timeout=10)
            silent.enter_context(sock)
        began = time.monotonic()
        for path in ("/health", "/ready", "/metrics", "/"):
            assert console.browser().get(path).status == 200
        assert time.monotonic() - began < 5


def test_probes_are_answered_beside_taps(console: Console) -> None:
    """All usual places are taken by requests that go on."""
    body = b'{"kind": "messages", "channels": ["c"]}'
    browsers: list[Browser] = []
    with ExitStack() as taps:
        for number in range(MOST_CONNECTIONS):
            if number % 4 == 0:
                browsers.append(console.entered())
            browser = browsers[-1]
            head = (
                f"POST /api/tap HTTP/1.1\r\nHost: 127.0.0.1:{browser.port}\r\n"
                f"Origin: http://127.0.0.1:{browser.port}\r\nContent-Type: application/json\r\n"
                f"Cookie: {browser.cookie}\r\nX-CSRF-Token: {browser.csrf}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            sock = socket.create_connection(("127.0.0.1", console.port), timeout=20)
            taps.enter_context(sock)
            sock.sendall(head.encode() + body)
            assert sock.recv(12) == b"HTTP/1.1 200"
        refused = console.browser().get("/")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json == {"error": "The console has too many connections."}
        for path in ("/health", "/ready", "/metrics"):
            assert console.browser().get(path).status == 200
    for browser in browsers:
        browser.post("/api/logout")

"""Keys that other nodes of a cluster have, or are about to have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from support.waiting import free_port, wait_for

from .browsing import Browser
from .programs import program


class Node:
    """One node of a cluster; ``call`` gives what a status says, without its sign."""

    def __init__(self, port: int, client: Any):
        self.place = f"127.0.0.1:{port}"
        self._client = client

    def call(self, *words: Any) -> Any:
        reply = self._client.call(*words)
        return reply.removeprefix(b"+") if isinstance(reply, bytes) else reply


Pair = tuple[Node, Node]


def _nodes(request: pytest.FixtureRequest, buses: list[int]) -> Iterator[Node]:
    for bus in buses:
        options = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
        if request.param == "redis":
            peer = request.getfixturevalue("start_redis")("--save", "", *options)
            yield Node(peer.port, peer)
        else:
            console = request.getfixturevalue("start")(*options)
            yield Node(console.server.port, console.client())


@pytest.fixture(params=["ours", "redis"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Two nodes that share the slots: servers of ours, or redis-servers."""
    buses = [free_port(), free_port()]
    first, second = _nodes(request, buses)
    first.call("CLUSTER", "ADDSLOTSRANGE", 0, 9999)
    second.call("CLUSTER", "ADDSLOTSRANGE", 10000, 16383)
    first.call("CLUSTER", "MEET", *second.place.split(":"), buses[1])
    wait_for(
        lambda: all(b"cluster_state:ok" in node.call("CLUSTER", "INFO") for node in (first, second))
    )
    return first, second


@pytest.fixture
def browser(pair: Pair) -> Iterator[Browser]:
    """A browser that looks at the first node."""
    with program(pair[0].place) as (browser, _):
        browser.log_in()
        yield browser


def move_bar(pair: Pair) -> None:
    """Begin to move the slot of ``bar`` from the first node to the second one."""
    first, second = pair
    names = [node.call("CLUSTER", "MYID").decode() for node in pair]
    assert second.call("CLUSTER", "SETSLOT", 5061, "IMPORTING", names[0]) == b"OK"
    assert first.call("CLUSTER", "SETSLOT", 5061, "MIGRATING", names[1]) == b"OK"


def migrate(pair: Pair, *keys: str) -> Any:
    host, port = pair[1].place.split(":")
    return pair[0].call("MIGRATE", host, port, "", 0, 5000, "KEYS", *keys)


def test_keys_of_other_nodes(pair: Pair, browser: Browser) -> None:
    """``foo`` is in slot 12182, which the second node has; ``bar`` in 5061, of the first."""
    assert browser.edit("key.create", "foo", value="1").status == 200
    assert browser.value("foo")["value"] == "1"
    told = browser.call("/api/typed", line="INCR foo")
    assert (told["reply"], told["node"]) == (2, pair[1].place)
    told = browser.call("/api/typed", line="SET bar x")
    assert (told["reply"], told["node"]) == ({"status": "OK"}, None)
    assert browser.call("/api/keys", match="*")["keys"] == [["bar", "string"]]
    assert browser.call("/api/keys/delete", keys=["foo", "none", "bar"]) == {"done": 2}


def test_keys_of_a_slot_that_moves(pair: Pair, browser: Browser) -> None:
    first, second = pair
    first.call("SET", "{bar}1", "here")
    move_bar(pair)
    # What is there still is looked at there, what is not is made where it will be.
    assert browser.value("{bar}1")["value"] == "here"
    assert browser.edit("key.create", "bar", type="hash", field="f", value="v").status == 200
    assert first.call("EXISTS", "{bar}1") == 1
    assert second.call("CLUSTER", "COUNTKEYSINSLOT", 5061) == 1
    (item,) = browser.value("bar")["items"]
    assert (item["field"], item["value"]) == ("f", "v")
    edited = browser.edit("hash.set", "bar", field="f", value="w", version=item["version"])
    assert edited.status == 200, edited.text
    (item,) = browser.value("bar")["items"]
    assert item["value"] == "w"
    told = browser.call("/api/typed", line="HGET bar f")
    assert (told["reply"], told["node"]) == ("w", second.place)
    assert browser.call("/api/keys/delete", keys=["{bar}1", "bar"]) == {"done": 2}


def test_keys_that_are_on_their_way(pair: Pair, browser: Browser) -> None:
    first, _ = pair
    for number in (1, 2):
        first.call("SET", f"{{bar}}{number}", number)
    move_bar(pair)
    assert migrate(pair, "{bar}1") == b"OK"
    timer = threading.Timer(0.3, migrate, (pair, "{bar}2"))
    timer.start()
    told = browser.call("/api/typed", line="MGET {bar}1 {bar}2")
    timer.join()
    assert (told["reply"], told["node"]) == (["1", "2"], pair[1].place)


def test_a_script_is_killed_on_the_node_where_it_runs(pair: Pair, browser: Browser) -> None:
    def run() -> None:
        replies.append(browser.call("/api/typed", line="EVAL 'while true do end' 1 foo")["reply"])

    assert pair[1].call("CONFIG", "SET", "busy-reply-threshold", 100) == b"OK"
    replies: list[Any] = []
    thread = threading.Thread(target=run)
    thread.start()

    def is_killed() -> bool:
        told = browser.call("/api/typed", line="SCRIPT KILL")
        return (told["reply"], told["node"]) == ({"status": "OK"}, pair[1].place)

    wait_for(is_killed)
    thread.join(20)
    assert "killed" in replies[0]["error"]


def test_a_transaction_is_followed_nowhere(pair: Pair, browser: Browser) -> None:
    def reply(line: str) -> Any:
        return browser.call("/api/typed", line=line)["reply"]

    assert reply("MULTI") == {"status": "OK"}
    assert reply("SET foo 1")["error"] == f"MOVED 12182 {pair[1].place}"
    assert reply("EXEC")["error"].startswith("EXECABORT ")
    assert pair[1].call("EXISTS", "foo") == 0
    assert reply("SET foo 1") == {"status": "OK"}

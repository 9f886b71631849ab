"""Clients that take too much: room, time, or a place."""

from __future__ import annotations

import re
import resource
from pathlib import Path
from typing import Any

import pytest

from support.waiting import wait_for
from support.wire import request

from .peers import Client


def listed(client: Client, name: str) -> Any:
    """The fields of one client in CLIENT LIST, by its name; None if it is not there."""
    for line in client.call("CLIENT", "LIST").decode().splitlines():
        found = dict(field.split("=", 1) for field in line.split())
        if found["name"] == name:
            return found
    return None


def slow_reader(server, name: str) -> Client:
    reader = server.connect(receive_buffer=4096)
    reader.call("CLIENT", "SETNAME", name)
    return reader


def test_a_slow_reader_is_cut_at_the_hard_limit_while_others_go_on(start):
    server = start("--client-output-buffer-limit", "normal", "2mb", "0", "0")
    control = server.connect()
    control.call("SET", "big", b"x" * 100_000)
    reader = slow_reader(server, "slow")
    for _ in range(200):
        reader.send(request("GET", "big"))
        assert control.call("PING") == b"+PONG"
        if "scheduled to be closed" in server.log:
            break
    assert re.search(
        r"# Client id=\d+ addr=.* name=slow .* scheduled to be closed ASAP for overcoming of "
        r"output buffer limits\.\n",
        server.log,
    )
    wait_for(lambda: listed(control, "slow") is None)
    stats = control.call("INFO", "stats").decode()
    assert "client_output_buffer_limit_disconnections:1\r\n" in stats


def test_a_reply_above_the_limit_is_not_sent_at_all(start):
    server = start("--client-output-buffer-limit", "normal", "100kb", "0", "0")
    client = server.connect()
    client.call("SET", "big", b"x" * 200_000)
    client.send(request("GET", "big"))
    assert client.at_end()


def test_the_soft_limit_needs_its_time(start):
    server = start("--client-output-buffer-limit", "normal", "0", "100kb", "1")
    control = server.connect()
    control.call("SET", "big", b"x" * 1_000_000)
    reader = slow_reader(server, "slow")
    for _ in range(20):
        reader.send(request("GET", "big"))
    wait_for(lambda: int(listed(control, "slow")["omem"]) > 100_000)
    wait_for(lambda: listed(control, "slow") is None)
    assert "closed for overcoming of output buffer limits." in server.log


def test_a_slow_reader_gets_everything_in_the_end(start):
    server = start()
    control = server.connect()
    value = bytes(range(256)) * 2000
    control.call("SET", "big", value)
    reader = slow_reader(server, "slow")
    reader.send(request("GET", "big") * 20 + request("PING"))
    wait_for(lambda: listed(control, "slow")["events"] == "rw")
    assert [reader.reply() for _ in range(20)] == [value] * 20
    assert reader.reply() == b"+PONG"
    assert listed(control, "slow")["events"] == "r"


def test_more_input_than_allowed_ends_the_client(start):
    server = start("--client-query-buffer-limit", "1mb", "--enable-debug-command", "yes")
    control = server.connect()
    client = server.connect()
    client.send(b"*2000000\r\n" + b"$1\r\nx\r\n")
    hog = server.connect()
    hog.call("CLIENT", "SETNAME", "hog")
    try:
        hog.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n" + b"x" * 2_500_000)
    except ConnectionError:
        pass
    assert hog.at_end()
    assert "Closing client that reached max query buffer length: id=" in server.log
    stats = control.call("INFO", "stats").decode()
    assert "client_query_buffer_limit_disconnections:1\r\n" in stats


def test_what_a_transaction_queues_counts_as_input(start):
    server = start("--client-query-buffer-limit", "1mb")
    client = server.connect()
    client.call("MULTI")
    for _ in range(9):
        assert client.call("SET", "k", "x" * 100_000) == b"+QUEUED"
    assert client.call("EXEC") == [b"+OK"] * 9
    client.call("MULTI")
    try:
        for _ in range(12):
            client.send(request("SET", "k", "x" * 100_000))
            client.line()
    except ConnectionError:
        pass
    assert client.at_end()
    assert "Closing client that reached max query buffer length: id=" in server.log
    control = server.connect()
    stats = control.call("INFO", "stats").decode()
    assert "client_query_buffer_limit_disconnections:1\r\n" in stats


def test_clients_above_maxclients_are_told_and_turned_away(start):
    server = start("--maxclients", "3")
    clients = [server.connect() for _ in range(3)]
    assert [one.call("PING") for one in clients] == [b"+PONG"] * 3
    refused = server.connect()
    assert refused.line() == b"-ERR max number of clients reached"
    assert refused.at_end()
    assert "rejected_connections:1\r\n" in clients[0].call("INFO", "stats").decode()
    assert clients[0].call("CONFIG", "SET", "maxclients", "4") == b"+OK"
    assert server.connect().call("PING") == b"+PONG"


def test_idle_clients_end_but_not_those_that_wait_for_us(start):
    server = start("--timeout", "1", "--loglevel", "verbose")
    listener = server.connect()
    listener.call("SUBSCRIBE", "channel")
    idle = server.connect()
    assert idle.call("PING") == b"+PONG"
    assert idle.at_end()
    assert " - Closing idle client\n" in server.log
    publisher = server.connect()
    assert publisher.call("PUBLISH", "channel", "still there") == 1
    assert listener.reply() == [b"message", b"channel", b"still there"]


def test_clients_with_the_most_memory_are_evicted(start):
    server = start("--maxmemory-clients", "1500000", "--client-query-buffer-limit", "100mb")
    control = server.connect()
    control.call("CLIENT", "NO-EVICT", "on")
    small = server.connect()
    small.call("CLIENT", "SETNAME", "small")
    hog = server.connect()
    hog.call("CLIENT", "SETNAME", "hog")
    try:
        hog.send(b"*1\r\n$2000000\r\n" + b"x" * 1_999_000)
    except ConnectionError:
        pass
    assert hog.at_end()
    assert listed(control, "small") is not None
    assert "Evicting client: id=" in server.log
    wait_for(lambda: "evicted_clients:1\r\n" in control.call("INFO", "stats").decode())


def test_room_that_an_idle_client_does_not_need_is_forgotten(start):
    server = start()
    control, client = server.connect(), server.connect()
    client.call("CLIENT", "SETNAME", "idle")
    found = listed(control, "idle")
    assert int(found["qbuf"]) == 0
    assert 16384 <= int(found["qbuf-free"]) < 32768
    wait_for(lambda: listed(control, "idle")["qbuf-free"] == "0")


def test_client_list_shows_the_request_that_asks_for_it(client: Client):
    line = client.call("CLIENT", "LIST").decode()
    mine = [one for one in line.splitlines() if "cmd=client|list" in one]
    assert len(mine) == 1
    assert " qbuf=26 " in mine[0]
    assert " argv-mem=10 " in mine[0]
    assert " obl=0 oll=0 omem=0 " in mine[0]
    assert " events=r " in mine[0]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux only")
def test_memory_that_is_not_to_be_had_costs_one_client_only(start):
    server = start()
    control, hog = server.connect(), server.connect()
    size = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[0]) * 4096
    room = size + 100 * 1024 * 1024
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (room, room))
    hog.send(b"*2\r\n$4\r\nECHO\r\n$500000000\r\n" + b"x" * 1000)
    assert hog.at_end()
    assert control.call("PING") == b"+PONG"
    assert "# Closing client that cannot be served: id=" in server.log
    assert "MemoryError" in server.log

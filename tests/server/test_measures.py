"""What INFO and CLIENT LIST tell of the event loop and of single connections."""

from __future__ import annotations

import time

from support.waiting import wait_for

from .peers import Client


def info(client: Client, section: str) -> dict[str, int]:
    """The fields of a section that are whole numbers."""
    lines = client.call("INFO", section).decode().splitlines()[1:]
    pairs = [line.split(":", 1) for line in lines]
    return {name: int(text) for name, text in pairs if text.isdigit()}


def listed(client: Client, *words: object) -> dict[str, str]:
    """The fields of one line of CLIENT LIST."""
    line = client.call("CLIENT", *words).decode()
    return dict(field.split("=", 1) for field in line.split())


def test_the_event_loop_is_timed(start) -> None:
    client = start("--enable-debug-command", "yes").connect()
    before = info(client, "stats")
    client.call("DEBUG", "SLEEP", "0.05")
    for _ in range(20):
        client.call("PING")
    after = info(client, "stats")
    turns, spent, commands = (
        after[f"eventloop_{name}"] - before[f"eventloop_{name}"]
        for name in ("cycles", "duration_sum", "duration_cmd_sum")
    )
    assert turns >= 21
    assert 50_000 <= commands <= spent
    wait_for(lambda: info(client, "stats")["instantaneous_eventloop_cycles_per_sec"] > 0)
    assert info(client, "stats")["instantaneous_eventloop_duration_usec"] > 0
    assert info(client, "debug")["eventloop_duration_max"] >= 50_000
    client.call("CONFIG", "RESETSTAT")
    reset = info(client, "stats")
    assert reset["eventloop_cycles"] < turns
    assert reset["eventloop_duration_sum"] < 50_000


def test_lua_is_there_before_the_first_script(start) -> None:
    """Else that one would be slow, on a cold disk so slow that the slow log has it."""
    memory = info(start().connect(), "memory")
    assert memory["used_memory_vm_eval"] > 10_000
    assert memory["number_of_cached_scripts"] == 0


def test_waiting_is_no_work(start) -> None:
    client = start().connect()
    before = info(client, "stats")["eventloop_duration_sum"]
    time.sleep(0.3)
    assert info(client, "stats")["eventloop_duration_sum"] - before < 150_000


def test_commands_of_one_turn_are_counted(start) -> None:
    client = start().connect()
    client.send(b"PING\r\n" * 50)
    for _ in range(50):
        assert client.reply() == b"+PONG"
    assert info(client, "debug")["eventloop_cmd_per_cycle_max"] >= 50


def test_the_log_and_the_cron_are_timed(start) -> None:
    client = start("--appendonly", "yes", "--appendfsync", "always").connect()
    for number in range(20):
        client.call("SET", "k", number)
    assert info(client, "debug")["eventloop_duration_aof_sum"] > 0
    wait_for(lambda: info(client, "debug")["eventloop_duration_cron_sum"] > 0)


def test_a_connection_counts_what_it_carries(start) -> None:
    server = start()
    client, other = server.connect(), server.connect()
    number = client.call("CLIENT", "ID")
    first = listed(other, "LIST", "ID", number)
    assert (first["io-thread"], first["tot-cmds"]) == ("0", "1")
    client.send(b"PING\r\nECHO hello\r\n")
    assert (client.reply(), client.reply()) == (b"+PONG", b"hello")
    second = listed(other, "LIST", "ID", number)
    grown = {name: int(second[name]) - int(first[name]) for name in second if "tot-n" in name}
    assert grown == {"tot-net-in": 18, "tot-net-out": 18}
    assert second["tot-cmds"] == "3"


def test_a_command_counts_when_it_has_ended(start) -> None:
    server = start()
    client, other = server.connect(), server.connect()
    number = client.call("CLIENT", "ID")

    def counted() -> tuple[str, int]:
        total = info(other, "stats")["total_commands_processed"]
        return listed(other, "LIST", "ID", number)["tot-cmds"], total

    own = counted()[0]
    client.send(b"BLPOP list 0\r\n")
    wait_for(lambda: info(other, "clients")["blocked_clients"] == 1)
    assert counted()[0] == own == "1"
    other.call("RPUSH", "list", "a")
    assert client.reply() == [b"list", b"a"]
    assert counted()[0] == "2"
    client.send(b"BLPOP list 0\r\n")
    wait_for(lambda: info(other, "clients")["blocked_clients"] == 1)
    assert other.call("CLIENT", "UNBLOCK", number) == 1
    assert client.reply() is None
    assert counted()[0] == "3"
    # Neither what is refused nor what is queued is a call.
    for words in (["NOTHING"], ["GET"], ["MULTI"], ["PING"], ["PING"], ["EXEC"]):
        client.call(*words)
    assert counted()[0] == "7"
    client.call("EVAL", "redis.call('PING'); redis.call('PING')", 0)
    before = counted()
    assert before[0] == "10"
    client.call("PING")
    after = counted()
    # The two INFO and the CLIENT LIST of the other one are calls as well.
    assert (after[0], after[1] - before[1]) == ("11", 3)

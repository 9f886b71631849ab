"""Fields of INFO that came after Redis 7.0, as far as an engine without a server fills them."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient


def info(client: LocalClient, section: str) -> dict[str, str]:
    """The fields of one section."""
    lines = client.call("INFO", section).value.decode().splitlines()
    assert lines[0] == f"# {section.capitalize()}"
    return dict(line.split(":", 1) for line in lines[1:])


def test_keys_with_waiters_whom_their_end_concerns(client: LocalClient, engine: Engine) -> None:
    def counted() -> tuple[str, str]:
        shown = info(client, "clients")
        return shown["total_blocking_keys"], shown["total_blocking_keys_on_nokey"]

    assert counted() == ("0", "0")
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    reader, popper, plain = LocalClient(engine), LocalClient(engine), LocalClient(engine)
    reader("XREADGROUP", "GROUP", "g", "me", "BLOCK", 0, "STREAMS", "s", ">")
    assert counted() == ("1", "1")
    popper("BLPOP", "l", "m", 0)
    plain("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
    assert counted() == ("3", "1")
    client("DEL", "s")
    assert counted() == ("3", "0")
    client("CLIENT", "UNBLOCK", plain.session.id)
    client("CLIENT", "UNBLOCK", popper.session.id)
    assert counted() == ("0", "0")


def test_time_of_commands() -> None:
    client = LocalClient(Engine())
    for _ in range(100):
        client("LOLWUT")
    client("MULTI")
    client("LOLWUT")
    client("EXEC")
    spent = int(info(client, "stats")["eventloop_duration_cmd_sum"])
    calls = [command for command in client.engine.registry.every() if command.calls]
    # What EXEC runs is counted once, though both have it in their own figures.
    lolwut = client.engine.registry.find("lolwut")
    assert lolwut is not None
    inside = lolwut.microseconds // 101
    assert 0 < spent <= sum(command.microseconds + command.calls for command in calls)
    assert spent >= sum(command.microseconds for command in calls) - 20 * inside
    client("CONFIG", "RESETSTAT")
    assert int(info(client, "stats")["eventloop_duration_cmd_sum"]) < spent


def test_when_the_peak_was(client: LocalClient, clock: ManualClock, engine: Engine) -> None:
    first = int(info(client, "memory")["used_memory_peak_time"])
    clock.advance(5000)
    client("SET", "k", "x" * 100_000)
    shown = info(client, "memory")
    assert int(shown["used_memory_peak_time"]) == clock.wall_ms() // 1000 > first
    assert shown["used_memory_peak"] == shown["used_memory"]
    client("DEL", "k")
    clock.advance(5000)
    engine.cron()
    assert info(client, "memory")["used_memory_peak_time"] == shown["used_memory_peak_time"]


def test_keys_that_the_cycle_removed(
    client: LocalClient, clock: ManualClock, engine: Engine
) -> None:
    client("SET", "a", 1, "PX", 10)
    client("SET", "b", 1, "PX", 10)
    clock.advance(20)
    client("GET", "a")
    engine.cron()
    shown = info(client, "stats")
    assert (shown["expired_keys"], shown["expired_keys_active"]) == ("2", "1")
    client("CONFIG", "RESETSTAT")
    assert info(client, "stats")["expired_keys_active"] == "0"


def test_slow_commands_are_counted(client: LocalClient) -> None:
    zero = {
        "slowlog_commands_count": "0",
        "slowlog_commands_time_ms_max": "0.00",
        "slowlog_commands_time_ms_sum": "0.00",
    }
    client("GET", "k")
    assert zero.items() <= info(client, "stats").items()
    client("CONFIG", "SET", "slowlog-log-slower-than", 0)
    client("GET", "k")
    client("GET", "k")
    client("CONFIG", "SET", "slowlog-log-slower-than", -1)
    assert info(client, "stats")["slowlog_commands_count"] == "3"
    commands = info(client, "commandstats")
    assert commands["cmdstat_get"].endswith(
        "failed_calls=0,slowlog_count=2,slowlog_time_ms_sum=0.00,slowlog_time_ms_max=0.00"
    )
    assert commands["cmdstat_info"].endswith("failed_calls=0")
    client("SLOWLOG", "RESET")
    assert info(client, "stats")["slowlog_commands_count"] == "3"
    client("CONFIG", "RESETSTAT")
    assert zero.items() <= info(client, "stats").items()
    assert "slowlog" not in client.call("INFO", "commandstats").value.decode()


def test_the_one_thread(client: LocalClient) -> None:
    assert info(client, "threads") == {"io_thread_0": "clients=1,reads=0,writes=0"}
    sections = [
        line for line in client.call("INFO").value.decode().splitlines() if line.startswith("#")
    ]
    assert sections.index("# Threads") == sections.index("# Stats") - 1


def test_sizes_of_keys(client: LocalClient) -> None:
    assert info(client, "keysizes") == {}
    for length in range(12):
        client("SET", f"s{length}", "x" * length)
    client("SET", "number", 12345)
    client("SET", "long", "x" * 5000)
    client("SET", "longer", "x" * 3_000_000)
    client("RPUSH", "l", *range(3))
    client("SADD", "i", *range(5))
    client("SADD", "t", *[f"x{number}" for number in range(1500)])
    client("ZADD", "z", 1, "a", 2, "b")
    client("HSET", "h", "f", 1)
    client("XADD", "stream", "*", "f", 1)
    client("SELECT", 2)
    client("RPUSH", "l", 1)
    assert info(client, "keysizes") == {
        "db0_distrib_strings_sizes": "0=1,1=1,2=2,4=5,8=4,4K=1,2M=1",
        "db0_distrib_lists_items": "2=1",
        "db0_distrib_sets_items": "4=1,1K=1",
        "db0_distrib_zsets_items": "2=1",
        "db0_distrib_hashes_items": "1=1",
        "db2_distrib_lists_items": "1=1",
    }
    client("FLUSHALL")
    assert info(client, "keysizes") == {}


def test_sizes_leave_out_what_has_expired(client: LocalClient, clock: ManualClock) -> None:
    client("SET", "k", "x", "PX", 10)
    clock.advance(20)
    assert info(client, "keysizes") == {}
    assert info(client, "stats")["keyspace_misses"] == "0"


def test_sizes_in_memory(client: LocalClient) -> None:
    client("CONFIG", "SET", "key-memory-histograms", "yes")
    client("RPUSH", "l", "x" * 3000)
    client("SET", "s", "x" * 3000)
    assert info(client, "keysizes") == {
        "db0_distrib_strings_sizes": "2K=1",
        "db0_distrib_lists_items": "1=1",
        "db0_distrib_lists_sizes": "2K=1",
    }


@pytest.mark.parametrize("words", [(), ("all",), ("everything",), ("default",)])
def test_some_sections_have_to_be_named(client: LocalClient, words: tuple[str, ...]) -> None:
    shown = client.call("INFO", *words).value.decode()
    assert "# Debug" not in shown
    assert "# Keysizes" not in shown


def test_the_section_for_debugging(client: LocalClient) -> None:
    assert list(info(client, "debug")) == [
        "eventloop_duration_aof_sum",
        "eventloop_duration_cron_sum",
        "eventloop_duration_max",
        "eventloop_cmd_per_cycle_max",
    ]
    assert "# Debug" in client.call("INFO", "default", "debug").value.decode()


def test_a_buffer_for_full_copies_that_is_not_needed(client: LocalClient) -> None:
    names = list(info(client, "memory"))
    at = names.index("mem_replica_full_sync_buffer")
    assert names[at - 1 : at + 2 : 2] == ["mem_total_replication_buffers", "mem_clients_slaves"]
    assert info(client, "memory")["mem_replica_full_sync_buffer"] == "0"
    shown = client("MEMORY", "STATS")
    assert isinstance(shown, list)
    at = shown.index(b"replica.fullsync.buffer")
    assert shown[at - 2] == b"replication.backlog"
    assert shown[at + 1 : at + 3] == [0, b"clients.slaves"]

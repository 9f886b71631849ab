"""What is written for which command, when it is written, and what happens when it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carnelian.keyspace.clock import ManualClock
from carnelian.persistence.aof.log_files import LogState
from carnelian.resp.command_buffer import CommandBuffer

from .appended import DIRECTORY, STEM, Logged


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000_000)


def test_commands_have_the_form_of_requests() -> None:
    buffer = CommandBuffer()
    buffer.command([b"SET", b"k" * 12, b"", b"v" * 5000])
    buffer.raw(b"#")
    assert buffer.value() == (
        b"*4\r\n$3\r\nSET\r\n$12\r\n" + b"k" * 12 + b"\r\n$0\r\n\r\n$5000\r\n" + b"v" * 5000
        + b"\r\n#"
    )  # fmt: skip
    buffer.clear()
    assert buffer.value() == b""


def test_selects_the_database_when_it_changes() -> None:
    logged = Logged()
    logged("SET", "a", 1)
    logged("SET", "b", 1)
    logged("SELECT", 3)
    logged("SET", "a", 1)
    logged("GET", "a")
    assert logged.content() == [
        [b"SELECT", b"0"], [b"SET", b"a", b"1"], [b"SET", b"b", b"1"],
        [b"SELECT", b"3"], [b"SET", b"a", b"1"],
    ]  # fmt: skip


def test_transactions_are_one_unit() -> None:
    logged = Logged()
    for words in (
        ("MULTI",), ("SET", "a", 1), ("GET", "a"), ("SELECT", 1), ("INCR", "a"), ("EXEC",),
        ("MULTI",), ("INCR", "a"), ("EXEC",), ("MULTI",), ("GET", "a"), ("EXEC",),
    ):  # fmt: skip
        logged(*words)
    assert logged.content() == [
        [b"SELECT", b"0"], [b"MULTI"], [b"SET", b"a", b"1"], [b"SELECT", b"1"], [b"INCR", b"a"],
        [b"EXEC"], [b"INCR", b"a"],
    ]  # fmt: skip


def test_what_depends_on_time_or_chance_is_written_as_what_it_did(clock: ManualClock) -> None:
    logged = Logged(clock)
    now = clock.ms
    logged("SET", "a", 1, "EX", 10)
    logged("EXPIRE", "a", 20)
    logged("GETEX", "a", "PX", 500)
    logged("SETEX", "b", 7, 1)
    logged("INCRBYFLOAT", "a", "0.5")
    logged("SADD", "s", "only")
    logged("SPOP", "s")
    logged("EXPIRE", "a", -1)
    logged("HSET", "h", "f", 1)
    logged("HEXPIRE", "h", 5, "FIELDS", 1, "f")
    content = logged.content()[1:]
    assert content == [
        [b"SET", b"a", b"1", b"PXAT", b"%d" % (now + 10_000)],
        [b"PEXPIREAT", b"a", b"%d" % (now + 20_000)],
        [b"PEXPIREAT", b"a", b"%d" % (now + 500)],
        [b"SET", b"b", b"1", b"PXAT", b"%d" % (now + 7000)],
        [b"SET", b"a", b"1.5", b"KEEPTTL"],
        [b"SADD", b"s", b"only"],
        [b"SREM", b"s", b"only"],
        [b"DEL", b"a"],
        [b"HSET", b"h", b"f", b"1"],
        [b"HPEXPIREAT", b"h", b"%d" % (now + 5000), b"FIELDS", b"1", b"f"],
    ]


def test_keys_that_expire_are_deleted_there_too(clock: ManualClock) -> None:
    logged = Logged(clock)
    for key in "abc":
        logged("SET", key, 1, "PX", 100)
    before = len(logged.content())
    clock.advance(200)
    assert logged("GET", "a") is None
    for _tick in range(3):
        logged.engine.cron()
    logged.turn()
    content = logged.content()[before:]
    assert content[0] == [b"DEL", b"a"]
    # In no transaction, and in any order.
    assert sorted(content[1:]) == [[b"DEL", b"b"], [b"DEL", b"c"]]


def test_notes_the_time(clock: ManualClock) -> None:
    logged = Logged(clock, aof_timestamp_enabled="yes")
    logged("SET", "a", 1)
    logged("SET", "b", 1)
    clock.advance(1500)
    logged("SET", "c", 1)
    text = (DIRECTORY / f"{STEM}.1.incr.aof").read_bytes()
    assert [line for line in text.split(b"\r\n") if line.startswith(b"#")] == [
        b"#TS:1700000000", b"#TS:1700000001",
    ]  # fmt: skip
    assert text.startswith(b"#TS:")


def test_nothing_is_written_before_the_turn_ends() -> None:
    logged = Logged()
    logged.client("SET", "a", 1)
    assert logged.content() == []
    assert logged.log.log.buffer.length > 0
    logged.turn()
    assert len(logged.content()) == 2
    assert logged.log.log.buffer.length == 0


def test_always_forces_each_turn_to_the_disk() -> None:
    logged = Logged(appendfsync="always")
    logged("SET", "a", 1)
    assert logged.log.log.is_synced(logged.log.log.offset)
    logged.client("SET", "a", 2)
    assert not logged.log.log.is_synced(logged.log.log.offset)


def test_every_second_forces_once_a_second(clock: ManualClock) -> None:
    logged = Logged(clock)
    logged("SET", "a", 1)
    assert not logged.log.log.is_synced(logged.log.log.offset)
    clock.advance(1000)
    logged.turn()
    logged.log.syncer.wait()
    assert logged.log.log.is_synced(logged.log.log.offset)


def test_a_write_waits_two_seconds_for_a_disk_that_is_busy(clock: ManualClock) -> None:
    logged = Logged(clock)
    logged.log.syncer.busy = True
    logged("SET", "a", 1)
    assert logged.content() == []
    assert logged.log.log.waiting
    clock.advance(1000)
    logged.engine.cron()
    assert logged.content() == []
    clock.advance(1000)
    logged.engine.cron()
    assert len(logged.content()) == 2
    assert logged.log.log.delayed == 1
    assert any(
        line.startswith("Asynchronous AOF fsync is taking too long") for line in logged.lines
    )


def test_a_write_is_not_kept_waiting_by_a_thread_that_is_late() -> None:
    logged = Logged()
    logged.log.syncer.pending = 1
    logged("SET", "a", 1)
    assert len(logged.content()) == 2


def test_writes_are_gathered_for_as_long_as_they_may(clock: ManualClock) -> None:
    logged = Logged(clock, aof_write_interval="100")
    waits: list[float] = []
    log = logged.log.log
    log.on_waiting = lambda: waits.append(log.patience())
    logged("SET", "a", 1)
    clock.advance(99)
    logged("SET", "a", 2)
    assert logged.content() == []
    assert log.waiting
    assert waits == [0.1]
    assert log.patience() == 0.001
    clock.advance(1)
    logged.engine.cron()
    assert len(logged.content()) == 3
    assert not log.waiting
    # The time begins anew, and many bytes do not wait.
    logged("SET", "a", 3)
    assert len(logged.content()) == 3
    logged("SET", "b", "x" * 65536)
    assert len(logged.content()) == 5
    logged("SET", "a", 4)
    assert len(waits) == 3
    logged.client("CONFIG", "SET", "aof-write-interval", 0)
    logged.turn()
    assert len(logged.content()) == 6


def test_nothing_is_gathered_where_a_reply_promises_the_disk(clock: ManualClock) -> None:
    logged = Logged(clock, aof_write_interval="100", appendfsync="always")
    logged("SET", "a", 1)
    assert len(logged.content()) == 2


def _fill_disk(logged: Logged) -> None:
    log = logged.log.log
    logged.engine.facts["fd"] = log.fd
    log.open(os.open("/dev/full", os.O_WRONLY), log.size)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, as Linux has it")
def test_a_full_disk_refuses_writes_until_there_is_room(clock: ManualClock) -> None:
    logged = Logged(clock)
    logged("SET", "a", 1)
    full, kept = "No space left on device", logged.log.log.fd
    _fill_disk(logged)
    assert logged("SET", "b", 1) is not None
    assert f"Error writing to the AOF file: {full}" in logged.lines
    refused = f"MISCONF Errors writing to the AOF file: {full}"
    assert logged.client.error("SET", "c", 1) == refused
    assert logged.client.error("PING") == refused
    assert logged("GET", "a") == b"1"
    assert logged.engine.info.fields("persistence")["aof_last_write_status"] == "err"
    os.close(logged.log.log.fd)
    logged.log.log.open(kept, logged.log.log.size)
    clock.advance(1000)
    logged.engine.cron()
    assert "AOF write error looks solved, Redis can write again." in logged.lines
    logged.log.syncer.wait()
    assert not isinstance(logged("SET", "c", 1), Exception)
    assert [words[1] for words in logged.content()] == [b"0", b"a", b"b", b"c"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, as Linux has it")
def test_a_full_disk_ends_the_process_where_a_reply_promises_the_disk() -> None:
    logged = Logged(appendfsync="always")
    _fill_disk(logged)
    logged.client("SET", "b", 1)
    with pytest.raises(SystemExit) as caught:
        logged.turn()
    assert caught.value.code == 1
    assert logged.lines[-1] == (
        "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
    )


def test_a_failing_sync_refuses_writes() -> None:
    logged = Logged()
    logged.log.syncer.failure = 5
    logged.log.tick()
    assert logged.client.error("SET", "a", 1) == (
        "MISCONF Errors writing to the AOF file: Input/output error"
    )
    logged.log.syncer.failure = 0
    # The end of a turn is enough.
    logged.turn()
    assert not isinstance(logged("SET", "a", 1), Exception)


def test_waitaof(clock: ManualClock) -> None:
    logged = Logged(clock)
    logged("SET", "a", 1)
    assert logged.client("WAITAOF", 0, 0, 0) == [0, 0]
    logged.client("WAITAOF", 1, 0, 0)
    sent = logged.client.session.sent
    assert sent == []
    clock.advance(1000)
    logged.turn()
    logged.log.syncer.wait()
    logged.turn()
    assert sent == [[1, 0]]
    assert logged.client("WAITAOF", 1, 0, 0) == [1, 0]
    logged("SET", "a", 2)
    logged.client("WAITAOF", 1, 0, 50)
    clock.advance(51)
    logged.engine.on_deadline()
    assert sent == [[1, 0], [0, 0]]
    assert logged.client.error("WAITAOF", 2, 0, 0) == (
        "ERR value is out of range, value must between 0 and 1"
    )


def test_waitaof_waits_for_nothing_in_a_script() -> None:
    logged = Logged()
    logged("SET", "a", 1)
    assert logged.client("EVAL", "return redis.call('WAITAOF', 1, 0, 0)", 0) == [0, 0]
    assert logged.client("EVAL", "return redis.call('WAITAOF', 0, 1, 0)", 0) == [0, 0]


def test_waitaof_of_a_log_without_a_base(clock: ManualClock) -> None:
    """Until a log that was turned on has been written anew, nobody would load what it holds."""
    logged = Logged(clock)
    logged.log.state = LogState.WAITING
    logged("SET", "a", 1)
    logged.client("WAITAOF", 1, 0, 0)
    clock.advance(1000)
    logged.turn()
    logged.log.syncer.wait()
    logged.turn()
    sent = logged.client.session.sent
    assert sent == []
    logged.log.state = LogState.ON
    logged.turn()
    assert sent == [[1, 0]]


def test_waitaof_ends_with_the_log() -> None:
    logged = Logged()
    logged("SET", "a", 1)
    logged.client("WAITAOF", 1, 0, 0)
    logged.log.stop()
    (error,) = logged.client.session.sent
    text = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
    assert str(error) == text
    assert logged.engine.stats.errors["ERR"] == 1
    assert logged.client.error("WAITAOF", 1, 0, 0) == text

"""Both sides of a migration without engines: every message lost, or late."""

from __future__ import annotations

import pytest

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.moving.migration_task import (
    IMPORT,
    MIGRATE,
    MigrationTask,
    TaskList,
    parse_ranges,
    shown_ranges,
    slot_flags,
)
from cluster.migration_doubles import Migration

# More messages than a whole migration takes.
MOST_MESSAGES = 24


def begun() -> Migration:
    """One that has come to the snapshot."""
    migration = Migration()
    migration.connect()
    migration.step()
    assert migration.states == ("send-bulk-and-stream", "accumulate-buffer")
    return migration


def run(migration: Migration, writes: bool = True, steps: int = 60) -> int:
    """Let time pass while a client writes; returns how many writes were acknowledged."""
    acknowledged = 0
    for number in range(steps):
        if number == 2 and migration.giver.listening:
            migration.giver.finish_snapshot()
        if writes:
            acknowledged += migration.giver.write()
        migration.step()
    return acknowledged


def error(why: str, state: str) -> str:
    """An error as STATUS shows it."""
    return f"{why} (state: {state}, rdb_channel_state: none)"


class TestWholeMigrations:
    def test_slots_change_hands_with_all_that_was_written(self) -> None:
        migration = begun()
        acknowledged = run(migration)
        assert migration.states == ("completed", "completed")
        assert migration.taker.value == acknowledged
        assert not migration.giver.paused
        assert migration.giver.ended == migration.taker.ended == 1

    def test_what_happens_during_the_snapshot_comes_behind_it(self) -> None:
        migration = begun()
        for _ in range(5):
            assert migration.giver.write()
        migration.step()
        assert migration.taker.value is None
        migration.giver.finish_snapshot()
        for _ in range(20):
            migration.step()
        assert migration.taker.value == 5
        assert migration.world.owner == "dest"

    def test_writes_wait_only_at_the_end(self) -> None:
        migration = begun()
        migration.giver.handoff_max_lag = -1
        migration.giver.finish_snapshot()
        for _ in range(10):
            assert migration.giver.write()
            migration.step()
        assert migration.states[0] == "send-stream"
        migration.giver.handoff_max_lag = 100
        for _ in range(10):
            migration.step()
        assert migration.states == ("completed", "completed")

    def test_a_script_that_runs_keeps_the_end_waiting(self) -> None:
        migration = begun()
        migration.giver.quiet = False
        migration.giver.finish_snapshot()
        for _ in range(10):
            migration.step()
        assert migration.states[0] == "send-stream"
        migration.giver.quiet = True
        for _ in range(10):
            migration.step()
        assert migration.world.owner == "dest"

    def test_a_taker_that_is_busy_applies_it_later(self) -> None:
        migration = begun()
        migration.taker.is_busy = True
        migration.giver.finish_snapshot()
        migration.step()
        assert migration.taker.value is None
        migration.taker.is_busy = False
        for _ in range(20):
            migration.step()
        assert migration.taker.value == 0
        assert migration.world.owner == "dest"


class TestLosses:
    @pytest.mark.parametrize("cut", range(1, MOST_MESSAGES))
    @pytest.mark.parametrize("told", [True, False])
    def test_a_connection_that_ends_at_any_message_leaves_one_owner(
        self, cut: int, told: bool
    ) -> None:
        migration = Migration()
        # Without the bus, the source does not hear of a new owner.
        migration.told_owner = told
        migration.cut_after = cut
        migration.connect()
        acknowledged = 0
        for number in range(60):
            if number == 3 and migration.giver.listening:
                migration.giver.finish_snapshot()
            acknowledged += migration.giver.write()
            migration.step()
        assert not migration.giver.paused
        source, dest = migration.states
        if migration.world.owner == "dest":
            assert dest == "completed"
            assert migration.taker.value == acknowledged
            assert source == ("completed" if told else "failed")
        else:
            assert dest in ("failed", "handshake-reply", "syncslots-reply")
            assert source in ("failed", "none")
            assert migration.giver.value == acknowledged
        assert not migration.taker.is_applying

    def test_a_promise_that_nobody_takes_up_is_taken_back(self) -> None:
        migration = begun()
        migration.taker.unclaimable = "no"
        migration.taker.slow_ms = 0
        migration.giver.finish_snapshot()
        for _ in range(10):
            migration.step()
        assert migration.states == ("failed", "failed")
        assert migration.taker.task.last_error == error("no", "takeover")
        assert migration.world.owner == "source"
        assert not migration.giver.paused

    def test_after_a_promise_writes_wait_as_long_as_it_holds(self) -> None:
        migration = begun()
        migration.giver.finish_snapshot()
        migration.reach("stream-eof")
        # The question arrives, and the connection ends before the answer does.
        migration.giver.export.asked()
        migration.lose_link()
        assert migration.states[0] == "stream-done"
        for _ in range(9):
            migration.step(100)
            assert migration.giver.paused
        for _ in range(3):
            migration.step(100)
        assert not migration.giver.paused
        assert migration.giver.reassured == 1
        assert migration.world.owner == "source"


class TestTimes:
    def test_a_taker_that_is_late_does_not_take(self) -> None:
        migration = begun()
        migration.taker.slow_ms = 501
        migration.giver.finish_snapshot()
        for _ in range(20):
            migration.step()
        assert migration.world.owner == "source"
        assert migration.taker.task.last_error == error("Takeover too late", "takeover")
        assert migration.giver.task.state == "failed"
        assert not migration.giver.paused

    def test_a_pause_ends_when_nobody_asks(self) -> None:
        migration = begun()
        migration.giver.finish_snapshot()
        migration.reach("stream-eof")
        migration.is_slow = True
        for _ in range(12):
            migration.step(100)
        assert migration.giver.task.last_error == error("Write pause timeout", "stream-eof")
        assert not migration.giver.paused
        # The question comes too late.
        migration.is_slow = False
        for _ in range(10):
            migration.step(100)
        assert migration.world.owner == "source"
        assert migration.states == ("failed", "failed")

    def test_a_pause_of_no_time_is_over_at_once(self) -> None:
        migration = begun()
        migration.giver.write_pause_timeout = 0
        migration.giver.finish_snapshot()
        for _ in range(5):
            migration.step()
        assert migration.giver.task.last_error == error("Write pause timeout", "handoff")
        assert migration.world.owner == "source"

    def test_silence_is_a_failure(self) -> None:
        migration = begun()
        for _ in range(40):
            migration.world.now += 100
            migration.taker.attempt.tick()
        timeout = "Main channel - Connection timeout"
        assert migration.taker.task.last_error == error(timeout, "accumulate-buffer")
        migration = begun()
        for _ in range(40):
            migration.world.now += 100
            migration.giver.export.tick()
        assert migration.giver.task.last_error == error(timeout, "send-bulk-and-stream")

    def test_who_never_comes_close_is_given_up(self) -> None:
        migration = begun()
        migration.giver.handoff_max_lag = -1
        migration.giver.finish_snapshot()
        for _ in range(60):
            migration.step()
        assert migration.giver.task.last_error == error("Sync buffer drain timeout", "send-stream")
        assert migration.taker.task.state == "failed"


class TestTroubles:
    def test_a_source_that_is_busy_is_asked_again_later(self) -> None:
        migration = Migration()
        migration.giver.ready = False
        migration.connect()
        migration.step()
        assert migration.taker.task.state == "none"
        assert migration.taker.ended == 1

    def test_a_snapshot_that_fails_ends_it(self) -> None:
        migration = begun()
        migration.giver.finish_snapshot(whole=False)
        migration.step()
        why = "Failed to send slots snapshot"
        assert migration.giver.task.last_error == error(why, "send-bulk-and-stream")
        told = error(f"Source has failed: {why}", "accumulate-buffer")
        assert migration.taker.task.last_error == told

    def test_nothing_is_promised_that_cannot_be_noted(self) -> None:
        migration = begun()
        migration.giver.disk_full = True
        migration.giver.finish_snapshot()
        for _ in range(10):
            migration.step()
        assert migration.states == ("failed", "failed")
        assert "No space left on device" in migration.giver.task.last_error
        assert not migration.giver.paused

    def test_too_much_that_waits_ends_it(self) -> None:
        migration = begun()
        migration.giver.most_waiting = 1000
        for _ in range(100):
            migration.giver.write()
        assert migration.giver.task.last_error == error(
            "Output buffer limit reached", "send-bulk-and-stream"
        )
        assert migration.giver.value == 100

    def test_slots_that_go_to_others_cancel_it(self) -> None:
        migration = begun()
        migration.world.owner = "another"
        migration.step()
        assert migration.giver.task.state == "canceled"
        assert migration.giver.task.last_error == error(
            "Cancelled due to slots configuration updated", "send-bulk-and-stream"
        )

    def test_each_side_may_cancel(self) -> None:
        migration = begun()
        migration.taker.attempt.cancel("user request")
        assert migration.taker.task.state == "canceled"
        migration.world.link_up = True
        migration.step()
        assert migration.giver.task.last_error == error(
            "Destination has failed: user request", "send-bulk-and-stream"
        )
        migration = begun()
        migration.giver.export.cancel("user request")
        migration.step()
        assert migration.states == ("canceled", "failed")


class TestTasks:
    def test_what_is_known_of_a_task_that_has_come_to_an_end(self) -> None:
        task = MigrationTask("a", [(0, 5), (7, 7)], MIGRATE, "here", "there", 10)
        assert (task.start_time, task.end_time) == (-1, -1)
        task.state = "send-stream"
        task.end("failed", "no")
        assert task.last_error == error("no", "send-stream")
        line = f"Migrate task a failed: slots=0-5 7-7, err={task.last_error}"
        assert task.ended_line() == line
        again = MigrationTask("a", [(0, 5), (7, 7)], MIGRATE, "here", "there", 20)
        again.resume(task)
        assert (again.retries, again.create_time) == (1, 10)
        assert again.last_error == task.last_error
        again.end("completed", "")
        assert again.last_error == ""
        assert again.ended_line() == "Migrate task a completed for slots: 0-5 7-7"
        task.end("canceled", "user request")
        assert task.last_error == error("Cancelled due to user request", "failed")

    def test_ranges_are_put_in_order_and_joined(self) -> None:
        words = [b"7002", b"7100", b"7000", b"7001", b"5", b"5"]
        assert shown_ranges(parse_ranges(words)) == "5-5 7000-7100"

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ([b"200", b"100"], "start slot number 200 is greater than end slot number 100"),
            ([b"0", b"16384"], "Invalid or out of range slot"),
            ([b"-1", b"2"], "Invalid or out of range slot"),
            ([b"10", b"a"], "Invalid or out of range slot"),
            ([b"1", b"8", b"8", b"9"], "Slot 8 specified multiple times"),
        ],
    )
    def test_what_is_no_range_is_refused(self, words: list[bytes], error: str) -> None:
        with pytest.raises(ClusterError) as raised:
            parse_ranges(words)
        assert str(raised.value) == error

    def test_tasks_that_have_ended_are_remembered_for_a_while(self) -> None:
        tasks = TaskList()
        for number in range(40):
            task = MigrationTask(str(number), [(number, number)], MIGRATE, "a", "b", 0)
            tasks.add(task)
            assert tasks.of_slot(number) is task
            assert tasks.overlap([(0, 100)]) == (0, 100)
            assert tasks.overlap([(0, 100)], (IMPORT,)) is None
            tasks.archive(task)
        assert [task.id for task in tasks] == [str(n) for n in range(39, 7, -1)]
        assert tasks.of_slot(39) is None
        tasks.remember(2)
        assert [task.id for task in tasks] == ["39", "38"]

    def test_flags_have_a_byte_for_each_slot(self) -> None:
        flags = slot_flags([(1, 2), (16383, 16383)])
        assert len(flags) == 16384
        assert [slot for slot, flag in enumerate(flags) if flag] == [1, 2, 16383]

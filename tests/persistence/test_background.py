"""Jobs in the background: one at a time, of tasks that take turns, to files or to anything else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.background.jobs import Job, Method, Outcome, Slot, Task
from carnelian.persistence.background.slicing import Making, Slicing
from carnelian.persistence.bytes.targets import Target
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.files import Progress
from carnelian.persistence.saving.snapshots import snapshots_of
from support.local import LocalClient
from support.waiting import wait_for


class Pipe(Target):
    """Takes a data set to whoever reads at the other end."""

    def __init__(self, log: Callable[[str, str], None], fd: int):
        super().__init__(log)
        self.descriptors = (fd,)

    def open(self) -> int:
        try:
            return os.dup(self.descriptors[0])
        except OSError as error:
            self.explain_opening(error)
            raise

    def explain_opening(self, error: OSError) -> None:
        self.log("warning", f"Can't transfer: {error.strerror}")

    def explain(self, error: OSError) -> None:
        self.log("warning", f"Transfer broke off: {error.strerror}")


class Transfer(Task):
    """All there is to a third task: a target, what is written to it, and what follows."""

    BEGUN = "Background transfer started"
    CANNOT_FORK = "Can't transfer in background"
    ENDED = "Background transfer"
    FAILED = "Background transfer error"
    PURPOSE = "transfer"

    def __init__(self, engine: Engine):
        super().__init__(snapshots_of(engine).background)
        self.engine = engine
        self.reader, self.writer = os.pipe()
        self.ends: list[Outcome] = []

    def target(self, pid: int | str) -> Pipe:
        return Pipe(self.engine.log, self.writer)

    def write(self, fd: int, progress: Progress) -> None:
        files.write_content(self.engine, fd, files.facts(self.engine), [], progress, False)

    def freeze(self, target: Target, fd: int) -> Making:
        facts = files.facts(self.engine)
        return files.freeze_content(self.engine, target, fd, facts, [], False)

    def ended(self, job: Job, outcome: Outcome) -> None:
        self.ends.append(outcome)

    def read(self) -> bytes:
        """All that was written; there is nothing more to come."""
        os.close(self.writer)
        with open(self.reader, "rb") as pipe:
            return pipe.read()


class Owner:
    """An engine with a background, and a transfer besides what engines do there."""

    def __init__(self, path: Path, method: Method):
        config = Config()
        config["dir"] = str(path)
        config.load_text('enable-debug-command yes\nsave ""\n')
        self.engine = Engine(config)
        self.lines: list[str] = []
        self.engine.log = lambda level, line: self.lines.append(f"{level}: {line}")
        self.call = LocalClient(self.engine)
        self.snapshots = snapshots_of(self.engine)
        self.renewal = append_only_of(self.engine).renewal
        self.slot: Slot = self.snapshots.background
        self.slot.can_fork = method is Method.FORK
        self.slot.carry = self.carry
        self.slicing: Slicing | None = None
        self.transfer = Transfer(self.engine)
        assert self.slot.method is method

    def carry(self, slicing: Slicing) -> None:
        self.slicing = slicing

    def delay(self, microseconds: int) -> None:
        """Have jobs that begin from now on take so long for each key."""
        self.engine.config["rdb-key-save-delay"] = microseconds

    def finish(self) -> None:
        """Let time pass until the job of now has ended, and the next one was begun, if there is."""
        before = self.slot.job

        def over() -> bool:
            if self.slicing is not None:
                self.slicing.step(1000)
            self.engine.cron()
            return self.slot.job is not before

        wait_for(over)
        # The tasks before that of the job have their turn by now.
        self.engine.cron()

    def running(self) -> list[bool]:
        """Of the snapshot, the rewrite and the transfer."""
        return [task.running for task in (self.snapshots, self.renewal, self.transfer)]


@pytest.fixture(params=[Method.FORK, Method.SLICED], ids=lambda method: method.name.lower())
def owner(request: pytest.FixtureRequest, tmp_path: Path) -> Owner:
    owner = Owner(tmp_path, request.param)
    owner.call("MSET", *(word for number in range(100) for word in (f"key:{number}", number)))
    return owner


def test_a_data_set_goes_through_a_pipe(owner: Owner, tmp_path: Path) -> None:
    assert owner.transfer.begin()
    assert owner.running() == [False, False, True]
    owner.call("SET", "key:0", "changed")
    owner.finish()
    assert owner.transfer.ends == [Outcome.DONE]
    assert owner.running() == [False, False, False]
    assert os.listdir(tmp_path) == []
    (tmp_path / "dump.rdb").write_bytes(owner.transfer.read())
    other = Owner(tmp_path, Method.SLICED)
    assert other.snapshots.load()
    owner.call("SET", "key:0", 0)
    assert other.call("DEBUG", "DIGEST") == owner.call("DEBUG", "DIGEST")
    assert owner.lines[0].startswith("notice: Background transfer started")
    assert "notice: Background transfer terminated with success" in owner.lines


def test_a_pipe_that_nobody_reads_is_a_failure(owner: Owner) -> None:
    os.close(owner.transfer.reader)
    assert owner.transfer.begin()
    owner.finish()
    assert owner.transfer.ends == [Outcome.FAILED]
    assert owner.lines[-1] == "warning: Background transfer error"
    if owner.slicing is not None:
        assert owner.lines[-2] == "warning: Transfer broke off: Broken pipe"


def test_a_target_that_cannot_be_opened(owner: Owner) -> None:
    os.close(owner.transfer.writer)
    owner.transfer.writer = -1
    begun = owner.transfer.begin()
    assert begun is owner.slot.can_fork
    if begun:
        # Its child has found out, and told its own log.
        owner.finish()
        assert owner.transfer.ends == [Outcome.FAILED]
    else:
        assert owner.lines == ["warning: Can't transfer: Bad file descriptor"]
        assert not owner.slot.busy


def test_there_is_one_job_at_a_time(owner: Owner) -> None:
    owner.delay(1_000_000)
    assert owner.transfer.begin()
    assert not owner.transfer.begin()
    assert not owner.snapshots.begin()
    assert not owner.renewal.begin()
    assert owner.call.error("BGSAVE").startswith("ERR Another child process is active")
    assert owner.call("BGSAVE", "SCHEDULE") == b"Background saving scheduled"
    assert owner.call("BGREWRITEAOF") == b"Background append only file rewriting scheduled"
    owner.engine.cron()
    assert owner.running() == [False, False, True]
    fields = owner.engine.info.fields("persistence")
    assert fields["rdb_bgsave_in_progress"] == fields["aof_rewrite_in_progress"] == 0
    assert fields["current_save_keys_total"] == 100
    owner.slot.drop(owner.transfer)


def test_what_is_scheduled_has_its_turn(owner: Owner, tmp_path: Path) -> None:
    assert owner.transfer.begin()
    owner.call("BGREWRITEAOF")
    owner.call("BGSAVE", "SCHEDULE")
    turns = []
    while any(task.running or task.scheduled for task in owner.slot.tasks):
        turns.append(owner.running())
        owner.finish()
    assert turns == [[False, False, True], [True, False, False], [False, True, False]]
    assert owner.transfer.ends == [Outcome.DONE]
    assert not owner.snapshots.last_failed and not owner.renewal.last_failed
    assert sorted(os.listdir(tmp_path)) == ["appendonlydir", "dump.rdb"]


def test_one_that_was_just_done_waits_for_the_others(owner: Owner) -> None:
    assert owner.snapshots.begin()
    owner.snapshots.scheduled = owner.renewal.scheduled = owner.transfer.scheduled = True
    turns = []
    for _ in range(4):
        turns.append(owner.running().index(True))
        owner.finish()
    assert turns == [0, 1, 2, 0]


def test_a_job_is_killed(owner: Owner) -> None:
    owner.delay(1_000_000)
    assert owner.transfer.begin()
    owner.slot.kill(owner.snapshots)
    assert owner.slot.busy
    owner.slot.kill(owner.transfer)
    owner.finish()
    assert owner.transfer.ends == [Outcome.STOPPED]
    assert owner.lines[-1].startswith("warning: Background transfer terminated by signal ")
    owner.delay(0)
    assert owner.transfer.begin()
    owner.finish()
    assert owner.transfer.ends == [Outcome.STOPPED, Outcome.DONE]


def test_a_job_is_dropped(owner: Owner) -> None:
    owner.delay(1_000_000)
    assert owner.snapshots.begin()
    owner.slot.drop(owner.transfer)
    assert owner.slot.busy
    owner.slot.drop(owner.snapshots)
    assert not owner.slot.busy
    assert os.listdir(owner.engine.config["dir"]) == []


def test_the_end_is_waited_for(owner: Owner, tmp_path: Path) -> None:
    assert owner.snapshots.begin()
    owner.slot.finish(owner.transfer)
    assert owner.slot.busy
    owner.slot.finish(owner.snapshots)
    assert not owner.slot.busy and not owner.snapshots.last_failed
    assert os.listdir(tmp_path) == ["dump.rdb"]


def test_a_place_that_cannot_be_taken(owner: Owner, tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").mkdir()
    assert owner.snapshots.begin()
    owner.finish()
    assert owner.snapshots.last_failed
    assert os.listdir(tmp_path) == ["dump.rdb"]


def test_a_child_that_is_told_to_stop_has_nothing_moved(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Method.FORK)
    assert owner.snapshots.begin()
    # All is written, and the child waits for its file to be moved.
    wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob("temp-*")))
    owner.slot.stop(owner.snapshots)
    assert os.listdir(tmp_path) == []

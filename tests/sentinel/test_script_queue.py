"""Scripts: when they run, how often, and what is told of them; and as processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from carnelian.sentinel.known.surroundings import NotStarted
from carnelian.sentinel.serving.script_runner import Processes
from carnelian.sentinel.watching.script_queue import MOST_QUEUED, MOST_RUNNING, MOST_TRIES
from support.waiting import wait_for

from .simulated_sentinels import NAME, Fleet

NOTIFY = f"sentinel notification-script {NAME} /bin/notify"
RECONFIG = f"sentinel client-reconfig-script {NAME} /bin/reconfigure"


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(servers=2, sentinels=1, quorum=1)


def test_alarms_run_the_script() -> None:
    fleet = Fleet(servers=2, sentinels=1, quorum=1, lines=[NOTIFY, RECONFIG])
    each = fleet.sentinel()
    fleet.run(1)
    assert each.fake_scripts.started[1] == [
        "/bin/notify",
        "+monitor",
        each.events("+monitor")[0].text,
    ]
    # What is only worth a notice runs none.
    assert fleet.events("+slave")
    assert len(each.fake_scripts.started) == 1
    fleet.network.crash("r0")
    fleet.network.run_until(lambda: bool(fleet.events("+switch-master")), 30)
    fleet.run(1)
    wanted = ["/bin/reconfigure", NAME, "leader", "start", "r0", "6379", "r1", "6379"]
    assert wanted in each.fake_scripts.started.values()


def test_observers_run_it_as_well() -> None:
    fleet = Fleet(lines=[RECONFIG])
    fleet.wait_for_meeting()
    fleet.network.crash("r0")
    fleet.network.run_until(lambda: len(fleet.events("+switch-master")) == 3, 30)
    fleet.run(1)
    parts = [words[2] for each in fleet.sentinels for words in each.fake_scripts.started.values()]
    assert sorted(parts) == ["leader", "observer", "observer"]


def test_only_some_run_at_a_time(fleet: Fleet) -> None:
    each = fleet.sentinel()
    for number in range(MOST_RUNNING + 4):
        each.sentinel.scripts.add(["/bin/x", str(number)])
    fleet.run(1)
    assert len(each.fake_scripts.started) == MOST_RUNNING
    each.fake_scripts.end(3)
    fleet.run(1)
    assert len(each.fake_scripts.started) == MOST_RUNNING + 1
    assert each.fake_scripts.started[MOST_RUNNING + 1] == ["/bin/x", str(MOST_RUNNING)]


def test_the_oldest_that_waits_is_dropped(fleet: Fleet) -> None:
    queue = fleet.sentinel().sentinel.scripts
    for number in range(MOST_QUEUED + 1):
        queue.add(["/bin/x", str(number)])
    assert len(queue.jobs) == MOST_QUEUED
    assert queue.jobs[0].words[1] == "1"


def test_a_script_may_ask_to_be_run_again(fleet: Fleet) -> None:
    each = fleet.sentinel()
    queue, runner = each.sentinel.scripts, each.fake_scripts
    queue.add(["/bin/x"])
    delay = 30
    for tries in range(1, MOST_TRIES + 1):
        fleet.run(1)
        assert len(runner.started) == tries
        runner.end(tries, status=1) if tries % 2 else runner.end(tries, signal=9)
        fleet.run(delay - 2)
        assert len(runner.started) == tries
        fleet.run(4)
        delay *= 2
    assert not queue.jobs
    assert [event.text for event in fleet.events("-script-error")] == ["/bin/x 9 0"]


def test_other_failures_are_told_at_once(fleet: Fleet) -> None:
    each = fleet.sentinel()
    each.sentinel.scripts.add(["/bin/x"])
    fleet.run(1)
    each.fake_scripts.end(1, status=3)
    fleet.run(1)
    assert not each.sentinel.scripts.jobs
    assert [event.text for event in fleet.events("-script-error")] == ["/bin/x 0 3"]


def test_scripts_that_take_too_long_are_killed(fleet: Fleet) -> None:
    each = fleet.sentinel()
    each.sentinel.scripts.add(["/bin/x"])
    fleet.run(59)
    assert not each.fake_scripts.killed
    fleet.run(3)
    assert 1 in each.fake_scripts.killed
    assert fleet.events("-script-timeout")[0].text == "/bin/x 1"


def test_scripts_that_cannot_be_started(fleet: Fleet) -> None:
    each = fleet.sentinel()
    each.fake_scripts.problem = NotStarted()
    each.sentinel.scripts.add(["/bin/x"])
    fleet.run(1)
    assert not each.sentinel.scripts.jobs
    assert [event.text for event in fleet.events("-script-error")] == ["/bin/x 0 2"]
    each.fake_scripts.problem = BlockingIOError()
    each.sentinel.scripts.add(["/bin/y"])
    fleet.run(0.1)
    assert fleet.events("-script-error")[-1].text == "/bin/y 99 0"
    each.fake_scripts.problem = None
    fleet.run(0.2)
    assert each.fake_scripts.started[1] == ["/bin/y"]


class TestProcesses:
    """What runs them for real."""

    def script(self, tmp_path: Path, text: str) -> str:
        path = tmp_path / "script"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def test_words_and_status(self, tmp_path: Path) -> None:
        runner = Processes()
        path = self.script(tmp_path, f'echo "$1|$2" > {tmp_path}/out; exit 7')
        pid = runner.start([path, "a b", "ü"])
        ends = wait_for(runner.ended)
        assert [(end.pid, end.status, end.signal) for end in ends] == [(pid, 7, 0)]
        assert (tmp_path / "out").read_text() == "a b|ü\n"
        assert runner.ended() == []

    def test_a_kill(self, tmp_path: Path) -> None:
        runner = Processes()
        pid = runner.start([self.script(tmp_path, "exec sleep 60")])
        time.sleep(0.05)
        runner.kill(pid)
        ends = wait_for(runner.ended)
        assert [(end.status, end.signal) for end in ends] == [(0, 9)]

    def test_what_is_no_program(self, tmp_path: Path) -> None:
        with pytest.raises(NotStarted):
            Processes().start([str(tmp_path / "missing")])

    def test_no_descriptors_are_left_to_them(self, tmp_path: Path) -> None:
        runner = Processes()
        with open(tmp_path / "held", "w") as held:
            path = self.script(tmp_path, f"ls -l /proc/$$/fd > {tmp_path}/out")
            runner.start([path])
            wait_for(runner.ended)
            assert held.name not in (tmp_path / "out").read_text()
        assert os.path.exists(path)

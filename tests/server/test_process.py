"""The process around the server, in processes of their own where it changes them."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from carnelian.server.system.log_file import Log
from carnelian.server.system.process import (
    OomScore,
    Supervisor,
    raise_file_limit,
    set_cpu_affinity,
    write_pid_file,
)
from support.waiting import wait_for

from .peers import ServerProcess


def in_child(function: Callable[[], object]) -> str:
    """What a function prints of its result, run in a child process of this one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # Other tests may have more files open than the limits here allow.
            os.closerange(3, writer)
            os.closerange(writer + 1, 4096)
            os.write(writer, repr(function()).encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        result = pipe.read().decode()
    os.waitpid(child, 0)
    return result


@pytest.fixture
def log(tmp_path: Path) -> Log:
    (tmp_path / "log").touch()
    return Log("debug", str(tmp_path / "log"))


def said(log: Log) -> list[str]:
    return [line.split(" ", 5)[5] for line in Path(log.path).read_text().splitlines()]


def test_lists_of_processes_show_the_name_of_the_program(tmp_path: Path):
    """Without arguments, as ps, top and killall do: 15 bytes of it."""

    def shown(pid: object) -> set[str]:
        return {path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/comm")}

    server = ServerProcess(tmp_path, "--save", "", "--appendonly", "yes").wait_until_ready()
    client = server.connect()
    assert shown(server.process.pid) == {"carnelian-serve\n"}
    client.call("CONFIG", "SET", "rdb-key-save-delay", 1_000_000)
    client.call("CONFIG", "SET", "snapshot-method", "fork")
    client.call("MSET", *range(20))
    assert client.call("BGSAVE").startswith(b"+Background saving")
    (child,) = (
        Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    )
    wait_for(lambda: "redis-rdb-bgsave" in Path(f"/proc/{child}/cmdline").read_text())
    assert shown(child) == {"carnelian-serve\n"}
    client.call("CONFIG", "SET", "proc-title-template", "somewhat {port}")
    assert shown(server.process.pid) == {"carnelian-serve\n"}
    assert client.call("SHUTDOWN", "NOSAVE", "NOW", "FORCE") == b""


def test_files_for_the_clients_are_asked_for(log: Log):
    def ask() -> object:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 1000))
        return raise_file_limit(500, log), resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_child(ask) == "(500, (532, 1000))"
    assert said(log) == [
        "* Increased maximum number of open files to 532 (it was originally set to 100)."
    ]


def test_a_limit_that_is_high_enough_is_left_alone(log: Log):
    def ask() -> object:
        resource.setrlimit(resource.RLIMIT_NOFILE, (900, 1000))
        return raise_file_limit(500, log), resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_child(ask) == "(500, (900, 1000))"
    assert said(log) == []


def test_fewer_clients_where_the_limit_is_lower(log: Log):
    def ask() -> object:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
        # Without the right to go beyond the hard limit.
        os.setgroups([])
        os.setuid(65534)
        return raise_file_limit(500, log)

    if os.getuid() != 0:
        pytest.skip("only root can give up rights")
    os.chmod(log.path, 0o666)
    Path(log.path).parent.chmod(0o777)
    possible = int(in_child(ask))
    assert 200 - 16 - 32 < possible <= 200 - 32


def test_a_limit_too_low_for_anything(log: Log):
    def ask() -> object:
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        os.setuid(65534)
        return raise_file_limit(500, log)

    if os.getuid() != 0:
        pytest.skip("only root can give up rights")
    assert in_child(ask) == "SystemExit(1)"


def test_a_pid_file_that_cannot_be_written_is_no_error(tmp_path: Path):
    assert write_pid_file(str(tmp_path / "no" / "pid")) == str(tmp_path / "no" / "pid")
    path = tmp_path / "pid"
    write_pid_file(str(path))
    assert path.read_text() == f"{os.getpid()}\n"


def test_systemd_hears_of_start_and_stop(tmp_path: Path, log: Log, monkeypatch):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.delenv("UPSTART_JOB", raising=False)
        supervisor = Supervisor("auto", log)
        assert supervisor.active
        supervisor.ready()
        supervisor.stopping()
        heard = [receiver.recv(100) for _ in range(4)]
    assert heard == [
        b"STATUS=Redis is loading...\n",
        b"STATUS=Ready to accept connections\n",
        b"READY=1\n",
        b"STOPPING=1\n",
    ]
    assert said(log)[0] == "- Systemd supervision detected."


def test_a_supervisor_that_is_not_there(log: Log, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("UPSTART_JOB", raising=False)
    assert not Supervisor("systemd", log).active
    assert not Supervisor("upstart", log).active
    assert not Supervisor("auto", log).active
    assert not Supervisor("no", log).active
    assert said(log) == [
        "# systemd supervision error: NOTIFY_SOCKET not found!",
        "# upstart supervision requested, but UPSTART_JOB not found!",
    ]


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux only")
def test_the_oom_score_comes_and_goes(log: Log):
    path = Path("/proc/self/oom_score_adj")

    def change() -> object:
        score = OomScore(log)
        before = int(path.read_text())
        seen = []
        for mode, values in (
            ("yes", [100, 200, 300]),
            ("absolute", [150, 200, 300]),
            ("no", [100, 200, 300]),
        ):
            assert score.apply(mode, values)
            seen.append(int(path.read_text()) - (0 if mode == "absolute" else before))
        return seen

    assert in_child(change) == "[100, 150, 0]"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_processors_are_chosen_by_list(log: Log):
    mine = min(os.sched_getaffinity(0))

    def choose() -> object:
        set_cpu_affinity(f"{mine}-{mine}", log)
        return os.sched_getaffinity(0)

    assert in_child(choose) == repr({mine})
    set_cpu_affinity("what", log)
    assert said(log)[0].startswith("# Can't set CPU affinity to what: ")

"""Runs units of the suite, each in a run tree and a process group of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from . import tree
from .expected import Unit
from .results import UnitResult, parse

# A run that reports nothing for this long is given up; the slowest single test takes some 30 s.
PROGRESS_SECONDS = 120
UNIT_SECONDS = 900
START_SECONDS = 60
# Ports below the range of outgoing connections, also after the suite's own +10000.
_FIRST_PORT = 11_000
_PORTS = 500
_PORT_RANGES = 20
# Sockets that keep port ranges for this run until it ends.
_reserved: list[socket.socket] = []
# Where temporary files are in memory, and what must be free there for a run to use it.
_MEMORY_FOLDER = Path("/dev/shm")
_MEMORY_NEEDED = 8 << 30
# Lines of the log of each server that a failed unit leaves, for those who see the output alone.
_LOG_LINES = 12
_CRASH_MARKS = ("Traceback (most recent call last)", "Fatal Python error", "BUG REPORT START")


@dataclass(frozen=True)
class Plan:
    """How to run units, the same for all of them."""

    source: Path
    tclsh: str
    server: list[str] | None
    logs: Path
    excluded_too: bool = False
    only: list[str] = field(default_factory=list)
    # For units that are run over TLS, which may be all of them.
    certificates: Path | None = None
    all_secure: bool = False


class NotStarting(Exception):
    """The server to test does not come up at all, so that no unit can say anything."""


def check_server(plan: Plan) -> None:
    """Starts the server once; raises NotStarting with its output if it does not take clients."""
    with tempfile.TemporaryDirectory(prefix="suite-") as name:
        folder = Path(name)
        tree.lay_out(folder, plan.source, plan.server, Unit("unit/quit"))
        log = folder / "output"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [folder / "src" / "redis-server", "--port", str(_port(0)), "--bind", "127.0.0.1"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _accepts(_port(0)):
                if process.poll() is not None or time.monotonic() > deadline:
                    text = log.read_text(errors="replace")
                    raise NotStarting(f"the server does not start:\n{text}")
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def first_port() -> int:
    """The first of some hundreds of ports that no other run on this machine has."""
    return _port(0)


@cache
def _port(slot: int) -> int:
    """The first port for a slot, in a range that no other run on this machine has."""
    for offset in range(_PORT_RANGES):
        first = _FIRST_PORT + _PORTS * ((os.getpid() + offset) % _PORT_RANGES)
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", first))
        except OSError:
            holder.close()
            continue
        _reserved.append(holder)
        return first + 40
    raise NotStarting("other runs of the suite use all its ports")


def run_unit(plan: Plan, unit: Unit, slot: int) -> UnitResult:
    """Runs one unit to its end, to its failure or to its time limit; never raises for those.

    ``slot`` (0, 1, ...) is different for units run at the same time: it gives them their ports.
    """
    folder = Path(tempfile.mkdtemp(prefix="suite-", dir=_spacious_memory()))
    try:
        tree.lay_out(folder, plan.source, plan.server, unit, plan.certificates)
        started = time.monotonic()
        output, timed_out = _execute(folder, _command(plan, unit, slot, folder))
        result = parse(unit.name, output.splitlines())
        result.seconds = time.monotonic() - started
        if timed_out:
            result.fail(f"unit takes no more than {UNIT_SECONDS} s")
        _judge(plan, unit, result, folder)
        if result.failed:
            result.server_logs = _ends_of_logs(folder)
            _keep_logs(plan.logs, unit, folder, output)
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _spacious_memory() -> Path | None:
    """A folder in memory with room for a run; None if there is none, and the disk is to do.

    Tests that give a server seconds are not about the disk, which others may keep busy.
    """
    try:
        found = os.statvfs(_MEMORY_FOLDER)
        memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    free = min(found.f_bavail * found.f_frsize, memory)
    fits = free >= _MEMORY_NEEDED and not found.f_flag & os.ST_NOEXEC
    return _MEMORY_FOLDER if fits and os.access(_MEMORY_FOLDER, os.W_OK) else None


def _command(plan: Plan, unit: Unit, slot: int, folder: Path) -> list[str]:
    command = [
        plan.tclsh, "tests/test_helper.tcl",
        "--single", unit.name,
        "--clients", "1",
        "--durable", "--dont-clean",
        "--timeout", str(PROGRESS_SECONDS),
        "--baseport", str(_port(slot)), "--portcount", str(_PORTS - 40),
    ]  # fmt: skip
    if not plan.excluded_too:
        skipped = folder / "skipped"
        skipped.write_text("".join(f"{test}\n" for test in unit.excluded))
        command += ["--skipfile", str(skipped)]
        for tag in unit.deny_tags:
            command += ["--tags", f"-{tag}"]
    if plan.all_secure or unit.tls:
        command.append("--tls")
    for test in plan.only:
        command += ["--only", test]
    return command


def _execute(folder: Path, command: list[str]) -> tuple[str, bool]:
    """The output of the run and whether it went over its time limit. Nothing of it stays behind."""
    log = folder / "output"
    environment = dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(UNIT_SECONDS)
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            # The suite and all servers it started are one process group.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    return log.read_text(errors="replace"), timed_out


def _judge(plan: Plan, unit: Unit, result: UnitResult, folder: Path) -> None:
    """Adds failures for what the suite itself does not notice."""
    if not result.finished:
        result.fail("unit runs to its end", *_tail(folder / "output"))
    if not plan.excluded_too and not plan.only and result.finished:
        for test in sorted(unit.excluded.keys() - set(result.skipped)):
            result.fail(f"excluded test {test!r} is in the suite")
    if unit.crashes:
        return
    for log in sorted(folder.glob("tests/tmp/server*/std*")):
        text = log.read_text(errors="replace")
        marks = [mark for mark in _CRASH_MARKS if mark in text]
        if marks:
            at = max(text.find(marks[0]), 0)
            result.fail("servers do not crash", log.parent.name, *text[at : at + 4000].splitlines())


def _tail(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()[-15:]


def _ends_of_logs(folder: Path) -> list[str]:
    """What the servers that were there last have logged last."""
    lines: list[str] = []
    logs = sorted(folder.glob("tests/tmp/server*/stdout"), key=lambda log: log.stat().st_mtime)
    for log in logs[-4:]:
        lines += [
            f"{log.parent.name}:",
            *log.read_text(errors="replace").splitlines()[-_LOG_LINES:],
        ]
    return lines


def _keep_logs(logs: Path, unit: Unit, folder: Path, output: str) -> None:
    target = logs / unit.name.replace("/", "-")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / "output").write_text(output)
    for server in sorted(folder.glob("tests/tmp/server*")):
        kept = target / server.name
        kept.mkdir()
        for name in ("stdout", "stderr"):
            if (server / name).exists():
                shutil.copy(server / name, kept / name)

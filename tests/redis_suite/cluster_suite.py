"""Redis's own suite for clusters (``runtest-cluster``), with ours in the place of redis-server.

``python -m tests.redis_suite.cluster_suite``; exits with 1 if a test fails. With ``--mixed`` every
second instance is a real redis-server.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from . import runner, source, tree
from .results import UnitResult

EXPECTED_FILE = Path(__file__).with_name("cluster_expected.toml")
# The failovers of some units take minutes, even without anybody else on the machine.
UNIT_SECONDS = 1500
OURS = "carnelian"
MIXED = "mixed"

_TEST = re.compile(r"^\d\d:\d\d:\d\d> (.*?): (?:.*)(OK|FAILED: .*)$")
_COLOR = re.compile(r"\x1b\[[\d;]*m")
_TROUBLE = ("FAILED: caught", "WARNING: Aborting", "Forcing process", "*** Crash report", "ERROR:")
_CRASH_MARKS = ("Traceback (most recent call last)", "Fatal Python error", "BUG REPORT START")


def units(found: Path) -> list[str]:
    """The names of all units, in their order."""
    return sorted(path.stem for path in (found / "tests/cluster/tests").glob("*.tcl"))


def expected() -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    """By unit: texts of its file with what newer versions of Redis have in their place, and tests
    that may fail. Raises ValueError for a reason that is not told.
    """
    document = tomllib.loads(EXPECTED_FILE.read_text())
    reasons = document.pop("reasons")
    replaced: dict[str, dict[str, str]] = {}
    excluded: dict[str, list[str]] = {}
    for unit, table in document.items():
        for kind in ("replaced", "excluded"):
            unknown = table.get(kind, {}).keys() - reasons.keys()
            if unknown:
                raise ValueError(f"{unit}: unknown reasons {sorted(unknown)}")
        pairs = [pair for texts in table.get("replaced", {}).values() for pair in texts.items()]
        replaced[unit] = dict(pairs)
        excluded[unit] = [test for tests in table.get("excluded", {}).values() for test in tests]
    return replaced, excluded


def launcher(servers: str) -> str:
    """The program that stands in the place of redis-server."""
    own = tree.own_launcher("serve")
    if servers == OURS:
        return own
    if servers != MIXED:
        return tree.foreign_launcher(shlex.split(servers))
    head, rest = own.split("\n", 1)
    real = shutil.which("redis-server")
    # Which one it is follows from the folder, so that an instance stays what it is.
    return (
        f"{head}\nimport os, re\n"
        "number = re.search(r'redis_(\\d+)', ' '.join(__import__('sys').argv))\n"
        "if number and int(number[1]) % 2:\n"
        f"    os.execv({real!r}, ['redis-server', *__import__('sys').argv[1:]])\n"
        f"{rest}"
    )


def lay_out(folder: Path, found: Path, servers: str, unit: str) -> None:
    """Makes ``folder`` a place where the suite runs."""
    shutil.copytree(found / "tests", folder / "tests", ignore=shutil.ignore_patterns("tmp"))
    (folder / "tests/cluster/tmp").mkdir()
    binaries = folder / "src"
    binaries.mkdir()
    path = binaries / "redis-server"
    path.write_text(launcher(servers))
    path.chmod(0o755)
    for tool in tree.TOOLS:
        location = shutil.which(tool)
        assert location is not None
        (binaries / tool).symlink_to(location)
    # Ports that no other run on this machine uses.
    _replace(
        folder / "tests/instances.tcl",
        {
            "set ::redis_base_port 30000": f"set ::redis_base_port {runner.first_port()}",
            "set ::redis_port_count 1024": "set ::redis_port_count 400",
        },
    )
    if servers in (OURS, MIXED):
        _replace(folder / f"tests/cluster/tests/{unit}.tcl", expected()[0].get(unit, {}))


def _replace(path: Path, texts: dict[str, str]) -> None:
    text = path.read_text()
    for old, new in texts.items():
        if old not in text:
            raise ValueError(f"{path}: {old!r} is not there")
        text = text.replace(old, new)
    path.write_text(text)


def parse(unit: str, output: str) -> UnitResult:
    """What became of the tests, by what the suite has printed."""
    result = UnitResult(unit)
    for raw in output.splitlines():
        line = _COLOR.sub("", raw)
        match = _TEST.match(line)
        if match is not None and match[2] == "OK":
            result.passed.append(match[1])
        elif match is not None:
            result.fail(match[1], match[2])
        elif line.startswith(_TROUBLE):
            result.fail("nothing happens but what is tested", line)
        elif line.startswith(("GOOD! No errors.", "WARNING ")):
            result.finished = True
    if not result.finished:
        result.fail("unit runs to its end", *output.splitlines()[-15:])
    return result


def run_unit(found: Path, unit: str, servers: str, logs: Path) -> UnitResult:
    """Runs one unit with instances of its own."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-suite-"))
    started = time.monotonic()
    try:
        lay_out(folder, found, servers, unit)
        output = _execute(folder, unit)
        result = parse(unit, output)
        result.seconds = time.monotonic() - started
        _look_for_crashes(folder, result)
        excused = expected()[1].get(unit, ())
        result.failed = [failure for failure in result.failed if failure.name not in excused]
        if result.failed:
            target = logs / unit
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder / "tests/cluster/tmp", target)
            (target / "output").write_text(output)
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _look_for_crashes(folder: Path, result: UnitResult) -> None:
    for log in sorted(folder.glob("tests/cluster/tmp/redis_*/*.txt")):
        text = log.read_text(errors="replace")
        marks = [mark for mark in _CRASH_MARKS if mark in text]
        if marks:
            at = text.find(marks[0])
            result.fail("servers do not crash", log.parent.name, *text[at : at + 3000].splitlines())


def _execute(folder: Path, unit: str) -> str:
    """The output of the suite. Nothing of it stays behind."""
    log = folder / "output"
    command = [tree.require_tools(), "tests/cluster/run.tcl", "--single", unit, "--dont-clean"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(UNIT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    return log.read_text(errors="replace")


def main(arguments: list[str] | None = None) -> int:
    """Run units, and tell what became of them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.redis_suite.cluster_suite", description=__doc__
    )
    add = parser.add_argument
    add("units", nargs="*", help="units such as 10-manual-failover; all by default")
    add("--servers", default=OURS, help="the servers to test (default: this source tree's)")
    add("--mixed", action="store_true", help="every second one is a real redis-server")
    options = parser.parse_args(arguments)
    try:
        found = source.find_or_fetch()
        tree.require_tools()
    except source.Missing as problem:
        print(f"cluster suite: {problem}", file=sys.stderr)
        return 2
    logs = source.cache_folder() / "logs" / ("cluster-mixed" if options.mixed else "cluster")
    results = []
    for unit in options.units or units(found):
        result = run_unit(found, unit, MIXED if options.mixed else options.servers, logs)
        results.append(result)
        print(
            f"{unit:32} {len(result.passed):4} passed {len(result.failed):4} failed "
            f"{result.seconds:7.1f} s",
            flush=True,
        )
        for failure in result.failed:
            print(f"  FAILED {failure.name}: {' '.join(failure.detail)[:400]}", flush=True)
    passed, failed = (sum(len(getattr(r, kind)) for r in results) for kind in ("passed", "failed"))
    print(f"\n{len(results)} units: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Redis's own suite for Sentinels (``runtest-sentinel``), with ours in the place of redis-sentinel.

``python -m tests.redis_suite.sentinel_suite``; exits with 1 if a test fails.
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

from . import source, tree
from .results import UnitResult

EXPECTED_FILE = Path(__file__).with_name("sentinel_expected.toml")
UNIT_SECONDS = 600
OURS = "carnelian"

_TEST = re.compile(r"^\d\d:\d\d:\d\d> (.*?): (?:.*)(OK|FAILED: .*)$")
_COLOR = re.compile(r"\x1b\[[\d;]*m")
_TROUBLE = ("FAILED: caught", "WARNING: Aborting", "Forcing process", "*** Crash report", "ERROR:")


def units(found: Path) -> list[str]:
    """The names of all units, in their order."""
    return sorted(path.stem for path in (found / "tests/sentinel/tests").glob("*.tcl"))


def replacements() -> dict[str, dict[str, str]]:
    """By unit: texts of its file, and what newer versions of Redis have in their place."""
    document = tomllib.loads(EXPECTED_FILE.read_text())
    reasons = document.pop("reasons")
    made: dict[str, dict[str, str]] = {}
    for unit, table in document.items():
        unknown = table["replaced"].keys() - reasons.keys()
        if unknown:
            raise ValueError(f"{unit}: unknown reasons {sorted(unknown)}")
        texts = [pair for pairs in table["replaced"].values() for pair in pairs.items()]
        made[unit] = dict(texts)
    return made


def lay_out(folder: Path, found: Path, servers: str, sentinel: str) -> None:
    """Makes ``folder`` a place where the suite runs."""
    shutil.copytree(found / "tests", folder / "tests", ignore=shutil.ignore_patterns("tmp"))
    (folder / "tests/sentinel/tmp").mkdir()
    binaries = folder / "src"
    binaries.mkdir()
    for name, command, tool in (
        ("redis-server", servers, "serve"),
        ("redis-sentinel", sentinel, "serve_sentinel"),
    ):
        path = binaries / name
        path.write_text(
            tree.own_launcher(tool)
            if command == OURS
            else tree.foreign_launcher(shlex.split(command))
        )
        path.chmod(0o755)
    for tool in tree.TOOLS:
        location = shutil.which(tool)
        assert location is not None
        (binaries / tool).symlink_to(location)
    if sentinel == OURS:
        for unit, texts in replacements().items():
            _replace(folder / f"tests/sentinel/tests/{unit}.tcl", texts)


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


def run_unit(found: Path, unit: str, servers: str, sentinel: str, logs: Path) -> UnitResult:
    """Runs one unit with instances of its own."""
    folder = Path(tempfile.mkdtemp(prefix="sentinel-suite-"))
    started = time.monotonic()
    try:
        lay_out(folder, found, servers, sentinel)
        output = _execute(folder, unit)
        result = parse(unit, output)
        result.seconds = time.monotonic() - started
        if result.failed:
            target = logs / unit
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder / "tests/sentinel/tmp", target)
            (target / "output").write_text(output)
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _execute(folder: Path, unit: str) -> str:
    """The output of the suite. Nothing of it stays behind."""
    log = folder / "output"
    command = [tree.require_tools(), "tests/sentinel/run.tcl", "--single", unit, "--dont-clean"]
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
        prog="python -m tests.redis_suite.sentinel_suite", description=__doc__
    )
    add = parser.add_argument
    add("units", nargs="*", help="units such as 05-manual; all by default")
    add("--sentinel", default=OURS, help="the Sentinel to test (default: this source tree's)")
    add("--servers", default="redis-server", help=f"the servers that it watches; {OURS!r}: ours")
    options = parser.parse_args(arguments)
    try:
        found = source.find_or_fetch()
        tree.require_tools()
    except source.Missing as problem:
        print(f"sentinel suite: {problem}", file=sys.stderr)
        return 2
    logs = source.cache_folder() / "logs" / "sentinel"
    results = []
    for unit in options.units or units(found):
        result = run_unit(found, unit, options.servers, options.sentinel, logs)
        results.append(result)
        print(
            f"{unit:24} {len(result.passed):4} passed {len(result.failed):4} failed "
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

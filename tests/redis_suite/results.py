"""Reads what Redis's ``runtest`` prints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_STATUS = re.compile(r"^\[(ok|err|skip|ignore|exception|TIMEOUT|\d+/\d+ done)\]: ?(.*)$")
_ELAPSED = re.compile(r"^(.*) \((\d+) ms\)$")
_PLACE = re.compile(r"^(.*) in tests/\S+\.tcl$")
_FORCED = re.compile(r"^Forcing process \d+ to ")


@dataclass
class Failure:
    """A test that failed, or trouble outside of any test, with the suite's explanation."""

    name: str
    detail: list[str] = field(default_factory=list)


@dataclass
class UnitResult:
    """What became of the tests of one unit."""

    unit: str
    passed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    finished: bool = False
    seconds: float = 0.0
    server_logs: list[str] = field(default_factory=list)

    def fail(self, name: str, *detail: str) -> Failure:
        failure = Failure(name, list(detail))
        self.failed.append(failure)
        return failure


def parse(unit: str, lines: Iterable[str]) -> UnitResult:
    """Sorts the lines of one run into passed, failed, skipped and ignored tests."""
    result = UnitResult(unit)
    failure: Failure | None = None
    for line in lines:
        line = line.rstrip("\n")
        match = _STATUS.match(line)
        if match is not None:
            failure = _take(result, match[1], match[2])
        elif _FORCED.match(line):
            result.fail("server stops on SIGTERM within ten seconds", line)
        elif line.strip() == "The End":
            failure = None
        elif failure is not None and line:
            failure.detail.append(line)
    return result


def _take(result: UnitResult, status: str, text: str) -> Failure | None:
    match status:
        case "ok":
            timed = _ELAPSED.match(text)
            result.passed.append(timed[1] if timed else text)
        case "skip":
            result.skipped.append(text)
        case "ignore":
            result.ignored.append(text)
        case "err":
            place = _PLACE.match(text)
            return result.fail(place[1] if place else text)
        case "exception":
            return result.fail("exception outside of a test", text)
        case "TIMEOUT":
            return result.fail("no progress, run given up")
        case _:
            result.finished = True
    return None

"""What programs have told, kept from run to run, and the tables made of it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

LINE = re.compile(r"(ok|fail|none) (\w+)(?:: (.*))?$")


@dataclass
class Outcome:
    """What became of a client or framework."""

    name: str
    group: str
    version: str = ""
    seconds: float = 0.0
    steps: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    skipped: str = ""

    @property
    def failed(self) -> list[str]:
        """The steps that have failed."""
        return [step for step, result in self.steps.items() if result == "fail"]

    def read(self, text: str, status: int) -> None:
        """Take in what a program has printed; one that ended badly has failed."""
        for line in text.splitlines():
            if line.startswith("version "):
                self.version = line.split()[-1]
            elif match := LINE.match(line):
                self.steps[match[2]] = match[1]
                if match[3]:
                    self.why[match[2]] = match[3].strip()
        if (status and not self.failed) or not self.steps:
            self.steps["end"] = "fail"
            self.why["end"] = f"exit status {status}"

    def summary(self, names: bool = False) -> str:
        """In a few words: how many steps were done, or with ``names`` which."""
        if self.skipped:
            return f"not run: needs {self.skipped}"
        done = [step for step, result in self.steps.items() if result == "ok"]
        parts = [f"all {len(done)}" if not self.failed else f"{len(done)} of {len(self.steps)}"]
        if names and done:
            parts = [", ".join(done)]
        missing = [step for step, result in self.steps.items() if result == "none"]
        if missing:
            parts.append(f"has no {', '.join(missing)}")
        if self.failed:
            parts.append("**failed**: " + ", ".join(self.failed))
        return "; ".join(parts).replace("_", " ")


class Record:
    """The outcomes of all runs so far, in a file; the newest of a name counts."""

    def __init__(self, path: Path):
        self.path = path
        self.outcomes: dict[str, Outcome] = {}
        if path.exists():
            for entry in json.loads(path.read_text()):
                self.outcomes[entry["name"]] = Outcome(**entry)

    def add(self, outcome: Outcome) -> None:
        """Keep it; one that was not run takes nobody's place."""
        if not outcome.skipped or outcome.name not in self.outcomes:
            self.outcomes[outcome.name] = outcome
        entries = [asdict(each) for each in self.outcomes.values()]
        self.path.write_text(json.dumps(entries, indent=1) + "\n")


def table(outcomes: list[Outcome], what: str, names: bool = False) -> str:
    """A Markdown table; ``names`` as in `Outcome.summary`."""
    rows = [f"| | {what} | version | steps |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {each.group} | {each.name} | {each.version or '-'} | {each.summary(names)} |"
        for each in outcomes
    ]
    return "\n".join(rows)


def put_between_marks(page: Path, mark: str, text: str) -> None:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` of a page."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = page.read_text().partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{page} has no {begin} and {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")

"""Run clients and frameworks against a server started for them.

    python -m tests.interop [--all] [--write] [--server redis-server] [name ...]

Without names, those are run that take a minute or so each; ``--all`` runs all. What is needed is
installed into build/interop; a client whose tool chain is missing is skipped with a word on what to
install, except that in CI (``CI=true``) the light ones have to be there. The outcomes go to
build/interop/*.json, and with ``--write`` into the tables of the README.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from interop import catalogue, frameworks, outcomes, peers
from interop.outcomes import Outcome
from interop.toolchains import WORK, Missing

ROOT = WORK.parents[1]
# Seconds that a program may take.
PATIENCE = 400


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    clients = [each for each in catalogue.CLIENTS if _wanted(options, each.name, each.light)]
    chosen = [each for each in frameworks.FRAMEWORKS if _wanted(options, each.name, each.light)]
    unknown = set(options.names) - {each.name for each in [*clients, *chosen]}
    if unknown:
        sys.exit(f"no such client or framework: {', '.join(sorted(unknown))}")
    bad = 0
    with peers.running(WORK, options.server, bool(clients)) as found:
        place = WORK if options.server is None else WORK / "reference"
        place.mkdir(exist_ok=True)
        record = outcomes.Record(place / "languages.json")
        for client in clients:
            bad += _report(record, _attempt(client, found), client.light)
        record = outcomes.Record(place / "frameworks.json")
        for framework in chosen:
            bad += _report(record, _attempt(framework, found), framework.light)
    if options.write:
        _write_tables(place)
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument("names", nargs="*", help="clients and frameworks, as the tables name them")
    parser.add_argument("--all", action="store_true", help="the heavy ones as well")
    parser.add_argument("--write", action="store_true", help="write the tables of the README")
    parser.add_argument("--server", help="a program to run instead of ours, such as redis-server")
    return parser


def _wanted(options: argparse.Namespace, name: str, light: bool) -> bool:
    return name in options.names if options.names else light or options.all


def _attempt(client: catalogue.Client, found: peers.Peers) -> Outcome:
    outcome = Outcome(client.name, client.language)
    try:
        command = client.prepare()
    except Missing as error:
        outcome.skipped = str(error)
        return outcome
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        outcome.read("fail build: it could not be built", 1)
        return outcome
    found.make_ready()
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **found.environment()},
            cwd=WORK,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
        outcome.read(printed.decode(errors="replace"), 1)
        outcome.why["end"] = f"still running after {PATIENCE} s"
    else:
        outcome.read(done.stdout, done.returncode)
    outcome.seconds = time.monotonic() - started
    return outcome


def _report(record: outcomes.Record, outcome: Outcome, light: bool) -> bool:
    """Keep and show an outcome; tells whether it is a failure of the run."""
    record.add(outcome)
    mark = "skip" if outcome.skipped else "FAIL" if outcome.failed else "ok"
    print(f"{mark:5} {outcome.name} {outcome.version} ({outcome.seconds:.1f} s): "
          f"{outcome.summary()}", flush=True)  # fmt: skip
    for step in outcome.failed:
        print(f"      {step}: {outcome.why.get(step, '')}", flush=True)
    missing_in_ci = bool(outcome.skipped) and light and bool(os.environ.get("CI"))
    return bool(outcome.failed) or missing_in_ci


def _write_tables(place: Path) -> None:
    page = ROOT / "README.md"
    tables = {
        "languages": (catalogue.CLIENTS, "client", False),
        "frameworks": (frameworks.FRAMEWORKS, "framework", True),
    }
    for name, (entries, what, names) in tables.items():
        known = outcomes.Record(place / f"{name}.json").outcomes
        rows = [known[entry.name] for entry in entries if entry.name in known]
        outcomes.put_between_marks(page, f"interop: {name}", outcomes.table(rows, what, names))


if __name__ == "__main__":
    sys.exit(main())

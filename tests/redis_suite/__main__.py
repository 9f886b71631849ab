"""Command line of the suite's runner; exits with 1 on any unexpected failure."""

from __future__ import annotations

import argparse
import json
import queue
import shlex
import sys
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from . import expected, runner, source, tree
from .expected import Expected, Unit
from .results import UnitResult

# Some tests fail with all the data they compared.
_SHOWN_WIDTH = 400


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    wanted = expected.load()
    if options.list:
        print("\n".join(wanted.units))
        return 0
    try:
        units = [_unit(wanted, name) for name in options.units] or list(wanted.units.values())
        found = source.find_or_fetch()
        secure = options.tls or any(unit.tls for unit in units)
        plan = runner.Plan(
            source=found,
            tclsh=tree.require_tools(),
            server=shlex.split(options.server) if options.server else None,
            logs=source.cache_folder() / "logs",
            excluded_too=options.excluded_too,
            only=options.only,
            certificates=source.find_or_make_certificates(found) if secure else None,
            all_secure=options.tls,
        )
        runner.check_server(plan)
    except (source.Missing, runner.NotStarting) as problem:
        print(f"redis suite: {problem}", file=sys.stderr)
        return 2
    results = _run_all(plan, units, options.jobs)
    report(wanted, units, results, plan, verbose=options.verbose)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
    return 1 if any(result.failed for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.redis_suite", description=__doc__)
    add = parser.add_argument
    add("units", nargs="*", help="units such as unit/expire; all expected ones by default")
    add("--server", help="command line of the server to test (default: this source tree's)")
    add("--jobs", type=int, default=2, help="units run at the same time (default 2)")
    add("--only", action="append", default=[], metavar="TEST", help="only this test; repeatable")
    add("--excluded-too", action="store_true", help="run the excluded tests as well")
    add("--tls", action="store_true", help="encrypt all connections (needs Tcl's tls)")
    add("--list", action="store_true", help="print the names of the expected units")
    add("--verbose", action="store_true", help="name every excluded test")
    add("--json", type=Path, help="write all results to this file")
    return parser


def _unit(wanted: Expected, name: str) -> Unit:
    return wanted.units.get(name) or Unit(name)


def _run_all(plan: runner.Plan, units: list[Unit], jobs: int) -> list[UnitResult]:
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)

    def run(unit: Unit) -> UnitResult:
        slot = slots.get()
        try:
            return runner.run_unit(plan, unit, slot)
        finally:
            slots.put(slot)

    results: dict[str, UnitResult] = {}
    with ThreadPoolExecutor(jobs) as pool:
        futures: dict[Future[UnitResult], Unit] = {pool.submit(run, unit): unit for unit in units}
        for future in as_completed(futures):
            result = results[futures[future].name] = future.result()
            print(_line(result), flush=True)
    return [results[unit.name] for unit in units]


def _line(result: UnitResult) -> str:
    return (
        f"{result.unit:24} {len(result.passed):4} passed {len(result.failed):4} failed "
        f"{len(result.skipped) + len(result.ignored):4} excluded {result.seconds:7.1f} s"
    )


def report(
    wanted: Expected,
    units: list[Unit],
    results: list[UnitResult],
    plan: runner.Plan,
    *,
    verbose: bool,
) -> None:
    """Prints the sums, the exclusions by reason and every failure with its explanation."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for unit, result in zip(units, results, strict=True):
        for test in result.skipped:
            reasons[unit.excluded.get(test, "not asked for")].append(f"{unit.name}: {test}")
        for note in result.ignored:
            reasons[_tag_reason(unit, note)].append(f"{unit.name}: {note}")
    failed = [(result.unit, failure) for result in results for failure in result.failed]
    totals = Counter(passed=sum(len(r.passed) for r in results), failed=len(failed))
    print(
        f"\nRedis {expected.VERSION} suite: {len(results)} units, {totals['passed']} passed, "
        f"{totals['failed']} failed, {sum(map(len, reasons.values()))} excluded"
    )
    for reason, tests in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"  {len(tests):4} excluded: {wanted.reasons.get(reason, reason)}")
        if verbose:
            print("".join(f"         {test}\n" for test in tests), end="")
    if plan.excluded_too:
        _report_needless(units, results)
    for name, failure in failed:
        print(f"\nFAILED {name}: {failure.name}")
        print("".join(f"    {line[:_SHOWN_WIDTH]}\n" for line in failure.detail[:12]), end="")
    for result in results:
        if result.server_logs:
            print(f"\nlast lines of the servers of {result.unit}:")
            print("".join(f"    {line[:_SHOWN_WIDTH]}\n" for line in result.server_logs), end="")
    if failed:
        print(f"\noutput and server logs of failed units: {plan.logs}")


def _report_needless(units: list[Unit], results: list[UnitResult]) -> None:
    """Names the exclusions that could go, as their tests pass."""
    print("\nexcluded, but passing:")
    for unit, result in zip(units, results, strict=True):
        failed = {failure.name for failure in result.failed}
        for test in unit.excluded.keys() & set(result.passed) - failed:
            print(f"    {unit.name}: {test} ({unit.excluded[test]})")


def _tag_reason(unit: Unit, note: str) -> str:
    for tag, reason in unit.deny_tags.items():
        if f"Tag: {tag} denied" in note:
            return reason
    return note.rpartition(": ")[2] or note


if __name__ == "__main__":
    sys.exit(main())

"""Command line: so many rounds, as many with each policy; exits with 1 at the first loss.

``--embedded`` has programs with engines of their own killed in place of servers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from durability.embedded import EmbeddedFigures, EmbeddedRounds
from durability.rounds import SNAPSHOTS, Figures, Loss, Rounds

POLICIES = ("always", "everysec")
OTHERS = (SNAPSHOTS,)
EMBEDDED = ("always", "everysec", "no")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policy", choices=(*EMBEDDED, *OTHERS), action="append")
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--directory", help="where the files are; a directory in memory is idle")
    parser.add_argument("--idle", action="store_true", help="the disk there is never busy")
    parser.add_argument("--no-power-cuts", action="store_true", help="only with --embedded")
    options = parser.parse_args(arguments)
    if options.embedded:
        return _embedded(options)
    policies = options.policy or POLICIES
    for policy in policies:
        with tempfile.TemporaryDirectory(dir=options.directory) as name:
            rounds = Rounds(Path(name) / policy, policy, options.seed)
            began = time.monotonic()
            try:
                for _ in range(options.rounds // len(policies)):
                    rounds.run()
            except Loss as loss:
                print(loss)
                return 1
            finally:
                _show(policy, rounds.figures, time.monotonic() - began)
    return 0


def _embedded(options: argparse.Namespace) -> int:
    policies = options.policy or EMBEDDED
    for policy in policies:
        with tempfile.TemporaryDirectory(dir=options.directory) as name:
            rounds = EmbeddedRounds(
                Path(name) / policy, options.seed, idle=options.idle, appendfsync=policy
            )
            began = time.monotonic()
            try:
                for _ in range(options.rounds // len(policies)):
                    rounds.run(power_cut=False if options.no_power_cuts else None)
            except Loss as loss:
                print(loss)
                return 1
            finally:
                _show_embedded(policy, rounds.figures, time.monotonic() - began)
    return 0


def _show_embedded(policy: str, figures: EmbeddedFigures, seconds: float) -> None:
    threads = ", ".join(f"{count} of {n}" for n, count in sorted(figures.by_threads.items()))
    print(
        f"embedded, {policy}: {figures.rounds} rounds in {seconds:.0f} s (threads: {threads}), "
        f"{figures.power_cuts} of them with what was not synced thrown away "
        f"({figures.bytes_lost} bytes); {figures.acknowledged} writes acknowledged, "
        f"{figures.lossless} rounds without any loss; missing, and not promised: {figures.lost}, "
        f"the oldest {figures.oldest_lost_s:.3f} s old",
        flush=True,
    )


def _show(policy: str, figures: Figures, seconds: float) -> None:
    print(
        f"{policy}: {figures.rounds} rounds in {seconds:.0f} s, "
        f"{figures.power_cuts} of them with what was not synced thrown away "
        f"({figures.bytes_lost} bytes); {figures.acknowledged} units acknowledged of "
        f"{figures.units} sent, {figures.unacknowledged_kept} more were there; missing, and "
        f"not promised (younger than two seconds, or there was no log): {figures.unpromised_lost}, "
        f"the oldest {figures.oldest_lost_s:.2f} s old"
    )
    print("  " + ", ".join(f"{count} {what}" for what, count in sorted(figures.disturbed.items())))


if __name__ == "__main__":
    sys.exit(main())

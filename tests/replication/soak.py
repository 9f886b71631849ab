"""Command line: mixed pairs, a chain, and primaries that are killed, for long.

``python -m tests.replication.soak``; exits with 1 at the first difference or loss.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from carnelian import commands
from replication.mixed_pairs import CHAIN, SHAPES, run_chain, run_pair
from replication.promised_writes import Rounds


def _pairs(directory: Path, options: argparse.Namespace) -> None:
    for number, shape in enumerate(SHAPES):
        place = directory / f"pair-{number}"
        figures = run_pair(place, shape, options.keys, options.cuts, options.seed + number)
        print(f"{shape}: {figures}", flush=True)


def _chain(directory: Path, options: argparse.Namespace) -> None:
    figures = run_chain(directory / "chain", CHAIN, options.keys, options.cuts, options.seed)
    print(f"{' -> '.join(CHAIN)}: {figures}", flush=True)


def _kills(directory: Path, options: argparse.Namespace) -> None:
    rounds = Rounds(directory / "kills", options.seed)
    try:
        for _ in range(options.rounds):
            rounds.run()
    finally:
        rounds.close()
    print(rounds.figures, flush=True)


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "pairs": _pairs,
    "chain": _chain,
    "kills": _kills,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts asked for."""
    # Random commands are made by their declarations.
    commands.declare_all()
    options = _parser().parse_args(arguments)
    try:
        for part in options.only or PARTS:
            with tempfile.TemporaryDirectory(prefix="soak-") as name:
                PARTS[part](Path(name), options)
    except AssertionError as fault:
        print(f"FAILED: {fault}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.replication.soak", description=__doc__)
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="only this part; repeatable")
    add("--keys", type=int, default=200_000, help="keys of the data set (200000)")
    add("--cuts", type=int, default=50, help="how often each link is cut (50)")
    add("--rounds", type=int, default=200, help="primaries that are killed (200)")
    add("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())

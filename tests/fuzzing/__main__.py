"""Command line: so many random scripts and rules; exits with 1 when something has broken.

Each part runs in a process of its own, so that one that crashes is told of, with its seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PART = 10_000
# Seconds that a part may take.
PATIENCE = 600


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="of each kind (1000000)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    options = parser.parse_args(arguments)
    began, done, replies, errors = time.monotonic(), 0, 0, 0
    while done < options.count:
        seed, count = options.seed + done, min(PART, options.count - done)
        outcome = _apart(seed, count)
        if isinstance(outcome, str):
            print(f"BROKEN with --seed {seed} --count {count}: {outcome}")
            return 1
        done += count
        replies, errors = replies + outcome[0], errors + outcome[1]
        print(
            f"{done} scripts and as many rules in {time.monotonic() - began:.0f} s: {replies} "
            f"replies, {errors} errors, nothing is broken",
            flush=True,
        )
    return 0


def _apart(seed: int, count: int) -> tuple[int, int] | str:
    """What a run in another process comes to, or what is wrong with it."""
    ours, theirs = multiprocessing.Pipe(False)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_part, args=(theirs, seed, count))
    process.start()
    theirs.close()
    if not ours.poll(PATIENCE):
        process.kill()
        return f"nothing has come of it in {PATIENCE} s"
    try:
        outcome: tuple[int, int] | str = ours.recv()
    except EOFError:
        process.join()
        return f"the process has ended with {process.exitcode}"
    process.join()
    return outcome


def _part(pipe: Connection, seed: int, count: int) -> None:
    import faulthandler

    from fuzzing.runs import Broken, run

    faulthandler.enable()
    try:
        pipe.send(run(seed, count))
    except Broken as broken:
        pipe.send(str(broken))


if __name__ == "__main__":
    sys.exit(main())

"""Command line: so many interrupts of random commands; exits with 1 at the first thing broken."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from interrupts.rounds import run
from interrupts.states import Broken

# Interrupts between two lines that tell how far it is.
PART = 5_000
# Seconds after which something waits for ever.
PATIENCE = 600


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.interrupts", description=__doc__)
    parser.add_argument("--interrupts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.disable()
    began, done, commands = time.monotonic(), 0, 0
    kinds: set[str] = set()
    while done < options.interrupts:
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        seed = options.seed + done
        try:
            with tempfile.TemporaryDirectory() as name:
                count, seen = run(Path(name), seed, min(PART, options.interrupts - done))
        except Broken as broken:
            print(f"seed {seed}: {broken}")
            return 1
        done += count
        commands += seen.total()
        kinds |= seen.keys()
        print(
            f"{done} interrupts of {commands} commands ({len(kinds)} different ones) in "
            f"{time.monotonic() - began:.0f} s: nothing is broken",
            flush=True,
        )
    faulthandler.cancel_dump_traceback_later()
    return 0


if __name__ == "__main__":
    sys.exit(main())

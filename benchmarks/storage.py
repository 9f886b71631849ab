"""Files of the data set: saving, loading, appending, and serving while a snapshot is taken.

Both servers work on the same files, in pairs of runs of alternating order. What counts is the
median of the pairs' ratios; the quartiles beside it say how far it can be trusted. Wall times
have the disk's share in them: look at the CPU times, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from harness import background, files, report, servers
from harness.dataset import Dataset
from harness.pairs import Pairs
from harness.setting import METHODS, Setting

PARTS: dict[str, Callable[[Setting, Pairs], None]] = {
    "save": files.save,
    "load": files.load,
    "aof-load": files.load_log,
    "append": files.append,
    "bgsave": background.serve,
    "memory": background.weigh,
}


def main() -> None:
    options = _parser().parse_args()
    wanted = options.what.split(",") if options.what else list(PARTS)
    if unknown := [name for name in wanted if name not in PARTS]:
        raise SystemExit(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
    commands = servers.commands(options)
    data = Dataset(options.keys, options.data, commands[servers.PEER])
    setting = Setting(commands, data, options.pairs, options.seconds, options.method)
    results: dict[str, Pairs] = {}
    for name in wanted:
        print(f"\n{name}", flush=True)
        results[name] = Pairs()
        with ExitStack() as stack:
            setting.stack = stack
            PARTS[name](setting, results[name])
        print("\n" + results[name].table(), flush=True)
    print("\nRatios are ours / peer, medians over the pairs.")
    plain = {name: pairs.plain() for name, pairs in results.items()}
    told = {name: str(value) for name, value in vars(options).items()}
    print(report.save("storage", {"options": told, "figures": plain}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--what", help=f"parts to run, with commas between them ({','.join(PARTS)})")
    add("--keys", type=int, default=2_000_000, help="keys of the data set (2000000)")
    add("--pairs", type=int, default=3, help="interleaved pairs of runs (3)")
    add("--seconds", type=float, default=4.0, help="length of a run under load (4)")
    add("--method", choices=METHODS, help="how our server takes snapshots (its default)")
    add("--data", type=Path, help="where the files of the data set are kept (a temporary folder)")
    return parser


if __name__ == "__main__":
    main()

"""``carnelian-cli``: takes the command line of redis-cli, and opens files."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from carnelian import __version__
from carnelian.tools.cli.cli_options import OptionError, Options, parse
from carnelian.tools.cli.wire.cli_client import ConnectError, LostError
from carnelian.tools.lost_reader import ends_with_its_reader

PROGRAM = "carnelian-cli"

_INTERRUPTED = 130


@ends_with_its_reader
def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(parse(words, os.environ), words)
    except OptionError as error:
        print(error, file=sys.stdout if error.plain else sys.stderr)
        return 1
    except ConnectError as error:
        print(error, file=sys.stderr)
        return 1
    except LostError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _end(number: int, frame: object) -> None:
    """In a signal handler: come to an end in order, which saves a file that is open for changes."""
    raise SystemExit(128 + number)


def _run(options: Options, words: list[str]) -> int:
    if options.write:
        # A terminal that is closed must not take away what was answered with success.
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _end)
    # What a task needs is imported with it: a single command is answered at once.
    if options.mode == "help":
        from carnelian.tools.cli.cli_help import USAGE

        sys.stdout.write(USAGE)
        return 0
    if options.mode == "version":
        print(f"{PROGRAM} {__version__}")
        return 0
    if options.mode:
        from carnelian.tools.cli.modes import choosing

        return choosing.run(options, words)
    if options.script is not None:
        from carnelian.tools.cli.scripts import script_runs

        return script_runs.run(options)
    if options.words or options.stdin_last:
        from carnelian.tools.cli import one_command

        return one_command.run(options)
    from carnelian.tools.cli.prompt import dialogue_start

    return dialogue_start.run(options)


if __name__ == "__main__":
    raise SystemExit(main())

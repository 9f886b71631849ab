"""``carnelian-fleet``: a Redis Cluster on one machine with one command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from carnelian import __version__
from carnelian.tools.fleet import fleet_help
from carnelian.tools.fleet.processes.stop_requests import StopRequestedError
from carnelian.tools.fleet.wanted.fleet_directory import DEFAULT
from carnelian.tools.fleet.wanted.fleet_error import FleetError, NoFleetError
from carnelian.tools.lost_reader import ends_with_its_reader

PROGRAM = "carnelian-fleet"

_NO_FLEET, _INTERRUPTED = 3, 130


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help tells what there is\n")


class _Overview(_Parser):
    """A parser whose help is written by hand."""

    def format_help(self) -> str:
        return fleet_help.OVERVIEW


@ends_with_its_reader
def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parse(words)
    try:
        return _run(options)
    except NoFleetError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        # Where there is no fleet, none of its nodes runs.
        return _NO_FLEET if options.command == "status" else 1
    except FleetError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{PROGRAM}: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except (StopRequestedError, KeyboardInterrupt):
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    # What a command needs is imported with it: --help and --version are there at once.
    if options.command == "start":
        from carnelian.tools.fleet import fleet_start

        return fleet_start.start(options)
    from carnelian.tools.fleet import fleet_commands

    if options.command == "status":
        return fleet_commands.status(options)
    if options.command == "stop":
        return fleet_commands.stop(options)
    return fleet_commands.reshape(options)


def _parse(words: list[str]) -> argparse.Namespace:
    """The options; exits with a message where they are wrong."""
    if words[:1] == ["start"]:
        words = words[1:]
    if words and words[0] in _COMMANDS:
        command = _command_parser(words[0])
        known = argparse.Namespace(command=words[0])
        known, unknown = command.parse_known_args(words[1:], known)
        if unknown:
            word = unknown[0]
            surplus = f"{word} is one word too many"
            command.error(_unknown(word) if word.startswith("-") else surplus)
        return known
    end = words.index("--") if "--" in words else len(words)
    parser = _start_parser()
    options, unknown = parser.parse_known_args(words[:end])
    if unknown:
        parser.error(_unknown(unknown[0]))
    options.command, options.words, options.directives = "start", words, words[end + 1 :]
    return options


def _unknown(word: str) -> str:
    kind = "option" if word.startswith("-") else "command"
    return f"there is no {kind} {word}"


def _start_parser() -> argparse.ArgumentParser:
    parser = _Overview(prog=PROGRAM, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    add = parser.add_argument
    _add_directory(parser)
    add("--shards", type=_positive)
    add("--replicas", type=_count)
    add("--port", type=_number)
    add("--bind", nargs="+")
    add("--announce-ip")
    add("--server")
    add("--detach", action="store_true")
    # Where a detached supervisor says that the cluster works.
    add("--ready", type=int, help=argparse.SUPPRESS)
    return parser


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", default=DEFAULT, help=f"the fleet's directory (./{DEFAULT})")


def _command_parser(command: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"{PROGRAM} {command}",
        description=_COMMANDS[command],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_directory(parser)
    add = parser.add_argument
    match command:
        case "status":
            add("--watch", action="store_true", help="go on showing them, until Ctrl-C")
            add("--json", action="store_true", help="as JSON, with exact numbers")
        case "stop":
            add("--now", action="store_true", help="kill them; what is not on disk is lost")
            add(
                "--timeout", type=_seconds, default=300.0, metavar="SECONDS",
                help="give up waiting after so long (300)",
            )  # fmt: skip
        case "add-shard":
            add("--replicas", type=_count, metavar="N", help="of the new shard (as of others)")
        case "remove-shard":
            add("node", metavar="NODE", help="port or ID of a node of the shard")
        case "add-replica":
            add("--of", metavar="NODE", help="port or ID of a node of the shard")
            add("--count", type=_positive, default=1, metavar="N", help="how many (1)")
        case "remove-replica":
            add("node", nargs="?", metavar="NODE", help="port or ID of the replica")
    return parser


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no whole number") from None


def _count(text: str) -> int:
    number = _number(text)
    if number < 0:
        raise argparse.ArgumentTypeError("0 or more")
    return number


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds") from None


def _positive(text: str) -> int:
    number = _count(text)
    if not number:
        raise argparse.ArgumentTypeError("1 or more")
    return number


_COMMANDS = {
    "status": fleet_help.STATUS,
    "stop": fleet_help.STOP,
    "add-shard": fleet_help.ADD_SHARD,
    "remove-shard": fleet_help.REMOVE_SHARD,
    "rebalance": fleet_help.REBALANCE,
    "add-replica": fleet_help.ADD_REPLICA,
    "remove-replica": fleet_help.REMOVE_REPLICA,
}


if __name__ == "__main__":
    raise SystemExit(main())

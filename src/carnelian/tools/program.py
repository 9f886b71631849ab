"""``carnelian``: all programs by one name, and the tools that have no older program of Redis."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from carnelian import __version__
from carnelian.tools.lost_reader import ends_with_its_reader

# Programs that read their arguments themselves: the module of each, and what it does.
PROGRAMS = {
    "server": ("carnelian.tools.serve", "start a server (carnelian-server)"),
    "sentinel": ("carnelian.tools.serve_sentinel", "start a Sentinel (carnelian-sentinel)"),
    "fleet": ("carnelian.tools.fleet.fleet_program", "start a Redis Cluster (carnelian-fleet)"),
    "cli": ("carnelian.tools.cli.cli_program", "send commands, open files (carnelian-cli)"),
    "check-rdb": ("carnelian.tools.check_rdb", "look through a snapshot (carnelian-check-rdb)"),
    "check-aof": ("carnelian.tools.check_aof", "look through a log (carnelian-check-aof)"),
}


@ends_with_its_reader
def main(words: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    words = list(sys.argv[1:] if words is None else words)
    if words and words[0] in PROGRAMS:
        return _run_program(words[0], words[1:])
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    options = parser.parse_args(words)
    status: int = options.run(options)
    return status


def _run_program(name: str, words: list[str]) -> int:
    module = importlib.import_module(PROGRAMS[name][0])
    status: int = module.main(words)
    return status


def _parser() -> argparse.ArgumentParser:
    from carnelian.tools import data_import
    from carnelian.tools.console import console_program

    parser = argparse.ArgumentParser(
        prog="carnelian",
        description="Redis as a Python package.",
        epilog="`carnelian COMMAND --help` tells what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"carnelian {__version__}")
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (_, summary) in PROGRAMS.items():
        parsers.add_parser(name, help=summary, add_help=False)
    data_import.add_parser(parsers)
    console_program.add_parser(parsers)
    return parser

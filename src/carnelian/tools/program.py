"""``carnelian``: the tools that have no older program of Redis to be called after."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from carnelian import __version__


def main(words: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    from carnelian.tools import data_import
    from carnelian.tools.console import console_program

    parser = argparse.ArgumentParser(prog="carnelian", description="Redis as a Python package.")
    parser.add_argument("--version", action="version", version=f"carnelian {__version__}")
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    data_import.add_parser(parsers)
    console_program.add_parser(parsers)
    options = parser.parse_args(words)
    status: int = options.run(options)
    return status

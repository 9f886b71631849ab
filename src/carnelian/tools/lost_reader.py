"""The end of a program whose output nobody reads any longer, as with ``| head``."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

# What a shell shows for a program that SIGPIPE has ended.
NO_READER = 141

P = ParamSpec("P")


def ends_with_its_reader(main: Callable[P, int]) -> Callable[P, int]:
    """The ``main`` of a program, which ends without a word when its reader has gone.

    What was printed is written out before it returns, so that nothing is left to fail later.
    """

    @functools.wraps(main)
    def guarded(*arguments: P.args, **options: P.kwargs) -> int:
        try:
            try:
                status = main(*arguments, **options)
            except SystemExit:
                _flush()
                raise
            _flush()
            return status
        except BrokenPipeError:
            silence()
            return NO_READER

    return guarded


def silence() -> None:
    """Let go of standard output: what is left in its buffer is not to be tried again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _flush() -> None:
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()

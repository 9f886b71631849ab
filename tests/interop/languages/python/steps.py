"""How a program of the scenario tells what it has done."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

PORT = int(os.environ["REDIS_PORT"])
TLS_PORT = int(os.environ["REDIS_TLS_PORT"])
CA = os.environ["REDIS_CA"]
CLUSTER_PORT = int(os.environ.get("REDIS_CLUSTER_PORT", 0))

ODD = bytes(range(256))
TEXT = "grüße\r\n€"
SCRIPT = "return {KEYS[1], ARGV[1], 7, {'x'}}"
INCREMENT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
OWN_ERROR = "return redis.error_reply('MINE own words')"

failed: list[str] = []


class NotHere(Exception):
    """The client has no such thing, or it cannot be tried here."""


def tell(name: str, outcome: BaseException | None) -> None:
    """Print the line of a step."""
    if outcome is None:
        line = f"ok {name}"
    elif isinstance(outcome, NotHere):
        line = f"none {name}: {outcome}"
    else:
        traceback.print_exception(outcome)
        failed.append(name)
        line = f"fail {name}: {type(outcome).__name__} {outcome}".replace("\n", " ")
    print(line, flush=True)


def run(steps: dict[str, Callable[[], None]]) -> None:
    """Do the steps one after the other, and end the program."""
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            tell(name, error)
        else:
            tell(name, None)
    sys.exit(1 if failed else 0)


def same(got: object, wanted: object) -> None:
    """Fail unless it is what it should be."""
    if got != wanted:
        raise AssertionError(f"{got!r:.200} instead of {wanted!r:.200}")


def error_with(beginning: str, error: BaseException | None) -> None:
    """Fail unless it is an error of the server that begins so."""
    if error is None or not str(error).startswith(beginning):
        raise AssertionError(f"{error!r} instead of an error with {beginning}")

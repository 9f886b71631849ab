"""The command line of the server, taken apart as redis-server takes its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from carnelian.resp.quoting import quote, split_arguments

# What a first argument asks for instead of a server.
ACTIONS = {
    "-v": "version",
    "--version": "version",
    "-h": "help",
    "--help": "help",
    "--test-memory": "test-memory",
    "--check-system": "check-system",
}


class Arguments(NamedTuple):
    """What a command line says.

    ``path`` is the absolute path of the configuration file, ``stdin`` asks for more of it on
    standard input, and ``text`` holds the options as further lines of it: file, standard input
    and text are one configuration, in that order. ``action`` is "" to run a server, else
    ``version``, ``help``, ``test-memory``, ``check-system`` or ``sentinel``, with ``rest`` being
    the arguments after the first.
    """

    path: str | None
    stdin: bool
    text: bytes
    action: str
    rest: tuple[str, ...]


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """The meaning of the arguments after the program's name.

    ``--name`` begins an option, and what follows are its arguments until the next ``--name``. The
    first of them may itself begin with ``--``. ``--save`` alone means ``--save ""``.
    """
    if argv and argv[0] in ACTIONS:
        return Arguments(None, False, b"", ACTIONS[argv[0]], tuple(argv[1:]))
    action = "sentinel" if "--sentinel" in argv else ""
    path = None
    first = 0
    if argv and not argv[0].startswith("-"):
        path = os.path.abspath(argv[0])
        first = 1
    text, stdin = _options([os.fsencode(argument) for argument in argv], first)
    return Arguments(path, stdin, text, action, tuple(argv[1:]))


def _options(argv: list[bytes], first: int) -> tuple[bytes, bool]:
    """The options from a position on as lines of configuration, and whether to read stdin."""
    text = bytearray()
    stdin = False
    # Whether the option begun last has a value, so that a "--" can only begin another.
    complete = True
    for at in range(first, len(argv)):
        argument = argv[at]
        if argument == b"-" and at in (0, len(argv) - 1):
            stdin = True
            continue
        if not complete or not argument.startswith(b"--"):
            text += quote(argument) + b" "
            complete = True
            continue
        if text:
            text += b"\n"
        text += argument[2:] + b" "
        complete = len(split_arguments(argument) or ()) != 1
        if not complete and argument.lower() in (b"--save", b"--sentinel"):
            last = at + 1 == len(argv)
            if last or argv[at + 1].startswith(b"--"):
                text += b'""' if argument.lower() == b"--save" else b""
                complete = not last
    return bytes(text), stdin

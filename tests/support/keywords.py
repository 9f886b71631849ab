"""The types of keyword arguments that are directives, and of those of redis-py's clients.

``python -m tests.support.keywords`` writes them anew, into carnelian/embedded/options/keywords.py.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator

import redis
import redis.asyncio

from carnelian.embedded.options.directives import DIRECTIVES, REFUSED
from carnelian.embedded.redis_py.client_options import OF_SOCKETS
from carnelian.engine.config.directive import Boolean, Choice, Directive, Integer, Secret, Text
from carnelian.engine.config.special import Events, WorkingDirectory

HEAD = '''"""What keyword arguments there are, for type checkers.

Made from the declarations of directives and the signatures of redis-py: see
tests/support/keywords.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from carnelian.engine.extensions.conversion import Word

Switch = bool | Literal["yes", "no"]
Number = int | str | bytes
Words = Word | None | Sequence[Word | Sequence[Word]]


class Directives(TypedDict, total=False):
    """Directives of redis.conf that an engine in one's own process heeds."""

'''
CLIENT = '''

class ClientOptions(Directives, total=False):
    """What redis-py's clients take as well, and directives for an engine of their own."""

'''
# What says of which server a client is one, or with whom it shares a path.
OF_PLACES = {"connected", "lua_modules", "modules", "server_type", "share", "version"}
# Arguments that carnelian.Redis names itself.
NAMED = {"self", "connection_pool", "single_connection_client", "event_dispatcher"}


def text() -> str:
    """The whole file."""
    directives = "".join(f"    {name}: {kind}\n" for name, kind in sorted(of_engines()))
    options = "".join(f"    {name}: Any\n" for name in sorted(of_clients()))
    return HEAD + directives + CLIENT + options


def of_engines() -> Iterator[tuple[str, str]]:
    """Keyword arguments of carnelian.Engine and their types."""
    for directive in DIRECTIVES:
        if directive.name in REFUSED:
            continue
        for name in (directive.name, directive.alias):
            if name is not None:
                yield name.replace("-", "_"), _type_of(directive)


def _type_of(directive: Directive) -> str:
    match directive:
        case Boolean():
            return "Switch"
        case Integer():
            return "Number"
        case Choice() if not directive.multiple:
            return "Literal[" + ", ".join(f'"{word}"' for word in directive.words) + "]"
        case Text() | Secret() | WorkingDirectory() | Events():
            return "str | bytes | None"
    return "Words"


def of_clients() -> set[str]:
    """Keyword arguments of redis-py's clients that ours pass on, or accept and do not use."""
    found = set(OF_SOCKETS)
    for client in (redis.Redis, redis.asyncio.Redis):
        found.update(inspect.signature(client.__init__).parameters)
    return (found | OF_PLACES) - NAMED - {"path"}


def formatted() -> str:
    """The whole file as the formatter has it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "keywords.py", "-"]
    return subprocess.run(command, input=text(), capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    import carnelian.embedded.options.directives as beside

    path = beside.__file__.replace("directives.py", "keywords.py")
    with open(path, "w") as file:
        file.write(formatted())

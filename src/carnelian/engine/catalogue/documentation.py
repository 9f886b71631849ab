"""What the docstring of a handler says about its command, for COMMAND DOCS and HELP.

The first paragraph is the summary. A paragraph that begins with ``Since`` has the rest, an entry a
line, or several lines up to the next entry::

    Since 1.0.0, O(1) for each element that is pushed
    2.4.0: Several elements can be given.
    Deprecated since 6.2.0: `LMOVE`

All other paragraphs are for those who read the source.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_SINCE = re.compile(r"Since ([\d.]+)(?:, (.*))?")
_CHANGE = re.compile(r"([\d.]+): (.*)")
_DEPRECATED = re.compile(r"Deprecated since ([\d.]+): (.*)")


class Documentation(NamedTuple):
    """The fields are named as in COMMAND DOCS.

    ``history`` has pairs of version and change; ``deprecated`` is the version since which, and what
    takes the command's place.
    """

    summary: str = ""
    since: str = "1.0.0"
    complexity: str = ""
    history: tuple[tuple[str, str], ...] = ()
    deprecated: tuple[str, str] | None = None


@cache
def parse(docstring: str) -> Documentation:
    """Read a docstring. O(n)."""
    # It is needed, and takes longer to load, only where documentation is asked for.
    from inspect import cleandoc

    paragraphs = cleandoc(docstring).split("\n\n")
    entries = next((each for each in paragraphs if each.startswith("Since ")), "")
    since, complexity, history, deprecated = "1.0.0", "", [], None
    for entry in _entries(entries):
        if match := _SINCE.fullmatch(entry):
            since, complexity = match[1], match[2] or ""
        elif match := _CHANGE.fullmatch(entry):
            history.append((match[1], match[2]))
        elif match := _DEPRECATED.fullmatch(entry):
            deprecated = (match[1], match[2])
        else:
            raise ValueError(f"{entry!r} says neither since when, nor what changed")
    summary = " ".join(paragraphs[0].split())
    return Documentation(summary, since, complexity, tuple(history), deprecated)


def _entries(paragraph: str) -> list[str]:
    found: list[str] = []
    for line in paragraph.splitlines():
        if found and not (_CHANGE.match(line) or _DEPRECATED.match(line)):
            found[-1] += " " + line.strip()
        else:
            found.append(line)
    return found

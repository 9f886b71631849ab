"""The HELP subcommand that every container command has, made from the declarations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carnelian.resp.replies import Status

if TYPE_CHECKING:
    from carnelian.engine.registry import Declaration
    from carnelian.engine.session import Session

_TYPED = re.compile(r"([\w-]+):[\w-]+")
_NAMED = re.compile(r"[\w-]+=(?=[<\[(])")


def reply(session: Session, args: list[bytes]) -> list[Status]:
    """The handler: one line with the syntax of each subcommand, one with what it does."""
    name = args[0].decode("latin-1").upper()
    container = session.engine.registry.find(args[0])
    lines = [f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    own = [sub.declaration for sub in container.subcommands.values()]
    for declaration in sorted(own, key=lambda d: (d.name.endswith(" HELP"), d.name)):
        lines.append(_syntax(declaration))
        lines.append(f"    {declaration.summary}")
    return [Status(line.encode()) for line in lines]


def _syntax(declaration: Declaration) -> str:
    grammar = _NAMED.sub("", _TYPED.sub(r"<\1>", declaration.arguments))
    return f"{declaration.name.rpartition(' ')[2]} {grammar}".strip()

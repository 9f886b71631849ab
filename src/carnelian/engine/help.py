"""The HELP subcommand that every container command has, made from the declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine import arguments as grammar
from carnelian.engine.arguments import Argument
from carnelian.resp.replies import Status

if TYPE_CHECKING:
    from carnelian.engine.registry import Declaration
    from carnelian.engine.session import Session


def reply(session: Session, args: list[bytes]) -> list[Status]:
    """The handler: one line with the syntax of each subcommand, one with what it does."""
    name = args[0].decode("latin-1").upper()
    container = session.engine.registry.find(args[0])
    lines = [f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    own = [sub.declaration for sub in container.subcommands.values()]
    for declaration in sorted(own, key=lambda d: (d.name.endswith(" HELP"), d.name)):
        lines.append(_usage(declaration))
        lines.append(f"    {declaration.summary}")
    return [Status(line.encode()) for line in lines]


def _usage(declaration: Declaration) -> str:
    tree = grammar.parse(declaration.arguments, len(declaration.keys))
    return " ".join([declaration.name.rpartition(" ")[2], *map(_syntax, tree)])


def _syntax(node: Argument) -> str:
    """An argument as people write it: ``[COUNT <count>]``, ``(ON|OFF)``, ``<key> [<key> ...]``."""
    body = _body(node)
    text = f"{node.token} {body}" if node.token and node.type != "pure-token" else body
    if node.multiple:
        text = f"{text} [{text if node.multiple_token else body} ...]"
    return f"[{text}]" if node.optional else text


def _body(node: Argument) -> str:
    if node.type == "pure-token":
        return node.token or node.name
    if node.type == "oneof":
        choices = "|".join(map(_syntax, node.arguments))
        return choices if node.optional and not node.token else f"({choices})"
    if node.type == "block":
        return " ".join(map(_syntax, node.arguments))
    return f"<{node.display_text or node.name}>"

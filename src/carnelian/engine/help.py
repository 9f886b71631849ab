"""Commands that only hold subcommands, and the HELP that each of them has, made of the
declarations.
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.engine.catalogue import grammar as grammar
from carnelian.engine.catalogue.grammar import Argument
from carnelian.engine.catalogue.registry import Declaration, refuse
from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.resp.replies import Status


def container(
    name: str,
    *,
    group: str,
    since: str,
    summary: str,
    help_since: str = "5.0.0",
    help_flags: str = "loading stale",
    arity: int = -2,
    flags: str = "",
    check: Callable[[Session], object] | None = None,
) -> None:
    """Declare a command that only holds subcommands, such as CONFIG, and its HELP, which
    ``check`` may refuse.
    """
    document = f"{summary}\n\nSince {since}"
    command(name, flags, arity=arity, group=group, docstring=document)(refuse)
    declare_help(name, group=group, since=help_since, flags=help_flags, check=check)


def declare_help(
    name: str,
    *,
    group: str,
    since: str,
    flags: str = "loading stale",
    categories: str = "",
    check: Callable[[Session], object] | None = None,
) -> None:
    """Declare the HELP subcommand of a command that has subcommands."""

    def checked(session: Session, args: list[bytes]) -> list[Status]:
        assert check is not None
        check(session)
        return reply(session, args)

    document = f"Shows this list of subcommands.\n\nSince {since}, O(1)"
    declare = command(f"{name} HELP", flags, group=group, categories=categories, docstring=document)
    declare(reply if check is None else checked)


def reply(session: Session, args: list[bytes]) -> list[Status]:
    """The handler: one line with the syntax of each subcommand, one with what it does."""
    name = args[0].decode("latin-1").upper()
    container = session.engine.registry.find(args[0])
    assert container is not None
    lines = [f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    own = [sub.declaration for sub in container.subcommands.values()]
    for declaration in sorted(own, key=lambda d: (d.name.endswith(" HELP"), d.name)):
        lines.append(_usage(declaration))
        lines.append(f"    {declaration.documentation.summary}")
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

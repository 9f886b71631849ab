"""The pages of the site about commands, a page for each family, made from the declarations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import carnelian
from command_examples import Example, examples

# Families in the order of the navigation, with their title and what they are about.
FAMILIES = {
    "string": ("Strings", "Texts, numbers and bytes: a value of up to 512 MB at a key."),
    "hash": ("Hashes", "Fields with values at one key; fields can expire."),
    "list": ("Lists", "Elements in a row, quick at both ends: queues and stacks."),
    "set": ("Sets", "Members that are there once, and what several sets have in common."),
    "sorted-set": ("Sorted sets", "Members with a score, in the order of the scores."),
    "stream": ("Streams", "A log of entries with fields, for groups of consumers."),
    "array": ("Arrays", "Values at indexes, dense or far from each other."),
    "bitmap": ("Bitmaps", "Bits and small numbers within a string."),
    "hyperloglog": ("HyperLogLog", "How many different things there were, in 12 KB."),
    "geo": ("Geo", "Places, and which of them are near."),
    "generic": ("Keys", "What can be done with keys of any type: expiry, names, scanning."),
    "transactions": ("Transactions", "Several commands as one."),
    "scripting": ("Scripts", "Lua scripts and functions: see [scripting](../scripting.md)."),
    "pubsub": ("Pub/sub", "Messages to all who listen at that moment."),
    "connection": ("Connections", "What concerns a client itself."),
    "server": ("Server", "Configuration, figures, persistence, users."),
    "cluster": ("Cluster", "Nodes and slots: see [cluster](../cluster.md)."),
    "sentinel": ("Sentinel", "Asking Sentinels: see [sentinel](../sentinel.md)."),
    "module": ("Modules", "Commands of modules."),
}


class Family(NamedTuple):
    """A page, with its place on the site."""

    title: str
    path: str
    text: str


class Command(NamedTuple):
    """A command as COMMAND DOCS and COMMAND INFO tell of it."""

    name: str
    documentation: dict[str, Any]
    categories: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """The name of its heading."""
        return self.name.lower().replace(" ", "-")


def family_pages() -> list[Family]:
    """A page for each family."""
    known = examples()
    pages = []
    for family, commands in _families().items():
        title, about = FAMILIES[family]
        parts = [f"# {title}\n\n{about}\n", _contents(commands)]
        parts += [_section(each, known.get(each.name)) for each in commands]
        pages.append(Family(title, f"commands/{family}.md", "\n".join(parts)))
    return pages


def overview() -> str:
    """All families, each with its commands, for the page that leads to the others."""
    parts = []
    for family, commands in _families().items():
        title, about = FAMILIES[family]
        parts.append(f"### [{title}](commands/{family}.md)\n\n{about.partition(': see')[0]}\n")
        links = [
            f"[`{each.name}`](commands/{family}.md#{each.anchor})"
            for each in commands
            if " " not in each.name
        ]
        parts.append(" ".join(links) + "\n")
    return "\n".join(parts)


def _families() -> dict[str, list[Command]]:
    found: dict[str, list[Command]] = defaultdict(list)
    for each in commands():
        found[each.documentation["group"]].append(each)
    return {family: sorted(found[family]) for family in FAMILIES if family in found}


def commands() -> list[Command]:
    """All commands and subcommands of an engine."""
    with carnelian.Engine() as engine:
        documents = engine.execute("COMMAND", "DOCS")
        told = {each[0]: each for each in engine.execute("COMMAND")}
    found = []
    for name, document in documents.items():
        found.append(_command(name, document, told[name]))
        inner = {each[0]: each for each in told[name][9]}
        for subname, subdocument in document.get(b"subcommands", {}).items():
            found.append(_command(subname, subdocument, inner[subname]))
    return found


def _command(name: bytes, document: dict[bytes, Any], told: list[Any]) -> Command:
    categories = tuple(sorted(each.decode() for each in told[6]))
    return Command(name.decode().upper().replace("|", " "), _text(document), categories)


def _text(value: Any) -> Any:
    """A reply with text for bytes."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {_text(name): _text(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_text(each) for each in value]
    return value


# -- A page ----------------------------------------------------------------------------------------


def _contents(commands: Iterable[Command]) -> str:
    rows = ["| | |\n| --- | --- |"]
    for each in commands:
        summary = each.documentation["summary"].replace("|", "\\|")
        rows.append(f"| [`{each.name}`](#{each.anchor}) | {summary} |")
    return "\n".join(rows) + "\n"


def _section(command: Command, example: Example | None) -> str:
    """What there is to say about one command."""
    document = command.documentation
    syntax = " ".join([command.name, *map(syntax_of, document.get("arguments", ()))])
    parts = [f"## {command.name}\n\n{document['summary']}\n"]
    if "subcommands" not in document:
        parts.append(f"```text\n{syntax}\n```\n")
    if gone := document.get("deprecated_since"):
        instead = document.get("replaced_by", "").strip("`")
        parts.append(f'!!! warning "Deprecated since {gone}"\n\n    Use `{instead}`.\n')
    facts = [f"Since {document['since']}", document.get("complexity", "")]
    facts.append(" ".join(f"`{each}`" for each in command.categories))
    parts.append(f"{' · '.join(filter(None, facts))}\n{{ .facts }}\n")
    if history := document.get("history"):
        parts.append("\n".join(f"- {version}: {change}" for version, change in history) + "\n")
    if example is not None:
        parts.append(f"```text\n{example.text()}```\n")
    return "\n".join(parts)


def syntax_of(argument: dict[str, Any]) -> str:
    """An argument as people write it: ``[COUNT count]``, ``<NX | XX>``, ``key [key ...]``."""
    kind, token = argument["type"], argument.get("token", "")
    flags = argument.get("flags", [])
    inner = [_inner(each, kind) for each in argument.get("arguments", ())]
    if kind == "pure-token":
        text = token or '""'
    elif kind == "oneof":
        text = " | ".join(inner)
        text = text if "optional" in flags and not token else f"<{text}>"
    elif kind == "block":
        text = " ".join(inner)
    else:
        text = argument.get("display_text", argument["name"])
    if token and kind != "pure-token":
        once = f"{token} {text}"
        again = once if "multiple_token" in flags else text
    else:
        once = again = text
    if "multiple" in flags:
        once = f"{once} [{again} ...]"
    return f"[{once}]" if "optional" in flags else once


def _inner(argument: dict[str, Any], kind: str) -> str:
    """A part of an argument; one of several to choose from needs no brackets of its own."""
    if kind == "oneof":
        flags = [each for each in argument.get("flags", ()) if each != "optional"]
        argument = {**argument, "flags": flags}
    return syntax_of(argument)

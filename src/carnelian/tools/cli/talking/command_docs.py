"""What commands there are, what they take and do: by COMMAND DOCS, or as Carnelian has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.cli.wire.cli_client import Client


class Parameter(NamedTuple):
    """An argument, or a group of them; the fields are those of COMMAND DOCS."""

    name: str
    type: str
    token: str = ""
    optional: bool = False
    multiple: bool = False
    multiple_token: bool = False
    parts: tuple[Parameter, ...] = ()
    # Whether it has been given already, and may be once more.
    again: bool = False

    def syntax(self) -> str:
        """As it is written: ``[EX seconds]``."""
        text = self._once()
        if self.again:
            text = f"{text} ..."
        elif self.multiple:
            again = text if self.multiple_token or not self.token else text[len(self.token) + 1 :]
            text = f"{text} [{again} ...]"
        return f"[{text}]" if self.optional else text

    def _once(self) -> str:
        if self.type == "pure-token":
            return self.token
        if self.type == "oneof":
            text = "|".join(part.syntax() for part in self.parts)
            # The brackets of what is optional hold the choices together.
            text = text if self.optional and not self.token else f"<{text}>"
        elif self.type == "block":
            text = " ".join(part.syntax() for part in self.parts)
        else:
            text = self.name
        if not self.token:
            return text
        return f"{self.token or chr(34) * 2} {text}"


class CommandDoc(NamedTuple):
    """A command; ``name`` in capitals, with that of its container before it."""

    name: str
    summary: str = ""
    since: str = ""
    group: str = ""
    complexity: str = ""
    parameters: tuple[Parameter, ...] = ()

    def syntax(self) -> str:
        """Its arguments."""
        return " ".join(each.syntax() for each in self.parameters)


class CommandDocs:
    """All commands of a server."""

    def __init__(self, commands: dict[str, CommandDoc]):
        self.commands = commands
        self.containers = {name.split(" ")[0] for name in commands if " " in name}

    def find(self, words: list[str]) -> tuple[CommandDoc | None, int]:
        """The command that words begin with, and how many of them are its name."""
        for count in (2, 1):
            if len(words) >= count:
                found = self.commands.get(" ".join(words[:count]).upper())
                if found is not None:
                    return found, count
        return None, 0

    def group(self, name: str) -> list[CommandDoc]:
        """The commands of a group."""
        name = name.lower().replace("_", "-")
        return [each for each in self.commands.values() if each.group.replace("_", "-") == name]

    def groups(self) -> list[str]:
        """The names of the groups."""
        return sorted({each.group.replace("_", "-") for each in self.commands.values()} - {""})


def fetch(client: Client) -> CommandDocs:
    """Ask the server; where it does not know, tell what Carnelian has.

    Raises ConnectError and LostError.
    """
    reply = client.call("COMMAND", "DOCS")
    if isinstance(reply, Refusal) or not isinstance(reply, list) or not reply:
        return _own()
    found: dict[str, CommandDoc] = {}
    for name, fields in _pairs(reply):
        for doc in _commands(name, _fields(fields)):
            found[doc.name] = doc
    return CommandDocs(dict(sorted(found.items())))


def _own() -> CommandDocs:
    """Those of Carnelian."""
    from carnelian.commands import declare_all
    from carnelian.engine.catalogue import documentation
    from carnelian.engine.catalogue.grammar import Argument, parse
    from carnelian.engine.catalogue.registry import declarations

    def made(node: Argument) -> Parameter:
        return Parameter(
            node.name,
            node.type,
            node.token or "",
            node.optional,
            node.multiple,
            node.multiple_token,
            tuple(map(made, node.arguments)),
        )

    declare_all()
    found = {}
    for name, declared in sorted(declarations.items()):
        told = documentation.parse(declared.docstring)
        parameters = tuple(map(made, parse(declared.arguments, len(declared.keys))))
        title = name.upper()
        found[title] = CommandDoc(
            title, told.summary, told.since, declared.group, told.complexity, parameters
        )
    return CommandDocs(found)


def _commands(name: str, fields: dict[str, object]) -> Iterator[CommandDoc]:
    """A command and those that it contains."""
    subcommands = fields.get("subcommands")
    title = name.upper().replace("|", " ")
    yield CommandDoc(
        title,
        _text(fields.get("summary")),
        _text(fields.get("since")),
        _text(fields.get("group")),
        _text(fields.get("complexity")),
        _parameters(fields.get("arguments")),
    )
    for inner, more in _pairs(subcommands if isinstance(subcommands, list) else []):
        yield from _commands(inner, _fields(more))


def _parameters(reply: object) -> tuple[Parameter, ...]:
    return tuple(map(_parameter, reply)) if isinstance(reply, list) else ()


def _parameter(reply: object) -> Parameter:
    fields = _fields(reply)
    flags = fields.get("flags")
    told = {_text(flag) for flag in flags} if isinstance(flags, list) else set()
    shown = fields.get("display_text") or fields.get("value") or fields.get("name")
    return Parameter(
        _text(shown),
        _text(fields.get("type")),
        _text(fields.get("token")),
        "optional" in told,
        "multiple" in told,
        "multiple_token" in told,
        _parameters(fields.get("arguments")),
    )


def _fields(reply: object) -> dict[str, object]:
    return dict(_pairs(reply)) if isinstance(reply, list) else {}


def _pairs(reply: list[object]) -> Iterator[tuple[str, object]]:
    """A map, which in RESP2 is a list."""
    for name, value in zip(reply[::2], reply[1::2], strict=False):
        yield _text(name), value


def _text(reply: object) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""

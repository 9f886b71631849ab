"""The grammar of a command's arguments, and the tree that COMMAND DOCS shows of it.

A declaration says its arguments in one line of text. That line is what people read in syntax
summaries, made exact enough to be parsed::

    key:key value:string [condition@2.6.12=<NX | XX>] [GET@6.2.0] [EX seconds:integer]

=====================  ============================================================================
``name:type``          an argument; types are those of :data:`TYPES`. Without one, ``key`` and
                       ``pattern`` are of the type they are named after and all else is a string
``TOKEN``              a word to be given literally (a pure token, named in lower case)
``TOKEN name:type``    an argument with that word before it; a named group may stand there, too
``name=TOKEN``         a pure token by another name; ``name="*"`` where it is no word
``[x]``                optional; ``[a | b]`` an optional choice
``name=<a | b>``       a choice of one (``oneof``)
``name=(a b)``         arguments that come together (``block``)
``x ...``              one or more; ``x ...*`` if the token comes again with every one
=====================  ============================================================================

At its end a word may carry the index of its key spec (``#1``; keys without one take the key specs
in turn), the version that brought it (``@6.2.0``) and the one that gave it up (``!2.8.12``); after
its name, the text to display in place of it (``~text``, ``~"ip:port"``).

The resulting tree is that of https://redis.io/docs/latest/commands/command-docs/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from carnelian.resp.replies import FlatSet, Status

TYPES = frozenset(
    ("key", "string", "integer", "double", "pattern", "unix-time", "pure-token", "oneof", "block")
)

_LEXEME = re.compile(
    r"""\s*(?:
        (?P<dots>\.\.\.\*?) | (?P<mark>[\[\]<>()|])
      | (?P<open>[a-z][\w-]*(?:@[\d.]+)?=[<(])
      | (?P<word>(?:"[^"]*"|[^\s\[\]<>()|".]|\.(?!\.\.))+)
    )""",
    re.VERBOSE,
)
_WORD = re.compile(
    r"""(?P<name>[\w-]+)
        (?:=(?P<token>"[^"]*"|[^:@\#~!]+))?
        (?:~(?P<display>"[^"]*"|[^:@\#!]+))?
        (?::(?P<type>[a-z-]+))?
        (?:\#(?P<spec>\d+))?
        (?:@(?P<since>[\d.]+))?
        (?:!(?P<deprecated>[\d.]+))?$""",
    re.VERBOSE,
)


class Argument(NamedTuple):
    """One node of the tree; fields are named as in COMMAND DOCS."""

    name: str
    type: str
    display_text: str | None = None
    key_spec_index: int | None = None
    token: str | None = None
    since: str | None = None
    deprecated_since: str | None = None
    optional: bool = False
    multiple: bool = False
    multiple_token: bool = False
    arguments: tuple[Argument, ...] = ()

    def flags(self) -> list[str]:
        """The flags that are set, in the order Redis lists them."""
        names = ("optional", "multiple", "multiple_token")
        return [name for name in names if getattr(self, name)]

    def document(self) -> dict[bytes, object]:
        """This node as COMMAND DOCS replies with it, fields without a value left out."""
        reply: dict[bytes, object] = {b"name": self.name.encode(), b"type": self.type.encode()}
        if self.display_text is not None:
            reply[b"display_text"] = self.display_text.encode()
        if self.key_spec_index is not None:
            reply[b"key_spec_index"] = self.key_spec_index
        if self.token is not None:
            reply[b"token"] = self.token.encode()
        if self.since is not None:
            reply[b"since"] = self.since.encode()
        if self.deprecated_since is not None:
            reply[b"deprecated_since"] = self.deprecated_since.encode()
        if self.flags():
            reply[b"flags"] = FlatSet(Status(flag.encode()) for flag in self.flags())
        if self.arguments:
            reply[b"arguments"] = document(self.arguments)
        return reply


def document(arguments: tuple[Argument, ...]) -> list[dict[bytes, object]]:
    """The ``arguments`` field of COMMAND DOCS."""
    return [argument.document() for argument in arguments]


def arity(text: str, words: int) -> int:
    """The arity of a command of so many words with these arguments; negative if it is the least."""
    least, fixed = _together([_size(node) for node in parse(text)])
    return words + least if fixed else -(words + least)


def _size(node: Argument) -> tuple[int, bool]:
    """The least number of words, and whether there are never more."""
    if node.optional:
        return 0, False
    least, fixed = 1, True
    if node.type == "oneof":
        least, fixed = _either([_size(each) for each in node.arguments])
    elif node.type == "block":
        least, fixed = _together([_size(each) for each in node.arguments])
    if node.token is not None and node.type != "pure-token":
        least += 1
    return least, fixed and not node.multiple


def _together(sizes: list[tuple[int, bool]]) -> tuple[int, bool]:
    return sum(least for least, _ in sizes), all(fixed for _, fixed in sizes)


def _either(sizes: list[tuple[int, bool]]) -> tuple[int, bool]:
    least = min(least for least, _ in sizes)
    return least, all(size == (least, True) for size in sizes)


def parse(text: str, key_specs: int = 1) -> tuple[Argument, ...]:
    """Parse the grammar above into argument nodes.

    Args:
        text: the arguments after the command's name; may be empty.
        key_specs: how many key specs the command has: its keys take them in turn, and what
            remains takes the last.

    Raises:
        ValueError: where the text does not fit the grammar.
    """
    parser = _Parser(text, key_specs)
    nodes = parser.sequence()
    if parser.peek():
        raise ValueError(f"unexpected {parser.peek()!r} in arguments {text!r}")
    return tuple(nodes)


class _Parser:
    """Recursive descent over the lexemes of one text."""

    def __init__(self, text: str, key_specs: int):
        self.text = text
        self.lexemes = list(_split(text))
        self.position = 0
        self.key_specs = key_specs
        self.keys_seen = 0

    def peek(self) -> str:
        return self.lexemes[self.position] if self.position < len(self.lexemes) else ""

    def take(self) -> str:
        lexeme = self.peek()
        self.position += 1
        return lexeme

    def expect(self, closing: str) -> None:
        if self.take() != closing:
            raise ValueError(f"missing {closing!r} in arguments {self.text!r}")

    def sequence(self) -> list[Argument]:
        nodes = []
        while self.peek() not in ("", "]", ">", ")", "|"):
            nodes.append(self.repeated(self.element()))
        return nodes

    def repeated(self, node: Argument) -> Argument:
        if not self.peek().startswith("..."):
            return node
        each = self.take() == "...*"
        return node._replace(multiple=True, multiple_token=each)

    def element(self) -> Argument:
        lexeme = self.peek()
        if lexeme == "[":
            return self.optional()
        if lexeme[-1] in "<(":
            return self.group()
        return self.word()

    def optional(self) -> Argument:
        self.expect("[")
        choices = self.choices()
        self.expect("]")
        if len(choices) > 1:
            node = Argument("option", "oneof", arguments=_each_one(choices))
        elif len(choices[0]) == 1:
            node = choices[0][0]
        else:
            node = Argument("options", "block", arguments=tuple(choices[0]))
        return node._replace(optional=True)

    def choices(self) -> list[list[Argument]]:
        found = [self.sequence()]
        while self.peek() == "|":
            self.take()
            found.append(self.sequence())
        if not all(found):
            raise ValueError(f"an empty choice in arguments {self.text!r}")
        return found

    def group(self) -> Argument:
        lexeme = self.take()
        name, _, since = lexeme[:-1].rstrip("=").partition("@")
        kind = lexeme[-1]
        choices = self.choices()
        self.expect(">" if kind == "<" else ")")
        if kind == "<":
            return Argument(name or "option", "oneof", since=since or None,
                            arguments=_each_one(choices))  # fmt: skip
        return Argument(name or "options", "block", since=since or None,
                        arguments=tuple(choices[0]))  # fmt: skip

    def word(self) -> Argument:
        text = self.take()
        match = _WORD.match(text)
        if match is None:
            raise ValueError(f"malformed argument {text!r} in {self.text!r}")
        name, since = match["name"], match["since"]
        if match["token"] is not None:
            return self.pure_token(name, match["token"].strip('"'), match)
        if not (name.isupper() and match["type"] is None):
            return self.value(match)
        follower = self.peek()
        if follower and (follower[-1] in "<(" or _takes_token(follower)):
            node = self.group() if follower[-1] in "<(" else self.word()
            return node._replace(token=name, since=since or node.since)
        return self.pure_token(name.lower(), name, match)

    def pure_token(self, name: str, token: str, match: re.Match[str]) -> Argument:
        display = (match["display"] or name).strip('"')
        return Argument(
            name, "pure-token", display, None, token, match["since"], match["deprecated"]
        )

    def value(self, match: re.Match[str]) -> Argument:
        name = match["name"]
        kind = match["type"] or (name if name in ("key", "pattern") else "string")
        if kind not in TYPES:
            raise ValueError(f"unknown argument type {kind!r} in {self.text!r}")
        spec = int(match["spec"]) if match["spec"] else None
        if kind == "key":
            if spec is None:
                spec = min(self.keys_seen, max(self.key_specs - 1, 0))
            self.keys_seen += 1
        display = (match["display"] or name).strip('"')
        return Argument(name, kind, display, spec, None, match["since"], match["deprecated"])


def _split(text: str) -> Iterator[str]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _LEXEME.match(text, position)
        if match is None:
            raise ValueError(f"cannot read arguments {text!r} at {text[position:]!r}")
        yield match[0].strip()
        position = match.end()


def _takes_token(lexeme: str) -> bool:
    """Whether this word is a value that a token before it introduces."""
    match = _WORD.match(lexeme)
    return match is not None and match["token"] is None and not match["name"].isupper()


def _each_one(choices: list[list[Argument]]) -> tuple[Argument, ...]:
    """The nodes of a choice, several in a row being a block of their own."""
    return tuple(
        choice[0] if len(choice) == 1 else Argument("options", "block", arguments=tuple(choice))
        for choice in choices
    )

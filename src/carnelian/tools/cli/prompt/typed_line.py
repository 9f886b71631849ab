"""A line that is being typed: its words, where they stand, and what may follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from carnelian.resp.quoting import quote_if_needed, split_arguments
from carnelian.tools.cli.prompt import expected_words
from carnelian.tools.cli.prompt.own_words import OWN
from carnelian.tools.cli.talking.command_docs import CommandDoc, CommandDocs

_WORD = re.compile(r'"(?:\\.|[^"\\])*"?|\'(?:\\\'|[^\'])*\'?|[^\s"\']\S*')
# Words of this program that begin a line.
_FIRST = {
    "help": "what commands do",
    "quit": "leave",
    "connect": "host port",
    "clear": "the screen",
}


class Word(NamedTuple):
    """A word where it stands, with its quotes."""

    start: int
    text: str

    @property
    def plain(self) -> str:
        """Without quotes."""
        quote = self.text[:1]
        if quote not in ('"', "'"):
            return self.text
        data = self.text.encode("utf-8", "surrogateescape")
        # The closing one may still be to come.
        found = split_arguments(data) or split_arguments(data + quote.encode())
        return self.text if not found else found[0].decode("utf-8", "replace")


class Suggestion(NamedTuple):
    """What may stand in the place of the word that is being typed."""

    text: str
    told: str = ""


class Piece(NamedTuple):
    """A part of a line and what it is: command, unknown, token, key, number, string, value, own."""

    kind: str
    text: str


def words_of(line: str) -> list[Word]:
    """The words of a line, of which the last may be unfinished."""
    return [Word(match.start(), match[0]) for match in _WORD.finditer(line)]


def hint(docs: CommandDocs, line: str) -> str:
    """The arguments that are still to come, with a blank before if one has to be typed."""
    plain = [word.plain for word in _counted(words_of(line))]
    doc, used = docs.find(plain)
    if doc is None:
        return ""
    text = expected_words.syntax(expected_words.left_after(doc.parameters, plain[used:]))
    return text if not text or line.endswith(" ") else f" {text}"


def suggest(
    docs: CommandDocs,
    before: str,
    keys: Callable[[bytes], Iterable[bytes]],
    directives: Callable[[str], Iterable[str]],
) -> tuple[int, list[Suggestion]]:
    """What may be typed at the end of a line: how long the begun word is, and suggestions.

    Args:
        before: the line up to the cursor.
        keys: gives keys that begin with a prefix.
        directives: gives names of directives that begin with one.
    """
    words = words_of(before)
    begun = words.pop() if words and not before.endswith(" ") else Word(len(before), "")
    typed = begun.text
    words = _counted(words)
    if not words:
        return len(typed), list(_first_words(docs, typed))
    plain = [word.plain for word in words]
    if plain[0].lower() in ("help", "?"):
        return len(typed), list(_topics(docs, plain[1:], typed))
    found = list(_subcommands(docs, plain, typed))
    doc, used = docs.find(plain)
    if doc is not None:
        found += _arguments(doc, plain[used:], begun, keys, directives)
    return len(typed), found


def _counted(words: list[Word]) -> list[Word]:
    """Without what comes before a command: a number of times, ``\\watch`` and its seconds."""
    if words and words[0].text == "\\watch":
        words = words[1:]
    while words and re.fullmatch(r"[\d.]+", words[0].text):
        words = words[1:]
    return words


def _first_words(docs: CommandDocs, typed: str) -> Iterator[Suggestion]:
    if typed.startswith("\\"):
        yield from (Suggestion(word, told) for word, told in OWN.items() if word.startswith(typed))
        return
    start, lower = typed.upper(), typed.islower()
    seen = set()
    for name, doc in docs.commands.items():
        first, _, more = name.partition(" ")
        if first in seen or not first.startswith(start):
            continue
        seen.add(first)
        yield Suggestion(first.lower() if lower else first, "..." if more else doc.summary)
    for word, told in _FIRST.items():
        if typed and word.startswith(typed.lower()):
            yield Suggestion(word, told)


def _topics(docs: CommandDocs, words: list[str], typed: str) -> Iterator[Suggestion]:
    if not words:
        yield from (
            Suggestion(f"@{group}") for group in docs.groups() if f"@{group}".startswith(typed)
        )
    if not typed.startswith("@"):
        start = " ".join([*words, typed]).upper()
        for name, doc in docs.commands.items():
            if name.startswith(start):
                yield Suggestion(name.split(" ", len(words))[-1], doc.summary)


def _subcommands(docs: CommandDocs, words: list[str], typed: str) -> Iterator[Suggestion]:
    if len(words) != 1 or words[0].upper() not in docs.containers:
        return
    start = f"{words[0]} {typed}".upper()
    lower = (typed or words[0]).islower()
    for name, doc in docs.commands.items():
        if name.startswith(start):
            second = name.split(" ", 1)[1]
            yield Suggestion(second.lower() if lower else second, doc.summary)


def _arguments(
    doc: CommandDoc,
    words: list[str],
    begun: Word,
    keys: Callable[[bytes], Iterable[bytes]],
    directives: Callable[[str], Iterable[str]],
) -> Iterator[Suggestion]:
    left = expected_words.left_after(doc.parameters, words)
    typed = begun.text
    for token in expected_words.next_tokens(left):
        if token.startswith(typed.upper()):
            yield Suggestion(token.lower() if typed.islower() else token)
    types = expected_words.next_types(left)
    if "key" in types:
        prefix = begun.plain.encode("utf-8", "surrogateescape")
        for key in keys(prefix):
            yield Suggestion(_typable(key), "key")
    if doc.name in ("CONFIG GET", "CONFIG SET") and (
        doc.name == "CONFIG GET" or not len(words) % 2
    ):
        for name in directives(begun.plain):
            yield Suggestion(name, "directive")


def _typable(key: bytes) -> str:
    """A key as it is typed: what people can read as it is, other bytes in quotes."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return quote_if_needed(key).decode("ascii")
    if text and text.isprintable() and not re.search(r"[\s\"'\\]", text):
        return text
    return quote_if_needed(key).decode("ascii")


# -- What each part is ---------------------------------------------------------------------------


def pieces(docs: CommandDocs, line: str) -> list[Piece]:
    """The line in parts, blanks included."""
    words = words_of(line)
    counted = _counted(words)
    doc, used = docs.find([word.plain for word in counted])
    first = len(words) - len(counted)
    left: list[expected_words.Parameter] = list(doc.parameters) if doc else []
    found: list[Piece] = []
    at = 0
    for place, word in enumerate(words):
        if word.start > at:
            found.append(Piece("", line[at : word.start]))
        at = word.start + len(word.text)
        if place < first:
            found.append(Piece("own", word.text))
        elif place < first + (used or 1):
            found.append(Piece(_kind_of_name(docs, doc, word.text), word.text))
        else:
            found.append(Piece(_kind_of_argument(left, word), word.text))
            left = expected_words.left_after(left, [word.plain])
    if at < len(line):
        found.append(Piece("", line[at:]))
    return found


def _kind_of_name(docs: CommandDocs, doc: CommandDoc | None, text: str) -> str:
    if doc is not None or text.upper() in docs.containers:
        return "command"
    return "own" if text[:1] in "\\:?" or text.lower() in (*_FIRST, "exit") else "unknown"


def _kind_of_argument(left: list[expected_words.Parameter], word: Word) -> str:
    if word.text[:1] in "\"'":
        return "string"
    if word.text.upper() in expected_words.next_tokens(left):
        return "token"
    if "key" in expected_words.next_types(left):
        return "key"
    return "number" if re.fullmatch(r"[-+]?\d+(\.\d+)?", word.text) else "value"

"""Values as people read them: texts as they are, JSON indented, other bytes in hexadecimal.

Nothing that a terminal would obey comes out: control characters are escaped.
"""

from __future__ import annotations

import json
import re
import unicodedata

from carnelian.resp.quoting import quote

# Bytes that are shown in hexadecimal before only their number is, and on a line.
_MOST_HEX = 512
_HEX_LINE = 16
# The share of characters that have to be printable for a text to be one.
_MOSTLY = 0.9
# Longer texts are not looked into for JSON.
_MOST_JSON = 4 * 1024 * 1024

_JSON_PART = re.compile(
    r'(?P<key>"(?:\\.|[^"\\])*")(?=:)|(?P<string>"(?:\\.|[^"\\])*")'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<word>\btrue\b|\bfalse\b|\bnull\b)"
)
_JSON_COLOURS = {"key": "36", "string": "33", "number": "35", "word": "34"}


class Palette:
    """Colours, if there are to be any."""

    def __init__(self, coloured: bool):
        self._coloured = coloured

    def paint(self, code: str, text: str) -> str:
        """The text in a colour: the number in the escape sequence of terminals."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured and text else text

    def json(self, text: str) -> str:
        """JSON with colours."""
        if not self._coloured:
            return text
        return _JSON_PART.sub(
            lambda found: self.paint(_JSON_COLOURS[found.lastgroup or "word"], found[0]), text
        )


def lines_of(data: bytes, palette: Palette, quoted: bool = True) -> list[str]:
    """The lines that a value is shown in; ``quoted`` puts a text of one line in quotes."""
    document = json_lines(data)
    if document is not None:
        return [palette.json(line) for line in document]
    text = readable(data)
    if text is None:
        return hex_lines(data) if _is_binary(data) else [quote(data).decode("ascii")]
    if "\n" in text:
        return text.rstrip("\n").split("\n")
    needs_quotes = not text or text != text.strip() or quoted
    return [f'"{_escaped(text)}"' if needs_quotes else text]


def one_line(data: bytes) -> str:
    """The value on one line, in quotes; bytes that are no text are escaped."""
    text = readable(data)
    if text is None or "\n" in text:
        return quote(data).decode("ascii")
    return f'"{_escaped(text)}"'


def harmless(text: str) -> str:
    """The text with escapes in the place of what a terminal would obey."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        character if character in "\r\n\t" or character.isprintable() else ascii(character)[1:-1]
        for character in text
    )


def readable(data: bytes) -> str | None:
    """The text, if every character of it can be shown; tabs become blanks."""
    try:
        text = data.decode().replace("\t", "    ")
    except UnicodeDecodeError:
        return None
    return text if text.replace("\n", "").isprintable() else None


def json_lines(data: bytes) -> list[str] | None:
    """An object or a list of JSON, indented; None if it is none."""
    if data[:1] not in (b"{", b"[") or len(data) > _MOST_JSON or len(data) < 3:
        return None
    try:
        found = json.loads(data, parse_int=_whole, parse_float=_decimal, object_pairs_hook=_object)
        lines = json.dumps(found, indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return None
    return lines if all(line.isprintable() for line in lines) else None


# What Python would write in another way is not shown as JSON: it would be another value.


def _whole(text: str) -> int:
    number = int(text)
    if str(number) != text:
        raise ValueError(text)
    return number


def _decimal(text: str) -> float:
    number = float(text)
    if repr(number) != text:
        raise ValueError(text)
    return number


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def hex_lines(data: bytes) -> list[str]:
    """Bytes in hexadecimal, with what of them is ASCII beside it."""
    lines = []
    for at in range(0, min(len(data), _MOST_HEX), _HEX_LINE):
        part = data[at : at + _HEX_LINE]
        halves = f"{part[:8].hex(' '):<23}  {part[8:].hex(' '):<23}"
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{at:08x}  {halves}  |{shown}|")
    if len(data) > _MOST_HEX:
        lines.append(f"... {len(data) - _MOST_HEX} more bytes")
    return lines


def width(text: str) -> int:
    """Columns of a terminal that a text takes, without its colours."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    if plain.isascii():
        return len(plain)
    return sum(_columns(character) for character in plain)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_binary(data: bytes) -> bool:
    """Whether most of it makes no text."""
    text = data.decode("utf-8", "replace")
    shown = sum(character.isprintable() and character != "\ufffd" for character in text)
    return len(data) > 8 and shown < _MOSTLY * len(text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

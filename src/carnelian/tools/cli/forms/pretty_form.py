"""Replies for people: hashes and scores as tables, streams by entry, values as they are read."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence

from carnelian.resp.client.reply_values import Double, Pairs, Refusal, Simple, VerbatimText
from carnelian.tools.cli.forms import terminal_form
from carnelian.tools.cli.forms.value_tables import table
from carnelian.tools.cli.forms.value_text import Palette, harmless, lines_of, one_line

# Commands whose reply is a map, in RESP2 as well.
_MAPS = {b"hgetall": "field", b"config get": "directive", b"hscan": "field"}
_SCORED = frozenset((b"zpopmin", b"zpopmax"))
_ENTRIES = frozenset((b"xrange", b"xrevrange"))
_STREAMS = frozenset((b"xread", b"xreadgroup"))
# What tells a time that is left, and how many of it make a second.
_LEFT = {b"ttl": 1, b"pttl": 1000}
_MOMENTS = {b"expiretime": 1, b"pexpiretime": 1000, b"lastsave": 1}


class PrettyForm:
    """Writes replies to commands.

    ``coloured`` is whether there are colours; None leaves that to the output.
    """

    def __init__(self, coloured: bool | None = None):
        self._palette = Palette(sys.stdout.isatty() if coloured is None else coloured)

    def write(self, words: Sequence[bytes], reply: object) -> bytes:
        """The reply to a command, with the end of its line."""
        lines = self._lines(words, reply)
        if lines is None:
            return terminal_form.write(reply, make=self._scalar)
        return "\n".join(lines).encode("utf-8", "replace") + b"\n"

    def _lines(self, words: Sequence[bytes], reply: object) -> list[str] | None:
        """The lines of a reply of which there is something special to show."""
        if isinstance(reply, list):
            return self._list_lines(words, reply) if reply else None
        if isinstance(reply, Simple | Refusal | Double | VerbatimText):
            return None
        if isinstance(reply, bytes):
            return lines_of(reply, self._palette)
        if isinstance(reply, int) and not isinstance(reply, bool):
            return [f"(integer) {reply}{_time(words[0].lower(), reply)}"]
        return None

    def _list_lines(self, words: Sequence[bytes], reply: list[object]) -> list[str] | None:
        name = words[0].lower()
        both = b" ".join(words[:2]).lower()
        options = {word.lower() for word in words[1:]}
        if name in (b"hscan", b"zscan", b"sscan", b"scan"):
            return self._scanned(name, reply)
        if name in _MAPS or both in _MAPS:
            return self._map(reply, _MAPS.get(name) or _MAPS[both])
        if isinstance(reply, Pairs) and name not in _STREAMS and _is_flat(reply):
            return self._map(reply, "name")
        if name in _SCORED or (name.startswith(b"z") and b"withscores" in options):
            return self._scores(reply)
        if name == b"hrandfield" and b"withvalues" in options:
            return self._map(_flat(reply), "field")
        if name in _ENTRIES:
            return self._entries(reply)
        return self._streams(reply) if name in _STREAMS else None

    def _scanned(self, name: bytes, reply: list[object]) -> list[str] | None:
        if len(reply) != 2:
            return None
        cursor, found = reply
        if not isinstance(cursor, bytes) or not isinstance(found, list):
            return None
        more = "that was all" if cursor == b"0" else f"go on with cursor {cursor.decode()}"
        told = self._palette.paint("2", f"({more})")
        lines: list[str] | None = None
        if found and name == b"hscan":
            lines = self._map(found, "field")
        elif found and name == b"zscan":
            lines = self._scores(found)
        if lines is None:
            lines = terminal_form.write(found, make=self._scalar).decode().rstrip("\n").split("\n")
        return [*lines, told]

    def _map(self, reply: list[object], title: str) -> list[str] | None:
        if len(reply) % 2:
            return None
        pairs = zip(reply[::2], reply[1::2], strict=True)
        rows = [(self._cell(name), self._cell(value)) for name, value in pairs]
        return table((title, "value"), rows, self._palette)

    def _scores(self, reply: list[object]) -> list[str] | None:
        flat = _flat(reply)
        if len(flat) % 2 or any(isinstance(each, list) for each in flat):
            return None
        rows = [
            (self._cell(score), self._cell(member))
            for member, score in zip(flat[::2], flat[1::2], strict=True)
        ]
        return table(("score", "member"), rows, self._palette)

    def _entries(self, reply: list[object]) -> list[str] | None:
        lines: list[str] = []
        for entry in reply:
            if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], bytes):
                return None
            lines.append(f"{self._palette.paint('36', entry[0].decode())}{_moment_of(entry[0])}")
            lines += [f"    {line}" for line in self._fields(entry[1])]
        return lines

    def _fields(self, fields: object) -> list[str]:
        if not isinstance(fields, list):
            return ["(deleted)"]
        rows = [
            (self._cell(name), self._cell(value))
            for name, value in zip(fields[::2], fields[1::2], strict=False)
        ]
        # Without titles: what these are is plain.
        return table(("", ""), rows, self._palette)[2:]

    def _streams(self, reply: list[object]) -> list[str] | None:
        pairs = _flat(reply)
        lines: list[str] = []
        for name, entries in zip(pairs[::2], pairs[1::2], strict=False):
            if not isinstance(name, bytes) or not isinstance(entries, list):
                return None
            found = self._entries(entries)
            if found is None:
                return None
            lines += [self._palette.paint("1", one_line(name)), *(f"  {line}" for line in found)]
        return lines

    def _cell(self, value: object) -> list[str]:
        if isinstance(value, list):
            text = terminal_form.write(value, make=self._scalar).decode()
            return text.rstrip("\n").split("\n")
        if isinstance(value, Double):
            return [value.decode()]
        if isinstance(value, bytes) and not isinstance(value, Refusal):
            return lines_of(bytes(value), self._palette, quoted=False)
        return [self._scalar(value).decode("utf-8", "replace")]

    def _scalar(self, reply: object) -> bytes:
        """What stands alone, or within a list."""
        paint = self._palette.paint
        if type(reply) is bytes:
            return one_line(reply).encode("utf-8", "replace")
        text = harmless(terminal_form.scalar(reply).decode("utf-8", "replace"))
        if isinstance(reply, Refusal):
            text = paint("31", text)
        elif isinstance(reply, Simple):
            text = paint("32", text)
        elif reply is None:
            text = paint("2", text)
        return text.encode("utf-8", "replace")


def _is_flat(reply: list[object]) -> bool:
    return not any(isinstance(key, list) for key in reply[::2])


def _flat(reply: list[object]) -> list[object]:
    """Pairs of RESP3, which are lists in a list, one after the other."""
    if reply and all(isinstance(each, list) and len(each) == 2 for each in reply):
        return [part for pair in reply if isinstance(pair, list) for part in pair]
    return reply


# -- Times ---------------------------------------------------------------------------------------


def _time(name: bytes, number: int) -> str:
    """What a number of seconds or milliseconds means, behind it."""
    if number < 0:
        meaning = {-1: "no time to live", -2: "no such key"}.get(number)
        return f"  ({meaning})" if meaning and name in (*_LEFT, *_MOMENTS) else ""
    if name in _LEFT:
        return _guarded(lambda: str(datetime.timedelta(seconds=number // _LEFT[name])))
    if name in _MOMENTS:
        return _guarded(lambda: _stamp(number / _MOMENTS[name]))
    return ""


def _guarded(make: Callable[[], str]) -> str:
    try:
        return f"  ({make()})"
    except (OverflowError, ValueError, OSError):
        # It is far beyond the calendar.
        return ""


def _moment_of(identity: bytes) -> str:
    milliseconds = identity.partition(b"-")[0]
    if not milliseconds.isdigit() or int(milliseconds) < 10**11:
        # Numbers that somebody has given, not times.
        return ""
    return _guarded(lambda: _stamp(int(milliseconds) / 1000))


def _stamp(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")

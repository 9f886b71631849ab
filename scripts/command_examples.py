"""The examples of commands in ``docs/examples``, and what a server answers to them.

An example is a line with the command's name and what is typed, with what redis-cli shows below::

    # INCR
    > INCR visits
    (integer) 1

    python scripts/command_examples.py PORT

writes down what the server on that port of this machine answers; look at the difference.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from carnelian.resp.quoting import quote, split_arguments

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "examples"


@dataclass
class Example:
    """What is typed for a command, each line with what is shown below it."""

    command: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """As it stands in its file, without the first line."""
        return "".join(f"> {typed}\n{shown}\n" for typed, shown in self.lines)


def read(path: Path) -> list[Example]:
    """The examples of a file."""
    found = []
    for part in f"\n{path.read_text()}".split("\n# ")[1:]:
        command, _, rest = part.partition("\n")
        example = Example(command)
        for block in f"\n{rest}".split("\n> ")[1:]:
            typed, _, shown = block.partition("\n")
            example.lines.append((typed, shown.strip("\n")))
        found.append(example)
    return found


def examples() -> dict[str, Example]:
    """All examples, by the name of their command in upper case."""
    return {each.command: each for path in sorted(FOLDER.glob("*.txt")) for each in read(path)}


# -- What is answered ------------------------------------------------------------------------------


class Terminal:
    """A connection that shows replies as redis-cli does in a terminal."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._input: BinaryIO = self._socket.makefile("rb")

    def close(self) -> None:
        """End the connection."""
        self._input.close()
        self._socket.close()

    def show(self, typed: str) -> str:
        """Send a line; returns what is shown below it."""
        words = split_arguments(typed.encode())
        if words is None:
            raise ValueError(f"unbalanced quotes: {typed}")
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
        self._socket.sendall(b"".join(parts))
        return "\n".join(self._reply(""))

    def run(self, example: Example) -> list[tuple[str, str]]:
        """The lines of an example with what is shown now, on a server without keys."""
        for typed in ("RESET", "FLUSHALL", "FUNCTION FLUSH", "SCRIPT FLUSH", "ACL DELUSER anna"):
            self.show(typed)
        return [(typed, self.show(typed)) for typed, _ in example.lines]

    def _reply(self, indent: str) -> list[str]:
        """The lines of a reply, all but the first one after an indent."""
        line = self._input.readline()
        if not line:
            raise ConnectionError("the server has ended the connection")
        kind, rest = line[:1], line[1:-2].decode()
        forms: dict[bytes, Callable[[str], str]] = {
            b"+": str,
            b"-": "(error) {}".format,
            b":": "(integer) {}".format,
            b"$": self._text,
        }
        if kind in forms:
            return [forms[kind](rest)]
        return self._array(int(rest), indent)

    def _text(self, length: str) -> str:
        if length == "-1":
            return "(nil)"
        return quote(self._input.read(int(length) + 2)[:-2]).decode()

    def _array(self, count: int, indent: str) -> list[str]:
        if count <= 0:
            return ["(nil)" if count else "(empty array)"]
        width = len(str(count))
        lines: list[str] = []
        for number in range(1, count + 1):
            inner = self._reply(indent + " " * (width + 2))
            begin = indent if number > 1 else ""
            lines += [f"{begin}{number:>{width}}) {inner[0]}", *inner[1:]]
        return lines


def main() -> None:
    """Write down what a server answers."""
    terminal = Terminal(int(sys.argv[1]))
    for path in sorted(FOLDER.glob("*.txt")):
        found = read(path)
        for example in found:
            example.lines = terminal.run(example)
        path.write_text("\n".join(f"# {each.command}\n{each.text()}" for each in found))
    terminal.close()


if __name__ == "__main__":
    main()

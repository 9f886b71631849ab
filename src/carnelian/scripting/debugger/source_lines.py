"""The source of a script by lines, where it stands, and where it is to stop."""

from __future__ import annotations

MOST_BREAKPOINTS = 64


class SourceLines:
    """Lines count from 1; ``current`` is the one that runs next, ``breakpoints`` in the order in
    which they were set.
    """

    def __init__(self, source: bytes):
        self._lines = source.rstrip(b"\r\n").split(b"\n")
        self.current = 0
        self.breakpoints: list[int] = []

    def __len__(self) -> int:
        return len(self._lines)

    def shown(self, number: int) -> bytes:
        """A line with its number, and marks if it is the current one or has a breakpoint."""
        inside = 0 < number <= len(self)
        text = self._lines[number - 1] if inside else b"<out of range source code line>"
        arrow = b"->" if number == self.current else b"  "
        mark = b"#" if number in self.breakpoints else b" "
        return b"%b%b%-3d %b" % (arrow, mark, number, text)

    def around(self, number: int, context: int) -> list[bytes]:
        """A line as it is shown, with so many before and after it."""
        first = max(1, number - context)
        last = min(len(self), number + context)
        return [self.shown(each) for each in range(first, last + 1)]

    def whole(self) -> list[bytes]:
        """All lines as they are shown."""
        return [self.shown(each) for each in range(1, len(self) + 1)]

    def add_breakpoint(self, number: int) -> bool:
        """Stop at a line from now on; false if there is no such line."""
        if not 0 < number <= len(self):
            return False
        if number not in self.breakpoints:
            self.breakpoints.append(number)
        return True

    def remove_breakpoint(self, number: int) -> bool:
        """Do not stop there any more; false if that was no breakpoint."""
        if number not in self.breakpoints:
            return False
        self.breakpoints.remove(number)
        return True

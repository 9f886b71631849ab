"""Stand-ins for what a key space holds and calls."""

from __future__ import annotations


class Bag:
    """A collection as a key space sees it."""

    def __init__(self, items: list[bytes], effort: int = 1):
        self.items = items
        self.effort = effort

    @property
    def type_name(self) -> bytes:
        return b"bag"

    def encoding(self) -> bytes:
        return b"listpack"

    def memory(self) -> int:
        return 1000

    def free_effort(self) -> int:
        return self.effort

    def copy(self) -> Bag:
        return Bag(list(self.items), self.effort)


class Recorder:
    """Takes the place of a hook and notes its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def __call__(self, *args: object) -> None:
        self.calls.append(args)

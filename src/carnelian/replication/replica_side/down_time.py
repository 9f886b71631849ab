"""For how long a node was without the stream of a primary."""

from __future__ import annotations

from collections.abc import Callable


class DownTime:
    """Counts from the end of the first stream on, from one primary to the next.

    It goes on counting while the node leads.
    """

    def __init__(self, now_ns: Callable[[], int]):
        self._now_ns = now_ns
        self._since_s: int | None = None
        self._before_s = 0

    def begin(self) -> None:
        """The stream has ended."""
        self._since_s = self._now_s()

    def end(self) -> None:
        """The stream comes."""
        self._before_s = self.seconds()
        self._since_s = None

    def seconds(self) -> int:
        """All of it until now."""
        return self._before_s + (0 if self._since_s is None else self._now_s() - self._since_s)

    def _now_s(self) -> int:
        return self._now_ns() // 1_000_000_000

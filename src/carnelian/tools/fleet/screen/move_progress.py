"""How far slots have moved: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time

from carnelian.tools.fleet.screen.fleet_table import counted, grouped
from carnelian.tools.fleet.screen.live_display import LiveDisplay

_BAR_INTERVAL = 0.1
_LINE_INTERVAL = 5.0
_WIDTH = 30


class MoveProgress:
    """Counts slots and keys, and shows them. ``total`` is the number of slots that are to move."""

    def __init__(self, display: LiveDisplay, total: int):
        self._display = display
        self._total = total
        self._began = time.monotonic()
        self._next = 0.0 if display.live else self._began + _LINE_INTERVAL
        self.slots = 0
        self.keys = 0
        self.where = ""

    def begin(self, where: str) -> None:
        """Say which way they go from now on: ``7000 -> 7004``."""
        self.where = where
        self._show()

    def add(self, slots: int = 0, keys: int = 0) -> None:
        """So many more are where they are to be."""
        self.slots += slots
        self.keys += keys
        self._show()

    def expect(self, left: int) -> None:
        """So many slots are left after all, which makes a new total."""
        self._total = self.slots + left

    def _show(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        if self._display.live:
            self._next = now + _BAR_INTERVAL
            self._display.draw([(self._bar(now), "busy")])
        else:
            self._next = now + _LINE_INTERVAL
            self._display.say(self._line(now))

    def _bar(self, now: float) -> str:
        share = self.slots / self._total if self._total else 1.0
        filled = round(share * _WIDTH)
        return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {self._line(now)}"

    def _line(self, now: float) -> str:
        seconds = now - self._began
        parts = [
            f"{self.where}: {self.slots} of {self._total} slots",
            f"{grouped(self.keys)} keys",
        ]
        if seconds > 1:
            parts.append(f"{grouped(round(self.keys / seconds))} keys/s")
        if seconds > 2 and 0 < self.slots < self._total:
            left = seconds * (self._total - self.slots) / self.slots
            parts.append(f"{left:.0f} s left")
        return ", ".join(parts)

    def close(self) -> None:
        """Say what was done."""
        self._display.close()
        seconds = time.monotonic() - self._began
        if self.slots or self.keys:
            slots, keys = counted(self.slots, "slot"), grouped(self.keys)
            self._display.say(f"moved {slots} with {keys} keys in {seconds:.1f} s")

"""Figures of two servers, taken in turns: the median of the pairs' ratios is what counts."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from harness import report
from harness.servers import OURS, PEER

MORE, LESS = "more", "less"


class Pairs:
    """Figures by name, a value of each server for every pair of runs."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = {}
        self._better: dict[str, str] = {}

    def add(self, server: str, figure: str, value: float, better: str = LESS) -> None:
        """Note a value; ``better`` says whether more or less of it is better."""
        self._better[figure] = better
        self._values.setdefault(figure, {OURS: [], PEER: []})[server].append(value)

    def ratios(self, figure: str) -> list[float]:
        """Ours / peer of each pair, without those where the peer has 0."""
        values = self._values[figure]
        return [a / b for a, b in zip(values[OURS], values[PEER], strict=True) if b]

    def last(self, figure: str) -> str:
        """The last pair's ratio, for a line of progress."""
        ratios = self.ratios(figure)
        return f"{figure} x {ratios[-1]:.2f}" if ratios else figure

    def table(self) -> str:
        header = ["", "ours", "peer", "ratio", "quartiles", "better"]
        return report.table(header, self._rows())

    def _rows(self) -> Iterator[Sequence[str]]:
        for figure, values in self._values.items():
            ratios = self.ratios(figure)
            ratio = f"{statistics.median(ratios):.2f}" if ratios else ""
            medians = [f"{statistics.median(values[name]):.2f}" for name in (OURS, PEER)]
            yield [figure, *medians, ratio, report.quartiles(ratios), self._better[figure]]

    def plain(self) -> dict[str, Any]:
        """All values, for JSON."""
        return self._values


def order(number: int) -> tuple[str, str]:
    """Whose turn it is first in a pair: it alternates."""
    return (OURS, PEER) if number % 2 == 0 else (PEER, OURS)

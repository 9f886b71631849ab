"""Tables for terminals."""

from __future__ import annotations

from collections.abc import Sequence

from carnelian.tools.cli.forms.value_text import Palette, width

_GAP = "  "
_WIDEST_FIRST = 40

Cell = Sequence[str]


def table(titles: Sequence[str], rows: Sequence[Sequence[Cell]], palette: Palette) -> list[str]:
    """The lines of a table.

    Args:
        titles: of the columns.
        rows: of cells, each of which is lines. The last column is as wide as it has to be.
        palette: colours of the first column and of the titles.
    """
    last = len(titles) - 1
    widths = [width(title) for title in titles]
    for row in rows:
        for place, cell in enumerate(row[:last]):
            widths[place] = max(widths[place], min(max(map(width, cell)), _WIDEST_FIRST))
    ends = [max((width(line) for row in rows for line in row[last]), default=0)]
    rules = [*widths[:last], max(widths[last], min(ends[0], 60))]
    lines = [
        palette.paint("2", _joined(titles, widths)),
        palette.paint("2", _GAP.join("─" * size for size in rules)),
    ]
    for row in rows:
        lines += _row(row, widths, palette)
    return lines


def _row(row: Sequence[Cell], widths: Sequence[int], palette: Palette) -> list[str]:
    height = max(len(cell) for cell in row)
    lines = []
    for at in range(height):
        parts = [cell[at] if at < len(cell) else "" for cell in row]
        padded = _padded(parts, widths)
        padded[0] = palette.paint("36", padded[0])
        lines.append(_GAP.join(padded).rstrip())
    return lines


def _joined(parts: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(_padded(parts, widths)).rstrip()


def _padded(parts: Sequence[str], widths: Sequence[int]) -> list[str]:
    padded = [
        part + " " * max(size - width(part), 0)
        for part, size in zip(parts[:-1], widths, strict=False)
    ]
    return [*padded, parts[-1]]

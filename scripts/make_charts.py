"""Draws the charts of ``docs/performance.md`` from what the benchmarks have measured.

    python scripts/make_charts.py COMPARE.json MEMORY.json     # files of benchmarks/results

Without arguments it draws them again from ``docs/figures/figures.json``, where it keeps what it has
read. Charts are SVG in the colours of the page they stand in.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "figures"
KEPT = FIGURES / "figures.json"

# Where a chart is a picture of its own: the colours of light and dark pages.
STYLE = "svg{color:#24292f}@media(prefers-color-scheme:dark){svg{color:#d0d7de}}"
COLOURS = ("#b84a38", "#e0a04a")

WIDTH, LABELS, ROW, BAR, TOP = 720, 190, 34, 12, 34


def main() -> int:
    """Draw the charts; returns the exit status."""
    if len(sys.argv) > 1:
        figures = read(*map(Path, sys.argv[1:]))
        KEPT.write_text(json.dumps(figures, indent=1) + "\n")
    figures = json.loads(KEPT.read_text())
    for name, chart in charts(figures).items():
        (FIGURES / f"{name}.svg").write_text(chart)
    return 0


def charts(figures: dict[str, Any]) -> dict[str, str]:
    """The charts by name, as SVG."""
    return {
        "cpu": bars(
            "CPU time per request, redis-server = 1 (less is better)",
            figures["cpu"],
            ("one at a time", "pipelines of 16"),
        ),
        "memory": bars("Memory, redis-server = 1 (less is better)", figures["memory"], ("",)),
    }


def read(compare: Path, memory: Path) -> dict[str, Any]:
    """The ratios to the peer, out of results of compare.py and memory.py."""
    measured = json.loads(compare.read_text())
    found: dict[str, Any] = {"machine": measured["machine"], "pairs": measured["pairs"]}
    # Throughput is not drawn: it says how busy the machine was with the client and with others.
    rows: dict[str, list[float]] = {}
    for case in measured["cases"]:
        pairs = zip(case["ours"], case["peer"], strict=True)
        ratio = statistics.median(ours["cpu_us"] / peer["cpu_us"] for ours, peer in pairs)
        rows.setdefault(case["case"]["test"], []).append(round(ratio, 2))
    found["cpu"] = rows
    found["memory"] = {
        item: [round(_bytes("carnelian", item, each) / _bytes("redis", item, each), 2)]
        for item, each in json.loads(memory.read_text())["bytes_per_item"].items()
    }
    return found


def _bytes(server: str, item: str, measured: dict[str, Any]) -> float:
    """What an item takes: as the server counts it, or for connections as the system does."""
    return measured[server]["resident" if item.startswith("connections") else "used"]


def bars(title: str, rows: dict[str, Sequence[float]], series: Sequence[str]) -> str:
    """A chart with a group of bars for each row, and a line where both servers are the same."""
    most = max(max(values) for values in rows.values())
    scale = (WIDTH - LABELS - 60) / max(most, 1.2)
    height = TOP + 24 + len(rows) * ROW + 26
    bottom = height - 20
    one = LABELS + scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13" fill="currentColor">',
        f"<style>{STYLE}</style>",
        f'<text x="0" y="16" font-weight="bold">{escape(title)}</text>',
        *_legend(series),
    ]
    for number, (name, values) in enumerate(rows.items()):
        y = TOP + 24 + number * ROW
        middle = y + len(values) * BAR / 2 + 4
        parts.append(
            f'<text x="{LABELS - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>'
        )
        for index, value in enumerate(values):
            parts.append(_bar(y + index * BAR, value, scale, COLOURS[index]))
    parts.append(
        f'<line x1="{one:.0f}" y1="{TOP + 16}" x2="{one:.0f}" y2="{bottom}" stroke="currentColor" '
        f'stroke-dasharray="4 3"/><text x="{one:.0f}" y="{height - 5}" text-anchor="middle" '
        f'font-size="11">redis-server</text></svg>\n'
    )
    return "\n".join(parts)


def _legend(series: Sequence[str]) -> list[str]:
    parts, x = [], 0
    for colour, name in zip(COLOURS, series, strict=False):
        if name:
            parts.append(
                f'<rect x="{x}" y="{TOP - 6}" width="12" height="10" fill="{colour}"/>'
                f'<text x="{x + 18}" y="{TOP + 4}" font-size="12">{escape(name)}</text>'
            )
        x += 150
    return parts


def _bar(y: float, value: float, scale: float, colour: str) -> str:
    return (
        f'<rect x="{LABELS}" y="{y}" width="{value * scale:.1f}" height="{BAR - 1}" '
        f'fill="{colour}"/><text x="{WIDTH}" y="{y + BAR - 2}" text-anchor="end" '
        f'font-size="11">{value:.2f}</text>'
    )


if __name__ == "__main__":
    raise SystemExit(main())

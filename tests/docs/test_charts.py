"""The charts are those of the figures that are kept."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import make_charts


def test_charts_are_drawn_of_the_figures() -> None:
    figures = json.loads(make_charts.KEPT.read_text())
    for name, chart in make_charts.charts(figures).items():
        assert (make_charts.FIGURES / f"{name}.svg").read_text() == chart, "run make_charts.py"
        ElementTree.fromstring(chart)


def test_bars_are_as_long_as_their_values() -> None:
    chart = ElementTree.fromstring(make_charts.bars("T", {"a": [0.5], "b": [1.0]}, ("",)))
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(each.attrib["width"]) for each in chart.iter(f"{space}rect")]
    [line] = chart.iter(f"{space}line")
    assert abs(widths[1] - 2 * widths[0]) <= 0.2
    assert round(widths[1] + make_charts.LABELS) == int(line.attrib["x1"])

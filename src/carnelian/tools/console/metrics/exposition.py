"""Metrics as text: OpenMetrics 1.0, or the older format of Prometheus for those who ask for it."""

from __future__ import annotations

import math
from collections.abc import Mapping

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
_NONE: Labels = {}


class Exposition:
    """Gathers metrics by family, and writes them.

    Args:
        prefix: what all names begin with.
    """

    def __init__(self, prefix: str = "redis_"):
        self._prefix = prefix
        # By family: its type, its help, and its samples.
        self._families: dict[str, tuple[str, str, list[tuple[str, Labels, float]]]] = {}

    def gauge(self, name: str, help: str, value: float, labels: Labels = _NONE) -> None:
        """A number that goes up and down."""
        self._add(name, "gauge", help, "", labels, value)

    def counter(self, name: str, help: str, value: float, labels: Labels = _NONE) -> None:
        """A number that only grows; ``_total`` is put behind its name."""
        self._add(name, "counter", help, "_total", labels, value)

    def info(self, name: str, help: str, labels: Labels) -> None:
        """Facts, as labels; ``_info`` is put behind the name."""
        self._add(name, "info", help, "_info", labels, 1)

    def summary(
        self,
        name: str,
        help: str,
        quantiles: Mapping[float, float],
        count: float,
        sum: float,
        labels: Labels,
    ) -> None:
        """Quantiles from 0 to 1 with their values, and the number and the sum of all."""
        for share, value in sorted(quantiles.items()):
            marked = {**labels, "quantile": _number(share)}
            self._add(name, "summary", help, "", marked, value)
        self._add(name, "summary", help, "_count", labels, count)
        self._add(name, "summary", help, "_sum", labels, sum)

    def histogram(
        self,
        name: str,
        help: str,
        buckets: Mapping[float, float],
        count: float,
        sum: float,
        labels: Labels,
    ) -> None:
        """How many were up to each bound, and the number and the sum of all."""
        for bound, below in sorted(buckets.items()):
            marked = {**labels, "le": _bound(bound)}
            self._add(name, "histogram", help, "_bucket", marked, below)
        self._add(name, "histogram", help, "_bucket", {**labels, "le": "+Inf"}, count)
        self._add(name, "histogram", help, "_count", labels, count)
        self._add(name, "histogram", help, "_sum", labels, sum)

    def _add(
        self, name: str, kind: str, help: str, suffix: str, labels: Labels, value: float
    ) -> None:
        family = self._families.setdefault(name, (kind, help, []))
        family[2].append((suffix, labels, value))

    def openmetrics(self) -> str:
        """All of it in OpenMetrics."""
        lines = []
        for name, (kind, help, samples) in self._families.items():
            full = self._prefix + name
            lines.append(f"# TYPE {full} {kind}")
            lines.append(f"# HELP {full} {_escaped(help)}")
            lines += [_sample(full + suffix, labels, value) for suffix, labels, value in samples]
        lines.append("# EOF")
        return "\n".join(lines) + "\n"

    def plain(self) -> str:
        """All of it in the older format, in which names of families are those of their samples."""
        lines = []
        for name, (kind, help, samples) in self._families.items():
            full = self._prefix + name
            shown = full + (samples[0][0] if kind in ("counter", "info") else "")
            lines.append(f"# HELP {shown} {help}")
            lines.append(f"# TYPE {shown} {'gauge' if kind == 'info' else kind}")
            lines += [_sample(full + suffix, labels, value) for suffix, labels, value in samples]
        return "\n".join(lines) + "\n"


def _sample(name: str, labels: Labels, value: float) -> str:
    if not labels:
        return f"{name} {_number(value)}"
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**63 else repr(float(value))


def _bound(value: float) -> str:
    """Bounds of buckets are written with a point, so that one bound is always the same text."""
    return repr(float(value))

"""``--latency`` and ``--latency-history``: how long a PING takes to come back."""

from __future__ import annotations

import sys
import time

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.forms.reply_forms import CSV, JSON, QUOTED_JSON, RAW, STANDARD
from carnelian.tools.cli.talking.cli_login import client_for
from carnelian.tools.cli.wire.cli_client import Client

# Seconds between two samples, and of a sampling without a terminal, and of a line of the history.
_PAUSE = 0.01
_ONCE = 1.0
_PERIOD = 15.0


class Samples:
    """Round trips in milliseconds."""

    def __init__(self) -> None:
        self.count = self.least = self.most = self.total = 0
        self.began = time.monotonic()

    def add(self, sample: int) -> None:
        """Count one."""
        self.least = min(self.least, sample) if self.count else sample
        self.most = max(self.most, sample)
        self.total += sample
        self.count += 1

    @property
    def average(self) -> float:
        """Of all of them."""
        return self.total / self.count if self.count else 0.0

    @property
    def age(self) -> float:
        """Seconds since they began."""
        return time.monotonic() - self.began


def run(options: Options) -> int:
    """Go on until Ctrl-C; without a terminal --latency is done after a second. Returns 0."""
    client = client_for(options)
    client.connect()
    history = options.mode == "latency-history"
    form = options.form or (STANDARD if sys.stdout.isatty() else RAW)
    period = options.interval or (_PERIOD if history else _ONCE)
    samples = Samples()
    try:
        while True:
            samples.add(round_trip(client))
            if form == STANDARD:
                sys.stdout.write(f"\x1b[0G\x1b[2K{_for_people(samples)}")
                sys.stdout.flush()
            if samples.age >= period and (history or form != STANDARD):
                if form != STANDARD:
                    print(_for_programs(samples, form), flush=True)
                else:
                    print(f" -- {samples.age:.2f} seconds range", flush=True)
                if not history:
                    return 0
                samples = Samples()
            time.sleep(_PAUSE)
    finally:
        client.end()


def round_trip(client: Client) -> int:
    """Milliseconds that a PING takes."""
    before = time.monotonic()
    client.call("PING")
    return int((time.monotonic() - before) * 1000)


def _for_people(samples: Samples) -> str:
    return (
        f"min: {samples.least}, max: {samples.most}, avg: {samples.average:.2f} "
        f"({samples.count} samples)"
    )


def _for_programs(samples: Samples, form: str) -> str:
    values = (samples.least, samples.most, f"{samples.average:.2f}", samples.count)
    if form in (JSON, QUOTED_JSON):
        names = ("min", "max", "avg", "count")
        fields = ", ".join(f'"{n}": {value}' for n, value in zip(names, values, strict=True))
        return f"{{{fields}}}"
    return ("," if form == CSV else " ").join(map(str, values))

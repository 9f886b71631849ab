"""``--latency-dist``: round trips as a spectrum, the colour of each length being its share."""

from __future__ import annotations

import sys
import time

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.talking.cli_login import client_for
from carnelian.tools.cli.wire.cli_client import Client

# Microseconds up to which a round trip is of a kind, and the character for it.
_KINDS = (
    (10, "."), (125, "-"), (250, "*"), (500, "#"),
    *((1000 * number, str(number)) for number in range(1, 10)),
    *((10_000 * number, "ABCDE"[number - 1]) for number in range(1, 6)),
    *((100_000 * number, "FGHIJ"[number - 1]) for number in range(1, 6)),
    (1_000_000, "K"), (2_000_000, "L"), (4_000_000, "M"), (8_000_000, "N"), (16_000_000, "O"),
    (30_000_000, "P"), (60_000_000, "Q"), (1 << 62, "?"),
)  # fmt: skip
# Colours of a terminal with 256, from nothing to all.
_COLOURS = (
    0,
    233,
    234,
    235,
    237,
    239,
    241,
    243,
    245,
    247,
    144,
    143,
    142,
    184,
    226,
    214,
    208,
    202,
    196,
)
_PAUSE = 0.01
_PAGE = 20

_RULE = "-" * 45
_LEGEND = """\
. - * #          .01 .125 .25 .5 milliseconds
1,2,3,...,9      from 1 to 9     milliseconds
A,B,C,D,E        10,20,30,40,50  milliseconds
F,G,H,I,J        .1,.2,.3,.4,.5       seconds
K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds
"""


def run(options: Options) -> int:
    """Go on until Ctrl-C. Returns 0."""
    client = client_for(options)
    client.connect()
    lines = 0
    try:
        while True:
            if lines % _PAGE == 0:
                sys.stdout.write(_legend())
            lines += 1
            print(_row(_sample(client, options.interval or 1.0)), flush=True)
    finally:
        client.end()


def _sample(client: Client, seconds: float) -> list[int]:
    counts = [0] * len(_KINDS)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = time.perf_counter()
        client.call("PING")
        took = (time.perf_counter() - before) * 1_000_000
        counts[next(place for place, (most, _) in enumerate(_KINDS) if took <= most)] += 1
        time.sleep(_PAUSE)
    return counts


def _legend() -> str:
    scale = "".join(f"\x1b[48;5;{colour}m " for colour in _COLOURS)
    return f"{_RULE}\n{_LEGEND}From 0 to 100%: {scale}\x1b[0m\n{_RULE}\n"


def _row(counts: list[int]) -> str:
    total = sum(counts) or 1
    cells = []
    for count, (_, mark) in zip(counts, _KINDS, strict=True):
        # What there is at all is not quite black.
        colour = _COLOURS[-(-count * (len(_COLOURS) - 1) // total)]
        cells.append(f"\x1b[48;5;{colour}m{mark}")
    return f"\x1b[38;5;0m{''.join(cells)}\x1b[0m"

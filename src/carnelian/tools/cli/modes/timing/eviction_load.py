"""``--lru-test``: reads keys of which few are asked for often, and writes those that are not there.

The share of misses tells how well a server chooses what it evicts.
"""

from __future__ import annotations

import random
import time

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.cli.cli_options import OptionError, Options
from carnelian.tools.cli.talking.cli_login import client_for
from carnelian.tools.cli.wire.cli_client import Client

# Reads that are sent at once, and seconds between two lines.
_BATCH = 250
_LINE = 1.0
# Of so many requests in a hundred, the keys are so many in a hundred.
_OFTEN, _FEW = 80, 20


def run(options: Options) -> int:
    """Go on until Ctrl-C. Raises OptionError."""
    keys = int(options.argument) if options.argument.isdigit() else 0
    if keys < 1:
        raise OptionError("--lru-test takes the number of keys, 1 or more")
    client = client_for(options)
    client.connect()
    hits = misses = 0
    began = time.monotonic()
    try:
        while True:
            found, missed = _batch(client, keys)
            hits, misses = hits + found, misses + missed
            if time.monotonic() - began >= _LINE:
                _tell(hits, misses)
                hits = misses = 0
                began = time.monotonic()
    finally:
        client.end()


def _batch(client: Client, keys: int) -> tuple[int, int]:
    """Hits and misses of some reads; what was missed is there afterwards, if there is room."""
    names = [f"lru:{_chosen(keys)}" for _ in range(_BATCH)]
    replies = client.pipeline([("GET", name) for name in names])
    missed = [name for name, reply in zip(names, replies, strict=True) if reply is None]
    answers = client.pipeline([("SET", name, "val:" + _letters()) for name in missed])
    failed = next((each for each in answers if isinstance(each, Refusal)), None)
    if failed is not None:
        raise OptionError(failed.decode("utf-8", "replace"))
    return _BATCH - len(missed), len(missed)


def _chosen(keys: int) -> int:
    few = max(1, keys * _FEW // 100)
    if random.randrange(100) < _OFTEN or few == keys:
        return random.randrange(few)
    return random.randrange(few, keys)


def _letters() -> str:
    return "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=5))


def _tell(hits: int, misses: int) -> None:
    total = hits + misses
    print(
        f"{total} Gets/sec | Hits: {hits} ({100 * hits / total:.2f}%) | "
        f"Misses: {misses} ({100 * misses / total:.2f}%)",
        flush=True,
    )

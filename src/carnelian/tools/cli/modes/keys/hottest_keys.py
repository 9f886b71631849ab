"""``--hotkeys``: the keys that are used most, as a policy of LFU counts."""

from __future__ import annotations

import heapq

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.modes.keys.key_walk import KeyWalk, TaskFailedError, checked
from carnelian.tools.cli.modes.keys.largest_keys import HEADER, shown
from carnelian.tools.cli.modes.keys.scan_progress import ScanProgress
from carnelian.tools.cli.talking.cli_login import client_for, tell
from carnelian.tools.cli.wire.cli_client import Client

_KEPT = 16


def run(options: Options) -> int:
    """Do it; returns the exit status."""
    client = client_for(options)
    client.connect()
    # The hottest, the least of them first. Of equals, those stay that came first.
    hottest: list[tuple[int, int, bytes]] = []
    walk = KeyWalk(client, options)
    number = 0
    try:
        walk.begin()
        print(HEADER.format("hot"), flush=True)
        with ScanProgress(walk) as progress:
            for keys in walk.portions():
                for key, frequency in zip(keys, _frequencies(client, keys), strict=True):
                    number += 1
                    entry = (frequency, -number, key)
                    if not frequency or (len(hottest) == _KEPT and entry < hottest[0]):
                        continue
                    if len(hottest) == _KEPT:
                        heapq.heapreplace(hottest, entry)
                    else:
                        heapq.heappush(hottest, entry)
                    progress.print(
                        f"[{progress.percent:05.2f}%] Hot key '{shown(key)}' found so far "
                        f"with counter {frequency}"
                    )
                progress.show()
    except TaskFailedError as error:
        tell(f"Error: {error}")
        return 1
    finally:
        client.end()
    print("\n-------- summary -------\n")
    print(f"Sampled {walk.seen} keys in the keyspace!")
    for frequency, _, key in sorted(hottest, reverse=True):
        print(f"hot key found with counter: {frequency}\tkeyname: {shown(key)}")
    return 0


def _frequencies(client: Client, keys: list[bytes]) -> list[int]:
    """How often each key is used, on a scale of its own. Raises TaskFailedError."""
    replies = client.pipeline([("OBJECT", "FREQ", key) for key in keys])
    # Nothing of what is gone already.
    return [each if isinstance(each := checked(reply), int) else 0 for reply in replies]

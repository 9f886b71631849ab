"""Ending nodes so that nothing is lost: replicas first, then primaries, which save what they have.

The other way round, replicas would take over from primaries that end, and those that are left would
have to find out who was last.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Sequence

from carnelian.tools.fleet.processes.node_process import NodeProcess

_LOOK = 0.05
# Seconds after which a node that is still there is told of, and asked again.
_REMIND = 10.0


def stop_nodes(
    processes: Sequence[NodeProcess],
    replicas: Collection[int],
    tell: Callable[[str], None],
    insisted: Callable[[], bool] = lambda: False,
) -> None:
    """End all, those with a port in ``replicas`` first; returns when none is left.

    As soon as ``insisted()`` is true, what is left is killed. ``tell`` takes lines for people.
    """
    first = [process for process in processes if process.port in replicas]
    then = [process for process in processes if process.port not in replicas]
    for group in (first, then):
        if not _stop_group(group, tell, insisted):
            kill_nodes(processes, tell)
            return


def _stop_group(
    group: Sequence[NodeProcess], tell: Callable[[str], None], insisted: Callable[[], bool]
) -> bool:
    """End some at once; False if somebody loses patience."""
    for process in group:
        process.send(signal.SIGTERM)
    reminded = time.monotonic()
    while left := [process for process in group if process.alive()]:
        if insisted():
            return False
        time.sleep(_LOOK)
        if time.monotonic() - reminded > _REMIND:
            reminded = time.monotonic()
            ports = ", ".join(str(process.port) for process in left)
            last = (left[0].log_tail(1) or [""])[0]
            tell(f"waiting for {ports} to end; log of {left[0].port}: {last}")
            # One that could not save has gone on, and tries once more.
            for process in left:
                process.send(signal.SIGTERM)
    return True


def kill_nodes(processes: Sequence[NodeProcess], tell: Callable[[str], None]) -> None:
    """End all at once, whatever they are doing; what is not on disk is lost."""
    killed = [process for process in processes if process.alive()]
    for process in killed:
        process.send(signal.SIGKILL)
    if killed:
        tell(f"killed {', '.join(str(process.port) for process in killed)}")
    while any(process.alive() for process in killed):
        time.sleep(_LOOK)

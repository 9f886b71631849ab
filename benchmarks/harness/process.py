"""What Linux says of a running process: CPU time, memory."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time of all live threads of a process, user and system, to the nanosecond.

    From schedstat where the kernel has it, else from stat, which counts in ticks of 10 ms.
    """
    tasks = Path(f"/proc/{pid}/task")
    try:
        spent = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
    except FileNotFoundError:
        spent = 0
    if spent:
        return spent / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_seconds(pid: int) -> float:
    """How long the threads of a process were ready to run and had no CPU; 0.0 where unknown."""
    tasks = Path(f"/proc/{pid}/task")
    try:
        waited = sum(int((task / "schedstat").read_text().split()[1]) for task in tasks.iterdir())
    except FileNotFoundError:
        return 0.0
    return waited / 1e9


def children(pid: int) -> list[int]:
    """The processes that it has started or forked and that are there now."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def memory(pid: int) -> dict[str, int]:
    """The sums of smaps_rollup in bytes: ``Pss``, ``Private_Dirty``, ...; empty when it is gone.

    ``Pss`` counts a page that several processes share as a part for each.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def page_faults(pid: int) -> int:
    """Page faults of a process until now that needed no disk."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[7])


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, exact (smaps_rollup, not the sloppy counters of status)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Rss in smaps_rollup")

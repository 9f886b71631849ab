"""What of the system around it hurts a server: for ``--check-system`` and the log at start-up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

CLOCK_SOURCES = "/sys/devices/system/clocksource/clocksource0/"
OVERCOMMIT = "/proc/sys/vm/overcommit_memory"
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
SOMAXCONN = "/proc/sys/net/core/somaxconn"


class Skipped(Exception):
    """A check that this system does not allow."""


def _line(path: str) -> str:
    try:
        with open(path) as file:
            return file.readline().strip()
    except OSError as error:
        raise Skipped from error


def slow_clock() -> str | None:
    """Reading the clock should not enter the kernel: the server does so for every command."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF)
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        pass
    after = resource.getrusage(resource.RUSAGE_SELF)
    in_kernel = after.ru_stime - before.ru_stime
    in_program = after.ru_utime - before.ru_utime
    if in_kernel * 10 <= in_kernel + in_program:
        return None
    return (
        f"Reading the time is slow here, as the kernel's clock source is "
        f"{_line(CLOCK_SOURCES + 'current_clocksource')!r}; available are "
        f"{_line(CLOCK_SOURCES + 'available_clocksource')!r}. Prefer 'tsc', by the kernel's "
        f"command line (clocksource=tsc) or {CLOCK_SOURCES}current_clocksource."
    )


def xen_clock() -> str | None:
    """The clock of the Xen hypervisor is read through the kernel."""
    if _line(CLOCK_SOURCES + "current_clocksource") != "xen":
        return None
    return (
        "The system reads its clock through the 'xen' clock source, which is slow. "
        "See --check-system, check slow-clocksource."
    )


def overcommit() -> str | None:
    """A snapshot's child process may need more memory on paper than it ever touches."""
    if _line(OVERCOMMIT) == "1":
        return None
    return (
        "Memory overcommit must be enabled! Without it, background saves and replication may fail "
        "when memory is low. Set 'vm.overcommit_memory = 1' in /etc/sysctl.conf and reboot, or run "
        "'sysctl vm.overcommit_memory=1' for now."
    )


def huge_pages() -> str | None:
    """With huge pages everywhere, one write after a fork copies 2 MB instead of 4 KB."""
    if "[always]" not in _line(HUGE_PAGES):
        return None
    return (
        "Transparent Huge Pages are enabled for all memory, which costs latency and memory while "
        f"snapshots are made. Run 'echo madvise > {HUGE_PAGES}' as root and restart the server."
    )


CHECKS: dict[str, Callable[[], str | None]] = {
    "slow-clocksource": slow_clock,
    "xen-clocksource": xen_clock,
    "overcommit": overcommit,
    "THP": huge_pages,
}


def check_system() -> bool:
    """Run every check and print what it found; False if one of them warns."""
    healthy = True
    for name, check in CHECKS.items():
        try:
            warning = check()
        except Skipped:
            print(f"[{name}]...skipped")
            continue
        if warning is None:
            print(f"[{name}]...OK")
        else:
            print(f"[{name}]...WARNING:\n{warning}")
            healthy = False
    return healthy


def startup_warnings(refuse_huge_pages: Callable[[], bool]) -> list[str]:
    """The quick checks' warnings, for the log; no word of huge pages that can be refused."""
    warnings = []
    for check in (overcommit, huge_pages, xen_clock):
        try:
            warning = check()
        except Skipped:
            continue
        if warning is not None and not (check is huge_pages and refuse_huge_pages()):
            warnings.append(f"WARNING {warning}")
    return warnings


def backlog_warning(backlog: int) -> str | None:
    """Whether the kernel cuts ``tcp-backlog`` short."""
    try:
        allowed = int(_line(SOMAXCONN))
    except (Skipped, ValueError):
        return None
    if not 0 < allowed < backlog:
        return None
    return (
        f"WARNING: The TCP backlog setting of {backlog} cannot be enforced because "
        f"{SOMAXCONN} is set to the lower value of {allowed}."
    )


def test_memory(megabytes: int) -> bool:
    """Write patterns over so much memory and read them back; False if any of it differs."""
    size = megabytes * 1024 * 1024
    block = bytearray(size)
    for name, pattern in (
        ("zeros", b"\0"),
        ("ones", b"\xff"),
        ("checkers", b"\x55\xaa"),
        ("random", os.urandom(4096)),
    ):
        count = size // len(pattern)
        expected = pattern * count
        view = memoryview(block)[: len(expected)]
        view[:] = expected
        if view != memoryview(expected):
            print(f"{name}: the memory does not keep what is written to it.")
            return False
        print(f"{name}: OK")
    return True

"""The thread that forces files to the disk needs nothing but the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carnelian.persistence.aof.syncing import Syncer


@pytest.fixture
def syncer() -> Iterator[Syncer]:
    syncer = Syncer(lambda level, message: None)
    yield syncer
    syncer.end()


@pytest.fixture
def fd(tmp_path: Path) -> int:
    return os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)


def threads() -> int:
    """How many the system knows of this process; those of the syncer are not Python's."""
    return len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0


def until(done: Callable[[], bool]) -> None:
    """Look again and again, without letting another thread have the interpreter."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        end = time.monotonic() + 10
        while not done():
            assert time.monotonic() < end
    finally:
        sys.setswitchinterval(before)


def test_works_while_somebody_else_has_the_interpreter(syncer: Syncer, fd: int) -> None:
    syncer.sync(fd, 1)
    syncer.wait()
    for offset in (2, 3, 4):
        syncer.sync(fd, offset)
        until(lambda: syncer.pending == 0)
        assert syncer.synced_offset == offset
        assert not syncer.busy
    syncer.close(fd, 5)
    until(lambda: syncer.synced_offset == 5)
    syncer.wait()
    with pytest.raises(OSError):
        os.fstat(fd)


def test_ends_and_begins_again(syncer: Syncer, fd: int) -> None:
    before = threads()
    for offset in range(1, 50):
        syncer.sync(fd, offset)
        if offset % 3 == 0:
            syncer.end()
        if offset % 5 == 0:
            syncer.wait()
    syncer.wait()
    assert syncer.synced_offset == 49
    syncer.end()
    end = time.monotonic() + 5
    while threads() > before:
        assert time.monotonic() < end
        time.sleep(0.001)
    os.close(fd)


def test_what_cannot_be_forced_to_the_disk_is_no_failure(syncer: Syncer) -> None:
    end, other = os.pipe()
    syncer.sync(other, 1)
    syncer.close(end, 2)
    syncer.sync(9999, 3)
    syncer.wait()
    assert (syncer.failure, syncer.synced_offset) == (0, 3)
    os.close(other)


WITHOUT_ROOM = """
import os, resource, sys
from carnelian.persistence.aof.syncing import Syncer

syncer = Syncer(lambda level, message: None)
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
pages = int(open("/proc/self/statm").read().split()[0])
before = resource.getrlimit(resource.RLIMIT_AS)
# A thread needs a stack of some megabytes.
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 1_000_000, before[1]))
syncer.sync(fd, 1)
syncer.close(fd, 2)
print(syncer.pending, syncer.synced_offset)
resource.setrlimit(resource.RLIMIT_AS, before)
syncer.sync(9999, 3)
syncer.wait()
print(syncer.synced_offset)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the size of a process so")
def test_works_without_a_thread(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_ROOM, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0 2\n3\n", "")

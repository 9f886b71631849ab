"""A disk that fails when it is told to, and loses what was not forced to it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

_SOURCE = Path(__file__).with_suffix(".c")


@cache
def library() -> Path:
    """The library to preload, compiled once."""
    compiler = shutil.which("cc")
    assert compiler is not None, "needs a C compiler called cc (Debian: apt install gcc)"
    path = Path(mkdtemp(prefix="disk-")) / "disk.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", path, _SOURCE, "-ldl"], check=True)
    return path


class Disk:
    """What the programs started with :attr:`environment` take for their disk.

    Args:
        directory: a place for its files, which no program looks at.
        journal: note from :meth:`begin` on what is forced to the disk, for :meth:`fail`.
    """

    def __init__(self, directory: Path, journal: bool = False):
        directory.mkdir(parents=True, exist_ok=True)
        self._faults = directory / "faults"
        self._journal = directory / "journal"
        self.environment = {"LD_PRELOAD": str(library()), "DISK_FAULTS": str(self._faults)}
        if journal:
            self.environment["DISK_JOURNAL"] = str(self._journal)
            del self.environment["DISK_FAULTS"]

    def refuse(self, *faults: str) -> None:
        """Have calls fail from now on: ``"write ENOSPC incr.aof"``, ``"write 5 incr.aof 7"``."""
        lines = []
        for fault in faults:
            call, name, rest = fault.split(" ", 2)
            lines.append(f"{call} {getattr(errno, name)} {rest}\n")
        # Whole at any moment.
        fresh = self._faults.with_suffix(".new")
        fresh.write_text("".join(lines))
        os.replace(fresh, self._faults)

    def allow(self) -> None:
        """Let everything succeed again."""
        self.refuse()

    def begin(self, directory: Path) -> None:
        """Take the files of a directory as they are for being on the disk."""
        lines = [
            f"{facts.st_dev} {facts.st_ino} {facts.st_size}\n"
            for facts in (path.stat() for path in directory.rglob("*") if path.is_file())
        ]
        self._journal.write_text("".join(lines))

    def fail(self, directory: Path) -> int:
        """Lose what was written to the files of a directory and not forced to the disk.

        Returns how many bytes that were. All programs that write there must have ended.
        """
        kept: dict[tuple[int, int], int] = {}
        for line in self._journal.read_text().splitlines():
            device, inode, size = map(int, line.split())
            kept[device, inode] = size
        lost = 0
        for path in directory.rglob("*"):
            facts = path.stat()
            size = kept.get((facts.st_dev, facts.st_ino), 0)
            if path.is_file() and size < facts.st_size:
                lost += facts.st_size - size
                os.truncate(path, size)
        return lost

"""``carnelian-check-rdb``: reads a snapshot as a server would, and says what is in it or wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from carnelian import REDIS_VERSION
from carnelian.keyspace.clock import Clock
from carnelian.keyspace.keyspace import Keyspace
from carnelian.persistence.bytes.file_errors import FormatError, ShortRead
from carnelian.persistence.rdb import file_reader
from carnelian.server.system.progress import Progress
from carnelian.tools.lost_reader import ends_with_its_reader

PROGRAM = "carnelian-check-rdb"

USAGE = f"Usage: {PROGRAM} <rdb-file-name>"
HELP = f"""\
{USAGE}
       {PROGRAM} -v or --version
       {PROGRAM} -h or --help

Reads a snapshot (RDB file) as a server would, without keeping any of it, and says
what is in it, or what is wrong and where. Nothing is changed. The exit status is 0
if a server can load the file."""

# Bytes between two looks at how far it has come.
_INTERVAL = 1024 * 1024

# The types of values, by their number.
_TYPES = (
    "string", "list-linked", "set-hashtable", "zset-v1", "hash-hashtable", "zset-v2",
    "module-value", "", "", "hash-zipmap", "list-ziplist", "set-intset", "zset-ziplist",
    "hash-ziplist", "quicklist", "stream", "hash-listpack", "zset-listpack", "quicklist-v2",
    "stream-v2", "set-listpack", "stream-v3", "hash-hashtable-md-pre-release",
    "hash-listpack-md-pre-release", "hash-hashtable-md", "hash-listpack-md",
    "stream-v4", "stream-v5", "array",
)  # fmt: skip


@ends_with_its_reader
def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["-h"], ["--help"]):
        print(HELP)
        return 0
    if len(words) != 1:
        print(USAGE, file=sys.stderr)
        return 1
    if words[0] in ("-v", "--version"):
        print(f"{PROGRAM} {REDIS_VERSION}")
        return 0
    print(f"[offset 0] Checking RDB file {words[0]}")
    try:
        fd = os.open(words[0], os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        print(f"Cannot open file: {error.strerror}", file=sys.stderr)
        return 1
    try:
        return 0 if _check(fd, os.fstat(fd).st_size, base=False) >= 0 else 1
    finally:
        os.close(fd)
        sys.stdout.flush()


def check(name: str, fd: int, size: int) -> int:
    """Check the snapshot that a file begins with.

    Args:
        name: what to call it.
        fd: the file, at its beginning.
        size: bytes in it.

    Returns:
        The position behind the snapshot, -1 if something is wrong; the output says what.
    """
    print(f"[offset 0] Checking RDB file {name}")
    return _check(fd, size, base=True)


def _check(fd: int, size: int, base: bool) -> int:
    file = file_reader.read_file(fd, size, Keyspace(Clock(), 1), True)
    file.discarding = file.thorough = True
    # As they are loaded: what follows a base may need a key whose time is over.
    file.keep_overdue = base
    progress = Progress("Checking")
    file.interval = _INTERVAL
    file.progress = lambda: progress.show(file.position, size)

    def say(message: str) -> None:
        progress.print(f"[offset {file.position}] {message}")

    file.on_aux = lambda name, value: say(f"AUX FIELD {_shown(name)} = '{_shown(value)}'")
    file.on_select = lambda index: say(f"Selecting DB ID {index}")
    file.warn = say
    try:
        with progress:
            file.read()
    except (FormatError, MemoryError, OSError) as fault:
        _report(file, fault)
        return -1
    if file.sum_checked:
        say("Checksum OK")
    say("\\o/ RDB looks OK! \\o/")
    _count(file)
    return file.position


def _report(file: file_reader.Reader, fault: Exception) -> None:
    # A file that cannot be read, as a directory cannot, ends there.
    ended = isinstance(fault, ShortRead | OSError)
    message = "Unexpected EOF reading RDB file" if ended else str(fault)
    print("--- RDB ERROR DETECTED ---")
    print(f"[offset {file.position}] {message}")
    print(f"[additional info] While doing: {file_reader.STAGES[file.stage]}")
    if file.current_key is not None:
        print(f"[additional info] Reading key '{_shown(file.current_key)}'")
    if file.type >= 0:
        name = _TYPES[file.type] if file.type < len(_TYPES) else "unknown"
        print(f"[additional info] Reading type {file.type} ({name})")
    _count(file)


def _count(file: file_reader.Reader) -> None:
    # A key whose value is damaged was read, too.
    keys = file.keys_loaded + (file.current_key is not None)
    print(f"[info] {keys} keys read")
    print(f"[info] {file.keys_expiring} expires")
    print(f"[info] {file.keys_expired} already expired")


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


if __name__ == "__main__":
    raise SystemExit(main())

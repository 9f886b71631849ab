"""``carnelian-check-aof``: looks whether an append-only file is whole, and cuts off what is not.

It takes what redis-check-aof takes: the manifest of a multi-part file with everything that it
names, or one file of an older version, which may begin as a snapshot.
"""

from __future__ import annotations

import mmap
import os
import re
import sys
from collections.abc import Sequence
from enum import Enum

from carnelian import REDIS_VERSION
from carnelian.persistence.aof import manifest
from carnelian.persistence.aof.manifest import BASE, ManifestError
from carnelian.server.system.log_file import Log
from carnelian.server.system.progress import Progress
from carnelian.tools.check_rdb import check as check_snapshot
from carnelian.tools.lost_reader import ends_with_its_reader

PROGRAM = "carnelian-check-aof"

USAGE = f"Usage: {PROGRAM} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"
HELP = f"""\
{USAGE}
       {PROGRAM} -v or --version
       {PROGRAM} -h or --help

Reads an append-only file, with all files that a manifest names, and says whether it
is whole. The exit status is 0 if a server can load it.

  --fix                     Cut off the end of the last file from the first thing that
                            is wrong, after asking.
  --truncate-to-timestamp   Cut off what was written after that unix time, in seconds,
                            where aof-timestamp-enabled had times written down."""

# Bytes between two looks at how far it has come.
_INTERVAL = 1024 * 1024
_LONGEST = (1 << 63) - 1
# What a line with a number, and one with an annotation, may have.
_NUMBER_LINE, _ANNOTATION_LINE = 127, 1023
_INTEGER = re.compile(rb"[ \t\n\v\f\r]*([+-]?\d+)?")


class Outcome(Enum):
    """What became of a file; the value is what is said of it."""

    VALID = "{kind} {name} is valid"
    EMPTY = "{kind} {name} is empty"
    TRUNCATED = "Successfully truncated AOF {name}"
    TRUNCATED_IN_TIME = "Successfully truncated AOF {name} to timestamp {time}"


class Fault(Exception):
    """A file is damaged: the position, and what is wrong there."""

    def __init__(self, position: int, message: str):
        super().__init__(f"0x{position:16x}: {message}")


class End(Exception):
    """A file ends where a command goes on."""


@ends_with_its_reader
def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    fix, timestamp = False, 0
    match words:
        case ["-h" | "--help"]:
            print(HELP)
            return 0
        case ["-v" | "--version"]:
            print(f"{PROGRAM} {REDIS_VERSION}")
            return 0
        case [path]:
            pass
        case ["--fix", path]:
            fix = True
        case ["--truncate-to-timestamp", text, path]:
            number = _INTEGER.fullmatch(text.encode())
            if number is None or (not number[1] and text):
                return _abort("Invalid timestamp, aborting...")
            timestamp = int(number[1] or 0)
        case _:
            print(USAGE)
            return 1
    try:
        _Check(fix, timestamp).run(path)
    except _Stop as stop:
        if str(stop):
            print(stop)
        return 1
    finally:
        sys.stdout.flush()
    return 0


class _Stop(Exception):
    """The program ends with a complaint."""


def _abort(message: str) -> int:
    print(message)
    return 1


class _Check:
    """One run of the program."""

    def __init__(self, fix: bool, timestamp: int):
        self._fix = fix
        self._timestamp = timestamp
        # Counted through all files.
        self.line = 1

    def run(self, path: str) -> None:
        """Check what a path stands for."""
        head = _read_head(path)
        if _is_manifest(path):
            self._check_parts(path)
            return
        print("Start checking Old-Style AOF")
        outcome = self._check_file(path, path, True, head.startswith(b"REDIS") and len(head) >= 8)
        self._tell(outcome, "AOF", path)

    def _check_parts(self, path: str) -> None:
        print("Start checking Multi Part AOF")
        try:
            files = manifest.read(path)
        except ManifestError as error:
            for line in error.report():
                Log()("warning", line)
            raise _Stop from None
        increments_begun = False
        for part in files.parts:
            place = os.path.join(os.path.dirname(path) or ".", part.name)
            kind, preamble = "INCR AOF", False
            if part.kind == BASE:
                kind = "BASE AOF"
                head = _read_head(place)
                preamble = head.startswith(b"REDIS") and len(head) >= 8
                print(f"Start to check BASE AOF ({'RDB' if preamble else 'RESP'} format).")
            elif not increments_begun:
                increments_begun = True
                print("Start to check INCR files.")
            last = part is files.parts[-1] or part == files.parts[-1]
            self._tell(self._check_file(part.name, place, last, preamble), kind, part.name)
        print("All AOF files and manifest are valid")

    def _tell(self, outcome: Outcome, kind: str, name: str) -> None:
        print(outcome.value.format(kind=kind, name=name, time=self._timestamp))

    # -- One file --------------------------------------------------------------------------------

    def _check_file(self, name: str, path: str, last: bool, preamble: bool) -> Outcome:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise _Stop(f"Cannot open file {path}: {error.strerror}, aborting...") from None
        try:
            size = os.fstat(fd).st_size
            if size == 0:
                return Outcome.EMPTY
            start = 0
            if preamble:
                start = check_snapshot(name, fd, size)
                if start < 0:
                    raise _Stop("RDB preamble of AOF file is not sane, aborting.")
                print("RDB preamble is OK, proceeding with AOF tail...")
            with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data, Progress("Checking") as bar:
                good, position = self._scan(_Commands(self, data, start, path), name, last, bar)
            if position is not None:
                return self._cut_in_time(fd, name, path, position)
            return self._conclude(fd, name, size, good, last)
        finally:
            os.close(fd)

    def _scan(
        self, commands: _Commands, name: str, last: bool, bar: Progress
    ) -> tuple[int, int | None]:
        """Read a file: up to where it is good, and where an annotation asks to cut it off."""
        good = due = commands.at
        try:
            while True:
                if commands.at >= due:
                    due = commands.at + _INTERVAL
                    bar.show(commands.at, len(commands.data))
                if not commands.depth:
                    good = commands.at
                mark = commands.data[commands.at : commands.at + 1]
                if not mark:
                    if commands.depth:
                        bar.print(_unfinished(commands))
                    return good, None
                if mark == b"#":
                    position = commands.at
                    if not self._keeps(commands.annotation(), commands.path, position, last):
                        return good, position
                elif mark == b"*":
                    commands.skip()
                else:
                    bar.print(f"AOF {name} format error")
                    return good, None
        except Fault as fault:
            bar.print(fault)
        except End:
            if commands.depth:
                bar.print(_unfinished(commands))
        return good, None

    def _keeps(self, text: bytes, path: str, position: int, last: bool) -> bool:
        """Whether what follows an annotation belongs to the time that is to be kept."""
        if not self._timestamp or not text.startswith(b"#TS:"):
            return True
        number = _INTEGER.match(text, 4)
        if number is None or text[number.end() : number.end() + 1] != b"\r":
            raise _Stop("Invalid timestamp annotation")
        if int(number[1] or 0) <= self._timestamp:
            return True
        if position == 0:
            raise _Stop(f"AOF {path} has nothing before timestamp {self._timestamp}, aborting...")
        if not last:
            raise _Stop(
                f"Failed to truncate AOF {path} to timestamp {self._timestamp} to offset "
                f"{position} because it is not the last file.\n"
                "If you insist, please delete all files after this file according to the manifest "
                "file and delete the corresponding records in manifest file manually. Then re-run "
                f"{PROGRAM}."
            )
        return False

    def _cut_in_time(self, fd: int, name: str, path: str, position: int) -> Outcome:
        try:
            os.ftruncate(fd, position)
        except OSError:
            raise _Stop(f"Failed to truncate AOF {path} to timestamp {self._timestamp}") from None
        return Outcome.TRUNCATED_IN_TIME

    def _conclude(self, fd: int, name: str, size: int, good: int, last: bool) -> Outcome:
        """Say how much of a file is good, and cut off the rest if that is asked for."""
        left = size - good
        if left == 0 and self._timestamp:
            print(f"Truncate nothing in AOF {name} to timestamp {self._timestamp}")
            return Outcome.VALID
        print(
            f"AOF analyzed: filename={name}, size={size}, ok_up_to={good}, "
            f"ok_up_to_line={self.line}, diff={left}"
        )
        if left == 0:
            return Outcome.VALID
        if not self._fix:
            raise _Stop(f"AOF {name} is not valid. Use the --fix option to try fixing it.")
        if not last:
            raise _Stop(f"Failed to truncate AOF {name} because it is not the last file")
        print(
            f"This will shrink the AOF {name} from {size} bytes, with {left} bytes, to {good} bytes"
        )
        print("Continue? [y/N]: ", end="", flush=True)
        if sys.stdin.readline()[:1].lower() != "y":
            raise _Stop("Aborting...")
        try:
            os.ftruncate(fd, good)
        except OSError:
            raise _Stop(f"Failed to truncate AOF {name}") from None
        return Outcome.TRUNCATED


class _Commands:
    """The commands of a file; ``start`` is where what was read last begins."""

    def __init__(self, check: _Check, data: mmap.mmap, at: int, path: str):
        self._check = check
        self.data = data
        self.path = path
        self.at = self.start = at
        # 1 within a transaction.
        self.depth = 0

    def annotation(self) -> bytes:
        """A line that is no part of a command."""
        return self._line(_ANNOTATION_LINE)

    def skip(self) -> None:
        """Pass a command over. Raises Fault, or End."""
        words = self._number(b"*")
        for position in range(words):
            word = self._word()
            if position == 0:
                self._heed(word.split(b"\0", 1)[0].lower())

    def _heed(self, name: bytes) -> None:
        if name == b"multi":
            self.depth += 1
            if self.depth > 1:
                raise Fault(self.start, f"Unexpected MULTI in AOF {self.path}")
        elif name == b"exec":
            self.depth -= 1
            if self.depth:
                raise Fault(self.start, f"Unexpected EXEC in AOF {self.path}")

    def _line(self, longest: int) -> bytes:
        self.start = self.at
        end = self.data.find(b"\n", self.at, self.at + longest) + 1
        end = end or min(self.at + longest, len(self.data))
        if end == self.at:
            raise End
        self.at = end
        return self.data[self.start : end]

    def _number(self, prefix: bytes) -> int:
        line = self._line(_NUMBER_LINE)
        if line[:1] != prefix:
            raise Fault(
                self.start,
                f"Expected prefix '{prefix.decode()}', got: '{line[:1].decode('latin-1')}'",
            )
        number = _INTEGER.match(line, 1)
        assert number is not None
        digits, end = number[1], number.end(1)
        self._end_line(line[end if digits else 1 :])
        return max(min(int(digits or 0), _LONGEST), -_LONGEST - 1)

    def _end_line(self, rest: bytes) -> None:
        if not rest.startswith(b"\r\n"):
            first, second = (*rest[:2], 0, 0)[:2]
            raise Fault(
                self.start, f"Expected \\r\\n, got: {_hexadecimal(first)}{_hexadecimal(second)}"
            )
        self._check.line += 1

    def _word(self) -> bytes:
        length = self._number(b"$")
        if length < 0 or length > _LONGEST - 2:
            raise Fault(
                self.start,
                f"Expected to read string of {length} bytes, which is not in the suitable range",
            )
        self.start = self.at
        end = self.at + length + 2
        if end > len(self.data):
            left = len(self.data) - self.at
            self.at = len(self.data)
            raise Fault(self.start, f"Expected to read {length + 2} bytes, got {left} bytes")
        # All that matters of a long word is that it is not the name of a command.
        word = self.data[self.at : self.at + min(length, 16)]
        self.at = end
        self._end_line(self.data[end - 2 : end])
        return word


def _unfinished(commands: _Commands) -> Fault:
    return Fault(commands.start, "Reached EOF before reading EXEC for MULTI")


def _hexadecimal(byte: int) -> str:
    return f"{byte if byte < 128 else byte + 0xFFFFFF00:02x}"


def _read_head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(8)
    except IsADirectoryError:
        raise _Stop(f"Cannot read file: {path}") from None
    except OSError as error:
        raise _Stop(f"Cannot open file {path}: {error.strerror}") from None


def _is_manifest(path: str) -> bool:
    """Whether some line of a file begins as those of a manifest do."""
    with open(path, "rb") as file:
        return any(line.startswith(b"file") for line in file)


if __name__ == "__main__":
    raise SystemExit(main())

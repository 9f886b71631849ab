"""The manifest of a multi-part append-only file: which files it consists of, in which order.

A base holds everything up to some moment, increments hold what was written since, and history are
files that a rewrite has replaced and that are about to be deleted. One line stands for each::

    file appendonly.aof.2.base.rdb seq 2 type b
    file appendonly.aof.2.incr.aof seq 2 type i

See https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from carnelian.persistence.bytes import paths
from carnelian.persistence.bytes.targets import sync_directory
from carnelian.resp.quoting import quote, split_arguments

BASE, HISTORY, INCREMENT = "b", "h", "i"

# Longer lines are not taken, the line feed included.
_LONGEST_LINE = 1024
_PLAIN_NAME = re.compile(rb"[!#-\[\]-~]+")
_NUMBER = re.compile(rb"\s*([+-]?\d+)")
_PART_NAME = re.compile(r"\.(?P<number>[1-9]\d*)\.(?P<kind>base|incr)\.(aof|rdb)")
_BLANKS = b" \t\r\n"


class ManifestError(Exception):
    """A manifest that makes no sense. ``line`` and ``number`` tell where, if a line is to blame."""

    def __init__(self, message: str, number: int = 0, line: bytes | None = None):
        super().__init__(message)
        self.message = message
        self.number = number
        self.line = line

    def report(self) -> list[str]:
        """The lines for the log."""
        lines = ["\n*** FATAL AOF MANIFEST FILE ERROR ***\n"]
        if self.line is not None:
            text = os.fsdecode(self.line)
            lines += [f"Reading the manifest file, at line {self.number}\n", f">>> '{text}'\n"]
        return [*lines, f"{self.message}\n"]


class StoreError(Exception):
    """A manifest could not be written; the text says why, for the log.

    ``in_place`` tells that it was all the same, but may not outlast a failure of the power.
    """

    in_place = False


class Part:
    """One of the files: its name in the directory, its number among its kind, and the kind."""

    __slots__ = ("kind", "name", "number")

    def __init__(self, name: str, number: int, kind: str):
        self.name = name
        self.number = number
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self.render() == other.render()

    def __hash__(self) -> int:
        return hash(self.name)

    def retired(self) -> Part:
        """The same file as history."""
        return Part(self.name, self.number, HISTORY)

    def render(self) -> bytes:
        """Its line."""
        name = os.fsencode(self.name)
        if not _PLAIN_NAME.fullmatch(name):
            name = quote(name)
        return b"file %s seq %d type %s\n" % (name, self.number, self.kind.encode())


class Manifest:
    """The files, oldest first. ``changed`` tells that the one on the disk says something else."""

    __slots__ = (
        "base", "base_number", "changed", "history", "increment_number", "increments",
    )  # fmt: skip

    def __init__(self) -> None:
        self.base: Part | None = None
        self.history: list[Part] = []
        self.increments: list[Part] = []
        self.base_number = 0
        self.increment_number = 0
        self.changed = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]

    def _fields(self) -> tuple[object, ...]:
        numbers = (self.base_number, self.increment_number, self.changed)
        return (self.base, self.history, self.increments, *numbers)

    @property
    def parts(self) -> list[Part]:
        """What is to be loaded: the base, and the increments."""
        return [*([self.base] if self.base is not None else []), *self.increments]

    def copy(self) -> Manifest:
        """Another one, to be changed and put in the place of this one when it has been written."""
        other = Manifest()
        other.base = self.base
        other.history = list(self.history)
        other.increments = list(self.increments)
        other.base_number = self.base_number
        other.increment_number = self.increment_number
        other.changed = self.changed
        return other

    def render(self) -> bytes:
        """The text of the file."""
        every = [*([self.base] if self.base is not None else []), *self.history, *self.increments]
        return b"".join([part.render() for part in every])

    # -- Changes ---------------------------------------------------------------------------------

    def new_base(self, stem: str, suffix: str) -> str:
        """A new base, of the given suffix; the old one becomes history. Returns its name."""
        if self.base is not None:
            self.history.insert(0, self.base.retired())
        self.base_number += 1
        name = f"{stem}.{self.base_number}.base{suffix}"
        self.base = Part(name, self.base_number, BASE)
        self.changed = True
        return name

    def adopt_base(self, name: str) -> None:
        """Take a file of an older Redis as the first base."""
        self.base = Part(name, 1, BASE)
        self.base_number = 1
        self.changed = True

    def new_increment(self, stem: str) -> str:
        """One more increment; returns its name."""
        self.increment_number += 1
        name = f"{stem}.{self.increment_number}.incr.aof"
        self.increments.append(Part(name, self.increment_number, INCREMENT))
        self.changed = True
        return name

    def last_increment(self, stem: str) -> str:
        """The name of the increment that is written to, which is a new one if there is none."""
        return self.increments[-1].name if self.increments else self.new_increment(stem)

    def retire_increments(self, keep_last: bool) -> None:
        """Make history of the increments, but perhaps not of the last one."""
        if not self.increments:
            return
        kept = self.increments[-1:] if keep_last else []
        for part in reversed(self.increments[: len(self.increments) - len(kept)]):
            self.history.insert(0, part.retired())
        self.increments = kept
        self.changed = True

    def forget_history(self) -> list[Part]:
        """Drop what is history, and return it."""
        parts = self.history
        if parts:
            self.history = []
            self.changed = True
        return parts

    # -- Files -----------------------------------------------------------------------------------

    def strays(self, directory: str, stem: str) -> list[str]:
        """The files of a directory that are called as parts are, but that it does not list."""
        listed = {part.name for part in (*self.parts, *self.history)}
        try:
            names = os.listdir(directory)
        except OSError:
            return []
        return sorted(name for name in names if _number_of(name, stem) and name not in listed)

    def replaces(self, name: str, stem: str) -> bool:
        """Whether a part of that name is older than all that it lists."""
        found = _number_of(name, stem)
        if found is None or self.base is None or not self.increments:
            return False
        kind, number = found
        return all(part.number > number for part in self.parts if part.kind == kind)

    def store(self, directory: str, stem: str) -> None:
        """Write it if it has changed, so that there is the old one or the new one at any moment.

        Raises:
            StoreError: it could not be written, and the old one stands unless ``in_place``.
        """
        if not self.changed:
            return
        name, temporary = file_name(stem), f"temp-{file_name(stem)}"
        path = paths.join(directory, name)
        temporary_path = paths.join(directory, temporary)
        flags = os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_CLOEXEC
        with _explained("Can't open the AOF manifest file {0}: {2}", temporary, name):
            fd = os.open(temporary_path, flags, 0o644)
        try:
            text = self.render()
            failure = "Error trying to write the temporary AOF manifest file {0}: {2}"
            with _explained(failure, temporary, name):
                while text:
                    text = text[os.write(fd, text) :]
            with _explained("Fail to fsync the temp AOF file {0}: {2}.", temporary, name):
                os.fsync(fd)
        finally:
            os.close(fd)
        failure = "Error trying to rename the temporary AOF manifest file {0} into {1}: {2}"
        with _explained(failure, temporary, name):
            os.rename(temporary_path, path)
        try:
            sync_directory(directory)
        except OSError as fault:
            shown = paths.join(paths.last(directory), name)
            error = StoreError(f"Fail to fsync AOF directory {shown}: {fault.strerror}.")
            error.in_place = True
            raise error from None
        self.changed = False


class _explained:
    """Turns an OSError within it into a StoreError; ``{2}`` of the text is the reason."""

    def __init__(self, text: str, *names: str):
        self._text = text
        self._names = names

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: object, trace: object) -> None:
        if isinstance(fault, OSError):
            raise StoreError(self._text.format(*self._names, fault.strerror)) from None


def file_name(stem: str) -> str:
    """What the manifest is called."""
    return f"{stem}.manifest"


def temporary_increment(stem: str) -> str:
    """What an increment is called as long as there is no base before it."""
    return f"temp-{stem}.incr"


def temporary_names(stem: str) -> list[str]:
    """What files in the making are called in the directory."""
    return [temporary_increment(stem), f"temp-{file_name(stem)}"]


def _number_of(name: str, stem: str) -> tuple[str, int] | None:
    """The kind and the number that the name of a part tells; None if it is not of this stem."""
    found = _PART_NAME.fullmatch(name.removeprefix(stem)) if name.startswith(stem) else None
    return None if found is None else (found["kind"][0], int(found["number"]))


def read(path: str) -> Manifest:
    """Read a manifest from the disk.

    Raises:
        OSError: it cannot be opened.
        ManifestError: it makes no sense.
    """
    with open(path, "rb") as file:
        return parse(file.read())


def parse(text: bytes) -> Manifest:
    """The manifest that a text stands for. Raises ManifestError if it is none."""
    manifest = Manifest()
    if not text:
        raise ManifestError("Found an empty AOF manifest")
    for number, line in enumerate(_lines(text), start=1):
        if line.startswith(b"#"):
            continue
        if not line.endswith(b"\n") or b"\0" in line:
            raise ManifestError("The AOF manifest file contains too long line")
        line = line.strip(_BLANKS)
        try:
            _add(manifest, _parse_part(line))
        except ValueError as fault:
            raise ManifestError(str(fault), number, line) from None
    return manifest


def _lines(text: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(text):
        end = text.find(b"\n", at, at + _LONGEST_LINE) + 1
        end = end or min(at + _LONGEST_LINE, len(text))
        yield text[at:end]
        at = end


def _parse_part(line: bytes) -> Part:
    words = split_arguments(line)
    # What a later version adds are further pairs.
    if not words or len(words) < 6 or len(words) % 2:
        raise ValueError("Invalid AOF manifest file format")
    name, number, kind = b"", 0, ""
    for key, value in zip(words[::2], words[1::2], strict=True):
        match key.lower():
            case b"file":
                name = value
                if b"/" in name or b"\\" in name:
                    raise ValueError("File can't be a path, just a filename")
            case b"seq":
                digits = _NUMBER.match(value)
                number = int(digits[1]) if digits else 0
            case b"type":
                kind = value[:1].decode("latin-1")
    if not name or not number or not kind:
        raise ValueError("Invalid AOF manifest file format")
    return Part(os.fsdecode(name), number, kind)


def _add(manifest: Manifest, part: Part) -> None:
    if part.kind == BASE:
        if manifest.base is not None:
            raise ValueError("Found duplicate base file information")
        manifest.base = part
        manifest.base_number = part.number
    elif part.kind == HISTORY:
        manifest.history.append(part)
    elif part.kind == INCREMENT:
        if part.number <= max(manifest.increment_number, 0):
            raise ValueError("Found a non-monotonic sequence number")
        manifest.increments.append(part)
        manifest.increment_number = part.number
    else:
        raise ValueError("Unknown AOF file type")

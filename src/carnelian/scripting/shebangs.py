"""The first line of a script or a library: ``#!lua flags=no-writes`` and ``#!lua name=stock``."""

from __future__ import annotations

import re

from carnelian.engine.catalogue.registry import FLAG_BITS, shown_word
from carnelian.resp.inline import split_arguments
from carnelian.resp.replies import Error

# What a script says of itself.
NO_WRITES = 1
ALLOW_OOM = 2
ALLOW_STALE = 4
NO_CLUSTER = 8
ALLOW_CROSS_SLOT_KEYS = 16
# It says nothing, as scripts did before they could.
SILENT = 32

FLAG_NAMES = {
    b"no-writes": NO_WRITES,
    b"allow-oom": ALLOW_OOM,
    b"allow-stale": ALLOW_STALE,
    b"no-cluster": NO_CLUSTER,
    b"allow-cross-slot-keys": ALLOW_CROSS_SLOT_KEYS,
}

_WRITE, _DENYOOM = FLAG_BITS["write"], FLAG_BITS["denyoom"]
_STALE, _MAY_REPLICATE = FLAG_BITS["stale"], FLAG_BITS["may_replicate"]

_NAME = re.compile(rb"[A-Za-z0-9_]+")
_BAD_NAME = (
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least "
    "one character long"
)


def script_header(source: bytes) -> tuple[int, int]:
    """The flags of a script of EVAL, and where its code begins.

    Raises Error if the line makes no sense.
    """
    if not source.startswith(b"#!"):
        return SILENT, 0
    end = source.find(b"\n")
    if end < 0:
        raise Error("ERR Invalid script shebang")
    engine, *options = _words(source[:end], "ERR Invalid engine in script shebang")
    if engine != b"#!lua":
        raise Error(b"ERR Unexpected engine in script shebang: " + shown_word(engine))
    flags = 0
    for option in options:
        if not option.startswith(b"flags="):
            raise Error(b"ERR Unknown lua shebang option: " + shown_word(option))
        listed = option[len(b"flags=") :]
        for name in listed.split(b",") if listed else ():
            if name not in FLAG_NAMES:
                raise Error(b"ERR Unexpected flag in script shebang: " + shown_word(name))
            flags |= FLAG_NAMES[name]
    return flags, end


def library_header(source: bytes) -> tuple[bytes, int]:
    """The name of a library, and where its code begins.

    Raises Error if the line makes no sense.
    """
    if not source.startswith(b"#!"):
        raise Error("ERR Missing library metadata")
    end = source.find(b"\n")
    if end < 0:
        raise Error("ERR Invalid library metadata")
    engine, *options = _words(source[:end], "ERR Invalid library metadata")
    name = None
    for option in options:
        if not option.lower().startswith(b"name="):
            raise Error(b"ERR Invalid metadata value given: " + shown_word(option))
        if name is not None:
            raise Error("ERR Invalid metadata value, name argument was given multiple times")
        name = option[len(b"name=") :]
    if name is None:
        raise Error("ERR Library name was not given")
    if engine[2:].lower() != b"lua":
        raise Error(b"ERR Engine '%b' not found" % shown_word(engine[2:]))
    check_name(name)
    return name, end


def check_name(name: bytes) -> None:
    """Raise Error unless a library or a function may be called so."""
    if not _NAME.fullmatch(name):
        raise Error(_BAD_NAME)


def _words(line: bytes, message: str) -> list[bytes]:
    try:
        return split_arguments(line)
    except ValueError:
        raise Error(message) from None


def command_flags(flags: int, script: int) -> int:
    """What a command is judged by that runs a script with these flags.

    Args:
        flags: those of the command.
    """
    if script & SILENT:
        # A replica with old data refuses as a whole what does not say what it does.
        return flags & ~_STALE
    flags &= ~(_STALE | _DENYOOM | _WRITE)
    if script & NO_WRITES:
        flags &= ~_MAY_REPLICATE
    else:
        flags |= _WRITE
        if not script & ALLOW_OOM:
            flags |= _DENYOOM
    return flags | (_STALE if script & ALLOW_STALE else 0)

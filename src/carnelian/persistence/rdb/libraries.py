"""Libraries of functions as texts: what an append-only file does to them.

They are loaded when somebody asks for them. Where there is nothing that could run them, their texts
are kept all the same, so that the files made from now on have them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from carnelian.keyspace.keyspace import Keyspace
from carnelian.persistence.bytes.byte_source import Source
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import file_reader, payloads
from carnelian.resp.replies import Error

_NAME = re.compile(rb"#![^\n]*?\sname=(\w+)[^\n]*\n", re.IGNORECASE)
_FOOTER = 10
# What makes a snapshot of the inner part of a payload; a sum of zeros is none.
_BEGIN, _END = b"REDIS0010", b"\xff" + bytes(8)


def change(
    libraries: list[bytes], args: list[bytes], keyspace: Keyspace
) -> Callable[[], None] | None:
    """What a FUNCTION command does, None if it is none that changes anything.

    To call the result raises the Error that the command would have replied.

    Args:
        libraries: to be changed.
        args: the words of the command.
        keyspace: whose limits hold for payloads; stays as it is.
    """
    words = args[2:]
    match [word.lower() for word in args[:2]]:
        case [b"function", b"load"] if words:
            return lambda: _load(libraries, words)
        case [b"function", b"delete"] if words:
            return lambda: _delete(libraries, words[0])
        case [b"function", b"flush"]:
            return libraries.clear
        case [b"function", b"restore"] if words:
            return lambda: _restore(libraries, words, keyspace)
        case _:
            return None


def name_of(code: bytes) -> bytes:
    """The name in the first line of a library, empty if there is none."""
    found = _NAME.match(code)
    return found[1] if found else b""


def _load(libraries: list[bytes], words: list[bytes]) -> None:
    *options, code = words
    join(libraries, [code], replace=any(word.lower() == b"replace" for word in options))


def join(libraries: list[bytes], codes: list[bytes], replace: bool) -> None:
    """Add libraries, which ``replace`` those of the same names.

    Raises Error if one has no name, or one that is taken.
    """
    places = {name_of(code): i for i, code in enumerate(libraries)}
    names = [name_of(code) for code in codes]
    for name in names:
        if not name:
            raise Error("ERR Missing library metadata")
        if name in places and not replace:
            raise Error(b"ERR Library '%s' already exists" % name)
    for name, code in zip(names, codes, strict=True):
        if name in places:
            libraries[places[name]] = code
        else:
            libraries.append(code)


def _delete(libraries: list[bytes], name: bytes) -> None:
    kept = [code for code in libraries if name_of(code) != name]
    if len(kept) == len(libraries):
        raise Error("ERR Library not found")
    libraries[:] = kept


def _restore(libraries: list[bytes], words: list[bytes], keyspace: Keyspace) -> None:
    data, policy = words[0], words[1].lower() if len(words) > 1 else b"append"
    codes = codes_of(data, keyspace)
    if policy == b"flush":
        libraries[:] = codes
    else:
        join(libraries, codes, policy == b"replace")


def codes_of(data: bytes, keyspace: Keyspace) -> list[bytes]:
    """The texts in a payload of FUNCTION DUMP; raises Error if it is none."""
    if not payloads.is_sound(data):
        raise Error("ERR DUMP payload version or checksum are wrong")
    file = file_reader.Reader(Source(_BEGIN + data[:-_FOOTER] + _END), keyspace)
    file.discarding = True
    try:
        file.read()
    except FormatError:
        raise Error("ERR failed loading the given functions payload") from None
    return file.functions

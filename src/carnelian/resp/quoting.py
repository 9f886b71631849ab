"""The quoting of redis.conf and of the command line, which is that of inline commands."""

from carnelian.resp import inline

_NAMED_ESCAPES = {
    ord('"'): b'\\"',
    ord("\\"): b"\\\\",
    7: b"\\a",
    8: b"\\b",
    9: b"\\t",
    10: b"\\n",
    13: b"\\r",
}
_ESCAPES = [
    _NAMED_ESCAPES.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\x%02x" % byte)
    for byte in range(256)
]


def quote(text: bytes) -> bytes:
    """The text in double quotes, every byte that is not printable ASCII escaped.

    ``split_arguments`` reads it back; MONITOR and CONFIG REWRITE show text this way.
    """
    return b'"' + b"".join([_ESCAPES[byte] for byte in text]) + b'"'


def quote_if_needed(word: bytes) -> bytes:
    """A word as :func:`split_arguments` reads it again: in quotes where it has to be."""
    plain = word and all(0x20 < byte < 0x7F and byte not in b"\"'\\" for byte in word)
    return word if plain else quote(word)


def split_arguments(line: bytes) -> list[bytes] | None:
    """The words of a line, up to its first NUL; None if its quotes are unbalanced."""
    try:
        return inline.split_arguments(line)
    except ValueError:
        return None

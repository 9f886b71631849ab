r"""The quoting of redis.conf, of the command line and of inline commands.

Tokens are separated by blanks. Inside double quotes ``\n \r \t \a \b``, ``\xHH`` and a backslash
before any other byte are escapes; inside single quotes only ``\'`` is. A closing quote must be
followed by a blank or the end.
"""

BLANKS = b" \t\n\r\v\f"
# A token outside quotes ends at these only; the other blanks are ordinary bytes there.
SEPARATORS = b" \t\n\r\0"
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
HEXADECIMAL = b"0123456789abcdefABCDEF"

_QUOTED = {
    0x07: b"\\a",
    0x08: b"\\b",
    0x09: b"\\t",
    0x0A: b"\\n",
    0x0D: b"\\r",
    0x22: b'\\"',
    0x5C: b"\\\\",
}
_BYTES = [
    _QUOTED.get(c) or (bytes([c]) if 0x20 <= c < 0x7F else b"\\x%02x" % c) for c in range(256)
]


def quote(text: bytes) -> bytes:
    """The text in double quotes, every byte that is not printable ASCII escaped.

    ``split_arguments`` reads it back; MONITOR and CONFIG REWRITE show text this way.
    """
    return b'"' + b"".join([_BYTES[c] for c in text]) + b'"'


def split_arguments(line: bytes) -> list[bytes] | None:
    """The tokens of a line; None if a quote is left open or its end is not followed by a blank.

    A NUL byte ends the line, as it does in Redis.
    """
    line = line.partition(b"\0")[0]
    tokens: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at] in BLANKS:
            at += 1
        if at == len(line):
            return tokens
        token, at = _token(line, at)
        if token is None:
            return None
        tokens.append(token)


def _token(line: bytes, at: int) -> tuple[bytes | None, int]:
    """The token at a position, which may turn into a quoted one half-way, and where it ends."""
    token = bytearray()
    while at < len(line) and line[at] not in SEPARATORS:
        c = line[at : at + 1]
        at += 1
        if c not in b"\"'":
            token += c
            continue
        at = _double_quoted(line, at, token) if c == b'"' else _single_quoted(line, at, token)
        closed = at > 0 and (at == len(line) or line[at] in BLANKS)
        return (bytes(token), at) if closed else (None, at)
    return bytes(token), at


def _double_quoted(line: bytes, at: int, token: bytearray) -> int:
    """Append what double quotes hold; the position after the closing one, 0 if there is none."""
    while at < len(line):
        c = line[at : at + 1]
        if c == b'"':
            return at + 1
        if c != b"\\" or at + 1 == len(line):
            token += c
            at += 1
            continue
        digits = line[at + 2 : at + 4]
        if line[at + 1 : at + 2] == b"x" and len(digits) == 2 and not digits.strip(HEXADECIMAL):
            token.append(int(digits, 16))
            at += 4
            continue
        c = line[at + 1 : at + 2]
        token += ESCAPES.get(c, c)
        at += 2
    return 0


def _single_quoted(line: bytes, at: int, token: bytearray) -> int:
    """Append what single quotes hold; the position after the closing one, 0 if there is none."""
    while at < len(line):
        if line[at : at + 2] == b"\\'":
            token += b"'"
            at += 2
            continue
        if line[at : at + 1] == b"'":
            return at + 1
        token += line[at : at + 1]
        at += 1
    return 0

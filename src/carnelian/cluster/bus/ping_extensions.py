"""Extensions of PING, PONG and MEET, in bytes.

Each is its length in all (4 bytes, a multiple of 8), its type (2), two bytes of nothing, and data::

    0  host name, 1  human name: a text that ends with NUL
    2  forgotten node: an ID, and the seconds it is not to be taken back (8)
    3  shard: an ID
    4  secret of the cluster: 40 bytes
"""

from __future__ import annotations

from struct import Struct

from carnelian.cluster.bus.bus_errors import BusError
from carnelian.cluster.bus.bus_messages import Extensions
from carnelian.cluster.known.cluster_node import ID_LENGTH, is_node_id

HOSTNAME, HUMAN_NAME, FORGOTTEN, SHARD_ID, SECRET = range(5)

_HEAD = Struct(">IHH")
_FORGOTTEN = Struct(">40sQ")
# Nobody is forgotten for longer, whatever a message says.
_LONGEST_FORGOTTEN = 10**9
# No name in a line of the file can have what separates the others.
_SEPARATORS = frozenset(" ,\"'\\=")
# Of what is below this, and of this, nothing can be shown.
_BLANK, _DELETE = 0x20, 0x7F


def is_plain(text: str) -> bool:
    """Whether a text can stand in a line of the nodes' file as it is."""
    return text.isascii() and text.isprintable() and _SEPARATORS.isdisjoint(text)


def pack_extensions(extensions: Extensions) -> tuple[int, bytes]:
    """How many there are, and their bytes."""
    parts = []
    if extensions.hostname:
        parts.append(_pack(HOSTNAME, extensions.hostname.encode() + b"\0"))
    if extensions.human_name:
        name = extensions.human_name.encode(errors="surrogateescape")
        parts.append(_pack(HUMAN_NAME, name + b"\0"))
    for id, seconds in extensions.forgotten:
        parts.append(_pack(FORGOTTEN, _FORGOTTEN.pack(id.encode(), seconds)))
    if extensions.shard_id:
        parts.append(_pack(SHARD_ID, extensions.shard_id.encode()))
    if extensions.secret:
        parts.append(_pack(SECRET, extensions.secret))
    return len(parts), b"".join(parts)


def unpack_extensions(data: memoryview, count: int) -> tuple[Extensions, int]:
    """So many extensions, and the bytes that they take. Raises BusError."""
    extensions = Extensions()
    position = 0
    for _ in range(count):
        if len(data) - position < _HEAD.size:
            raise BusError("extensions beyond the end of the message")
        length, kind, _unused = _HEAD.unpack_from(data, position)
        if length < _HEAD.size or length % 8:
            raise BusError(f"an extension of {length} bytes")
        if length > len(data) - position:
            raise BusError("an extension beyond the end of the message")
        _take(extensions, kind, bytes(data[position + _HEAD.size : position + length]))
        position += length
    return extensions, position


def _pack(kind: int, data: bytes) -> bytes:
    padded = data.ljust((len(data) + 7) // 8 * 8, b"\0")
    return _HEAD.pack(_HEAD.size + len(padded), kind, 0) + padded


def _take(extensions: Extensions, kind: int, data: bytes) -> None:
    if kind == HOSTNAME:
        extensions.hostname = _host(data)
    elif kind == HUMAN_NAME:
        extensions.human_name = _name(data)
    elif kind == FORGOTTEN:
        if len(data) != _FORGOTTEN.size:
            raise BusError("a forgotten node of a strange length")
        id, seconds = _FORGOTTEN.unpack(data)
        extensions.forgotten.append((_id(id), min(seconds, _LONGEST_FORGOTTEN)))
    elif kind == SHARD_ID:
        extensions.shard_id = _id(data)
    elif kind == SECRET:
        extensions.secret = data
    else:
        extensions.unknown.append(kind)


def _host(data: bytes) -> str:
    text = _up_to_end(data).decode("latin-1")
    # A name that cannot be kept is as good as none.
    return text if is_plain(text) else ""


def _name(data: bytes) -> str:
    """A name for people, of any alphabet."""
    found = _up_to_end(data)
    text = found.decode(errors="surrogateescape")
    kept = min(found, default=_BLANK) >= _BLANK and _DELETE not in found
    return text if kept and _SEPARATORS.isdisjoint(text) else ""


def _up_to_end(data: bytes) -> bytes:
    if not data.endswith(b"\0"):
        raise BusError("a name without an end")
    return data[: data.index(0)]


def _id(data: bytes) -> str:
    text = data[:ID_LENGTH].decode("latin-1")
    if len(data) != ID_LENGTH or not is_node_id(text):
        raise BusError("something that is no ID")
    return text

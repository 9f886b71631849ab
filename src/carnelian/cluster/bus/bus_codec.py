"""Messages of the bus in bytes: version 1 of the protocol of Redis Cluster.

A message begins with ``RCmb`` and its length; numbers are big-endian. Whatever bytes come, nothing
but BusError is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct, error

from carnelian.cluster.bus.bus_errors import BusError
from carnelian.cluster.bus.bus_messages import (
    EXTENSION_DATA,
    Body,
    BusMessage,
    Claim,
    Failure,
    Gossip,
    GossipEntry,
    ModuleData,
    Publication,
)
from carnelian.cluster.bus.ping_extensions import is_plain, pack_extensions, unpack_extensions
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_node import ID_LENGTH, is_node_id

SIGNATURE = b"RCmb"
VERSION = 1

# Signature, length, version, port, type, count, current epoch, config epoch, offset, sender, slots,
# primary, address, extensions, nothing, other port, bus port, flags, state, flags of the message.
HEADER = Struct(">4sIHHHHQQq40s2048s40s46sH30xHHHBB2x")
# ID, ping sent, pong received, address, port, bus port, flags, other port, nothing.
ENTRY = Struct(">40sII46sHHHH2x")
_PREFIX = Struct(">4sI")
_PUBLICATION = Struct(">II")
_CLAIM = Struct(">Q40s2048s")
_MODULE = Struct(">QIB")
_NOBODY = bytes(ID_LENGTH)
# Addresses are texts that end with NUL.
_IP_LENGTH = 46

GOSSIP_TYPES = (types.PING, types.PONG, types.MEET)
PUBLISH_TYPES = (types.PUBLISH, types.PUBLISHSHARD)


def message_length(data: bytes | bytearray) -> int:
    """The bytes of the message that begins with these eight. Raises BusError if none does."""
    signature, length = _PREFIX.unpack_from(data)
    if signature != SIGNATURE or length < HEADER.size:
        raise BusError("Bad message length or signature received from Cluster bus.")
    return length


# -- Into bytes ----------------------------------------------------------------------------------


def type_of(data: bytes) -> int:
    """The number of its type, be the rest of it as it may."""
    return int.from_bytes(data[12:14], "big")


def encode(message: BusMessage) -> bytes:
    """The bytes of a message."""
    body = message.body
    count = extensions = 0
    flags = message.message_flags
    if isinstance(body, Gossip):
        count = len(body.entries) // ENTRY.size
        data = body.entries
        if body.extensions is not None:
            flags |= EXTENSION_DATA
            extensions, packed = pack_extensions(body.extensions)
            data += packed
    else:
        data = _pack_body(body)
    return (
        HEADER.pack(
            SIGNATURE,
            HEADER.size + len(data),
            VERSION,
            message.port,
            message.type,
            count,
            message.current_epoch,
            message.config_epoch,
            message.offset,
            message.sender,
            message.slots,
            message.primary or _NOBODY,
            _ip_bytes(message.ip),
            extensions,
            message.other_port,
            message.bus_port,
            message.flags,
            message.state,
            flags,
        )
        + data
    )


def pack_entry(entry: GossipEntry) -> bytes:
    """The bytes of what is told of another node."""
    return ENTRY.pack(
        entry.id,
        entry.ping_sent,
        entry.pong_received,
        _ip_bytes(entry.ip),
        entry.port,
        entry.bus_port,
        entry.flags,
        entry.other_port,
    )


def _pack_body(body: Body | None) -> bytes:
    if isinstance(body, Failure):
        return body.id
    if isinstance(body, Publication):
        lengths = _PUBLICATION.pack(len(body.channel), len(body.message))
        return b"".join((lengths, body.channel, body.message))
    if isinstance(body, Claim):
        return _CLAIM.pack(body.config_epoch, body.id, body.slots)
    if isinstance(body, ModuleData):
        return _MODULE.pack(body.module_id, len(body.payload), body.kind) + body.payload
    return b""


def _ip_bytes(ip: str) -> bytes:
    return ip.encode()[: _IP_LENGTH - 1]


# -- Out of bytes --------------------------------------------------------------------------------


def decode(data: bytes) -> BusMessage:
    """The message that these bytes are, all of them. Raises BusError."""
    try:
        (
            signature,
            length,
            version,
            port,
            kind,
            count,
            current_epoch,
            config_epoch,
            offset,
            sender,
            slots,
            primary,
            ip,
            extensions,
            other_port,
            bus_port,
            flags,
            state,
            message_flags,
        ) = HEADER.unpack_from(data)
    except error:
        raise BusError("no whole header") from None
    if signature != SIGNATURE or length != len(data):
        raise BusError("Bad message length or signature received from Cluster bus.")
    if version != VERSION:
        raise BusError(f"version {version} of the bus")
    if not is_wire_id(sender):
        raise BusError("a sender without an ID")
    message = BusMessage(
        kind,
        sender,
        current_epoch,
        config_epoch,
        slots,
        offset,
        b"" if primary == _NOBODY else primary,
        address_text(ip),
        port,
        other_port,
        bus_port,
        flags,
        state,
        message_flags,
    )
    if kind in GOSSIP_TYPES:
        message.body = _gossip(data, count, extensions if message_flags & EXTENSION_DATA else None)
    else:
        reader = _READERS.get(kind)
        if reader is not None:
            message.body = reader(memoryview(data)[HEADER.size :])
    return message


def is_wire_id(id: bytes) -> bool:
    """Whether bytes can be the ID of a node."""
    return is_node_id(id.decode("latin-1"))


def address_text(data: bytes) -> str:
    """An address of 46 bytes with a NUL behind it. Raises BusError if it has strange characters."""
    text = data.partition(b"\0")[0].decode("latin-1")
    if not is_plain(text):
        raise BusError("an address with strange characters")
    return text


def entries_of(gossip: Gossip) -> Iterator[GossipEntry]:
    """What is told of other nodes. Raises BusError for an address that is none."""
    for id, ping_sent, pong_received, ip, port, bus_port, flags, other in ENTRY.iter_unpack(
        gossip.entries
    ):
        text = address_text(ip)
        yield GossipEntry(id, ping_sent, pong_received, text, port, bus_port, flags, other)


def _gossip(data: bytes, count: int, extensions: int | None) -> Gossip:
    end = HEADER.size + count * ENTRY.size
    if end > len(data):
        raise BusError(f"{count} entries of gossip in {len(data)} bytes")
    gossip = Gossip(data[HEADER.size : end])
    if extensions is not None:
        gossip.extensions, length = unpack_extensions(memoryview(data)[end:], extensions)
        end += length
    _check_end(len(data), end)
    return gossip


def _failure(data: memoryview) -> Failure:
    _check_end(len(data), ID_LENGTH)
    return Failure(bytes(data))


def _publication(data: memoryview) -> Publication:
    if len(data) < _PUBLICATION.size:
        raise BusError("a publication without lengths")
    channel, message = _PUBLICATION.unpack_from(data)
    _check_end(len(data), _PUBLICATION.size + channel + message)
    middle = _PUBLICATION.size + channel
    return Publication(bytes(data[_PUBLICATION.size : middle]), bytes(data[middle:]))


def _claim(data: memoryview) -> Claim:
    _check_end(len(data), _CLAIM.size)
    config_epoch, id, slots = _CLAIM.unpack(data)
    return Claim(id, config_epoch, slots)


def _module(data: memoryview) -> ModuleData:
    if len(data) < _MODULE.size:
        raise BusError("a message of modules without a length")
    module_id, length, kind = _MODULE.unpack_from(data)
    _check_end(len(data), _MODULE.size + length)
    return ModuleData(module_id, kind, bytes(data[_MODULE.size :]))


def _nothing(data: memoryview) -> None:
    _check_end(len(data), 0)


def _check_end(length: int, end: int) -> None:
    if length != end:
        raise BusError(f"{length} bytes where there should be {end}")


_READERS: dict[int, Callable[[memoryview], Body | None]] = {
    types.FAIL: _failure,
    types.PUBLISH: _publication,
    types.PUBLISHSHARD: _publication,
    types.AUTH_REQUEST: _nothing,
    types.AUTH_ACK: _nothing,
    types.MFSTART: _nothing,
    types.UPDATE: _claim,
    types.MODULE: _module,
}

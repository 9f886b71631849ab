"""Messages of the bus in bytes: those of real nodes, those of newer ones, and hostile ones."""

from __future__ import annotations

from random import Random

import pytest

from carnelian.cluster.bus.bus_codec import (
    HEADER,
    decode,
    encode,
    entries_of,
    message_length,
    pack_entry,
)
from carnelian.cluster.bus.bus_errors import BusError
from carnelian.cluster.bus.bus_messages import (
    FORCE_ACK,
    BusMessage,
    Claim,
    Extensions,
    Failure,
    Gossip,
    GossipEntry,
    ModuleData,
    Publication,
)
from carnelian.cluster.bus.ping_extensions import pack_extensions, unpack_extensions
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.slot_bitmap import bitmap_of, mask_of_slots, slots_in

from .captures import captured_messages

CAPTURED = captured_messages()
FIRST = b"b3f35b3b9ff66598192bc9415b4731b74ff9eab8"
SECOND = b"af54db5c2e7be60333a00a37d975596fa187dc96"
A, B = b"a" * 40, b"b" * 40


@pytest.mark.parametrize("name", sorted(CAPTURED))
def test_messages_of_real_nodes_are_read_and_written_again(name: str) -> None:
    data = CAPTURED[name]
    assert message_length(data[:8]) == len(data)
    message = decode(data)
    assert types.type_word(message.type) == name.partition("+")[0]
    assert encode(message) == data


def test_a_ping_of_a_real_node() -> None:
    message = decode(CAPTURED["ping+ext+gossip1"])
    assert (message.type, message.sender, message.primary) == (types.PING, SECOND, b"")
    assert (message.current_epoch, message.config_epoch, message.offset) == (4, 2, 0)
    assert slots_in(message.slots) == list(range(5000, 10000))
    assert (message.ip, message.port, message.other_port) == ("", 42841, 0)
    assert (message.bus_port, message.flags, message.state) == (43619, 17, 0)
    gossip = message.body
    assert isinstance(gossip, Gossip)
    assert gossip.extensions == Extensions("second.example.com")
    assert not gossip.extensions.are_modern
    entries = list(entries_of(gossip))
    assert [entry.ip for entry in entries] == ["127.0.0.1"] * 2
    assert all(entry.bus_port > 1024 and entry.port > 1024 for entry in entries)
    assert all(pack_entry(entry) in gossip.entries for entry in entries)


def test_other_messages_of_real_nodes() -> None:
    request = decode(CAPTURED["auth-req+slaves"])
    assert (request.primary, request.message_flags) == (FIRST, FORCE_ACK)
    assert slots_in(request.slots) == list(range(5000))
    assert decode(CAPTURED["publish"]).body == Publication(b"news", b"hello")
    shard = decode(CAPTURED["publishshard"]).body
    assert isinstance(shard, Publication) and shard.message == b"sharded"
    update = decode(CAPTURED["update"]).body
    assert isinstance(update, Claim)
    assert update.config_epoch == 5
    assert slots_in(update.slots) == list(range(5000))
    failure = decode(CAPTURED["fail"]).body
    assert isinstance(failure, Failure) and len(failure.id) == 40


EXTENDED = Extensions("host.example", "the first", [("c" * 40, 59)], "d" * 40, b"s" * 40)
MESSAGES = [
    BusMessage(types.PING, A, body=Gossip()),
    BusMessage(types.MEET, A, 1, 2, bitmap_of(mask_of_slots([0, 7, 8, 16383])), -1, B),
    BusMessage(types.PONG, A, ip="10.0.0.1", port=1, other_port=2, bus_port=3, flags=4, state=1),
    BusMessage(types.PONG, A, body=Gossip(b"", Extensions())),
    BusMessage(types.PING, A, body=Gossip(b"", Extensions("a", "", [], "d" * 40))),
    BusMessage(types.FAIL, A, body=Failure(B)),
    BusMessage(types.PUBLISH, A, body=Publication(b"", b"")),
    BusMessage(types.PUBLISHSHARD, A, body=Publication(b"c" * 100, b"\0\xff" * 100_000)),
    BusMessage(types.AUTH_REQUEST, A, message_flags=FORCE_ACK),
    BusMessage(types.AUTH_ACK, A, 2**64 - 1, 2**64 - 1, offset=2**63 - 1),
    BusMessage(types.MFSTART, A),
    BusMessage(types.UPDATE, A, body=Claim(B, 2**64 - 1, b"\xff" * 2048)),
    BusMessage(types.MODULE, A, body=ModuleData(2**64 - 1, 255, b"data")),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_what_is_written_is_read(message: BusMessage) -> None:
    if message.type in (types.PING, types.PONG, types.MEET) and message.body is None:
        message.body = Gossip()
    data = encode(message)
    again = decode(data)
    again.message_flags &= ~4
    assert again == message


def test_extensions_of_newer_nodes_to_the_byte() -> None:
    """As redis-server 7.2 and 8 write them."""
    extensions = Extensions("h", "name", [("c" * 40, 59)], "d" * 40, b"s" * 40)
    data = encode(BusMessage(types.PING, A, body=Gossip(b"", extensions)))[HEADER.size :]
    assert data == b"".join(
        [
            b"\0\0\0\x10\0\0\0\0h" + bytes(7),
            b"\0\0\0\x10\0\x01\0\0name" + bytes(4),
            b"\0\0\0\x38\0\x02\0\0" + b"c" * 40 + bytes(7) + b"\x3b",
            b"\0\0\0\x30\0\x03\0\0" + b"d" * 40,
            b"\0\0\0\x30\0\x04\0\0" + b"s" * 40,
        ]
    )
    assert unpack_extensions(memoryview(data), 5) == (extensions, len(data))
    assert extensions.are_modern


def test_extensions_that_nobody_knows_are_skipped() -> None:
    unknown = b"\0\0\0\x10\x12\x34\0\0whatever"
    known = b"\0\0\0\x10\0\0\0\0h" + bytes(7)
    extensions, length = unpack_extensions(memoryview(unknown + known), 2)
    assert (extensions.hostname, extensions.unknown, length) == ("h", [0x1234], 32)
    assert unpack_extensions(memoryview(b""), 0) == (Extensions(), 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\x08\0\0\0",
        b"\0\0\0\x00\0\0\0\0",
        b"\0\0\0\x07\0\0\0\0",
        b"\0\0\0\x0f\0\0\0\0h\0\0\0\0\0\0",
        b"\0\0\0\x18\0\0\0\0h\0\0\0\0\0\0\0",
        b"\0\0\0\x10\0\0\0\0hhhhhhhh",
        b"\0\0\0\x08\0\0\0\0",
        b"\0\0\0\x10\0\x02\0\0hhhhhhhh",
        b"\0\0\0\x10\0\x03\0\0hhhhhhhh",
        b"\0\0\0\x30\0\x03\0\0" + b"D" * 40,
        b"\xff\xff\xff\xf8\0\0\0\0h\0\0\0\0\0\0\0",
    ],
)
def test_extensions_that_are_none(data: bytes) -> None:
    with pytest.raises(BusError):
        unpack_extensions(memoryview(data), 1)


def test_a_name_for_people_may_be_of_any_alphabet() -> None:
    for name in (b"caf\xc3\xa9", b"\xff", b"a#b"):
        data = b"\0\0\0\x10\0\x01\0\0" + (name + b"\0").ljust(8, b"\0")
        extensions, length = unpack_extensions(memoryview(data), 1)
        assert extensions.human_name.encode(errors="surrogateescape") == name
        assert pack_extensions(extensions) == (1, data) and length == 16
    for name in (b"a b", b"a,b", b"a=b", b"a\nb", b"a\x7fb", b"a\\", b"'", b'"'):
        data = b"\0\0\0\x10\0\x01\0\0" + (name + b"\0").ljust(8, b"\0")
        assert unpack_extensions(memoryview(data), 1)[0].human_name == ""


def test_a_name_that_would_spoil_the_file_is_none() -> None:
    for name in (b"a b", b"a,b", b"a=b", b"\xff", b"a\n", b'"'):
        data = b"\0\0\0\x10\0\0\0\0" + (name + b"\0").ljust(8, b"\0")
        assert unpack_extensions(memoryview(data), 1)[0].hostname == ""


def test_headers_that_are_none() -> None:
    good = encode(BusMessage(types.PING, A, body=Gossip()))
    for position, bytes_ in (
        (0, b"X"),  # signature
        (4, b"\0\0\0\0"),  # length
        (8, b"\0\2"),  # version
        (40, b"A"),  # sender
        (2168, b"a b"),  # address
        (14, b"\0\1"),  # one entry of gossip
    ):
        data = good[:position] + bytes_ + good[position + len(bytes_) :]
        with pytest.raises(BusError):
            decode(data)
    for data in (b"", good[:-1], good + b"\0", good[:100]):
        with pytest.raises(BusError):
            decode(data)
    for prefix in (b"RCmb\0\0\0\0", b"RCmb\0\0\x08\xcf", b"rCmb\0\0\x08\xd0"):
        with pytest.raises(BusError, match="Bad message length or signature"):
            message_length(prefix)
    assert message_length(b"RCmb\0\0\x08\xd0") == 2256


def test_types_that_nobody_knows_are_read_by_their_header() -> None:
    data = encode(BusMessage(99, A)) + b"whatever"
    data = data[:4] + len(data).to_bytes(4, "big") + data[8:]
    assert decode(data) == BusMessage(99, A)


def test_addresses_of_gossip_are_checked() -> None:
    entry = GossipEntry(B, 1, 2, "10.0.0.1", 3, 4, 5, 6)
    assert list(entries_of(Gossip(pack_entry(entry)))) == [entry]
    with pytest.raises(BusError):
        list(entries_of(Gossip(pack_entry(entry._replace(ip="10.0 0.1")))))


@pytest.mark.parametrize("seed", range(20))
def test_hostile_bytes_raise_one_error_only(seed: int) -> None:
    random = Random(seed)
    originals = [*CAPTURED.values(), *(encode(message) for message in MESSAGES[:8])]
    for _ in range(300):
        data = bytearray(random.choice(originals)[:5000])
        for _ in range(random.randrange(1, 6)):
            # The places that matter more than others.
            where = random.choice(
                [random.randrange(len(data)), random.randrange(4, 16), 2214, 2253]
            )
            data[where % len(data)] = random.randrange(256)
        if random.random() < 0.3:
            data = data[: random.randrange(len(data))]
        data[4:8] = len(data).to_bytes(4, "big")
        try:
            message = decode(bytes(data))
            if isinstance(message.body, Gossip):
                list(entries_of(message.body))
        except BusError:
            continue
        assert len(message.sender) == 40
    for _ in range(300):
        with pytest.raises(BusError):
            decode(random.randbytes(random.randrange(6000)))

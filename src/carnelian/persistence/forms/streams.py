"""Streams in RDB form: the nodes, what is known of the whole, groups, and who reads in them.

Version 1 (Redis 5) knows less of the whole; version 3 (7.2) also knows when a consumer last got
something, version 4 (8.6) what was added under which names, and version 5 (8.8) which pending
entries are nobody's. The last two are written only for streams that have such things.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.packs.listpack import total_of
from cython.cimports.carnelian.datatypes.streams.by_id import (
    Place,
    TreePointer,
    item_at,
    seek,
    step,
)
from cython.cimports.carnelian.datatypes.streams.group import (
    Consumer,
    Group,
    PendingPointer,
    time_of,
)
from cython.cimports.carnelian.datatypes.streams.ids import ConstId, Id, id_of
from cython.cimports.carnelian.datatypes.streams.node import NodePointer
from cython.cimports.carnelian.datatypes.streams.producers import Idempotency
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import (
    GATHERED,
    ITEMS,
    TAKEN,
    CommandFile,
)
from cython.cimports.carnelian.persistence.bytes.formats import (
    OLDEST,
    STREAM,
    STREAM_2,
    STREAM_3,
    STREAM_4,
    STREAM_5,
    WITH_IDEMPOTENCY,
    WITH_PACKED_SETS,
    WITH_RELEASED,
)
from cython.cimports.carnelian.persistence.bytes.frozen import Block, FrozenBlocks
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.directory import register
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import int64_t, uint8_t, uint32_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc

from carnelian.persistence.bytes.file_errors import Corrupt

ID_SIZE = cython.declare(cython.Py_ssize_t, 16)

# Seconds and entries for which names of entries are known if nobody says otherwise, and at most.
USUAL = cython.declare(int64_t, 100)
LONGEST = cython.declare(int64_t, 86400)
MOST = cython.declare(int64_t, 10000)
HALF: int = (1 << 64) - 1

_ZERO = cython.declare(Id)
_ZERO.ms = _ZERO.seq = 0


@cython.final
@cython.cclass
class StreamForm(Form):
    """Of streams."""

    def type_of(self, value, version):
        """By what it knows."""
        return stream_type(value, version)

    def needed_version(self, value, quickly):
        """A later one for what only later ones know."""
        if cython.cast(Stream, value).has_released():
            return WITH_RELEASED
        return OLDEST if cython.cast(Stream, value).idempotency is None else WITH_IDEMPOTENCY

    def put(self, sink, value):
        """The nodes, and what comes behind them."""
        return put_stream(sink, value)

    def read(self, source, type, limits, thorough):
        """The same; everything is checked in any case."""
        return read_stream(source, type, limits)

    def freeze(self, freezer, index, value):
        """In nodes, if it has many."""
        stream: Stream = value
        if stream.nodes.count < freezer.long or not freezer.output.takes_parts:
            return None
        frozen: FrozenStream = FrozenStream(freezer, index)
        frozen.number(stream)
        return frozen

    def rewrite(self, commands, key, value):
        """The entries, and what is known of the whole."""
        return rewrite_stream(commands, key, value)


register(Stream, StreamForm(), (STREAM, STREAM_2, STREAM_3, STREAM_4, STREAM_5))


@cython.cfunc
@cython.exceptval(-1)
def stream_type(value: ObjectPointer, version: cython.int) -> cython.int:
    """The form that a stream has in files of an RDB version, which has to be late enough."""
    if cython.cast(Stream, value).has_released():
        return STREAM_5
    if cython.cast(Stream, value).idempotency is not None:
        return STREAM_4
    return STREAM_3 if version >= WITH_PACKED_SETS else STREAM_2


# -- Out -----------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def put_id(sink: Sink, id: ConstId) -> cython.int:
    """An id in sixteen bytes, the highest first."""
    raw = cython.declare(uint8_t[16])
    i: cython.int
    for i in range(8):
        raw[i] = cython.cast(uint8_t, (id.ms >> (56 - 8 * i)) & 255)
        raw[8 + i] = cython.cast(uint8_t, (id.seq >> (56 - 8 * i)) & 255)
    return sink.put(raw, ID_SIZE)


@cython.cfunc
@cython.exceptval(-1)
def put_numbers(sink: Sink, id: ConstId) -> cython.int:
    """An id as two numbers."""
    sink.put_length(id.ms)
    return sink.put_length(id.seq)


@cython.cfunc
@cython.exceptval(-1)
def put_name(sink: Sink, name: bytes) -> cython.int:
    return sink.put_text(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))


@cython.cfunc
@cython.exceptval(-1)
def put_node(
    sink: Sink, first: ConstId, pack: cython.p_const_char, length: cython.Py_ssize_t
) -> cython.int:
    """A node: the id of its first entry, and its listpack."""
    sink.put_length(ID_SIZE)
    put_id(sink, first)
    return sink.put_text(pack, length)


@cython.cfunc
@cython.exceptval(-1)
def put_stream(sink: Sink, value: ObjectPointer) -> cython.int:
    """Write a stream."""
    # No reference is taken: that would write to the stream, and a child copy a page for each.
    tree: TreePointer = cython.address(cython.cast(Stream, value).nodes)
    place = cython.declare(Place)
    node: NodePointer
    sink.put_length(tree.count)
    seek(tree, cython.address(_ZERO), cython.address(place))
    while place.leaf is not cython.NULL:
        node = cython.cast(NodePointer, item_at(tree, cython.address(place)))
        put_node(
            sink,
            cython.address(node.first),
            cython.cast(cython.p_const_char, node.pack),
            total_of(node.pack),
        )
        step(cython.address(place))
    return put_rest(sink, value)


@cython.cfunc
@cython.exceptval(-1)
def put_rest(sink: Sink, value: ObjectPointer) -> cython.int:
    """Write what comes behind the nodes of a stream."""
    sink.put_length(cython.cast(Stream, value).length)
    put_numbers(sink, cython.address(cython.cast(Stream, value).last))
    put_numbers(sink, cython.address(cython.cast(Stream, value).first))
    put_numbers(sink, cython.address(cython.cast(Stream, value).max_deleted))
    sink.put_length(cython.cast(Stream, value).entries_added)
    type: cython.int = stream_type(value, sink.version)
    if cython.cast(Stream, value).named is None:
        sink.put_length(0)
    else:
        groups: list = cython.cast(Stream, value).groups()
        sink.put_length(len(groups))
        for group in groups:
            put_group(sink, group, type)
    if type >= STREAM_4:
        put_idempotency(sink, cython.cast(Stream, value).idempotency)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def put_idempotency(sink: Sink, known: Idempotency | None) -> cython.int:
    """What was added under which names."""
    if known is None:
        known = Idempotency(USUAL, USUAL)
    sink.put_length(known.duration_s)
    sink.put_length(known.most)
    producers: list = known.by_producer()
    sink.put_length(len(producers))
    for producer, names in producers:
        put_name(sink, producer)
        sink.put_length(len(names))
        for name, id_ in names:
            put_name(sink, name)
            sink.put_length(id_ >> 64)
            sink.put_length(id_ & HALF)
    sink.put_length(known.added)
    return sink.put_length(known.duplicates)


@cython.cfunc
@cython.exceptval(-1)
def put_group(sink: Sink, group: Group, type: cython.int) -> cython.int:
    """A group: what is pending in it, its consumers with the ids of what is theirs, and those of
    what is nobody's.
    """
    place = cython.declare(Place)
    pending: PendingPointer
    put_name(sink, group.name)
    put_numbers(sink, cython.address(group.last))
    sink.put_length(cython.cast(uint64_t, group.entries_read))
    sink.put_length(group.pending.count)
    seek(cython.address(group.pending), cython.address(_ZERO), cython.address(place))
    while place.leaf is not cython.NULL:
        pending = cython.cast(
            PendingPointer, item_at(cython.address(group.pending), cython.address(place))
        )
        put_id(sink, cython.address(pending.id))
        sink.put_word(time_of(pending))
        sink.put_length(cython.cast(uint64_t, pending.count))
        step(cython.address(place))
    sink.put_length(len(group.consumers))
    for consumer in group.in_order():
        put_consumer(sink, consumer, type)
    if type >= STREAM_5:
        sink.put_length(group.released)
        for pair in group.without_consumer():
            id_: Id = id_of(pair)
            put_id(sink, cython.address(id_))
    return 0


@cython.cfunc
@cython.exceptval(-1)
def put_consumer(sink: Sink, consumer: Consumer, type: cython.int) -> cython.int:
    """A consumer with the ids of what is pending for it."""
    place = cython.declare(Place)
    put_name(sink, consumer.name)
    sink.put_word(consumer.seen_ms)
    if type >= STREAM_3:
        sink.put_word(consumer.active_ms)
    sink.put_length(consumer.pending.count)
    seek(cython.address(consumer.pending), cython.address(_ZERO), cython.address(place))
    while place.leaf is not cython.NULL:
        put_id(
            sink,
            cython.cast(ConstId, item_at(cython.address(consumer.pending), cython.address(place))),
        )
        step(cython.address(place))
    return 0


# -- In ------------------------------------------------------------------------------------------


@cython.cfunc
def read_id(source: Source):
    """An id of sixteen bytes, as a pair."""
    raw: cython.pointer[cython.const[uint8_t]] = source.take(ID_SIZE)
    ms: uint64_t = 0
    seq: uint64_t = 0
    i: cython.int
    for i in range(8):
        ms = ms << 8 | raw[i]
        seq = seq << 8 | raw[8 + i]
    return ms, seq


@cython.cfunc
def read_numbers(source: Source):
    """An id of two numbers, as a pair."""
    ms: uint64_t = source.read_length()
    return ms, source.read_length()


@cython.cfunc
def read_stream(source: Source, type: cython.int, limits: Limits):
    """Read a stream."""
    stream: Stream = Stream()
    nodes: cython.Py_ssize_t = source.read_count()
    groups: cython.Py_ssize_t
    while nodes > 0:
        read_node(source, stream)
        nodes -= 1
    length: uint64_t = source.read_length()
    last: tuple = read_numbers(source)
    if length and not stream.node_count():
        raise Corrupt("Stream length inconsistent with rax entries")
    try:
        if type == STREAM:
            stream.restore(cython.cast(int64_t, length), last)
        else:
            first: tuple = read_numbers(source)
            deleted: tuple = read_numbers(source)
            added: uint64_t = source.read_length()
            stream.restore(cython.cast(int64_t, length), last, first, deleted, 0)
            stream.entries_added = added
    except ValueError:
        raise Corrupt("Stream length inconsistent with rax entries") from None
    groups = source.read_count()
    while groups > 0:
        read_group(source, stream, type)
        groups -= 1
    if type >= STREAM_4:
        read_idempotency(source, stream, limits)
    return stream


@cython.cfunc
@cython.exceptval(-1)
def read_idempotency(source: Source, stream: Stream, limits: Limits) -> cython.int:
    """What was added under which names; nothing is made of what every stream starts with."""
    duration: uint64_t = source.read_length()
    known: Idempotency = Idempotency(
        cython.cast(int64_t, duration), cython.cast(int64_t, source.read_length())
    )
    producers: cython.Py_ssize_t = source.read_count()
    count: cython.Py_ssize_t
    if not (1 <= known.duration_s <= LONGEST and 1 <= known.most <= MOST):
        raise Corrupt("Stream IDMP settings out of range")
    while producers > 0:
        producers -= 1
        producer: bytes = source.read_bytes()
        count = source.read_count()
        while count > 0:
            count -= 1
            name: bytes = source.read_bytes()
            known.load(producer, name, read_numbers(source))
    known.added = cython.cast(int64_t, source.read_length())
    known.duplicates = cython.cast(int64_t, source.read_length())
    if (
        known.sizes() != (0, 0)
        or known.added
        or known.duplicates
        or (known.duration_s, known.most) not in (
            (USUAL, USUAL), (limits.stream_idmp_duration, limits.stream_idmp_maxsize)
        )
    ):  # fmt: skip
        stream.idempotency = known
    return 0


@cython.cfunc
@cython.exceptval(-1)
def read_node(source: Source, stream: Stream) -> cython.int:
    """A node, under the id of its first entry."""
    length: cython.Py_ssize_t = 0
    key: bytes = source.read_bytes()
    if PyBytes_GET_SIZE(key) != ID_SIZE:
        raise Corrupt("Stream node key entry is not the size of a stream ID")
    first = (int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big"))
    text: cython.p_const_char = source.read_text(cython.address(length))
    try:
        stream.add_pack(first, text[:length])
    except ValueError:
        raise Corrupt("Stream listpack integrity check failed.") from None
    return 0


@cython.cfunc
@cython.exceptval(-1)
def read_group(source: Source, stream: Stream, type: cython.int) -> cython.int:
    """A group with its consumers."""
    name: bytes = source.read_bytes()
    last: tuple = read_numbers(source)
    entries_read: int64_t = -1
    group: Group
    key = cython.declare(Id)
    count: cython.Py_ssize_t
    time: int64_t
    if type == STREAM:
        key.ms = last[0]
        key.seq = last[1]
        entries_read = stream.entries_up_to(cython.address(key))
    else:
        entries_read = cython.cast(int64_t, source.read_length())
    group = stream.add_group(name, last, entries_read)
    if group is None:
        raise Corrupt(f"Duplicated consumer group name {name!r}")
    count = source.read_count()
    while count > 0:
        count -= 1
        id_ = read_id(source)
        time = source.read_word()
        try:
            group.add_pending(id_, time, cython.cast(int64_t, source.read_length()))
        except ValueError:
            raise Corrupt("Duplicated global PEL entry loading stream consumer group") from None
    count = source.read_count()
    while count > 0:
        read_consumer(source, group, type)
        count -= 1
    count = source.read_count() if type >= STREAM_5 else 0
    if group.released != count:
        raise Corrupt("NACK entry without consumer")
    while count > 0:
        count -= 1
        id_ = read_id(source)
        try:
            group.release_pending(id_)
        except ValueError:
            raise Corrupt(_misassigned(group, id_)) from None
    return 0


@cython.cfunc
@cython.exceptval(-1)
def read_consumer(source: Source, group: Group, type: cython.int) -> cython.int:
    """A consumer with the ids of what is pending for it."""
    name: bytes = source.read_bytes()
    consumer: Consumer
    count: cython.Py_ssize_t
    if group.consumer(name) is not None:
        raise Corrupt("Duplicate stream consumer detected.")
    consumer = group.add_consumer(name, source.read_word())
    # Without a time of its own, when it was seen is the best that is known.
    consumer.active_ms = source.read_word() if type >= STREAM_3 else consumer.seen_ms
    count = source.read_count()
    while count > 0:
        count -= 1
        id_ = read_id(source)
        try:
            group.assign_pending(id_, consumer)
        except ValueError:
            raise Corrupt(_misassigned(group, id_)) from None
    return 0


def _misassigned(group: Group, id_: tuple) -> str:
    """What is wrong with an entry that cannot be a consumer's."""
    if group.some(id_, 1)[:1] and tuple(group.some(id_, 1)[0][:2]) == id_:
        return "Stream consumer PEL entry already has a consumer assigned"
    return "Consumer entry not found in group global PEL"


# -- In parts --------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class FrozenStream(FrozenBlocks):
    """The nodes of a stream. They move in memory, and are found by their ids."""

    def __dealloc__(self):
        free(self.ids)

    def number(self, stream: Stream) -> None:
        """Give all nodes their numbers. O(nodes)."""
        place = cython.declare(Place)
        node: NodePointer
        self.ids = cython.cast(
            cython.pointer[Id], malloc(max(stream.nodes.count, 1) * cython.sizeof(Id))
        )
        if self.ids is cython.NULL:
            raise MemoryError
        id = cython.declare(Id)
        id.ms = id.seq = 0
        seek(cython.address(stream.nodes), cython.address(id), cython.address(place))
        while place.leaf is not cython.NULL:
            node = node_at(stream, cython.address(place))
            self.ids[self.count] = node.first
            self.count += 1
            node.number = cython.cast(uint32_t, self.count)
            step(cython.address(place))
        self.stream = stream
        stream.keeper = self

    def first_id(self, number: cython.Py_ssize_t) -> cython.pointer[cython.const[Id]]:
        """The id of the first entry of a node."""
        return cython.address(self.ids[number - 1])

    def read(self, number, block):
        """Look at a node."""
        place = cython.declare(Place)
        seek(cython.address(self.stream.nodes), self.first_id(number), cython.address(place))
        node: NodePointer = node_at(self.stream, cython.address(place))
        node.number = 0
        block.data = node.pack
        block.size = total_of(node.pack)
        block.stream = 0
        block.plain = False
        return 0

    def type_of(self, version):
        """As that of a whole stream."""
        return stream_type(cython.cast(ObjectPointer, self.stream), version)

    def put_part(self, record, compressing, part):
        """Write a node."""
        block: cython.pointer[cython.const[Block]] = cython.cast(
            cython.pointer[cython.const[Block]], part
        )
        return put_node(
            record,
            self.first_id(self.taken),
            cython.cast(cython.p_const_char, block.data),
            block.size,
        )

    def put_tail(self, record):
        """Write what else there is to know of a stream: it comes last, but is as it was, too."""
        return put_rest(record, cython.cast(ObjectPointer, self.stream))

    def finish(self, complete):
        """Let the stream go on unobserved."""
        self.stream.keeper = None
        if cython.cast(cython.pointer[PyObject], self.stream).ob_refcnt == 1:
            self.freezer.keyspace.trash.add_value(self.stream)
        self.stream = None
        return 0


@cython.cfunc
@cython.exceptval(check=False)
def node_at(stream: Stream, place: cython.pointer[Place]) -> NodePointer:
    return cython.cast(NodePointer, item_at(cython.address(stream.nodes), place))


# -- As commands -----------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def rewrite_stream(commands: CommandFile, key: bytes, value: Stream) -> cython.int:
    """A stream with its groups; one without entries is made by adding one that goes at once."""
    start: tuple = (0, 0)
    entries: list = value.entries(start, count=TAKEN)
    if not entries:
        commands.buffer.command([b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"])
    while entries:
        for id_, words in entries:
            commands.buffer.command([b"XADD", key, _text(id_), *words])
            commands.flush(GATHERED)
            start = id_
        entries = []
        if start < value.last_id:
            entries = value.entries(_next(start), count=TAKEN)
    commands.buffer.command(
        [
            b"XSETID", key, _text(value.last_id),
            b"ENTRIESADDED", b"%d" % value.entries_added,
            b"MAXDELETEDID", _text(value.max_deleted_id),
        ]
    )  # fmt: skip
    for group in value.groups():
        rewrite_group(commands, key, group)
    if value.idempotency is not None:
        rewrite_idempotency(commands, key, value.idempotency)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def rewrite_idempotency(commands: CommandFile, key: bytes, known: Idempotency) -> cython.int:
    """What was added to a stream under which names."""
    commands.buffer.command(
        [
            b"XCFGSET", key, b"IDMP-DURATION", b"%d" % known.duration_s,
            b"IDMP-MAXSIZE", b"%d" % known.most,
        ]
    )  # fmt: skip
    for producer, name, id_ in known:
        commands.buffer.command(
            [b"XIDMPRECORD", key, producer, name, _text((id_ >> 64, id_ & HALF))]
        )
        commands.flush(GATHERED)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def rewrite_group(commands: CommandFile, key: bytes, group: Group) -> cython.int:
    """A group of a stream, its consumers, and what is pending for them."""
    name: bytes = group.name
    commands.buffer.command(
        [
            b"XGROUP", b"CREATE", key, name, _text(group.last_id),
            b"ENTRIESREAD", b"%d" % group.entries_read,
        ]
    )  # fmt: skip
    deliveries: dict = {(ms, seq): (moment, count) for ms, seq, moment, count in group}
    for consumer in group.in_order():
        if len(consumer) == 0:
            commands.buffer.command([b"XGROUP", b"CREATECONSUMER", key, name, consumer.name])
        for id_ in consumer:
            moment, count = deliveries[id_]
            commands.buffer.command(
                [
                    b"XCLAIM", key, name, consumer.name, b"0", _text(id_),
                    b"TIME", b"%d" % moment, b"RETRYCOUNT", b"%d" % count,
                    b"JUSTID", b"FORCE",
                ]
            )  # fmt: skip
            commands.flush(GATHERED)
    rewrite_released(commands, key, group, deliveries)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def rewrite_released(
    commands: CommandFile, key: bytes, group: Group, deliveries: dict
) -> cython.int:
    """Pending entries of a group that are nobody's; those with one count go together."""
    some: list = []
    counted: int64_t = 0
    for id_ in group.without_consumer():
        if some and (deliveries[id_][1] != counted or len(some) == ITEMS):
            rewrite_some_released(commands, key, group.name, some, counted)
            some = []
        counted = deliveries[id_][1]
        some.append(_text(id_))
    if some:
        rewrite_some_released(commands, key, group.name, some, counted)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def rewrite_some_released(
    commands: CommandFile, key: bytes, name: bytes, ids: list, count: int64_t
) -> cython.int:
    """Pending entries that are nobody's and were delivered so many times."""
    commands.buffer.command(
        [
            b"XNACK", key, name, b"FAIL", b"IDS", b"%d" % len(ids), *ids,
            b"RETRYCOUNT", b"%d" % count, b"FORCE",
        ]
    )  # fmt: skip
    commands.flush(GATHERED)
    return 0


def _text(id_: tuple) -> bytes:
    return b"%d-%d" % (id_[0], id_[1])


def _next(id_: tuple) -> tuple:
    ms, seq = id_
    return (ms, seq + 1) if seq < (1 << 64) - 1 else (ms + 1, 0)

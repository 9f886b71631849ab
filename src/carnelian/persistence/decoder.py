"""Values on their way in: the bytes of an RDB type become a value in the form that the limits ask
for. All types are known that Redis has ever written.

What is read is held for damaged until it is checked: every compact form is looked at element by
element. Only whether elements are there twice, which does no harm to memory, is left to
``thorough`` (``sanitize-dump-payload``).
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes import intset, listpack, slim
from cython.cimports.carnelian.datatypes.entry import (
    INLINE,
    INLINE_LIMIT,
    Content,
    Entry,
    build,
    describe_integer,
    describe_object,
    describe_text,
)
from cython.cimports.carnelian.datatypes.hash import Hash, Times
from cython.cimports.carnelian.datatypes.limits import Limits
from cython.cimports.carnelian.datatypes.list import List
from cython.cimports.carnelian.datatypes.listpack import DIGITS, Pack
from cython.cimports.carnelian.datatypes.nodes import NodePointer, make_node
from cython.cimports.carnelian.datatypes.quicklist import Quicklist, exceeds
from cython.cimports.carnelian.datatypes.set import Set
from cython.cimports.carnelian.datatypes.slabs import take
from cython.cimports.carnelian.datatypes.sorted_set import EntryPointer, SortedSet, of_sorted
from cython.cimports.carnelian.datatypes.string import parse_integer
from cython.cimports.carnelian.datatypes.table import Table, hash_text
from cython.cimports.carnelian.persistence.formats import (
    HASH,
    HASH_LISTPACK,
    HASH_LISTPACK_TIMES,
    HASH_LISTPACK_TIMES_EARLY,
    HASH_TIMES,
    HASH_TIMES_EARLY,
    HASH_ZIPLIST,
    HASH_ZIPMAP,
    LIST,
    LIST_QUICKLIST,
    LIST_QUICKLIST_2,
    LIST_ZIPLIST,
    MODULE,
    MODULE_2,
    PACKED,
    PLAIN,
    SET,
    SET_INTSET,
    SET_LISTPACK,
    STREAM,
    STREAM_2,
    STREAM_3,
    STREAM_4,
    STREAM_5,
    STRING,
    ZSET,
    ZSET_2,
    ZSET_LISTPACK,
    ZSET_ZIPLIST,
)
from cython.cimports.carnelian.persistence.source import Source
from cython.cimports.carnelian.persistence.streams import read_stream
from cython.cimports.carnelian.persistence.ziplists import Bytes, from_ziplist, from_zipmap
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.math import INFINITY, NAN, isnan
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc, strtod
from cython.cimports.libc.string import memcpy

from carnelian.persistence.errors import Corrupt, EmptyValue

# Above the longest text of a double in files of version 7 and before.
SCORE_TEXT = cython.declare(cython.int, 256)
MOST_INTEGERS = cython.declare(int64_t, 1 << 30)
NEVER = cython.declare(int64_t, 0x7FFFFFFFFFFFFFFF)
# Unix times in ms that fields may expire at take 46 bits.
LATEST = cython.declare(uint64_t, (cython.cast(uint64_t, 1) << 46) - 1)


def read_value(source, type, limits, thorough, content):
    """Read a value of an RDB type.

    ``content`` then describes it: a text stands in the source until something else is read, a
    reference is owned by the content.

    Raises ShortRead, Corrupt, or EmptyValue for a collection without elements.
    """
    if type == STRING:
        return read_string(source, content)
    return describe_object(read_collection(source, type, limits, thorough), content)


@cython.cfunc
@cython.exceptval(-1)
def read_string(source: Source, content: cython.pointer[Content]) -> cython.int:
    """A string, described as it is kept best."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    if length <= 20 and parse_integer(text, length, cython.address(content.word)):
        return describe_integer(content.word, content)
    return describe_raw(text, length, content)


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def describe_raw(
    text: cython.p_const_char, length: cython.Py_ssize_t, content: cython.pointer[Content]
) -> cython.int:
    """A text as it is: short ones in place."""
    if length > INLINE_LIMIT:
        return describe_text(PyBytes_FromStringAndSize(text, length), content)
    content.kind = INLINE
    content.flags = 0
    content.zeros = 0
    content.length = length
    content.data = text
    return 0


@cython.cfunc
def read_collection(source: Source, type: cython.int, limits: Limits, thorough: cython.bint):
    """A value that is no string."""
    if type == HASH:
        return read_hash(source, limits, thorough)
    if type == HASH_LISTPACK:
        return hash_of_pack(read_slim_pack(source, "Hash listpack", 2, thorough), limits)
    if type in (HASH_LISTPACK_TIMES, HASH_LISTPACK_TIMES_EARLY):
        return read_timed_pack(source, type, limits, thorough)
    if type in (HASH_TIMES, HASH_TIMES_EARLY):
        return read_timed_hash(source, type, limits)
    if type == HASH_ZIPLIST:
        return hash_of_pack(read_ziplist(source, "Hash ziplist", 2), limits)
    if type == HASH_ZIPMAP:
        return read_zipmap(source, limits)
    if type == LIST_QUICKLIST_2:
        return read_quicklist(source, True, limits)
    if type == LIST_QUICKLIST:
        return read_quicklist(source, False, limits)
    if type == LIST:
        return read_list(source, limits)
    if type == LIST_ZIPLIST:
        return list_of_ziplist(source, limits)
    if type == SET:
        return read_set(source, limits)
    if type == SET_INTSET:
        return read_intset(source, limits)
    if type == SET_LISTPACK:
        return set_of_pack(read_pack(source, "Set listpack", 1, thorough), limits)
    if type in (ZSET, ZSET_2):
        return read_sorted_set(source, type == ZSET_2, limits)
    if type == ZSET_LISTPACK:
        return sorted_set_of_pack(read_pack(source, "Zset listpack", 2, thorough), limits)
    if type == ZSET_ZIPLIST:
        return sorted_set_of_pack(read_ziplist(source, "Zset ziplist", 2), limits)
    if type in (STREAM, STREAM_2, STREAM_3, STREAM_4, STREAM_5):
        return read_stream(source, type, limits)
    if type == MODULE_2:
        raise Corrupt(
            "The RDB file contains module data I can't load: no matching module type "
            f"'{module_name(source.read_length())}'"
        )
    if type == MODULE:
        raise Corrupt("Values of modules in the form of Redis 4.0 betas cannot be read")
    raise Corrupt(f"Unknown RDB encoding type {type}")


def module_name(number: uint64_t) -> str:
    """The name of a module type: nine letters of six bits each above ten bits of version."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    digits = int(number)
    return "".join(letters[digits >> shift & 63] for shift in range(58, 4, -6))


# -- Listpacks and what came before them -----------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=True)
def read_pack(source: Source, what: str, step: cython.int, thorough: cython.bint) -> Pack:
    """A listpack of groups of ``step`` elements; the first of each occurs once if ``thorough``."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack
    if not listpack.is_valid(cython.cast(Bytes, text), length):
        raise Corrupt(f"{what} integrity check failed.")
    pack = listpack.blank(length)
    memcpy(pack, text, length)
    return checked(pack, what, step, thorough)


@cython.cfunc
@cython.exceptval(check=True)
def read_slim_pack(source: Source, what: str, step: cython.int, thorough: cython.bint) -> Pack:
    """As :func:`read_pack`; it is slim from now on."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack = slim.from_full(cython.cast(Bytes, text), length)
    if pack is cython.NULL:
        raise Corrupt(f"{what} integrity check failed.")
    return checked(pack, what, step, thorough)


@cython.cfunc
@cython.exceptval(check=True)
def read_ziplist(source: Source, what: str, step: cython.int) -> Pack:
    """A ziplist of groups of ``step`` elements, the first of each being there once."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack = from_ziplist(cython.cast(Bytes, text), length)
    if pack is cython.NULL:
        raise Corrupt(f"{what} integrity check failed.")
    return checked(pack, what, step, step > 1)


@cython.cfunc
@cython.exceptval(check=True)
def checked(pack: Pack, what: str, step: cython.int, thorough: cython.bint) -> Pack:
    """The listpack if it has whole groups, and some; else it is given up."""
    elements: cython.Py_ssize_t = listpack.count_of(pack)
    if elements % step == 0 and not (thorough and repeats(pack, step)):
        if elements:
            return pack
        listpack.destroy(pack)
        raise EmptyValue(what)
    listpack.destroy(pack)
    raise Corrupt(f"{what} integrity check failed.")


@cython.cfunc
@cython.exceptval(-1)
def repeats(pack: Pack, step: cython.int) -> cython.bint:
    """Whether the first element of a group is that of another one, too."""
    seen: set = set()
    at: cython.Py_ssize_t = listpack.first(pack)
    _i: cython.int
    groups: cython.Py_ssize_t = 0
    while at:
        seen.add(listpack.bytes_at(pack, at))
        groups += 1
        for _i in range(step):
            at = listpack.after(pack, at)
    return len(seen) != groups


# -- Hashes --------------------------------------------------------------------------------------


@cython.cfunc
def hash_of_pack(pack: Pack, limits: Limits) -> Hash:
    """A hash that is that listpack, or a table if it is too large for one."""
    made: Hash = Hash()
    listpack.destroy(made.pack)
    made.pack = pack
    slim.slim(cython.address(made.pack))
    if made.size() > limits.hash_max_listpack_entries:
        made.to_table()
    return made


@cython.cfunc
def read_zipmap(source: Source, limits: Limits):
    """The oldest form of a hash."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack = from_zipmap(cython.cast(Bytes, text), length)
    if pack is cython.NULL:
        raise Corrupt("Zipmap integrity check failed.")
    if repeats(pack, 2):
        listpack.destroy(pack)
        raise Corrupt("Hash zipmap with dup elements, or big length")
    made: Hash = hash_of_pack(pack, limits)
    if made.pack is not cython.NULL and not are_short(made.pack, limits.hash_max_listpack_value):
        made.to_table()
    return made


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def are_short(pack: Pack, longest: int64_t) -> cython.bint:
    """Whether no element has more bytes."""
    at: cython.Py_ssize_t = listpack.first(pack)
    length: cython.Py_ssize_t = 0
    digits = cython.declare(cython.char[DIGITS])
    while at:
        listpack.text_at(pack, at, digits, cython.address(length))
        if length > longest:
            return False
        at = listpack.after(pack, at)
    return True


@cython.cfunc
def read_hash(source: Source, limits: Limits, thorough: cython.bint):
    """Fields with their values: a listpack while they fit one."""
    count: cython.Py_ssize_t = source.read_count()
    made: Hash = Hash()
    seen: set | None = set() if thorough else None
    field: cython.p_const_char
    value: cython.p_const_char
    length: cython.Py_ssize_t = 0
    value_length: cython.Py_ssize_t = 0
    if count == 0:
        raise EmptyValue("Hash")
    if count > limits.hash_max_listpack_entries:
        made.to_table()
        made.table.reserve(count)
    while count > 0:
        count -= 1
        field = source.read_text(cython.address(length))
        field = source.keep(field, length)
        value = source.read_text(cython.address(value_length))
        if made.pack is not cython.NULL:
            if seen is not None:
                if field[:length] in seen:
                    raise Corrupt("Hash with dup elements")
                seen.add(field[:length])
            if (
                length <= limits.hash_max_listpack_value
                and value_length <= limits.hash_max_listpack_value
                and listpack.safe_to_add(made.pack, length + value_length)
            ):
                listpack.append(cython.address(made.pack), field, length)
                listpack.append(cython.address(made.pack), value, value_length)
                continue
            made.to_table()
        add_field(made.table, field, length, value, value_length)
    return made


@cython.cfunc
@cython.exceptval(-1)
def add_field(
    table: Table,
    field: cython.p_const_char,
    length: cython.Py_ssize_t,
    value: cython.p_const_char,
    value_length: cython.Py_ssize_t,
) -> cython.int:
    """Add a field to a table; raises Corrupt if it is there already."""
    content = cython.declare(Content)
    entry: cython.pointer[Entry]
    hash: uint64_t = hash_text(field, length)
    if table.find(hash, field, length) is not cython.NULL:
        raise Corrupt("Duplicate hash fields detected")
    describe_raw(value, value_length, cython.address(content))
    entry = build(field, length, 0, -1, cython.address(content))
    table.insert(hash, entry)
    return 0


@cython.cfunc
def read_timed_pack(source: Source, type: cython.int, limits: Limits, thorough: cython.bint):
    """A listpack of fields, values and times, in the order of the times."""
    pack: Pack
    made: Hash = Hash()
    if type == HASH_LISTPACK_TIMES:
        source.read_word()
    pack = read_slim_pack(source, "Hash listpackex", 3, thorough)
    listpack.destroy(made.pack)
    made.pack = pack
    made.times = Times()
    if not in_order(made):
        raise Corrupt("Hash listpackex integrity check failed.")
    if made.size() > limits.hash_max_listpack_entries:
        made.to_table()
    return made


@cython.cfunc
@cython.exceptval(-1)
def in_order(made: Hash) -> cython.bint:
    """Whether the times of a listpack are numbers that grow, with those that have none behind."""
    item = cython.declare(listpack.Item)
    at: cython.Py_ssize_t = listpack.first(made.pack)
    last: int64_t = 1
    while at:
        at = listpack.after(made.pack, listpack.after(made.pack, at))
        listpack.read(made.pack, at, cython.address(item))
        if item.text is not cython.NULL or item.number < 0:
            return False
        if item.number == 0:
            last = NEVER
        elif item.number < last:
            return False
        else:
            last = item.number
            if made.times.soonest == NEVER:
                made.times.soonest = last
        at = listpack.after(made.pack, at)
    return True


@cython.cfunc
def read_timed_hash(source: Source, type: cython.int, limits: Limits):
    """Fields with their times, counted from the first of these, and values."""
    first: int64_t = source.read_word() if type == HASH_TIMES else 1
    count: cython.Py_ssize_t = source.read_count()
    made: Hash = Hash()
    late: uint64_t
    ms: int64_t
    field: bytes
    value: bytes
    if count == 0:
        raise EmptyValue("Hash")
    if first < 0:
        raise Corrupt(f"Hash read invalid minExpire value: {first}")
    made.keep_times()
    if count > limits.hash_max_listpack_entries:
        made.to_table()
        made.table.reserve(count)
    while count > 0:
        count -= 1
        late = source.read_length()
        if late > LATEST or (late and cython.cast(uint64_t, first) > LATEST):
            raise Corrupt(f"invalid expireAt time: {late}")
        ms = first + cython.cast(int64_t, late) - 1 if late else 0
        field = source.read_bytes()
        value = source.read_bytes()
        if made.locate(field) if made.pack is not cython.NULL else made.contains(field):
            raise Corrupt("Duplicate hash fields detected")
        if made.pack is not cython.NULL and not made.fits_pack(limits, field, value):
            made.to_table()
        if made.pack is not cython.NULL:
            made.add_to_pack(field, value, ms)
        else:
            made.add_to_table(field, value, ms)
        if ms > 0:
            made.times.soonest = min(made.times.soonest, ms)
    return made


# -- Lists ---------------------------------------------------------------------------------------


@cython.cfunc
def read_list(source: Source, limits: Limits):
    """The elements of a list."""
    count: cython.Py_ssize_t = source.read_count()
    made: List = List()
    if count == 0:
        raise EmptyValue("List")
    while count > 0:
        made.push_one(limits, source.read_bytes(), False)
        count -= 1
    return made


@cython.cfunc
def list_of_ziplist(source: Source, limits: Limits):
    """A list that was one ziplist."""
    pack: Pack = read_ziplist(source, "List ziplist", 1)
    made: List = List()
    if fits_one(pack, limits):
        listpack.destroy(made.pack)
        made.pack = pack
        slim.slim(cython.address(made.pack))
        return made
    try:
        at: cython.Py_ssize_t = listpack.first(pack)
        while at:
            made.push_one(limits, listpack.bytes_at(pack, at), False)
            at = listpack.after(pack, at)
    finally:
        listpack.destroy(pack)
    return made


@cython.cfunc
@cython.exceptval(-1)
def fits_one(pack: Pack, limits: Limits) -> cython.bint:
    """Whether a list of these elements may be one listpack."""
    return not exceeds(
        limits.list_max_listpack_size, listpack.full_size(pack), listpack.count_of(pack)
    )


@cython.cfunc
def read_quicklist(source: Source, with_containers: cython.bint, limits: Limits):
    """The nodes of a list: listpacks or large elements, before Redis 7 ziplists."""
    nodes: cython.Py_ssize_t = source.read_count()
    chain: Quicklist = Quicklist(limits.list_max_listpack_size, limits.list_compress_depth)
    made: List
    pack: Pack
    if nodes == 0:
        raise EmptyValue("List")
    while nodes > 0:
        read_node(source, with_containers, chain)
        nodes -= 1
    if chain.count == 0:
        raise EmptyValue("List")
    made = List()
    listpack.destroy(made.pack)
    made.pack = cython.NULL
    made.chain = chain
    if chain.nodes == 1 and not exceeds(
        limits.list_max_listpack_size, chain.head.size, chain.count
    ):
        pack = chain.only_pack()
        if pack is not cython.NULL:
            made.pack = pack
            made.chain = None
    return made


@cython.cfunc
@cython.exceptval(-1)
def read_node(source: Source, with_containers: cython.bint, chain: Quicklist) -> cython.int:
    """Append a node; none for an empty listpack."""
    container: uint64_t = source.read_length() if with_containers else PACKED
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char
    pack: Pack = cython.NULL
    if container != PACKED and container != PLAIN:
        raise Corrupt("Quicklist integrity check failed.")
    text = source.read_text(cython.address(length))
    if length == 0:
        raise Corrupt("Quicklist node without bytes")
    if container == PLAIN:
        return append_plain(chain, text, length)
    if not with_containers:
        pack = from_ziplist(cython.cast(Bytes, text), length)
        if pack is cython.NULL:
            raise Corrupt("Ziplist integrity check failed.")
        slim.slim(cython.address(pack))
    else:
        pack = slim.from_full(cython.cast(Bytes, text), length)
        if pack is cython.NULL:
            raise Corrupt("Listpack integrity check failed.")
    if listpack.count_of(pack) == 0:
        listpack.destroy(pack)
        return 0
    return chain.append_pack(pack)


@cython.cfunc
@cython.exceptval(-1)
def append_plain(
    chain: Quicklist, text: cython.p_const_char, length: cython.Py_ssize_t
) -> cython.int:
    """Append a node that is one large element."""
    node: NodePointer = make_node()
    node.data = take(length)
    memcpy(node.data, text, length)
    node.plain = True
    node.size = length
    node.count = 1
    chain.count += 1
    return chain.link(node, chain.tail, True)


# -- Sets ----------------------------------------------------------------------------------------


@cython.cfunc
def read_set(source: Source, limits: Limits):
    """The members of a set, in the smallest form that takes them."""
    count: cython.Py_ssize_t = source.read_count()
    made: Set = Set()
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    left: cython.Py_ssize_t = count
    if count == 0:
        raise EmptyValue("Set")
    if count > min(limits.set_max_intset_entries, MOST_INTEGERS):
        made.to_table(count)
    while left > 0:
        left -= 1
        text = source.read_text(cython.address(length))
        if not made.add_text(limits, text, length):
            raise Corrupt("Duplicate set members detected")
    return made


@cython.cfunc
def read_intset(source: Source, limits: Limits):
    """A set of integers."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    made: Set = Set()
    ints: intset.Ints
    try:
        ints = intset.from_text(text, length)
    except ValueError:
        raise Corrupt("Intset integrity check failed.") from None
    intset.destroy(made.ints)
    made.ints = ints
    if intset.count_of(ints) == 0:
        raise Corrupt("Intset integrity check failed.")
    if intset.count_of(ints) > limits.set_max_intset_entries:
        made.to_table(0)
    return made


@cython.cfunc
def set_of_pack(pack: Pack, limits: Limits) -> Set:
    """A set that is that listpack, or a table if it is too large for one."""
    made: Set = Set(packed=True)
    listpack.destroy(made.pack)
    made.pack = pack
    if listpack.count_of(pack) > limits.set_max_listpack_entries:
        made.to_table(0)
    return made


# -- Sorted sets ---------------------------------------------------------------------------------


@cython.cfunc
def sorted_set_of_pack(pack: Pack, limits: Limits) -> SortedSet:
    """A sorted set that is that listpack, or table and tree if it is too large for one."""
    made: SortedSet = SortedSet()
    listpack.destroy(made.pack)
    made.pack = pack
    if made.size() > limits.zset_max_listpack_entries:
        made.grow()
    return made


@cython.cfunc
def read_sorted_set(source: Source, binary: cython.bint, limits: Limits):
    """Members with scores, in any order."""
    count: cython.Py_ssize_t = source.read_count()
    if count == 0:
        raise EmptyValue("Zset")
    if count <= limits.zset_max_listpack_entries:
        return read_small_sorted_set(source, binary, count, limits)
    made: SortedSet = SortedSet()
    made.grow()
    made.table.reserve(count)
    entries: cython.pointer[EntryPointer] = cython.cast(
        cython.pointer[EntryPointer], malloc(count * 8)
    )
    if entries is cython.NULL:
        raise MemoryError
    try:
        read_members(source, binary, count, made, entries)
    finally:
        free(entries)
    return made


@cython.cfunc
def read_small_sorted_set(
    source: Source, binary: cython.bint, count: cython.Py_ssize_t, limits: Limits
):
    """:func:`read_sorted_set` where the members may be few and short enough for a listpack."""
    pairs: list = []
    seen: set = set()
    while count > 0:
        count -= 1
        member: bytes = source.read_bytes()
        pairs.append((read_score(source, binary), member))
        seen.add(member)
    if len(seen) != len(pairs):
        raise Corrupt("Duplicate zset fields detected")
    pairs.sort()
    return of_sorted(pairs, limits)


@cython.cfunc
@cython.exceptval(-1)
def read_members(
    source: Source,
    binary: cython.bint,
    count: cython.Py_ssize_t,
    made: SortedSet,
    entries: cython.pointer[EntryPointer],
) -> cython.int:
    """Read members into the table, and then into the tree, the last one first: files have them in
    descending order, and a tree is built best in ascending order.
    """
    content = cython.declare(Content)
    entry: EntryPointer
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    hash: uint64_t
    score: cython.double
    word: int64_t = 0
    i: cython.Py_ssize_t
    for i in range(count):
        text = source.read_text(cython.address(length))
        text = source.keep(text, length)
        score = read_score(source, binary)
        hash = hash_text(text, length)
        if made.table.find(hash, text, length) is not cython.NULL:
            raise Corrupt("Duplicate zset fields detected")
        memcpy(cython.address(word), cython.address(score), 8)
        describe_integer(word, cython.address(content))
        entry = build(text, length, 0, -1, cython.address(content))
        made.table.insert(hash, entry)
        entries[i] = entry
    while count > 0:
        count -= 1
        made.enter(entries[count])
    return 0


@cython.cfunc
@cython.exceptval(-1, check=True)
def read_score(source: Source, binary: cython.bint) -> cython.double:
    """A score: eight bytes, or in old files its text behind its length."""
    score: cython.double
    text = cython.declare(cython.char[256])
    end: cython.p_char = cython.NULL
    length: cython.int
    if binary:
        score = source.read_double()
    else:
        length = source.read_byte()
        if length == 255:
            return -INFINITY
        if length == 254:
            return INFINITY
        if length == 253:
            score = NAN
        else:
            memcpy(text, source.take(length), length)
            text[length] = 0
            score = strtod(text, cython.address(end))
            if end == cython.cast(cython.p_char, text):
                raise Corrupt("Zset with a score that is no number")
    if isnan(score):
        raise Corrupt("Zset with NAN score detected")
    return score

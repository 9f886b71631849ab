"""Hashes in files: a listpack, or single fields; with the times of fields that expire."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.collections.hash import FIELDS, VALUES, Hash, Times
from cython.cimports.carnelian.datatypes.packs import listpack, slim
from cython.cimports.carnelian.datatypes.packs.listpack import DIGITS, Bytes, Pack
from cython.cimports.carnelian.datatypes.tables.entry import (
    Content,
    Entry,
    build,
    expires,
    expiry_of,
    key_length,
    key_of,
    read_key,
    read_value,
    text_length,
)
from cython.cimports.carnelian.datatypes.tables.table import Table, hash_text
from cython.cimports.carnelian.datatypes.tables.walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import GATHERED, ITEMS, CommandFile
from cython.cimports.carnelian.persistence.bytes.formats import (
    HASH,
    HASH_LISTPACK,
    HASH_LISTPACK_TIMES,
    HASH_LISTPACK_TIMES_EARLY,
    HASH_TIMES,
    HASH_TIMES_EARLY,
    HASH_ZIPLIST,
    HASH_ZIPMAP,
    OLDEST,
    WITH_TIMES,
)
from cython.cimports.carnelian.persistence.bytes.frozen import LONG_STRING, FrozenMembers
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.bytes.ziplists import from_zipmap
from cython.cimports.carnelian.persistence.forms.directory import register
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.packs import (
    put_pack,
    read_slim_pack,
    read_ziplist,
    repeats,
)
from cython.cimports.carnelian.persistence.forms.string_forms import describe_raw, put_string
from cython.cimports.carnelian.resp.numbers import format_int
from cython.cimports.libc.stdint import int64_t, uint64_t

from carnelian.persistence.bytes.file_errors import Corrupt, EmptyValue

NEVER = cython.declare(int64_t, 0x7FFFFFFFFFFFFFFF)
# Unix times in ms that fields may expire at take 46 bits.
LATEST = cython.declare(uint64_t, (cython.cast(uint64_t, 1) << 46) - 1)
NOBODY = cython.declare(ObjectPointer, cython.cast(ObjectPointer, None))


@cython.final
@cython.cclass
class HashForm(Form):
    """Of hashes."""

    def type_of(self, value, version):
        """A hash without a field that expires is as it was before there were any."""
        return hash_type(value)

    def needed_version(self, value, quickly):
        """A later one if fields expire."""
        if cython.cast(ObjectPointer, cython.cast(Hash, value).times) == NOBODY:
            return OLDEST
        if quickly:
            return OLDEST if cython.cast(Hash, value).times.soonest == NEVER else WITH_TIMES
        return WITH_TIMES if hash_type(value) in (HASH_TIMES, HASH_LISTPACK_TIMES) else OLDEST

    def put(self, sink, value):
        """A listpack, or the number of fields and each with its value; where fields expire, the
        first time comes before, and times of fields count from there.
        """
        pack: Pack = cython.cast(Hash, value).pack
        if pack is cython.NULL:
            return put_table(sink, value)
        if cython.cast(ObjectPointer, cython.cast(Hash, value).times) != NOBODY:
            if soonest_in_pack(pack) == NEVER:
                return put_fields(sink, pack)
            sink.put_word(soonest_in_pack(pack))
        return put_pack(sink, pack)

    def read(self, source, type, limits, thorough):
        """Fields, a listpack, or what there was before."""
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
        return read_zipmap(source, limits)

    def freeze(self, freezer, index, value):
        """Field by field, if it has many."""
        table: Table = cython.cast(Hash, value).table
        if table is None or table.used < freezer.big:
            return None
        frozen: FrozenHash = FrozenHash(freezer, table, index)
        frozen.note_times(cython.cast(Hash, value).times)
        table.begin_version(frozen)
        return frozen

    def rewrite(self, commands, key, value):
        """The fields, and when some of them expire."""
        fields: Hash = value
        moment: int64_t
        commands.put_some(b"HMSET", key, fields.collect(FIELDS | VALUES), 2 * ITEMS)
        if fields.times is None:
            return 0
        for field in fields.collect(FIELDS):
            moment = fields.expiry(field)
            if moment >= 0:
                rewrite_time(commands, key, field, moment)
        return 0


register(
    Hash,
    HashForm(),
    (
        HASH, HASH_ZIPMAP, HASH_ZIPLIST, HASH_LISTPACK, HASH_TIMES_EARLY,
        HASH_LISTPACK_TIMES_EARLY, HASH_TIMES, HASH_LISTPACK_TIMES,
    ),
)  # fmt: skip


@cython.cfunc
@cython.exceptval(-1)
def rewrite_time(commands: CommandFile, key: bytes, field: bytes, moment: int64_t) -> cython.int:
    """Write the command that lets a field expire."""
    return commands.put([b"HPEXPIREAT", key, format_int(moment), b"FIELDS", b"1", field])


# -- Out -------------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def hash_type(value: ObjectPointer) -> cython.int:
    """A hash without a field that expires is as it was before there were any."""
    if cython.cast(Hash, value).pack is not cython.NULL:
        if cython.cast(ObjectPointer, cython.cast(Hash, value).times) == NOBODY:
            return HASH_LISTPACK
        if soonest_in_pack(cython.cast(Hash, value).pack) != NEVER:
            return HASH_LISTPACK_TIMES
        return HASH
    return HASH if soonest_in_table(value) == NEVER else HASH_TIMES


@cython.cfunc
@cython.exceptval(check=False)
def walk_hash(walk: cython.pointer[Walk], value: ObjectPointer) -> cython.void:
    begin_walk(
        walk,
        cython.address(cython.cast(Hash, value).table.main),
        cython.address(cython.cast(Hash, value).table.target),
        cython.cast(Hash, value).table.position,
    )


@cython.cfunc
@cython.exceptval(check=False)
def soonest_in_table(value: ObjectPointer) -> int64_t:
    """When the first field of a table expires, NEVER if none does."""
    walk = cython.declare(Walk)
    entry: cython.pointer[Entry]
    soonest: int64_t = NEVER
    if cython.cast(ObjectPointer, cython.cast(Hash, value).times) == NOBODY:
        return NEVER
    walk_hash(cython.address(walk), value)
    entry = walk_on(cython.address(walk))
    while entry is not cython.NULL:
        if expires(entry) and expiry_of(entry) < soonest:
            soonest = expiry_of(entry)
        entry = walk_on(cython.address(walk))
    return soonest


@cython.cfunc
@cython.exceptval(check=False)
def soonest_in_pack(pack: Pack) -> int64_t:
    """When the first field of a listpack with times expires: they are in that order."""
    item = cython.declare(listpack.Item)
    at: cython.Py_ssize_t = listpack.first(pack)
    at = listpack.after(pack, listpack.after(pack, at))
    if listpack.read(pack, at, cython.address(item)) and item.text is cython.NULL and item.number:
        return item.number
    return NEVER


@cython.cfunc
@cython.exceptval(-1)
def put_table(sink: Sink, value: ObjectPointer) -> cython.int:
    """The number of fields, and each with its value and its time if some expire."""
    soonest: int64_t = soonest_in_table(value)
    timed: cython.bint = soonest != NEVER
    walk = cython.declare(Walk)
    entry: cython.pointer[Entry]
    if timed:
        sink.put_word(soonest)
    sink.put_length(cython.cast(Hash, value).table.used)
    walk_hash(cython.address(walk), value)
    entry = walk_on(cython.address(walk))
    while entry is not cython.NULL:
        if timed:
            sink.put_length(expiry_of(entry) - soonest + 1 if expires(entry) else 0)
        sink.put_text(key_of(entry), key_length(entry))
        put_string(sink, entry)
        entry = walk_on(cython.address(walk))
    return 0


@cython.cfunc
@cython.exceptval(-1)
def put_fields(sink: Sink, pack: Pack) -> cython.int:
    """Fields and values of a listpack that has times, none of which is set."""
    digits = cython.declare(cython.char[DIGITS])
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = listpack.first(pack)
    sink.put_length(listpack.count_of(pack) // 3)
    while at:
        text = listpack.text_at(pack, at, digits, cython.address(length))
        sink.put_text(text, length)
        at = listpack.after(pack, at)
        text = listpack.text_at(pack, at, digits, cython.address(length))
        sink.put_text(text, length)
        at = listpack.after(pack, listpack.after(pack, at))
    return 0


# -- In --------------------------------------------------------------------------------------------


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
        field = source.retain(field, length)
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
    made.prepare_times()
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


# -- In parts --------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class FrozenHash(FrozenMembers):
    """The fields of a big hash; none expires before ``soonest``, and some do if ``timed``."""

    def note_times(self, times: Times | None):
        """Note what is known of the times of fields."""
        self.soonest = NEVER if times is None else times.soonest
        self.timed = self.soonest != NEVER

    def type_of(self, version):
        """Single fields."""
        return HASH_TIMES if self.timed else HASH

    def put_head(self, record):
        """Write from when times are counted, and the number of fields."""
        if self.timed:
            record.put_word(self.soonest)
        return record.put_length(self.count)

    def put_part(self, record, compressing, part):
        """Write a field."""
        field: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], part)
        if self.timed:
            record.put_length(expiry_of(field) - self.soonest + 1 if expires(field) else 0)
        record.put_text(key_of(field), key_length(field))
        record.compressing = compressing and text_length(field) < LONG_STRING
        return put_string(record, field)

    def rewrite_part(self, commands, key, part):
        """Write the commands that set a field, and let it expire."""
        entry: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], part)
        field: bytes = read_key(entry)
        commands.buffer.command([b"HSET", key, field, read_value(entry)])
        if expires(entry):
            rewrite_time(commands, key, field, expiry_of(entry))
        return commands.flush(GATHERED)
